/** `jobs prune`: removes the folders of jobs that ended some time ago. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { removeJob } from "../../run/job/job-file.js";
import { type JobOverview, listJobs } from "../../run/job/jobs.js";
import { removeRepairs } from "../../run/job/repairs.js";
import { systemClock } from "../../support/clock.js";
import { plural } from "../format.js";
import type { Io } from "../io.js";
import { jobLine } from "../jobs-text.js";
import { json, print } from "../output.js";
import { parseDurationMs } from "../quantities.js";
import { stateDirectory } from "../state-directory.js";

interface JobsArguments {
  readonly action?: string;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly stateDir?: string;
  readonly json?: boolean;
}

export async function run(args: JobsArguments, io: Io): Promise<number> {
  if (args.action === undefined) {
    throw new RestoreError("USAGE", "jobs needs an action: elastickv-restore jobs <action>", {
      hint: "It takes: prune. `elastickv-restore status` lists the jobs of this machine, --server those of a daemon.",
    });
  }
  if (args.action !== "prune") {
    throw new RestoreError("USAGE", `jobs does not take "${args.action}"`, { hint: "It takes: prune." });
  }
  const before = systemClock.now() - parseDurationMs(args.olderThan ?? "30d", "--older-than");
  const directory = stateDirectory(args, io);
  const all = await listJobs({ stateDirectory: directory, isAlive: io.isAlive });
  const old = all.filter((job) => hasEndedBefore(job, before));
  if (args.dryRun !== true) {
    for (const { id } of old) await removeJob(directory, id);
    await removeRepairs(directory, before);
  }
  const lines = [
    ...old.map(jobLine),
    `${plural(old.length, "job")} ${args.dryRun === true ? "would be " : ""}removed.`,
  ];
  await print(io.stdout, args.json === true ? json({ removed: old.map(({ id }) => id) }) : `${lines.join("\n")}\n`);
  return EXIT.ok;
}

function hasEndedBefore({ state, endedAt }: JobOverview, ms: number): boolean {
  return (state === "finished" || state === "cancelled") && endedAt !== undefined && Date.parse(endedAt) <= ms;
}
