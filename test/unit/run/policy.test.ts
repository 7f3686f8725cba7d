import { expect, it } from "vitest";
import { modeByName } from "../../../src/modes/by-name.js";
import { bindPolicy } from "../../../src/run/policy.js";
import { fakeClock } from "../../support/fake-clock.js";

it("a bound policy asks the clock at every write, its mode for actions, and keeps the job's id", () => {
  const clock = fakeClock(1000);
  const policy = bindPolicy({
    mode: modeByName("merge"),
    strategies: { list: "append", stream: "reject" },
    ttlPolicy: "skip-expired",
    dumpTakenAt: 0,
    jobStartedAt: 1000,
    jobId: "0123456789abcdef",
    clock,
  });
  expect(policy.actionFor("list")).toBe("append");
  expect(policy.actionFor("hash")).toBe("merge-into");
  expect(policy.wrongType).toBe("rejected");
  expect(policy.jobId).toBe("0123456789abcdef");
  expect(policy.expiryOf(1500n)).toEqual({ kind: "at", atMs: 1500n });
  clock.advance(500);
  expect(policy.expiryOf(1500n)).toEqual({ kind: "skip" });
  expect(policy.expiryOf(undefined)).toEqual({ kind: "none" });
});
