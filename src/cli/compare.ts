/** Compares targets with a dump as it was asked for on the command line. */
import { RestoreError } from "../errors/restore-error.js";
import { listedPath, openStateDirectory } from "../run/job/job-file.js";
import type { Report } from "../run/report.js";
import { notRestored } from "../run/verify/not-restored.js";
import type { Verification } from "../run/verify/report.js";
import { type VerifyOptions, verifyTarget } from "../run/verify/verify-target.js";
import { present } from "../support/present.js";
import { type CompareArguments, howToVerify, rebasedAt } from "./how-to-verify.js";
import type { Io } from "./io.js";
import { type ProgressKind, progressSink } from "./progress.js";
import { type RunArguments, runOptions } from "./run-options.js";
import { type StateArguments, stateDirectory, stateOption } from "./state-directory.js";
import { workPlace } from "./work-place.js";

export interface ComparisonArguments extends RunArguments, CompareArguments {
  readonly repair?: boolean;
  readonly yes?: boolean;
  readonly resume?: boolean;
  readonly report?: readonly string[];
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

/** `differencesPath`: takes all differences. @throws RestoreError as `verifyTarget` */
export async function compareTargets(
  args: ComparisonArguments,
  io: Io,
  differencesPath: string | undefined,
): Promise<Verification> {
  const more = present({ rebasedAt: rebasedAt(args), differencesPath });
  try {
    return await compare(args, io, { ...more, how: howToVerify(args), takeUp: args.resume === true });
  } catch (error) {
    throw resumable(error, args, io);
  }
}

/** Compares what was just restored. Records that were not are told in the report, and not again. */
export async function compareAfter(report: Report, args: RunArguments & StateArguments, io: Io): Promise<Verification> {
  const list = listedPath(stateDirectory(args, io), report.job);
  const except = await notRestored(list, workPlace(io).workRoot);
  try {
    const how = { ...howToVerify(args), except };
    return await compare(args, io, { rebasedAt: Date.parse(report.startedAt), how, takeUp: false });
  } finally {
    except.close();
  }
}

type Comparison = Pick<VerifyOptions, "differencesPath" | "how" | "rebasedAt" | "takeUp">;

async function compare(
  args: RunArguments & StateArguments & { readonly progress?: ProgressKind },
  io: Io,
  comparison: Comparison,
): Promise<Verification> {
  const directory = stateDirectory(args, io);
  await openStateDirectory(directory);
  const options = await runOptions(args, io, progressSink(args.progress ?? "auto", io));
  try {
    const { pid, isAlive } = io;
    return await verifyTarget({ ...options, ...comparison, stateDirectory: directory, pid, isAlive });
  } finally {
    options.retry?.close();
  }
}

/** What was compared so far is kept. */
function resumable(error: unknown, args: ComparisonArguments, io: Io): unknown {
  const isStopped = io.signal?.aborted === true || (error instanceof RestoreError && error.code === "OUTAGE");
  if (!isStopped) return error;
  const { code, message } =
    error instanceof RestoreError ? error : { code: "INTERRUPTED" as const, message: "interrupted" };
  const hint = `Nothing was changed. The same command with --resume goes on where it was${stateOption(args, io)}.`;
  return new RestoreError(code, message, { hint, cause: error });
}
