/** A clock that stands still until a test moves it: those who sleep are woken when their time has come. */
import type { Clock } from "../../src/support/clock.js";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

export interface HeldClock extends Clock {
  /** Time passes: those who sleep are woken. */
  pass(ms: number): void;
  /** The time of day is set to another; nobody slept meanwhile. */
  set(now: number): void;
  /** The lengths of the sleeps that have not ended, in milliseconds. */
  asleep(): readonly number[];
}

export function heldClock(startMs: number): HeldClock {
  const sleepers = new Map<Sleeper, number>();
  let passed = 0;
  let offset = startMs;
  return {
    now: () => offset + passed,
    monotonic: () => passed,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const sleeper = { until: passed + ms, wake: resolve };
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        sleepers.set(sleeper, ms);
        signal?.addEventListener("abort", abort, { once: true });
      });
    },
    pass: (ms) => {
      passed += ms;
      for (const sleeper of [...sleepers.keys()].filter(({ until }) => until <= passed)) {
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
    set: (now) => {
      offset = now - passed;
    },
    asleep: () => [...sleepers.values()],
  };
}
