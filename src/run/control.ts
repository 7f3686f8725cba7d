/**
 * What may be changed of runs from outside while they are under way: whether anything is sent, and how fast. One control
 * is for all the runs of a process, one after another.
 *
 * Paused, nothing is begun any more: requests wait for permission, readers for their next record. What is under way ends,
 * and then the run is idle. A pause is no work: it counts neither in rates nor against the time for retries.
 */
import type { Adapter } from "../model/scope.js";
import type { Clock } from "../support/clock.js";
import { Gate } from "../support/gate.js";
import type { RateLimits } from "./rates.js";

/** Of batches at once in each scope. An adapter that is not named keeps what it has. */
export type Concurrency = { readonly [A in Adapter]?: number };

interface Pause {
  /** Unix milliseconds. */
  readonly from: number;
  readonly to: number;
}

export class RunControl {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #gate = new Gate();
  /** Those that are over. */
  readonly #pauses: Pause[] = [];
  #pausedBeforeMs = 0;
  #pausedAt: { readonly now: number; readonly monotonic: number } | undefined;
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #rates: RateLimits | undefined;
  #concurrency: Concurrency = {};
  readonly #listeners = new Set<(rates: RateLimits) => void>();

  /** Once `signal` aborts nothing is paused any more: what a run that is to stop still does, it has to do. */
  constructor(clock: Clock, signal?: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal?.addEventListener("abort", () => this.resume(), { once: true });
  }

  get isPaused(): boolean {
    return !this.#gate.isOpen;
  }

  /** `onIdle`: called once nothing is under way any more, unless it is resumed before. */
  pause(onIdle: () => void = () => undefined): void {
    if (this.#signal?.aborted === true) return;
    this.#gate.close();
    this.#pausedAt ??= { now: this.#clock.now(), monotonic: this.#clock.monotonic() };
    this.#onIdle = onIdle;
    this.#tellIdle();
  }

  resume(): void {
    const began = this.#pausedAt;
    this.#onIdle = undefined;
    this.#pausedAt = undefined;
    if (began !== undefined) {
      this.#pausedBeforeMs += this.#clock.monotonic() - began.monotonic;
      this.#pauses.push({ from: began.now, to: this.#clock.now() });
    }
    this.#gate.open();
  }

  /** Waits while it is paused. @throws the signal's reason */
  async pass(signal?: AbortSignal): Promise<void> {
    if (!this.#gate.isOpen) await this.#gate.pass(signal);
  }

  /** Something is under way until `end`. */
  begin(): void {
    this.#underWay++;
  }

  end(): void {
    this.#underWay = Math.max(0, this.#underWay - 1);
    this.#tellIdle();
  }

  /** As `pass`, for something that is under way otherwise. */
  async rest(signal?: AbortSignal): Promise<void> {
    if (this.#gate.isOpen) return;
    this.end();
    try {
      await this.#gate.pass(signal);
    } finally {
      this.begin();
    }
  }

  /** Milliseconds of all pauses so far. */
  get pausedMs(): number {
    const now = this.#pausedAt === undefined ? 0 : this.#clock.monotonic() - this.#pausedAt.monotonic;
    return this.#pausedBeforeMs + now;
  }

  /** Milliseconds of pauses since then, in Unix milliseconds. */
  pausedSince(at: number): number {
    const now = this.#pausedAt === undefined ? [] : [{ from: this.#pausedAt.now, to: this.#clock.now() }];
    return [...this.#pauses, ...now].reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0);
  }

  /** Limits that take the place of those that the run began with; absent ones stay. */
  limitTo({ rates, concurrency }: { readonly rates?: RateLimits; readonly concurrency?: Concurrency }): void {
    this.#concurrency = { ...this.#concurrency, ...concurrency };
    if (rates === undefined) return;
    this.#rates = rates;
    for (const listener of this.#listeners) listener(rates);
  }

  /** Absent: as the run began. */
  get rates(): RateLimits | undefined {
    return this.#rates;
  }

  /** Absent: as the run began. */
  concurrencyOf(adapter: Adapter): number | undefined {
    return this.#concurrency[adapter];
  }

  /** Called with every change, for as long as there is the control. */
  onRates(listener: (rates: RateLimits) => void): void {
    this.#listeners.add(listener);
  }

  #tellIdle(): void {
    if (this.#gate.isOpen || this.#underWay > 0) return;
    const told = this.#onIdle;
    this.#onIdle = undefined;
    told?.();
  }
}

/** A clock whose durations are work: pauses are left out. */
export function workClock<C extends Pick<Clock, "monotonic">>(clock: C, control: RunControl | undefined): C {
  if (control === undefined) return clock;
  return { ...clock, monotonic: () => clock.monotonic() - control.pausedMs };
}
