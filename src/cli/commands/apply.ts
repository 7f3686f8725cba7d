/** `apply`: restores a dump. */
import { access, constants, lstat, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Readable } from "node:stream";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { apply as applyRun, mayDelete } from "../../run/apply.js";
import type { Plan } from "../../run/plan.js";
import { rejectsPathFor } from "../../run/rejects.js";
import type { Report } from "../../run/report.js";
import { type Command, DUMP_POSITIONAL } from "../command.js";
import type { Io } from "../io.js";
import { CONFIRM_OPTIONS, OUTPUT_OPTIONS, RUN_OPTIONS } from "../options.js";
import { json, print, writeResult } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { type RunArguments, runOptions } from "../run-options.js";
import { errorText, planText, reportText } from "../text.js";
import { runPlan } from "./plan.js";

interface ApplyArguments extends RunArguments {
  readonly yes?: boolean;
  readonly report?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export const apply: Command<ApplyArguments> = {
  usage: "apply <dump>",
  summary: "restore a dump",
  options: { ...RUN_OPTIONS, ...CONFIRM_OPTIONS, ...OUTPUT_OPTIONS },
  positionals: DUMP_POSITIONAL,
  examples: [
    ["$0 apply ./dump --redis-url redis://127.0.0.1:6379 --adapter redis", "the dump's keys into an empty Redis"],
    ["$0 apply ./dump --mode merge --report report.json", "all of it, endpoints from the environment"],
  ],
  run: (args, io) => (args.dryRun === true ? runPlan(args, io) : runApply(args, io)),
};

async function runApply(args: ApplyArguments, io: Io): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const options = await runOptions(args, io, progress);
  if (args.report !== undefined) await makeRoomForReport(args.report);
  const isQuiet = args.progress === "none";
  const report = await applyRun({
    ...options,
    ...(args.report === undefined ? {} : { rejectsPath: rejectsPathFor(args.report) }),
    onPlan: (plan) => {
      if (!isQuiet) io.stderr.write(`${planText(plan)}\n`);
    },
    confirm: (plan) => confirm(plan, args, io),
  });
  try {
    await print(io.stdout, args.json === true ? json(report) : reportText(report));
    if (report.error !== undefined) await print(io.stderr, stoppedText(report.error, report));
  } finally {
    if (args.report !== undefined) await keepReport(args.report, report, args, io);
  }
  return report.exitStatus;
}

async function keepReport(path: string, report: Report, args: ApplyArguments, io: Io): Promise<void> {
  await writeResult(path, json(report));
  if (args.json !== true) await print(io.stdout, `The report stands in ${path}.\n`);
}

/** Found before hours of work, not after them. Rejects of an earlier run beside the report are not this one's. */
async function makeRoomForReport(path: string): Promise<void> {
  if (/\.html$/i.test(path)) {
    throw new RestoreError("USAGE", `--report does not take "${path}": reports are JSON`, {
      hint: "Name a .json file.",
    });
  }
  if (path === "") throw new RestoreError("USAGE", "--report names no file", { hint: "Name a .json file." });
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) {
    throw new RestoreError("USAGE", `--report: ${path} is a folder`, { hint: "Name a file in it." });
  }
  // Whoever opens a pipe that nobody reads waits for ever, and a device keeps nothing.
  if (there?.isFile() === false) {
    throw new RestoreError("USAGE", `--report: ${path} is no regular file`, {
      hint: "Name a file; --json writes the report to standard output.",
    });
  }
  if (there !== undefined) {
    await access(path, constants.W_OK).catch((cause: unknown) => {
      throw new RestoreError("USAGE", `--report: ${path} cannot be written to: ${messageOf(cause)}`, {
        hint: "Name another file.",
      });
    });
  }
  await access(dirname(path), constants.W_OK).catch((cause: unknown) => {
    throw new RestoreError("USAGE", `--report: ${dirname(path)} cannot be written to: ${messageOf(cause)}`, {
      hint: "Name a file in a folder that exists.",
    });
  });
  const rejects = rejectsPathFor(path);
  const found = await lstat(rejects).catch(() => undefined);
  if (found?.isFile() === true) await rm(rejects, { force: true });
}

function stoppedText(error: NonNullable<Report["error"]>, { scopes }: Report): string {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const queues = scopes.some(({ adapter, recordsRead }) => adapter === "sqs" && recordsRead > 0);
  return [
    errorText(new RestoreError(error.code, error.message, hint)).trimEnd(),
    "What was restored stays. Run the same command with --mode merge, or --mode skip-existing, to restore the rest.",
    ...(queues ? [QUEUES_AGAIN] : []),
    "",
  ].join("\n");
}

const QUEUES_AGAIN =
  "Queues are another matter: merge sends their messages again, skip-existing leaves a queue that holds any. " +
  "Name the queues that are still empty with --scope, or start them over with --mode replace.";

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
