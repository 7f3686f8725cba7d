/** Adds progress events up into what is shown of a run, on a terminal, in lines and elsewhere. Formats nothing. */

import { escapeForDisplay } from "../model/display.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { ProgressEvent } from "../run/progress.js";
import { emptyTotals, type Totals } from "../run/tally.js";
import type { Clock } from "../support/clock.js";

export interface ScopeProgress {
  readonly label: string;
  /** Bytes of the scope's files: what there is to read. */
  readonly expectedBytes: number;
  readonly records: number;
  readonly bytes: number;
  readonly outcomes: Totals;
  /** Of a comparison: records that differ. */
  readonly differing: number;
  /** Whether records are compared, not restored. */
  readonly isComparison: boolean;
  /** What of them was done before: it tells nothing of the pace. */
  readonly before: { readonly records: number; readonly bytes: number };
  readonly startedAt: number;
  /** Absent: it is under way. */
  readonly endedAt?: number;
  /** As whoever works on it measured it. Absent: it is measured here. */
  readonly pace?: Pace;
}

export interface Pace {
  /** Records. */
  readonly perSecond: number;
  /** Absent: nothing tells. */
  readonly msLeft?: number;
}

/** All that is shown of a scope. One object stands for one scope. */
export type ShownScope = Pick<Scope, "adapter" | "name">;

/** How far another process is with a scope, in place of whatever was known of it. */
export interface ToldProgress
  extends Pick<ScopeProgress, "bytes" | "differing" | "expectedBytes" | "isComparison" | "outcomes" | "records"> {
  readonly type: "told";
  readonly scope: ShownScope;
  readonly pace: Pace;
}

/** Of this process's run, or of another's. */
export type ShownEvent =
  | ProgressEvent
  | ToldProgress
  | { readonly type: "surveyed"; readonly scope: ShownScope; readonly records: number }
  | { readonly type: "scope-finished"; readonly scope: ShownScope };

export class ProgressState {
  checked: { readonly files: number; readonly bytes: number; readonly isDone: boolean } | undefined;
  surveyed: { readonly scope: ShownScope; readonly records: number } | undefined;
  readonly scopes = new Map<ShownScope, ScopeProgress>();
  isFinished = false;
  readonly #clock: Pick<Clock, "monotonic">;

  /** `clock`: of work, so that a pause does not count in what it tells of the pace. */
  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  take(event: ShownEvent): void {
    switch (event.type) {
      case "checking":
      case "checked":
        this.checked = { files: event.files, bytes: event.bytes, isDone: event.type === "checked" };
        break;
      case "surveyed":
        this.surveyed = { scope: event.scope, records: event.records };
        break;
      case "scope-started":
        this.#begin(event);
        break;
      case "records":
        this.#count(event);
        break;
      case "compared":
        this.#change(event.scope, (before) => ({
          records: before.records + 1,
          bytes: before.bytes + event.bytes,
          differing: before.differing + (event.differing ? 1 : 0),
        }));
        break;
      case "counted-before":
        this.#startOver(event);
        break;
      case "told":
        this.#put(event);
        break;
      case "scope-finished":
        this.#change(event.scope, () => ({ endedAt: this.#clock.monotonic() }));
        break;
      case "finished":
        this.isFinished = true;
        break;
    }
  }

  /** Records a second since the scope began. */
  rate({ records, before, startedAt, endedAt = this.#clock.monotonic(), pace }: ScopeProgress): number {
    if (pace !== undefined) return pace.perSecond;
    return (records - before.records) / Math.max((endedAt - startedAt) / 1000, 0.001);
  }

  /** Milliseconds left at the pace so far; undefined when nothing tells. */
  timeLeft({ bytes, before, expectedBytes, startedAt, pace }: ScopeProgress): number | undefined {
    if (pace !== undefined) return pace.msLeft;
    const elapsed = this.#clock.monotonic() - startedAt;
    const done = bytes - before.bytes;
    if (done <= 0 || elapsed < 1000) return undefined;
    return (Math.max(0, expectedBytes - bytes) / done) * elapsed;
  }

  #begin({ scope, expectedBytes, isComparison = false }: Extract<ProgressEvent, { type: "scope-started" }>): void {
    this.scopes.set(scope, {
      label: escapeForDisplay(scopeLabel(scope)),
      expectedBytes,
      ...{ records: 0, bytes: 0, outcomes: emptyTotals(), differing: 0, isComparison },
      before: { records: 0, bytes: 0 },
      startedAt: this.#clock.monotonic(),
    });
  }

  #put({ type: _type, scope, ...told }: ToldProgress): void {
    this.scopes.set(scope, {
      ...told,
      label: escapeForDisplay(scopeLabel(scope)),
      before: { records: 0, bytes: 0 },
      startedAt: this.#clock.monotonic(),
    });
  }

  #startOver({ scope, records, bytes, outcomes }: Extract<ProgressEvent, { type: "counted-before" }>): void {
    this.#change(scope, () => ({
      records,
      bytes,
      outcomes,
      before: { records, bytes },
      startedAt: this.#clock.monotonic(),
    }));
  }

  #count({ scope, outcome, records, bytes }: Extract<ProgressEvent, { type: "records" }>): void {
    this.#change(scope, (before) => ({
      records: before.records + records,
      bytes: before.bytes + bytes,
      outcomes: { ...before.outcomes, [outcome]: before.outcomes[outcome] + records },
    }));
  }

  #change(scope: ShownScope, change: (before: ScopeProgress) => Partial<ScopeProgress>): void {
    const before = this.scopes.get(scope);
    if (before !== undefined) this.scopes.set(scope, { ...before, ...change(before) });
  }
}

/** Records that need somebody: rejected, failed and ambiguous ones; in a comparison, those that differ. */
export function leftOf({ outcomes, differing }: Pick<ScopeProgress, "differing" | "outcomes">): number {
  return outcomes.rejected + outcomes.failed + outcomes.ambiguous + differing;
}
