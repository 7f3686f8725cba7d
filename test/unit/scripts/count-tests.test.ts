import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { root } from "../../../scripts/bootstrap.mjs";
import { countTests } from "../../../scripts/count-tests.mjs";

interface File {
  readonly name?: string;
  readonly status?: string;
  readonly message?: string;
  readonly tests?: readonly string[];
}

function reportOf(...files: readonly File[]): string {
  const testResults = files.map(({ name = "a.test.ts", status = "passed", message = "", tests = [] }) => ({
    name: join(root, "test", name),
    status,
    message,
    assertionResults: tests.map((test, i) => ({ status: test, fullName: `test ${i}` })),
  }));
  return JSON.stringify({ testResults });
}

describe("counting tests", () => {
  it("counts what passed, and what neither passed nor failed as skipped", () => {
    const report = reportOf({ tests: ["passed", "pending", "todo"] }, { tests: ["passed", "skipped"] });
    expect(countTests(report, 0)).toEqual({ passed: 2, skipped: 3, failures: [] });
  });

  it("names each failed test with its file", () => {
    const report = reportOf({ name: "b.test.ts", status: "failed", tests: ["passed", "failed", "failed"] });
    expect(countTests(report, 1)).toEqual({
      passed: 1,
      skipped: 0,
      failures: ["test/b.test.ts: test 1", "test/b.test.ts: test 2"],
    });
  });

  it("counts a file that could not be loaded, or whose hook failed, as one failure", () => {
    const report = reportOf(
      { name: "loads-not.test.ts", status: "failed", message: "Cannot find module\nstack" },
      { name: "hook.test.ts", status: "failed", message: "hook", tests: ["pending"] },
    );
    expect(countTests(report, 1)).toEqual({
      passed: 0,
      skipped: 1,
      failures: ["test/loads-not.test.ts: Cannot find module", "test/hook.test.ts: hook"],
    });
  });

  it("takes a run that failed although no test did, as unhandled errors make it, for failed", () => {
    expect(countTests(reportOf({ tests: ["passed"] }), 1).failures).toEqual([
      "vitest ended with 1 although no test failed",
    ]);
  });

  it.each([
    ["there is no report", undefined],
    ["the report is cut off", '{"testResults":['],
    ["the report is another program's", "{}"],
  ])("takes a run for failed when %s", (_case, report) => {
    expect(countTests(report, 0)).toEqual({
      passed: 0,
      skipped: 0,
      failures: ["vitest left no report and ended with 0"],
    });
  });

  it.each([
    ["no file was found", reportOf()],
    ["every test was skipped", reportOf({ tests: ["pending"] })],
  ])("takes a run for failed when %s", (_case, report) => {
    expect(countTests(report, 0).failures).toEqual(["no test ran"]);
  });
});
