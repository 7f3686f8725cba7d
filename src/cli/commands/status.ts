/** `status`: the jobs of the state directory, or one of them with its scopes. */
import { EXIT } from "../../errors/codes.js";
import { findJob, listJobs, overviewOf } from "../../run/job/jobs.js";
import type { Io } from "../io.js";
import { jobsText, jobText } from "../jobs-text.js";
import { json, print } from "../output.js";
import { stateDirectory, stateOption } from "../state-directory.js";

interface StatusArguments {
  readonly job?: string;
  readonly stateDir?: string;
  readonly json?: boolean;
}

export async function run(args: StatusArguments, io: Io): Promise<number> {
  const directory = stateDirectory(args, io);
  const where = stateOption(args, io);
  const init = { stateDirectory: directory, isAlive: io.isAlive };
  if (args.job !== undefined) {
    const job = await overviewOf(init, await findJob(init, args.job));
    await print(io.stdout, args.json === true ? json(job) : jobText(job, where));
    return EXIT.ok;
  }
  const jobs = await listJobs(init);
  await print(io.stdout, args.json === true ? json(jobs) : jobsText(jobs, directory, where));
  return EXIT.ok;
}
