import { describe, expect, it } from "vitest";
import { EXIT } from "../../../../src/errors/codes.js";
import { Interruption, interrupted } from "../../../../src/errors/interruption.js";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { type DrillFacts, drillReport } from "../../../../src/run/drill/facts.js";
import { drillReportSchema } from "../../../../src/run/drill/report.js";
import { drillFacts, restoreReport, verification } from "../../../support/drill-facts.js";

const ending = {
  ...{ endedAt: 2_000, durationMs: 1_000, series: "s", trend: { drills: [] } },
  cleanUp: { removed: [], left: [] },
};

function outcome(facts: Partial<DrillFacts>, left: string[] = []) {
  const report = drillReport({ ...drillFacts(), ...facts }, { ...ending, cleanUp: { removed: [], left } });
  drillReportSchema.parse(report);
  return { status: report.exitStatus, verdict: report.verdict, failures: report.failures };
}

const failedAssertion = [{ name: "a", kind: "count", line: 1, outcome: "failed", detail: "no" }] as const;

describe("how a drill comes out", () => {
  it("passed when everything is as it should be", () => {
    expect(outcome({})).toEqual({ status: EXIT.ok, verdict: "passed", failures: [] });
  });

  it("failed for a difference, an assertion or an objective", () => {
    expect(outcome({ verification: verification({ exitStatus: EXIT.differences }) })).toMatchObject({
      status: EXIT.differences,
      failures: ["the target is not what the dump says"],
    });
    expect(outcome({ assertions: failedAssertion })).toMatchObject({ status: EXIT.differences, failures: ["a: no"] });
    expect(outcome({ objectives: { maxRtoMs: 9 }, times: { restoreMs: 10 } })).toMatchObject({ verdict: "failed" });
    expect(outcome({ objectives: { maxRtoMs: 10 }, times: { restoreMs: 10 } })).toMatchObject({ verdict: "passed" });
    expect(outcome({ objectives: { maxRpoMs: 99 }, startedAt: 1_100, takenAtMs: 1_000 })).toMatchObject({
      status: EXIT.differences,
      failures: ["the dump is older than --max-rpo allows"],
    });
  });

  it("incomplete rather than failed, where records were left over too", () => {
    const restore = restoreReport({ exitStatus: EXIT.incomplete });
    expect(outcome({ restore, assertions: failedAssertion })).toMatchObject({ status: 3, verdict: "incomplete" });
  });

  it("as its error says, whatever else failed", () => {
    const error = new RestoreError("CHECKSUM_MISMATCH", "x");
    expect(outcome({ error, assertions: failedAssertion })).toMatchObject({ status: EXIT.dump, verdict: "bad-dump" });
    expect(outcome({ error: new RestoreError("TARGET_UNFIT", "x") })).toMatchObject({ verdict: "bad-target" });
    expect(outcome({ error: new Error("x") })).toMatchObject({ status: EXIT.stopped, verdict: "stopped" });
    expect(outcome({ error: new RestoreError("CALL_FAILED", "x") })).toMatchObject({ status: EXIT.stopped });
  });

  it("interrupted, with the status of the signal", () => {
    const interruption = new AbortController();
    interruption.abort(new Interruption(EXIT.terminated));
    const facts = { ...drillFacts(), error: interrupted() };
    const report = drillReport(facts, { ...ending, signal: interruption.signal });
    expect(report).toMatchObject({ exitStatus: 143, verdict: "interrupted" });
  });

  it("with 1 where something could not be removed, and keeps a worse status", () => {
    expect(outcome({}, ["a"])).toMatchObject({ status: EXIT.stopped, verdict: "passed" });
    expect(outcome({ assertions: failedAssertion }, ["a"])).toMatchObject({ status: EXIT.stopped, verdict: "failed" });
    expect(outcome({ error: new RestoreError("CHECKSUM_MISMATCH", "x") }, ["a"])).toMatchObject({ status: EXIT.dump });
  });

  it("without a recovery time when the restore was stopped", () => {
    const restore = restoreReport({ status: "stopped", exitStatus: EXIT.stopped });
    const { objectives } = drillReport({ ...drillFacts(), restore, objectives: { maxRtoMs: 1 } }, ending);
    expect(objectives.recoveryTime).toEqual({ maxMs: 1 });
  });

  it("says once what is true of several scopes", () => {
    const scopes = ["a", "b", "c", "d"].map((scope) => ({ ...restoreReport().scopes[0], scope, warnings: ["odd"] }));
    const restore = { ...restoreReport(), scopes } as DrillFacts["restore"] & object;
    const { warnings } = drillReport({ ...drillFacts(), restore }, ending);
    expect(warnings).toEqual(["redis:a, redis:b, redis:c and 1 more: odd"]);
  });
});
