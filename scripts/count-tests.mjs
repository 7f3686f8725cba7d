/** Counts vitest's results from its JSON report. A run that says less than it should is a failed run. */
import { relative } from "node:path";

import { root } from "./bootstrap.mjs";

/**
 * @param {string | undefined} report the JSON reporter's file, if there is one
 * @param {number} status how vitest ended
 * @returns {{ passed: number, skipped: number, failures: string[] }}
 */
export function countTests(report, status) {
  const files = filesOf(report);
  if (files === undefined)
    return { passed: 0, skipped: 0, failures: [`vitest left no report and ended with ${status}`] };
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: nameOf(file) })));
  const passed = tests.filter((test) => test.status === "passed").length;
  const failures = [
    ...tests.filter((test) => test.status === "failed").map((test) => `${test.file}: ${test.fullName}`),
    ...files.filter(failedAsAWhole).map((file) => `${nameOf(file)}: ${firstLine(file.message)}`),
  ];
  const skipped = tests.length - passed - tests.filter((test) => test.status === "failed").length;
  if (passed === 0 && failures.length === 0) failures.push("no test ran");
  if (status !== 0 && failures.length === 0) failures.push(`vitest ended with ${status} although no test failed`);
  return { passed, skipped, failures };
}

/**
 * @typedef {{ status: string, fullName: string }} TestResult
 * @typedef {{ name: string, status: string, message: string, assertionResults: TestResult[] }} FileResult
 * @param {string | undefined} report
 * @returns {FileResult[] | undefined}
 */
function filesOf(report) {
  try {
    const { testResults } = JSON.parse(report ?? "");
    return Array.isArray(testResults) ? testResults : undefined;
  } catch {
    return undefined;
  }
}

/** A file that could not be loaded, or whose hook failed: its tests did not run, so none of them failed. */
function failedAsAWhole(/** @type {FileResult} */ file) {
  return file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed");
}

function nameOf(/** @type {FileResult} */ file) {
  return relative(root, file.name);
}

function firstLine(/** @type {string | undefined} */ message) {
  return (message ?? "").split("\n")[0] || "failed without a test of it failing";
}
