import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveExpiry, TTL_POLICIES } from "../../../src/modes/expiry.js";

const TIMES = { dumpTakenAt: 1_000_000, jobStartedAt: 5_000_000, now: 5_000_700 };
const FAR = 2n ** 62n + 1n;
const SKIP = { kind: "skip" };
const NONE = { kind: "none" };
const at = (atMs: bigint) => ({ kind: "at", atMs });

describe("a key with an expiry", () => {
  it.each([
    // far beyond what a floating-point number holds
    ["skip-expired", FAR, at(FAR)],
    ["preserve", FAR, at(FAR)],
    ["rebase", FAR, at(FAR + 4_000_000n)],
    ["persist", FAR, NONE],
    // one millisecond ahead of the write, the write's own, and behind it
    ["skip-expired", 5_000_701n, at(5_000_701n)],
    ["skip-expired", 5_000_700n, SKIP],
    ["skip-expired", 5_000_699n, SKIP],
    ["preserve", 5_000_699n, at(5_000_699n)],
    ["rebase", 5_000_699n, at(9_000_699n)],
    ["persist", 5_000_699n, NONE],
    // about the time of the dump
    ["rebase", 1_000_001n, at(5_000_001n)],
    ["rebase", 1_000_000n, SKIP],
    ["persist", 1_000_001n, NONE],
    ["persist", 1_000_000n, SKIP],
    // zero and negative times are past
    ["skip-expired", 0n, SKIP],
    ["skip-expired", -1n, SKIP],
    ["preserve", 0n, at(0n)],
    ["preserve", -1n, at(-1n)],
    ["rebase", 0n, SKIP],
    ["rebase", -1n, SKIP],
    ["persist", 0n, SKIP],
    ["persist", -1n, SKIP],
  ] as const)("%s %s", (policy, expireAtMs, expected) => {
    expect(resolveExpiry(expireAtMs, policy, TIMES)).toEqual(expected);
  });
});

it.each(TTL_POLICIES)("a key without an expiry gets none under %s", (policy) => {
  expect(resolveExpiry(undefined, policy, TIMES)).toEqual(NONE);
});

it("rebase leaves exactly the time that was left when the dump was taken, whenever the write is", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 63n }), fc.nat(), fc.nat(), fc.nat(), (left, taken, started, later) => {
      const times = { dumpTakenAt: taken, jobStartedAt: started, now: started + later };
      const expiry = resolveExpiry(BigInt(taken) + left, "rebase", times);
      expect(expiry).toEqual(at(BigInt(started) + left));
    }),
  );
});
