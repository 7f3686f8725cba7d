/**
 * `npm test`: everything that has to be true, on a clean clone too. Dependencies, build, every check, every test but the
 * long ones. The last line counts what really ran; it ends with 1 when anything failed or no test ran.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ensureDependencies, runTool } from "./bootstrap.mjs";
import { runChecks } from "./checks.mjs";
import { countTests } from "./count-tests.mjs";

/** @type {{ passed: number, failed: number, skipped: number, failures: string[] }} */
const total = { passed: 0, failed: 0, skipped: 0, failures: [] };

const problem = await ensureDependencies();
if (problem === undefined) await everything();
else fail(problem);
conclude();

async function everything() {
  for (const { name, passed } of await runChecks()) {
    if (passed) total.passed++;
    else fail(`check: ${name}`);
  }
  const installed = await runTool("tsx", ["scripts/install-servers.ts"]);
  if (installed.status !== 0) fail("the servers of the tests could not be installed");
  await tests();
}

async function tests() {
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-test-"));
  try {
    const file = join(folder, "results.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { status } = await runTool("vitest", ["run", "--project", "unit", "--project", "servers", ...reporters]);
    const counted = countTests(await readFile(file, "utf8").catch(() => undefined), status);
    total.passed += counted.passed;
    total.skipped += counted.skipped;
    for (const failure of counted.failures) fail(failure);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} what */
function fail(what) {
  total.failed++;
  total.failures.push(what);
}

function conclude() {
  if (total.failures.length > 0) console.log(`\nFailed:\n${total.failures.map((what) => `- ${what}`).join("\n")}`);
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  process.exitCode = total.failed === 0 ? 0 : 1;
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
}
