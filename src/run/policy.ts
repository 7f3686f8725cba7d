/** Binds a mode, its strategies and the TTL policy to one run, as the replayers take them. */
import type { WritePolicy } from "../model/policy.js";
import { type ExpiryTimes, resolveExpiry, type TtlPolicy } from "../modes/expiry.js";
import type { MergeStrategies, Mode } from "../modes/mode.js";
import type { Clock } from "../support/clock.js";

export interface PolicyOptions {
  readonly mode: Mode;
  readonly strategies: MergeStrategies;
  readonly ttlPolicy: TtlPolicy;
  /** Unix milliseconds. */
  readonly dumpTakenAt: number;
  readonly jobStartedAt: number;
  readonly jobId: string;
  readonly clock: Clock;
}

export function bindPolicy(options: PolicyOptions): WritePolicy {
  const { mode, strategies, ttlPolicy, dumpTakenAt, jobStartedAt, jobId, clock } = options;
  const times: ExpiryTimes = {
    // Most records have no expiry, and nobody needs to know the time for those.
    get now() {
      return clock.now();
    },
    dumpTakenAt,
    jobStartedAt,
  };
  return {
    actionFor: (type) => mode.onRecord(type, strategies),
    wrongType: mode.wrongType,
    expiryOf: (expireAtMs) => resolveExpiry(expireAtMs, ttlPolicy, times),
    jobId,
  };
}
