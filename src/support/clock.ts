/** Time, and waiting for it. Everything that asks for the time or sleeps takes a Clock, so that tests can set it. */
import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};

const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 10_000;

/** Exponential with full jitter: a wait before the retry after the `failures`-th (0-based) failure in a row. */
export function backoffMs(failures: number): number {
  const ceiling = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10));
  return Math.ceil(ceiling * (0.2 + 0.8 * Math.random()));
}
