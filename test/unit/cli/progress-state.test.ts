import { describe, expect, it } from "vitest";
import { leftOf, ProgressState } from "../../../src/cli/progress-state.js";
import type { OutcomeKind } from "../../../src/model/outcome.js";
import { emptyTotals } from "../../../src/run/tally.js";
import { fakeClock } from "../../support/fake-clock.js";
import { tableScope } from "../../support/records.js";

function setUp() {
  const clock = fakeClock();
  const state = new ProgressState(clock);
  const scope = tableScope();
  state.take({ type: "scope-started", scope, expectedBytes: 1000 });
  const settle = (outcome: OutcomeKind, bytes = 100) =>
    state.take({ type: "records", scope, outcome, records: 1, bytes });
  const progress = () => {
    const found = state.scopes.get(scope);
    if (found === undefined) throw new Error("no progress");
    return found;
  };
  return { clock, state, scope, settle, progress };
}

describe("a scope's progress", () => {
  it("counts records by outcome, bytes, and those that need somebody", () => {
    const { settle, progress } = setUp();
    for (const kind of ["restored", "skipped-existing", "rejected", "failed", "ambiguous"] as const) settle(kind);
    settle("restored");
    expect(progress()).toMatchObject({ records: 6, bytes: 600, label: "dynamodb:orders", isComparison: false });
    expect(progress().outcomes).toEqual({
      ...emptyTotals(),
      ...{ restored: 2, "skipped-existing": 1, rejected: 1, failed: 1, ambiguous: 1 },
    });
    expect(leftOf(progress())).toBe(3);
    expect(progress().endedAt).toBeUndefined();
  });

  it("has a pace and a time left once there is something to tell them from", () => {
    const { clock, state, settle, progress } = setUp();
    expect(state.timeLeft(progress())).toBeUndefined();
    settle("restored", 250);
    expect(state.timeLeft(progress())).toBeUndefined();
    clock.advance(2000);
    expect(state.timeLeft(progress())).toBe(6000);
    expect(state.rate(progress())).toBe(0.5);
    settle("restored", 5000);
    expect(state.timeLeft(progress())).toBe(0);
  });

  it("shows what was done before, and takes its pace from what is done now", () => {
    const { clock, state, scope, settle, progress } = setUp();
    const outcomes = { ...emptyTotals(), restored: 798, rejected: 2 };
    state.take({ type: "counted-before", scope, records: 800, bytes: 500, outcomes });
    expect(progress()).toMatchObject({ records: 800, bytes: 500, outcomes });
    clock.advance(2000);
    settle("restored", 100);
    expect([state.rate(progress()), state.timeLeft(progress())]).toEqual([0.5, 8000]);
  });

  it("is finished when it says so, and of a scope that never began there is none", () => {
    const { clock, state, scope, settle, progress } = setUp();
    clock.advance(2000);
    settle("restored");
    state.take({ type: "scope-finished", scope });
    clock.advance(8000);
    // Its pace is that of its own time.
    expect([progress().endedAt, state.rate(progress())]).toEqual([2000, 0.5]);
    const other = tableScope("other");
    state.take({ type: "records", scope: other, outcome: "restored", records: 1, bytes: 1 });
    expect(state.scopes.get(other)).toBeUndefined();
  });

  it("of a comparison counts what differs", () => {
    const { state } = setUp();
    const scope = tableScope("compared");
    state.take({ type: "scope-started", scope, expectedBytes: 0, isComparison: true });
    state.take({ type: "compared", scope, bytes: 5, differing: true });
    state.take({ type: "compared", scope, bytes: 6, differing: false });
    const progress = state.scopes.get(scope);
    expect(progress).toMatchObject({ records: 2, bytes: 11, differing: 1, isComparison: true });
    expect(progress === undefined ? undefined : leftOf(progress)).toBe(1);
  });

  it("has a label that steers no terminal", () => {
    const { state } = setUp();
    const scope = tableScope("a\u001b[2J");
    state.take({ type: "scope-started", scope, expectedBytes: 0 });
    expect(state.scopes.get(scope)?.label).toBe("dynamodb:a\\u{1b}[2J");
  });
});

it("the check, the reading and the end are told apart", () => {
  const { state, scope } = setUp();
  state.take({ type: "checking", files: 1, bytes: 2 });
  expect(state.checked).toEqual({ files: 1, bytes: 2, isDone: false });
  state.take({ type: "checked", files: 3, bytes: 4 });
  expect(state.checked).toEqual({ files: 3, bytes: 4, isDone: true });
  state.take({ type: "surveyed", scope, records: 256 });
  expect(state.surveyed).toEqual({ scope, records: 256 });
  state.take({ type: "warning", text: "w" });
  expect(state.isFinished).toBe(false);
  state.take({ type: "finished" });
  expect(state.isFinished).toBe(true);
});
