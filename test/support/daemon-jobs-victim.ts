/** A daemon's jobs in a process of their own, to be killed: takes up what is there, and asks for what it is told to. */
import { openJobs } from "../../src/daemon/jobs/jobs.js";
import type { JobRequest } from "../../src/daemon/schema/job.js";
import { jobsIn, OWNER } from "./daemon-jobs.js";

const [folder = "", text = "[]"] = process.argv.slice(2);
const jobs = await openJobs(jobsIn(folder, { isReal: true }));
await jobs.start();
for (const request of JSON.parse(text) as JobRequest[]) {
  const { job } = await jobs.submit({ request, by: OWNER });
  process.stdout.write(`${job.id}\n`);
}
setInterval(() => undefined, 1_000);
