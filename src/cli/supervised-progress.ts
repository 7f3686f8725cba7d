/**
 * How far all runs of a process are, told at most four times a second, and not before what was told last was handed on:
 * a supervisor that does not listen fills no memory. What was said last is what is true at the end.
 */
import type { Progress, ScopeProgress as ToldScope } from "../daemon/channel.js";
import { type RunControl, workClock } from "../run/control.js";
import type { ProgressSink } from "../run/progress.js";
import type { Clock } from "../support/clock.js";
import { present } from "../support/present.js";
import { ProgressState, type ScopeProgress, type ShownScope } from "./progress-state.js";

const INTERVAL_MS = 250;

export class SupervisedProgress {
  readonly #clock: Clock;
  readonly #control: RunControl;
  readonly #send: (progress: Progress, done: () => void) => void;
  /** A run each, in the order in which they were begun. */
  readonly #states: ProgressState[] = [];
  #isDirty = false;
  #isSending = false;
  #toldAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `send`: calls `done` once it has handed the progress on. */
  constructor(clock: Clock, control: RunControl, send: (progress: Progress, done: () => void) => void) {
    this.#clock = clock;
    this.#control = control;
    this.#send = send;
  }

  sink(): ProgressSink {
    const state = new ProgressState(workClock(this.#clock, this.#control));
    this.#states.push(state);
    return {
      report: (event) => {
        state.take(event);
        this.#isDirty = true;
        this.#schedule();
      },
    };
  }

  /** Tells at once what was not told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isDirty) this.#tell();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isSending) return;
    const sinceMs = this.#toldAt === undefined ? INTERVAL_MS : this.#clock.monotonic() - this.#toldAt;
    if (sinceMs >= INTERVAL_MS) {
      this.#tell();
      return;
    }
    this.#timer = setTimeout(() => this.flush(), INTERVAL_MS - sinceMs);
    this.#timer.unref();
  }

  #tell(): void {
    this.#isDirty = false;
    this.#isSending = true;
    this.#toldAt = this.#clock.monotonic();
    this.#send(this.#progress(), () => {
      this.#isSending = false;
      if (this.#isDirty) this.#schedule();
    });
  }

  #progress(): Progress {
    const check = this.#states.findLast(({ checked }) => checked !== undefined)?.checked;
    const surveyed = this.#states.findLast((state) => state.surveyed !== undefined)?.surveyed;
    // A scope may be compared twice: the later run tells how it stands.
    const scopes = new Map<string, ToldScope>();
    for (const state of this.#states) {
      for (const [scope, progress] of state.scopes) {
        const key = `${progress.isComparison} ${nameOf(scope)}`;
        scopes.delete(key);
        scopes.set(key, toldScope(scope, progress, state));
      }
    }
    return {
      ...present({ check }),
      ...(surveyed === undefined ? {} : { surveyed: { scope: nameOf(surveyed.scope), records: surveyed.records } }),
      scopes: [...scopes.values()],
    };
  }
}

function toldScope(scope: ShownScope, progress: ScopeProgress, state: ProgressState): ToldScope {
  const { records, bytes, expectedBytes, outcomes, differing, isComparison, endedAt } = progress;
  const msLeft = endedAt === undefined ? state.timeLeft(progress) : undefined;
  return {
    scope: nameOf(scope),
    ...{ records, bytes, expectedBytes, outcomes, differing, isComparison },
    perSecond: Math.max(0, Math.round(state.rate(progress) * 10) / 10),
    ...(msLeft === undefined ? {} : { secondsLeft: Math.round(msLeft / 1000) }),
    isFinished: endedAt !== undefined,
  };
}

function nameOf({ adapter, name }: ShownScope): string {
  return `${adapter}/${name}`;
}
