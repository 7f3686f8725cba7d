/** `apply`: restores a dump. */
import { resolve } from "node:path";
import { JOB_ID_VARIABLE } from "../../daemon/channel.js";
import { RestoreError } from "../../errors/restore-error.js";
import { apply as applyRun } from "../../run/apply.js";
import type { JobInit } from "../../run/job/job.js";
import type { KeptPlan } from "../../run/plan/judge-plan.js";
import type { Report } from "../../run/report.js";
import { present } from "../../support/present.js";
import { compareAfter } from "../compare.js";
import { confirm } from "../confirm.js";
import { errorText } from "../error-text.js";
import { htmlReport } from "../html/report.js";
import type { Io } from "../io.js";
import { jobPlace } from "../job-place.js";
import { REPORT_OPTION, RETRIED_OPTIONS, RUN_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { outlineText } from "../plan-text.js";
import { plannedArguments } from "../planned.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { usage } from "../quantities.js";
import { keepReports, listPathOf, makeRoomForReports } from "../reports.js";
import { type RunArguments, runOptions } from "../run-options.js";
import { stateOption } from "../state-directory.js";
import { reportText } from "../text.js";
import { comparisonText } from "../verification-text.js";
import { wordsFor } from "../words.js";
import { runPlan } from "./plan.js";

export interface ApplyArguments extends RunArguments {
  readonly resume?: boolean;
  readonly verify?: boolean;
  readonly yes?: boolean;
  readonly report?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

/** With a plan, the dump need not be named. */
type TypedArguments = Omit<ApplyArguments, "dump"> & { readonly dump?: string; readonly plan?: string };

export async function run(args: TypedArguments, io: Io, words: readonly string[]): Promise<number> {
  const { plan, dump } = args;
  if (plan !== undefined) return await runKeptPlan({ ...args, plan }, io);
  if (dump === undefined) throw dumpMissing();
  const whole = { ...args, dump };
  if (args.dryRun === true) return await runPlan(whole, io);
  return await runApply(whole, io, { words, take: takeOf(args), ...newId(io) });
}

function takeOf({ resume }: Pick<ApplyArguments, "resume">): "begin" | "same" {
  return resume === true ? "same" : "begin";
}

function dumpMissing(): RestoreError {
  return new RestoreError("USAGE", "apply needs a dump: elastickv-restore apply <dump>", {
    hint: "`elastickv-restore apply --help` lists what there is.",
  });
}

/** The job is begun by the plan's words: taking it up again needs no plan. */
async function runKeptPlan(said: TypedArguments & { readonly plan: string }, io: Io): Promise<number> {
  const { args: planned, kept } = await plannedArguments(said, io);
  const args: ApplyArguments = { ...planned, ...present(said), dump: planned.dump };
  const report = args.report?.map((path) => resolve(io.cwd, path));
  const words = wordsFor({ ...RUN_OPTIONS, ...RETRIED_OPTIONS, ...REPORT_OPTION }, { ...args, ...present({ report }) });
  return await runApply(args, io, { words, take: takeOf(args), plan: kept, ...newId(io) });
}

/** How a job is begun or taken up. `plan`: what it has to be, where it is begun. `newJobId`: default: a random one. */
type JobArguments = Pick<JobInit, "holdsScopes" | "take" | "words"> & {
  readonly plan?: KeptPlan;
  readonly newJobId?: string;
};

/** A supervisor knows the job by an id that it chose. @throws RestoreError USAGE */
function newId({ supervisor }: Io): Pick<JobArguments, "newJobId"> {
  const id = supervisor?.jobId;
  if (id === undefined) return {};
  if (/^[0-9a-f]{16}$/.test(id)) return { newJobId: id };
  throw usage(JOB_ID_VARIABLE, id, "16 lower-case hex digits");
}

/** Begins a job or takes one up, and shows it to its end. */
export async function runApply(
  args: ApplyArguments,
  io: Io,
  { plan, newJobId, ...job }: JobArguments,
): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const options = { ...(await runOptions(args, io, progress)), ...present({ newJobId }) };
  const paths = args.report ?? [];
  try {
    await makeRoomForReports(paths, "restore");
    const rejectsPath = listPathOf(paths, "restore");
    const isQuiet = args.progress === "none";
    const restored = await applyRun({
      ...options,
      job: { ...job, ...jobPlace(args, io) },
      ...present({ rejectsPath, plan }),
      onPlan: (outline) => {
        if (!isQuiet) io.stderr.write(`${outlineText(outline)}\n`);
      },
      confirm: (outline) => confirm(outline, args, io),
    });
    const isVerified = args.verify === true && restored.error === undefined;
    const { report, failure } = isVerified ? await verified(restored, args, io) : { report: restored };
    const kept = { report, html: htmlReport };
    await show(report, args, io).finally(() => keepReports(paths, kept, { ...io, isQuiet: args.json === true }));
    if (failure !== undefined) throw failure;
    return report.exitStatus;
  } finally {
    options.retry?.close();
  }
}

interface Verified {
  readonly report: Report;
  /** Why the targets could not be compared. What was restored stands all the same, and its report is told. */
  readonly failure?: RestoreError;
}

/** The report with how the targets compare with the dump. */
async function verified(restored: Report, args: ApplyArguments, io: Io): Promise<Verified> {
  try {
    const verification = await compareAfter(restored, args, io);
    return { report: { ...restored, verification, exitStatus: restored.exitStatus || verification.exitStatus } };
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    return { report: restored, failure: notCompared(error) };
  }
}

function notCompared(cause: RestoreError): RestoreError {
  return new RestoreError(cause.code, `what was restored was not compared: ${cause.message}`, {
    hint: "The restore is finished. Compare with `elastickv-restore verify` and the same options.",
    cause,
  });
}

async function show(report: Report, args: ApplyArguments, io: Io): Promise<void> {
  const { verification } = report;
  const compared = verification === undefined ? "" : `\nCompared with the dump:\n\n${comparisonText(verification)}`;
  await print(io.stdout, args.json === true ? json(report) : `${reportText(report)}${compared}`);
  if (report.error === undefined) return;
  io.supervisor?.failed(report.error);
  const text = stoppedText(report.error, report, stateOption(args, io));
  await print(io.stderr, text);
}

function stoppedText(error: NonNullable<Report["error"]>, { job }: Report, where: string): string {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return [
    errorText(new RestoreError(error.code, error.message, hint), where).trimEnd(),
    `What was restored stays. To go on where it was: elastickv-restore resume ${job}${where}`,
    "",
  ].join("\n");
}
