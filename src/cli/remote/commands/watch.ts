/** `watch`: shows a daemon's job to its end, or what one that has ended came to. */
import { resolve } from "node:path";
import { RestoreError } from "../../../errors/restore-error.js";
import { makeRoomForEvidence } from "../../drill-evidence.js";
import type { Io } from "../../io.js";
import { makeRoomForReports } from "../../reports.js";
import { findRemoteJob } from "../find-job.js";
import { type ResultArguments, showResult } from "../results.js";
import { openAnySession, type SessionArguments } from "../session.js";
import { isAtRest, watchJob } from "../watch-job.js";

interface WatchArguments extends SessionArguments, ResultArguments {
  readonly job: string;
}

/** @returns the exit status with which the job's own process ended */
export async function run(args: WatchArguments, io: Io): Promise<number> {
  const session = await openAnySession(args, io);
  const job = await findRemoteJob(session.client, args.job);
  const { report = [] } = args;
  const reports = job.kind === "apply" || (job.kind === "verify" && job.target !== undefined);
  if (report.length > 0 && !reports) throw wrongPlace("report", job.kind);
  if (args.out !== undefined && job.kind !== "drill") throw wrongPlace("out", job.kind);
  await makeRoomForReports(report, job.kind === "apply" ? "restore" : "comparison");
  const out = args.out === undefined ? undefined : resolve(io.cwd, args.out);
  if (out !== undefined) await makeRoomForEvidence(out);
  const watched = isAtRest(job) ? job : await watchJob(session, job.id);
  return await showResult(session, watched, { ...args, ...(out === undefined ? {} : { out }) });
}

function wrongPlace(option: string, kind: string): RestoreError {
  const hints: Readonly<Record<string, string>> = {
    report:
      "Restores and comparisons have reports; a drill's evidence is fetched with --out, and --json prints the rest.",
    out: "Only drills have evidence; --report takes the reports of restores and comparisons.",
  };
  return new RestoreError("USAGE", `--${option} is not for a job of the kind ${kind}`, { hint: hints[option] ?? "" });
}
