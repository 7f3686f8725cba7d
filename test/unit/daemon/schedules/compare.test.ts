import { expect, test } from "vitest";
import { comparisonOf, failingSince, latelyOf } from "../../../../src/daemon/schedules/compare.js";
import type { Run, RunOutcome } from "../../../../src/daemon/schema/schedule.js";

/** The latest last, as they are written. */
function runs(...given: readonly (readonly [RunOutcome, recoveryMs?: number])[]): Run[] {
  return given
    .map(([outcome, recoveryMs], at): Run => {
      const due = new Date(Date.UTC(2026, 0, at + 1)).toISOString();
      const id = at.toString(16).padStart(16, "0");
      const run = { id, schedule: "s", trigger: "due", by: "schedule:s", due, state: "ended", outcome } as const;
      return recoveryMs === undefined ? run : { ...run, recoveryMs };
    })
    .reverse();
}

test("the last runs are counted by how they came out, with median, fastest and slowest", () => {
  const all = runs(["passed", 1], ["failed"], ["objective-missed", 40], ["refused"], ["passed", 10], ["passed", 21]);
  expect(latelyOf(all, 5)).toEqual({
    runs: 5,
    passed: 2,
    missedObjectives: 1,
    failed: 2,
    medianMs: 21,
    fastestMs: 10,
    slowestMs: 40,
  });
});

test("skipped and cancelled runs say nothing", () => {
  const all = runs(["passed", 10], ["skipped"], ["cancelled", 99], ["skipped"]);
  expect(latelyOf(all, 2)).toEqual({
    runs: 1,
    passed: 1,
    missedObjectives: 0,
    failed: 0,
    medianMs: 10,
    fastestMs: 10,
    slowestMs: 10,
  });
});

test("failing since the first run in a row that did not pass", () => {
  expect(failingSince(runs(["failed"], ["passed"], ["objective-missed"], ["skipped"], ["failed"]))).toBe(
    "2026-01-03T00:00:00.000Z",
  );
  expect(failingSince(runs(["failed"], ["refused"]))).toBe("2026-01-01T00:00:00.000Z");
  expect(failingSince(runs(["failed"], ["passed"], ["skipped"]))).toBeUndefined();
  expect(failingSince([])).toBeUndefined();
});

test("a time is compared with the median of the last ones that took any", () => {
  const before = runs(["passed", 1000], ["passed", 100], ["failed"], ["passed", 300], ["skipped"], ["passed", 200]);
  expect(comparisonOf(250, before, 3)).toEqual({ runs: 3, medianMs: 200, percent: 25 });
  expect(comparisonOf(150, before, 3)).toEqual({ runs: 3, medianMs: 200, percent: -25 });
});

test("too few runs, or a run without a time, are not compared", () => {
  const before = runs(["passed", 1], ["passed", 2]);
  expect(comparisonOf(1, before, 10)).toBeUndefined();
  expect(comparisonOf(undefined, [...before, ...before], 10)).toBeUndefined();
});
