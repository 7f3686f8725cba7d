import { describe, expect, it } from "vitest";

import type { Measurement, Standing } from "../../../bench/scenario.js";
import { describeGoal, rowsOf, TABLE_HEAD } from "../../../bench/table.js";

const FIGURES = { seconds: 1.234, cpuSeconds: 2, peakBytes: 150 * 1_048_576 };

function measurement(changes: Partial<Measurement> = {}): Measurement {
  const ours: Standing = { name: "ours", runs: [FIGURES], median: FIGURES };
  return {
    ...{ scenario: "speed/keys", title: "keys", size: 200_000, dumpBytes: 14_000_000, records: 200_000 },
    ...{ server: "redis 7", standings: [ours], goals: [], peakBytes: FIGURES.peakBytes, limitBytes: 1, faults: [] },
    ...changes,
  };
}

describe("the table", () => {
  it("has a row for each contestant, with as many cells as its head", () => {
    const peer: Standing = { name: "peer", runs: [], skipped: "go is not on the PATH\nand more" };
    const goals = [{ what: "time", value: 0.5, atMost: 1 }];
    const rows = rowsOf(measurement({ standings: [...measurement().standings, peer], goals }));
    expect(rows).toEqual([
      "| **speed/keys** keys: 200,000 (14 MB, redis 7) | ours | 1.23 s | 2.00 s | 150 MiB | time: 0.50 ×, at most 1: met | whole |",
      "|  | peer |  |  |  |  | skipped: go is not on the PATH |",
    ]);
    const cells = (line: string) => line.split("|").length;
    expect(rows.map(cells)).toEqual([cells(TABLE_HEAD.split("\n")[0] ?? ""), cells(TABLE_HEAD.split("\n")[0] ?? "")]);
  });

  it("says so where something went wrong", () => {
    const faults = ["a key is missing"];
    expect(rowsOf(measurement({ faults }))).toEqual([expect.stringMatching(/\| FAULTS \|$/u)]);
    expect(rowsOf(measurement({ faults, standings: [] }))).toEqual([expect.stringMatching(/\| FAULTS \|$/u)]);
  });

  it("names a scenario that could not run, and why", () => {
    const rows = rowsOf(measurement({ standings: [], skipped: "a | is missing" }));
    expect(rows).toEqual([expect.stringMatching(/^\| \*\*speed\/keys\*\* .* \| skipped: a \\\| is missing \|$/u)]);
  });
});

describe("a goal", () => {
  it.each([
    [1, "time: 1.00 ×, at most 1: met"],
    [1.01, "time: 1.01 ×, at most 1: MISSED"],
  ])("of at most 1 with %d", (value, told) => {
    expect(describeGoal({ what: "time", value, atMost: 1 })).toBe(told);
  });

  it("that could not be measured is not met", () => {
    expect(describeGoal({ what: "mean off", atMost: 3, unit: "%" })).toBe("mean off: not measured (at most 3 %)");
  });

  it("without a limit is neither met nor missed", () => {
    expect(describeGoal({ what: "time ÷ floor", value: 1.5 })).toBe("time ÷ floor: 1.50 ×");
    expect(describeGoal({ what: "time ÷ floor" })).toBe("time ÷ floor: not measured");
  });
});
