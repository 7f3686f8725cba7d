/** `jobs prune`: removes the folders of jobs that ended some time ago. */
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { removeJob } from "../../run/job/job-file.js";
import { type JobOverview, listJobs } from "../../run/job/jobs.js";
import { removeRepairs } from "../../run/job/repairs.js";
import { systemClock } from "../../support/clock.js";
import type { Command } from "../command.js";
import { plural } from "../format.js";
import { jobLine } from "../jobs-text.js";
import { OUTPUT_OPTIONS, STATE_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { parseDurationMs } from "../quantities.js";
import { stateDirectory } from "../state-directory.js";

interface JobsArguments {
  readonly action: string;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
  readonly stateDir?: string;
  readonly json?: boolean;
}

export const jobs: Command<JobsArguments> = {
  usage: "jobs <action>",
  summary: "prune: remove what is remembered of restores that ended",
  options: {
    "older-than": {
      type: "string",
      requiresArg: true,
      group: "Jobs:",
      describe: "only those that ended so long ago: 30d, 12h [default: 30d]",
    },
    "dry-run": { type: "boolean", group: "Jobs:", describe: "only list them" },
    ...STATE_OPTIONS,
    json: OUTPUT_OPTIONS.json,
  },
  positionals: { action: "prune" },
  examples: [["$0 jobs prune --older-than 30d", "finished and cancelled ones; unfinished ones stay"]],
  run: async (args, io) => {
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
  },
};

function hasEndedBefore({ state, endedAt }: JobOverview, ms: number): boolean {
  return (state === "finished" || state === "cancelled") && endedAt !== undefined && Date.parse(endedAt) <= ms;
}
