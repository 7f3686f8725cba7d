/** `resume`: takes up a job where it was stopped. */
import { RestoreError } from "../../errors/restore-error.js";
import { endedJob } from "../../run/job/job.js";
import { hasEnded } from "../../run/job/job-end.js";
import { type JobFile, readJob } from "../../run/job/job-file.js";
import { findJob, type JobOverview, listJobs } from "../../run/job/jobs.js";
import { argumentsOf, takenUpWith } from "../begun-job.js";
import type { Io } from "../io.js";
import { jobLine } from "../jobs-text.js";
import { stateDirectory } from "../state-directory.js";
import { withSavedEndpoints } from "../words.js";
import { type ApplyArguments, runApply } from "./apply.js";

interface ResumeArguments extends Partial<ApplyArguments> {
  readonly job?: string;
  readonly rebindTarget?: boolean;
}

export async function run(args: ResumeArguments, io: Io): Promise<number> {
  const job = await unfinishedJob(args, io);
  const begun = await argumentsOf(job);
  const take = { id: job.id, rebindTarget: args.rebindTarget === true };
  const taken = withSavedEndpoints(takenUpWith(begun, args), job, io);
  // What was confirmed is not asked again; a job that was killed before that has still to be.
  return await runApply(taken, io, { take, words: job.words });
}

async function unfinishedJob(args: ResumeArguments, io: Io): Promise<JobFile> {
  const init = { stateDirectory: stateDirectory(args, io), isAlive: io.isAlive };
  const id = args.job === undefined ? onlyUnfinished(await listJobs(init), init) : await findJob(init, args.job);
  const job = await readJob(init.stateDirectory, id);
  if (job === undefined) throw new RestoreError("JOURNAL_INVALID", `job ${id} has no job.json`);
  if (await hasEnded(init.stateDirectory, id)) throw endedJob(id);
  return job;
}

/** @throws RestoreError JOB_UNKNOWN when there is none, USAGE with all of them when there are several */
function onlyUnfinished(
  jobs: readonly JobOverview[],
  { stateDirectory: directory }: { stateDirectory: string },
): string {
  const unfinished = jobs.filter(({ state }) => state === "stopped");
  const [only] = unfinished;
  if (only !== undefined && unfinished.length === 1) return only.id;
  if (only === undefined) {
    throw new RestoreError("JOB_UNKNOWN", `there is no unfinished job in ${directory} that nobody works on`, {
      hint: "`elastickv-restore status` lists the jobs; --state-dir says where they are.",
    });
  }
  throw new RestoreError(
    "USAGE",
    `several jobs are unfinished:\n${unfinished.map((job) => `  ${jobLine(job)}`).join("\n")}`,
    {
      hint: "Say which one: `elastickv-restore resume <job>`.",
    },
  );
}
