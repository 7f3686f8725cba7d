import { describe, expect, it } from "vitest";

import { momentOf, notesOf, setOptions } from "../../../../src/replayers/redis/expiry.js";

const NOW = 1_000_000;
const MAX = 2n ** 63n - 1n;
const absolute = { absoluteTimes: true, longestMs: MAX, persist: true };
const remaining = { absoluteTimes: false, longestMs: 9_223_372_036_854n, persist: false };
const at = (atMs: bigint, abilities = absolute) =>
  momentOf({ expiry: { kind: "at", atMs }, hadExpiry: true, abilities, nowMs: NOW + 0.9 });

describe("an expiry", () => {
  it("is sent as the time that it is where the target takes times", () => {
    expect(at(2_000_000n)).toEqual({ how: "A", ms: "2000000", clamped: false });
    expect(at(MAX)).toEqual({ how: "A", ms: String(MAX), clamped: false });
  });

  it("is sent as what remains where it does not", () => {
    expect(at(2_000_000n, remaining)).toEqual({ how: "R", ms: "1000000", clamped: false });
    expect(at(1_000_001n, remaining)).toEqual({ how: "R", ms: "1", clamped: false });
  });

  it("beyond what the target takes is the longest that it takes, and noted", () => {
    const moment = at(MAX, remaining);
    expect(moment).toEqual({ how: "R", ms: "9223372036854", clamped: true });
    expect(notesOf(moment)).toMatchObject([{ kind: "expiry-clamped" }]);
    expect(at(MAX + 5n)).toEqual({ how: "A", ms: String(MAX), clamped: true });
    expect(notesOf(at(2_000_000n))).toEqual([]);
  });

  it("never overflows the server's own sum of now and what remains", () => {
    const moment = at(MAX + 5n, { ...remaining, longestMs: MAX });
    expect(moment).toEqual({ how: "R", ms: String(MAX - BigInt(NOW)), clamped: true });
  });

  it.each([
    [1_000_000n, "1000000"],
    [5n, "5"],
    [0n, "1"],
    [-7n, "1"],
  ])("of %i is past, and 1 at least", (atMs, ms) => {
    expect(at(atMs)).toEqual({ how: "X", ms });
    expect(at(atMs, remaining)).toEqual({ how: "X", ms });
  });

  it("that a policy takes away goes from what is merged into, where the target can", () => {
    const none = { expiry: { kind: "none" }, nowMs: NOW } as const;
    expect(momentOf({ ...none, hadExpiry: true, abilities: absolute })).toEqual({ how: "P" });
    expect(momentOf({ ...none, hadExpiry: true, abilities: remaining })).toEqual({ how: "N" });
    expect(momentOf({ ...none, hadExpiry: false, abilities: absolute })).toEqual({ how: "N" });
  });

  it("becomes the options of SET", () => {
    expect(setOptions({ how: "N" }, true)).toEqual([]);
    expect(setOptions({ how: "P" }, true)).toEqual([]);
    expect(setOptions(at(2_000_000n), true)).toEqual(["PXAT", "2000000"]);
    expect(setOptions(at(0n), true)).toEqual(["PXAT", "1"]);
    expect(setOptions(at(2_000_000n, remaining), false)).toEqual(["PX", "1000000"]);
    expect(setOptions(at(5n, remaining), false)).toEqual(["PX", "1"]);
  });
});
