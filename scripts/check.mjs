/** `npm run check`: every check that needs no test. Ends with 1 when one of them failed. */
import { ensureDependencies } from "./bootstrap.mjs";
import { runChecks } from "./checks.mjs";

const problem = await ensureDependencies();
if (problem !== undefined) {
  console.log(problem);
  process.exitCode = 1;
} else {
  const failed = (await runChecks()).filter(({ passed }) => !passed);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
