/** What a replayer is made with when a test says what it does to existing records: no limits, no expiry, short retries. */
import { tmpdir } from "node:os";

import type { WriteAction, WritePolicy } from "../../src/model/policy.js";
import { UNPACED } from "../../src/replayers/calls.js";
import { NO_NOTEBOOK, type ReplayerContext } from "../../src/replayers/replayer.js";
import { systemClock } from "../../src/support/clock.js";

function policyFor(action: WriteAction): WritePolicy {
  return {
    actionFor: () => action,
    wrongType: "rejected",
    expiryOf: () => ({ kind: "none" }),
    jobId: "0123456789abcdef",
  };
}

export function contextFor(action: WriteAction, overrides: Partial<ReplayerContext> = {}): ReplayerContext {
  return {
    policy: policyFor(action),
    clock: systemClock,
    pacer: UNPACED,
    maxRetryTimeMs: 10_000,
    notebook: NO_NOTEBOOK,
    workDirectory: tmpdir(),
    ...overrides,
  };
}
