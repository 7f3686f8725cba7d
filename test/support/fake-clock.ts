/** Clocks for tests: time that passes only by sleeping, and never really. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../src/support/clock.js";

export interface FakeClock extends Clock {
  /** Every wait so far, in milliseconds. */
  readonly sleeps: readonly number[];
  advance(ms: number): void;
}

/** A sleep ends at once and moves the clock on by its length. */
export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  const sleeps: number[] = [];
  let now = startMs;
  return {
    sleeps,
    now: () => now,
    monotonic: () => now - startMs,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      sleeps.push(ms);
      now += ms;
    },
  };
}

/** The same for waiting on a real server: a sleep takes a moment in truth, however long it is. */
export function briskClock(): FakeClock {
  const clock = fakeClock();
  return {
    ...clock,
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal);
      await delay(REAL_MS);
    },
  };
}

/** Some hundred sleeps, which 15 minutes are made of, are longer than any local server takes. */
const REAL_MS = 50;
