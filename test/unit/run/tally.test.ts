import { describe, expect, it } from "vitest";
import { OUTCOMES } from "../../../src/model/outcome.js";
import { Tally, type TallyJson, tallySchema } from "../../../src/run/tally.js";

/** One whose every count is another number. */
const FULL: TallyJson = {
  totals: Object.fromEntries(OUTCOMES.map((kind, i) => [kind, i + 1])),
  reasons: { "rejected/odd": 11, "failed/odd": 12 },
  notes: { early: 13, rekeyed: 14 },
  entries: [15, 16, 17],
  bytes: 18,
  leftOut: 19,
};

describe("a tally as JSON", () => {
  it("holds every count, and is read back as it was", () => {
    const tally = Tally.from(FULL);
    expect(tally.toJSON()).toStrictEqual(FULL);
    expect(tally.entries).toEqual({ restored: 15, skippedExisting: 16, rejected: 17 });
    expect([tally.settled, tally.bytesRestored, tally.leftOut]).toEqual([28, 18, 19]);
    expect(Object.fromEntries(tally.reasons)).toEqual(FULL.reasons);
  });

  it("leaves out what is zero", () => {
    expect(new Tally().toJSON()).toStrictEqual({});
    const one = new Tally();
    one.add({ bytes: 0 }, { kind: "skipped-empty" }, []);
    expect(one.toJSON()).toStrictEqual({ totals: { "skipped-empty": 1 } });
    expect(Tally.from({})).toEqual(new Tally());
  });

  it.each([[[3, 3, 0]], [[3, 0, 3]], [[0, 3, 3]]] as const)("keeps entries of streams %j", (entries) => {
    expect(Tally.from({ entries: [...entries] }).toJSON()).toStrictEqual({ entries });
  });

  it("is what its schema accepts, and nothing else is", () => {
    expect(tallySchema.parse(FULL)).toEqual(FULL);
    expect(tallySchema.parse({})).toEqual({});
    for (const wrong of [
      { totals: { lost: 1 } },
      { totals: { restored: -1 } },
      { reasons: { a: 0.5 } },
      { notes: { a: -1 } },
      { entries: [1, 2] },
      { bytes: -1 },
      { leftOut: "1" },
      { other: 1 },
    ]) {
      expect(tallySchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

it("tallies that are merged add up in every count", () => {
  const tally = Tally.from(FULL);
  tally.merge(Tally.from(FULL));
  tally.merge(Tally.from({ reasons: { "failed/other": 1 }, notes: { delayed: 2 } }));
  expect(tally.toJSON()).toStrictEqual({
    totals: Object.fromEntries(OUTCOMES.map((kind, i) => [kind, 2 * (i + 1)])),
    reasons: { "rejected/odd": 22, "failed/odd": 24, "failed/other": 1 },
    notes: { early: 26, rekeyed: 28, delayed: 2 },
    entries: [30, 32, 34],
    bytes: 36,
    leftOut: 38,
  });
});

it("records that end alike are counted by reason and note", () => {
  const tally = new Tally();
  for (let i = 0; i < 3; i++) tally.add({ bytes: 5 }, { kind: "failed", reason: "odd" }, [{ kind: "early" }]);
  expect(tally.toJSON()).toStrictEqual({ totals: { failed: 3 }, reasons: { "failed/odd": 3 }, notes: { early: 3 } });
});
