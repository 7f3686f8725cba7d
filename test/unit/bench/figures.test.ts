import { describe, expect, it } from "vitest";

import { fastestOf, median, medianOf, timeRatio } from "../../../bench/figures.js";
import type { Standing } from "../../../bench/scenario.js";

function standing(name: string, seconds?: number): Standing {
  if (seconds === undefined) return { name, runs: [], skipped: "it is not installed" };
  const figures = { seconds, cpuSeconds: 1, peakBytes: 1 };
  return { name, runs: [figures], median: figures };
}

describe("the median", () => {
  it.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[10, 9, 1, 2], 5.5],
  ])("of %j is %d", (values, wanted) => {
    expect(median(values)).toBe(wanted);
  });

  it("is taken of each figure on its own", () => {
    const runs = [
      { seconds: 1, cpuSeconds: 30, peakBytes: 200 },
      { seconds: 2, cpuSeconds: 10, peakBytes: 300 },
      { seconds: 3, cpuSeconds: 20, peakBytes: 100 },
    ];
    expect(medianOf(runs)).toEqual({ seconds: 2, cpuSeconds: 20, peakBytes: 200 });
  });

  it("of no runs is none", () => {
    expect(medianOf([])).toBeUndefined();
  });
});

describe("the fastest", () => {
  it("is the one with the shortest median, whoever was skipped", () => {
    const standings = [standing("slow", 4), standing("missing"), standing("quick", 2), standing("middling", 3)];
    expect(fastestOf(standings)?.name).toBe("quick");
  });

  it("of those that were all skipped is none", () => {
    expect(fastestOf([standing("missing")])).toBeUndefined();
  });
});

describe("the ratio of times", () => {
  it("is one median over the others' sum", () => {
    expect(timeRatio(standing("ours", 3), [standing("check", 1), standing("loader", 5)])).toBe(0.5);
  });

  it.each([
    ["ours", standing("ours"), [standing("check", 1)]],
    ["one of the others", standing("ours", 3), [standing("check", 1), standing("loader")]],
    ["the other altogether", standing("ours", 3), [standing("check", 1), undefined]],
  ])("is not made up where %s did not run", (_, ours, others) => {
    expect(timeRatio(ours, others)).toBeUndefined();
  });
});
