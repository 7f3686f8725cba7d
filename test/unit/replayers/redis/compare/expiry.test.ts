import { describe, expect, it } from "vitest";

import type { Expiry } from "../../../../../src/model/policy.js";
import { compareExpiry, heldExpiryOf } from "../../../../../src/replayers/redis/compare/expiry.js";
import { Findings } from "../../../../../src/replayers/redis/compare/findings.js";

const NOW = 1_800_000_000_000;
const AT = NOW + 60_000;
const at = (atMs: number | bigint): Expiry => ({ kind: "at", atMs: BigInt(atMs) });
const NONE = { kind: "none" } as const;

interface Case {
  readonly expected: Expiry;
  /** What remains, or the time itself. */
  readonly reply: number;
  readonly isAbsolute?: boolean;
  readonly toleranceMs?: number;
}

function compared({ expected, reply, isAbsolute = true, toleranceMs = 0 }: Case) {
  const findings = new Findings();
  if (expected.kind === "skip") throw new Error("there is nothing to compare");
  const held = heldExpiryOf({ reply, isAbsolute, askedAt: NOW, answeredAt: NOW + 40 });
  const abilities = { absoluteTimes: isAbsolute, longestMs: 9_223_372_036_854n };
  compareExpiry(findings, { expected, held, abilities, nowMs: NOW, toleranceMs });
  const { differences, unproven } = findings.comparison();
  return unproven ?? differences.map(({ kind, detail }) => `${kind}: ${detail}`);
}

describe("an expiry", () => {
  it.each([
    ["that is the same", { expected: at(AT), reply: AT }],
    ["that none of the two has", { expected: NONE, reply: -1 }],
    ["within the tolerance, early", { expected: at(AT), reply: AT - 500, toleranceMs: 500 }],
    ["within the tolerance, late", { expected: at(AT), reply: AT + 500, toleranceMs: 500 }],
    ["of which only the rest is told", { expected: at(AT), reply: 60_000, isAbsolute: false }],
    ["whose rest was counted late", { expected: at(AT), reply: 59_960, isAbsolute: false }],
    ["further ahead than numbers are exact", { expected: at(2n ** 62n + 5n), reply: Number(2n ** 62n + 5n) }],
    ["further ahead than there is time", { expected: at(2n ** 63n + 5n), reply: Number(2n ** 63n - 1n) }],
  ])("%s is no difference", (_, one) => {
    expect(compared(one)).toEqual([]);
  });

  it.each([
    [
      "beyond the tolerance, early",
      { expected: at(AT), reply: AT - 501, toleranceMs: 500 },
      /expires at .* instead of/,
    ],
    ["beyond the tolerance, late", { expected: at(AT), reply: AT + 501, toleranceMs: 500 }, /expires at .* instead of/],
    ["that was lost", { expected: at(AT), reply: -1 }, /does not expire/],
    ["that was added", { expected: NONE, reply: AT }, /should not expire/],
    ["whose rest is too short", { expected: at(AT), reply: 59_959, isAbsolute: false }, /instead of/],
    ["whose rest is too long", { expected: at(AT), reply: 60_001, isAbsolute: false }, /instead of/],
  ])("%s is a difference", (_, one, detail) => {
    expect(compared(one)).toEqual([expect.stringMatching(detail)]);
  });

  it("beyond what the target takes cannot be told, but that there is one", () => {
    const far = { expected: at(2n ** 62n), isAbsolute: false };
    expect(compared({ ...far, reply: 9_223_372_036_854 })).toEqual([expect.stringMatching(/so far ahead/)]);
    expect(compared({ ...far, reply: -1 })).toEqual([expect.stringMatching(/does not expire/)]);
  });
});
