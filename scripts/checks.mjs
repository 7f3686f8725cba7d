/** Every check that needs no test, each a program of its own. `npm run check` runs them, `npm test` runs them too. */
import { build, run, runTool } from "./bootstrap.mjs";

/**
 * @typedef {{ name: string, run: () => Promise<{ status: number, output: string }> }} Check
 * @typedef {{ name: string, passed: boolean, output: string }} CheckResult
 */

const keep = { keep: true };
const TYPES_CACHE = "node_modules/.cache/types.tsbuildinfo";

/** The build comes first, alone: the package check looks at what it made. @type {readonly Check[]} */
const CHECKS = [
  { name: "build", run: build },
  { name: "types", run: () => runTool("tsc", ["--noEmit", "--incremental", "--tsBuildInfoFile", TYPES_CACHE], keep) },
  { name: "types of the page", run: () => runTool("tsc", ["--noEmit", "-p", "src/daemon/public"], keep) },
  { name: "promises and homes (eslint)", run: () => runTool("eslint", ["--max-warnings=0", "."], keep) },
  { name: "format and lint (biome)", run: () => runTool("biome", ["check", "--error-on-warnings", "."], keep) },
  {
    name: "layers (dependency-cruiser)",
    run: () => runTool("depcruise", ["src", "bin", "test", "testcontainers", "scripts", "bench"], keep),
  },
  { name: "dead code (knip)", run: () => runTool("knip", ["--no-progress"], keep) },
  { name: "package (publint, attw, files)", run: () => run("node", ["scripts/check-package.mjs"], keep) },
];

/** Runs them all, two at a time, and prints a line for each; the output of one that failed follows its line. */
export async function runChecks() {
  /** @type {CheckResult[]} */
  const results = [];
  const [first, ...others] = CHECKS;
  if (first !== undefined) results.push(await runCheck(first));
  const lane = async () => {
    for (let check = others.shift(); check !== undefined; check = others.shift()) results.push(await runCheck(check));
  };
  await Promise.all([lane(), lane()]);
  return results;
}

/**
 * @param {Check} check
 * @returns {Promise<CheckResult>}
 */
async function runCheck({ name, run: start }) {
  const began = performance.now();
  const { status, output } = await start();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status !== 0) console.log(`${output.replaceAll(/^/gm, "       ")}\n`);
  return { name, passed: status === 0, output };
}
