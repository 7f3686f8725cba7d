/**
 * Waiting for a time of day. A timer counts how long the machine was awake: it would ring too late after the machine
 * slept, and at another time than was meant after its clock was set. So nobody waits longer than a minute without looking
 * at the clock again.
 */
import type { Clock } from "./clock.js";

const LONGEST_WAIT_MS = 60_000;

export class Alarm {
  readonly #clock: Clock;
  #isRung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait that is under way, or else the next one before it begins. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /**
   * Resolves at `at` (Unix milliseconds), when it rings, after a minute, or when aborted, whichever comes first. Never
   * rejects for an abort: callers look at the signal.
   */
  async wait(at: number | undefined, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const wake = () => waiting.abort();
    if (this.#isRung || signal.aborted) wake();
    this.#wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    const ms = Math.min(LONGEST_WAIT_MS, Math.max(0, (at ?? Number.POSITIVE_INFINITY) - this.#clock.now()));
    try {
      await this.#clock.sleep(ms, waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", wake);
      this.#wake = undefined;
      this.#isRung = false;
    }
  }
}
