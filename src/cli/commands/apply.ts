/** `apply`: restores a dump. */
import { createInterface } from "node:readline/promises";
import type { Readable } from "node:stream";
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { apply as applyRun, mayDelete } from "../../run/apply.js";
import type { JobInit } from "../../run/job/job.js";
import type { Plan } from "../../run/plan.js";
import type { Report } from "../../run/report.js";
import { type Command, DUMP_POSITIONAL } from "../command.js";
import type { Io } from "../io.js";
import {
  CONFIRM_OPTIONS,
  OUTPUT_OPTIONS,
  RESUME_OPTION,
  RETRIED_OPTIONS,
  RUN_OPTIONS,
  STATE_OPTIONS,
} from "../options.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { keepReports, makeRoomForReports, rejectsPathOf } from "../reports.js";
import { type RunArguments, runOptions } from "../run-options.js";
import { stateDirectory, stateOption } from "../state-directory.js";
import { errorText, planText, reportText } from "../text.js";
import { runPlan } from "./plan.js";

export interface ApplyArguments extends RunArguments {
  readonly resume?: boolean;
  readonly yes?: boolean;
  readonly report?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export const apply: Command<ApplyArguments> = {
  usage: "apply <dump>",
  summary: "restore a dump",
  options: {
    ...RUN_OPTIONS,
    ...RESUME_OPTION,
    ...RETRIED_OPTIONS,
    ...STATE_OPTIONS,
    ...CONFIRM_OPTIONS,
    ...OUTPUT_OPTIONS,
  },
  positionals: DUMP_POSITIONAL,
  examples: [
    ["$0 apply ./dump --redis-url redis://127.0.0.1:6379 --adapter redis", "the dump's keys into an empty Redis"],
    ["$0 apply ./dump --mode merge --report report.json", "all of it, endpoints from the environment"],
  ],
  run: (args, io, words) =>
    args.dryRun === true
      ? runPlan(args, io)
      : runApply(args, io, { words, take: args.resume === true ? "same" : "begin" }),
};

/** Begins a job or takes one up, and shows it to its end. */
export async function runApply(args: ApplyArguments, io: Io, job: Pick<JobInit, "take" | "words">): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const options = await runOptions(args, io, progress);
  const paths = args.report ?? [];
  try {
    await makeRoomForReports(paths);
    const rejectsPath = rejectsPathOf(paths);
    const isQuiet = args.progress === "none";
    const report = await applyRun({
      ...options,
      job: { ...job, stateDirectory: stateDirectory(args, io), pid: io.pid, isAlive: io.isAlive, cwd: io.cwd },
      ...(rejectsPath === undefined ? {} : { rejectsPath }),
      onPlan: (plan) => {
        if (!isQuiet) io.stderr.write(`${planText(plan)}\n`);
      },
      confirm: (plan) => confirm(plan, args, io),
    });
    await show(report, args, io).finally(() => keepReports(paths, report, { ...io, isQuiet: args.json === true }));
    return report.exitStatus;
  } finally {
    options.retry?.close();
  }
}

async function show(report: Report, args: ApplyArguments, io: Io): Promise<void> {
  await print(io.stdout, args.json === true ? json(report) : reportText(report));
  if (report.error === undefined) return;
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

async function confirm(plan: Plan, { yes }: ApplyArguments, io: Io): Promise<boolean> {
  if (yes === true) return true;
  if (io.isTty !== true || io.stdin === undefined) return false;
  const names = plan.scopes.filter(mayDelete).map(({ adapter, target }) => escapeForDisplay(`${adapter}:${target}`));
  const what = `${names.join(", ")} ${names.length === 1 ? "holds" : "hold"}`;
  const answer = await ask(`This deletes what ${what}. Type "replace" to go on: `, io.stdin, io);
  return answer?.trim() === "replace";
}

/** What a person types; undefined when the input ends instead. @throws RestoreError INTERRUPTED */
async function ask(question: string, input: Readable, { stderr, signal }: Io): Promise<string | undefined> {
  const lines = createInterface({ input, output: stderr, terminal: true });
  // A terminal hands Ctrl-C to the prompt, as a key and not as a signal.
  const interruption = new AbortController();
  lines.once("SIGINT", () => interruption.abort());
  // A prompt whose input has ended never answers.
  const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
  const either = AbortSignal.any([interruption.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    return await Promise.race([lines.question(question, { signal: either }), ended]);
  } catch (error) {
    if (either.aborted) throw new RestoreError("INTERRUPTED", "interrupted before anything was written");
    if (error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  } finally {
    lines.close();
  }
}
