/** `status`: the jobs of the state directory, or one of them with its scopes. */
import { EXIT } from "../../errors/codes.js";
import { findJob, listJobs, overviewOf } from "../../run/job/jobs.js";
import type { Command } from "../command.js";
import { jobsText, jobText } from "../jobs-text.js";
import { OUTPUT_OPTIONS, STATE_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { stateDirectory, stateOption } from "../state-directory.js";

interface StatusArguments {
  readonly job?: string;
  readonly stateDir?: string;
  readonly json?: boolean;
}

export const status: Command<StatusArguments> = {
  usage: "status [job]",
  summary: "list restores: running, stopped, finished and cancelled ones",
  options: { ...STATE_OPTIONS, json: OUTPUT_OPTIONS.json },
  positionals: { job: "the job's id or how it begins: its scopes and counts" },
  examples: [
    ["$0 status", "which restores run here, and which can be taken up again?"],
    ["$0 status 8f14e45f --json", "how far is this one?"],
  ],
  run: async (args, io) => {
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
  },
};
