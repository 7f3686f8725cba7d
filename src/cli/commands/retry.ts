/** `retry`: restores again what a report lists as not restored, as a job of its own. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { RestoreError } from "../../errors/restore-error.js";
import { endReportPath } from "../../run/job/job-end.js";
import { type JobFile, readJob } from "../../run/job/job-file.js";
import { findJob } from "../../run/job/jobs.js";
import { type ListingReport, readRetriable } from "../../run/retry.js";
import { present } from "../../support/present.js";
import { argumentsOf, wordsOf } from "../begun-job.js";
import type { Io } from "../io.js";
import { listPathOf } from "../reports.js";
import { stateDirectory } from "../state-directory.js";
import { withSavedEndpoints } from "../words.js";
import { type ApplyArguments, runApply } from "./apply.js";
import { runPlan } from "./plan.js";

type RetryArguments = Partial<ApplyArguments> & { readonly result: string };

export async function run(args: RetryArguments, io: Io): Promise<number> {
  const path = await reportPath(args, io);
  const report = await readRetriable(path);
  assertOtherReport(args.report?.map((each) => resolve(io.cwd, each)) ?? [], path, report);
  const begun = await jobOf(report, args, io);
  const again = { ...(await argumentsAgain(args, begun, report, io)), retryOf: path };
  if (args.dryRun === true) return await runPlan(again, io);
  return await runApply(again, io, { take: "begin", words: wordsOf(withoutReport(again, args)) });
}

async function reportPath({ result, ...args }: RetryArguments, io: Io): Promise<string> {
  const path = resolve(io.cwd, result);
  const isThere = (await stat(path).catch(() => undefined))?.isFile() === true;
  if (isThere || !/^[0-9a-f]{4,16}$/.test(result)) return path;
  const init = { stateDirectory: stateDirectory(args, io), isAlive: io.isAlive };
  return endReportPath(init.stateDirectory, await findJob(init, result));
}

/** A comparison is no job: what it was made with is said again. */
async function jobOf(report: ListingReport, args: RetryArguments, io: Io): Promise<JobFile | undefined> {
  if (!("job" in report)) return undefined;
  return await readJob(stateDirectory(args, io), report.job).catch(() => undefined);
}

/** What is to be retried must not be written over: a job that is stopped reads it again. */
function assertOtherReport(paths: readonly string[], retried: string, report: ListingReport): void {
  const rejectsFile = "rejectsFile" in report ? report.rejectsFile : undefined;
  const rejects = listPathOf(paths, "restore");
  const isSame = paths.includes(retried) || rejects === listPathOf([retried], "restore") || rejects === rejectsFile;
  if (paths.length === 0 || !isSame) return;
  throw new RestoreError("USAGE", `--report would write over the report that is retried: ${retried}`, {
    hint: "Name another file.",
  });
}

/** As the job was begun, where that is still known, but for what is said now. */
async function argumentsAgain(
  args: RetryArguments,
  begun: JobFile | undefined,
  report: ListingReport,
  io: Io,
): Promise<ApplyArguments> {
  const { result: _result, dump, ...said } = args;
  const before = begun === undefined ? { mode: report.mode } : await argumentsOf(begun);
  const {
    report: _report,
    yes: _yes,
    resume: _resume,
    dryRun: _dryRun,
    only: _only,
    json: _json,
    ...kept
  } = before as ApplyArguments;
  const { mode, ...rest } = { ...kept, ...present(said) };
  const found = dump === undefined ? (begun?.dump ?? resolve(io.cwd, report.dump.path)) : resolve(io.cwd, dump);
  const merged = {
    ...rest,
    ...absolute(said, io),
    ...(mode === undefined || (mode as string) === "none" ? {} : { mode }),
    dump: found,
  };
  return begun === undefined ? merged : withSavedEndpoints(merged, begun, io);
}

/** Words of a job are found again from any folder. */
function absolute({ transform, remapDir, config }: Partial<ApplyArguments>, { cwd }: Io): Partial<ApplyArguments> {
  const from = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  return present({
    transform: from(transform),
    remapDir: from(remapDir),
    config: from(config),
  }) as Partial<ApplyArguments>;
}

function withoutReport(again: ApplyArguments, { report }: RetryArguments): ApplyArguments {
  const { yes: _yes, ...rest } = again;
  return report === undefined ? rest : { ...rest, report };
}
