import { describe, expect, it } from "vitest";
import type { ShownEvent } from "../../../../src/cli/progress-state.js";
import { RemoteProgress } from "../../../../src/cli/remote/progress.js";
import type { Progress } from "../../../../src/daemon/channel.js";
import { emptyTotals } from "../../../../src/run/tally.js";

function remote() {
  const shown: (readonly [sink: number, what: string])[] = [];
  let sinks = 0;
  const progress = new RemoteProgress(() => {
    const sink = ++sinks;
    const what = (event: ShownEvent) =>
      "scope" in event && event.scope ? `${event.type} ${event.scope.name}` : event.type;
    return { report: (event) => shown.push([sink, what(event)]), say: (line) => shown.push([sink, `say ${line}`]) };
  });
  return { progress, shown };
}

function scope(name: string, isFinished = false, isComparison = false): Progress["scopes"][number] {
  const counts = { records: 3, bytes: 30, expectedBytes: 60, outcomes: emptyTotals(), differing: 0 };
  return { scope: `redis/${name}`, ...counts, perSecond: 1, isComparison, isFinished };
}

const check = (isDone: boolean) => ({ files: 2, bytes: 20, isDone });

describe("the progress of another process", () => {
  it("is shown as it is told, and a scope that is done once", () => {
    const { progress, shown } = remote();
    progress.take({ check: check(false), scopes: [] });
    progress.take({ check: check(true), scopes: [scope("db_0")] });
    progress.take({ check: check(true), scopes: [scope("db_0", true), scope("db_1")] });
    progress.take({ check: check(true), scopes: [scope("db_0", true), scope("db_1")] });
    progress.rest();
    expect(shown.map(([, what]) => what)).toEqual([
      ...["checking", "checked", "told db_0"],
      ...["told db_0", "scope-finished db_0", "told db_1"],
      ...["told db_1", "finished"],
    ]);
  });

  it("goes on behind a break without what was done before", () => {
    const { progress, shown } = remote();
    progress.take({ check: check(true), scopes: [scope("db_0", true), scope("db_1")] });
    progress.rest();
    progress.rest();
    progress.take({ check: check(true), scopes: [scope("db_0", true), scope("db_1")] });
    expect(shown.slice(-2)).toEqual([
      [1, "finished"],
      [2, "told db_1"],
    ]);
  });

  it("is shown anew where the dump is checked again", () => {
    const { progress, shown } = remote();
    progress.take({ check: check(true), scopes: [scope("db_0")] });
    progress.take({ check: check(false), scopes: [] });
    expect(shown.slice(-2)).toEqual([
      [1, "finished"],
      [2, "checking"],
    ]);
  });

  it("tells a comparison from the restore of the same scope", () => {
    const { progress, shown } = remote();
    progress.take({ scopes: [scope("db_0", true), scope("db_0", false, true)] });
    expect(shown.map(([, what]) => what)).toEqual(["told db_0", "scope-finished db_0", "told db_0"]);
  });

  it("of what is no scope is left out", () => {
    const { progress, shown } = remote();
    progress.take({ scopes: [{ ...scope("x"), scope: "mysql/x" }] });
    expect(shown).toEqual([]);
  });
});
