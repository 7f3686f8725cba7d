import { describe, expect, it } from "vitest";

import type { StreamEntry } from "../../../../src/model/record.js";
import { compareIds, EntryTally, runsOf, unfit } from "../../../../src/replayers/redis/stream-entries.js";

const entry = (id: string, fields = 2): StreamEntry => ({
  id,
  fields: Array.from({ length: fields }, () => Buffer.from("f")),
});

describe("stream ids", () => {
  it.each([
    ["1-1", "1-1", 0],
    ["2-0", "10-0", -1],
    ["1-10", "1-9", 1],
    ["18446744073709551615-0", "18446744073709551614-18446744073709551615", 1],
  ])("%s against %s", (a, b, order) => {
    expect(compareIds(a, b)).toBe(order);
    expect(compareIds(b, a)).toBe(order === 0 ? 0 : -order);
  });
});

describe("entries that a target cannot take", () => {
  const binary: StreamEntry = { id: "1-1", fields: [Buffer.from("a"), Buffer.from([255])] };

  it("are those with id 0-0 everywhere, and those that are not UTF-8 where text is wanted", () => {
    expect(unfit(entry("0-0"), { utf8Only: false })).toBe("id-below-top");
    expect(unfit(binary, { utf8Only: true })).toBe("not-utf8");
    expect(unfit(binary, { utf8Only: false })).toBeUndefined();
    expect(unfit(entry("0-1"), { utf8Only: true })).toBeUndefined();
  });
});

it("entries too wide for a script go alone, in their place", () => {
  const runs = [...runsOf([entry("1-1"), entry("1-2"), entry("1-3", 5_000), entry("1-4")])];
  expect(runs.map((run) => run.map(({ id }) => id))).toEqual([["1-1", "1-2"], ["1-3"], ["1-4"]]);
});

describe("a tally", () => {
  it("makes a stream rejected when an entry was, whatever else was written", () => {
    const tally = new EntryTally([{ id: "1-1", reason: "bad-utf8", place: { path: "p" } }]);
    tally.restored(3);
    expect(tally.outcome({ kind: "restored" })).toMatchObject({
      kind: "rejected",
      reason: "bad-utf8",
      entries: { restored: 3, skippedExisting: 0, rejected: 1, refused: [{ id: "1-1", reason: "bad-utf8" }] },
    });
  });

  it("makes it restored when one was written, else what the caller says", () => {
    const tally = new EntryTally([]);
    tally.present(2);
    expect(tally.outcome({ kind: "skipped-existing", reason: "already-equal" })).toMatchObject({
      kind: "skipped-existing",
      entries: { skippedExisting: 2 },
    });
    tally.restored(1);
    expect(tally.outcome({ kind: "skipped-existing", reason: "already-equal" })).toEqual({
      kind: "restored",
      entries: { restored: 1, skippedExisting: 2, rejected: 0 },
    });
  });

  it("counts all refusals and lists the first twenty", () => {
    const tally = new EntryTally([]);
    for (let i = 0; i < 50; i++) tally.refused(`${i}-0`, "id-below-top");
    expect(tally.counts()).toMatchObject({ rejected: 50 });
    expect(tally.counts().refused).toHaveLength(20);
  });
});
