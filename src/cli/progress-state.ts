/** Adds progress events up into what a line of progress shows. Formats nothing. */

import { escapeForDisplay } from "../model/display.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { ProgressEvent } from "../run/progress.js";
import type { Clock } from "../support/clock.js";

export interface ScopeProgress {
  readonly label: string;
  /** Bytes of the scope's files: what there is to read. */
  readonly expectedBytes: number;
  readonly records: number;
  readonly bytes: number;
  /** Rejected, failed and ambiguous ones; in a comparison, those that differ. */
  readonly left: number;
  /** Whether records are compared, not restored. */
  readonly isComparison: boolean;
  /** What of them was done before: it tells nothing of the pace. */
  readonly before: { readonly records: number; readonly bytes: number };
  readonly startedAt: number;
  readonly isFinished: boolean;
}

export class ProgressState {
  checked: { readonly files: number; readonly bytes: number; readonly isDone: boolean } | undefined;
  surveyed: { readonly label: string; readonly records: number } | undefined;
  readonly scopes = new Map<Scope, ScopeProgress>();
  isFinished = false;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(event: ProgressEvent): void {
    switch (event.type) {
      case "checking":
      case "checked":
        this.checked = { files: event.files, bytes: event.bytes, isDone: event.type === "checked" };
        break;
      case "surveyed":
        this.surveyed = { label: escapeForDisplay(scopeLabel(event.scope)), records: event.records };
        break;
      case "scope-started":
        this.scopes.set(event.scope, {
          label: escapeForDisplay(scopeLabel(event.scope)),
          expectedBytes: event.expectedBytes,
          ...{ records: 0, bytes: 0, left: 0, isComparison: false, isFinished: false },
          before: { records: 0, bytes: 0 },
          startedAt: this.#clock.monotonic(),
        });
        break;
      case "records":
        this.#count(event);
        break;
      case "compared":
        this.#change(event.scope, (before) => ({
          isComparison: true,
          records: before.records + 1,
          bytes: before.bytes + event.bytes,
          left: before.left + (event.differing ? 1 : 0),
        }));
        break;
      case "counted-before":
        this.#startOver(event);
        break;
      case "scope-finished":
        this.#change(event.scope, () => ({ isFinished: true }));
        break;
      case "finished":
        this.isFinished = true;
        break;
    }
  }

  /** Records a second since the scope began. */
  rate({ records, before, startedAt }: ScopeProgress): number {
    return (records - before.records) / Math.max((this.#clock.monotonic() - startedAt) / 1000, 0.001);
  }

  /** Milliseconds left at the pace so far; undefined when nothing tells. */
  timeLeft({ bytes, before, expectedBytes, startedAt }: ScopeProgress): number | undefined {
    const elapsed = this.#clock.monotonic() - startedAt;
    const done = bytes - before.bytes;
    if (done <= 0 || elapsed < 1000) return undefined;
    return (Math.max(0, expectedBytes - bytes) / done) * elapsed;
  }

  #startOver({ scope, records, bytes, left }: Extract<ProgressEvent, { type: "counted-before" }>): void {
    this.#change(scope, () => ({
      records,
      bytes,
      left,
      before: { records, bytes },
      startedAt: this.#clock.monotonic(),
    }));
  }

  #count({ scope, outcome, records, bytes }: Extract<ProgressEvent, { type: "records" }>): void {
    const isLeft = outcome === "rejected" || outcome === "failed" || outcome === "ambiguous";
    this.#change(scope, (before) => ({
      records: before.records + records,
      bytes: before.bytes + bytes,
      left: before.left + (isLeft ? records : 0),
    }));
  }

  #change(scope: Scope, change: (before: ScopeProgress) => Partial<ScopeProgress>): void {
    const before = this.scopes.get(scope);
    if (before !== undefined) this.scopes.set(scope, { ...before, ...change(before) });
  }
}
