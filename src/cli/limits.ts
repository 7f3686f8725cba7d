/** Limits of a daemon's jobs, which are written as behind `--rate-limit` and `--concurrency`. */
import type { Limits } from "../daemon/channel.js";
import { changedConcurrency, parseConcurrency, parseRateLimits } from "./quantities.js";

/** @throws RestoreError USAGE */
export function assertLimits({ rateLimit, concurrency }: Limits): void {
  if (rateLimit !== undefined) parseRateLimits([rateLimit]);
  if (concurrency !== undefined) parseConcurrency([concurrency]);
}

/** Those that a process has which began with some and was given others. @throws RestoreError USAGE */
export function changedLimits(had: Limits, change: Limits): Limits {
  const both = { ...had, ...change };
  if (had.concurrency === undefined || change.concurrency === undefined) return both;
  return { ...both, concurrency: changedConcurrency([had.concurrency], [change.concurrency]).join(",") };
}
