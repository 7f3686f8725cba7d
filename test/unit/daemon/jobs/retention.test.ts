import { expect, it } from "vitest";
import { outlived } from "../../../../src/daemon/jobs/retention.js";

const NONE: ReadonlySet<string> = new Set();

it("what ended long ago goes, and of the rest the oldest beyond a number", () => {
  const ended = [5, 1, 4, 2, 3].map((endedAt) => ({ id: String(endedAt), endedAt }));
  expect(outlived({ ended, inUse: NONE, before: 2, most: 10 })).toEqual(["1"]);
  expect(outlived({ ended, inUse: NONE, before: 0, most: 3 })).toEqual(["1", "2"]);
});

it("a plan stays with the job that carried it out, and goes behind it", () => {
  const ended = [
    { id: "plan", endedAt: 1 },
    { id: "apply", endedAt: 5, plan: "plan" },
  ];
  expect(outlived({ ended, inUse: NONE, before: 3, most: 10 })).toEqual([]);
  expect(outlived({ ended, inUse: NONE, before: 9, most: 10 })).toEqual(["apply", "plan"]);
});

it("a plan stays that a job is yet to carry out", () => {
  const ended = [{ id: "plan", endedAt: 1 }];
  expect(outlived({ ended, inUse: new Set(["plan"]), before: 9, most: 0 })).toEqual([]);
});
