/** A process that opens a job and keeps it: `job-holder.ts <state directory> <new id> <target>`. Says `held` or the error's code. */
import { openJob } from "../../src/run/job/job.js";
import { systemClock } from "../../src/support/clock.js";
import { jobInit } from "./jobs.js";

const [stateDirectory = "", newId = "", target = ""] = process.argv.slice(2);

try {
  await openJob({ ...jobInit(stateDirectory, { target }), newId, clock: systemClock, pid: process.pid });
  process.stdout.write("held\n");
  // Its locks alone do not keep it.
  setInterval(() => undefined, 1000);
} catch (error) {
  process.stdout.write(`${error instanceof Error && "code" in error ? String(error.code) : String(error)}\n`);
}
