/** What `--ttl-policy` makes of a key's expiry. Pure: the caller brings the times. */

import type { Expiry } from "../model/policy.js";

export const TTL_POLICIES = ["skip-expired", "preserve", "rebase", "persist"] as const;
export type TtlPolicy = (typeof TTL_POLICIES)[number];

/** Unix milliseconds throughout. */
export interface ExpiryTimes {
  /** The moment of the write. */
  readonly now: number;
  /** `wall_time_iso` of the dump. */
  readonly dumpTakenAt: number;
  /** When the job began: `rebase` counts from here, so that a resume changes nothing. */
  readonly jobStartedAt: number;
}

const NONE: Expiry = { kind: "none" };

/** Decides one key's expiry. `expireAtMs` absent: the key has none. */
export function resolveExpiry(expireAtMs: bigint | undefined, policy: TtlPolicy, times: ExpiryTimes): Expiry {
  if (expireAtMs === undefined) return NONE;
  switch (policy) {
    case "preserve":
      return { kind: "at", atMs: expireAtMs };
    case "skip-expired":
      return expireAtMs <= BigInt(times.now) ? { kind: "skip" } : { kind: "at", atMs: expireAtMs };
    case "rebase": {
      const left = expireAtMs - BigInt(times.dumpTakenAt);
      return left <= 0n ? { kind: "skip" } : { kind: "at", atMs: BigInt(times.jobStartedAt) + left };
    }
    case "persist":
      return expireAtMs <= BigInt(times.dumpTakenAt) ? { kind: "skip" } : { kind: "none" };
  }
}
