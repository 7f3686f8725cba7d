/**
 * `verify --repair`: what a comparison found is mended, and compared again. Records are restored by a job of its own, as
 * `retry` does it: one that is stopped is taken up by `resume`.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { EXIT } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { openStateDirectory } from "../run/job/job-file.js";
import type { Lock } from "../run/job/lock.js";
import { openRepairs } from "../run/job/repairs.js";
import { lockScopes } from "../run/job/scope-locks.js";
import type { RunOptions } from "../run/prepare.js";
import { endpointLabels } from "../run/targets.js";
import { type Found, isMendedByWriting, readFound } from "../run/verify/found.js";
import { type Mended, mendLater, mendTarget } from "../run/verify/mend.js";
import type { Verification } from "../run/verify/report.js";
import { ask } from "./ask.js";
import { wordsOf } from "./begun-job.js";
import { type ApplyArguments, runApply } from "./commands/apply.js";
import { type ComparisonArguments, compareTargets } from "./compare.js";
import { plural } from "./format.js";
import type { Io } from "./io.js";
import { jobPlace } from "./job-place.js";
import { json, writeResult } from "./output.js";
import { progressSink } from "./progress.js";
import { listPathOf } from "./reports.js";
import { runOptions } from "./run-options.js";
import { stateDirectory } from "./state-directory.js";
import { comparisonText } from "./verification-text.js";
import { withAbsolutePaths } from "./words.js";

/**
 * Compares, mends what was found, says on standard error what it does, and compares again.
 * `differencesPath`: takes what is left.
 */
export async function repaired(
  args: ComparisonArguments,
  io: Io,
  differencesPath: string | undefined,
): Promise<Verification> {
  const path = await repairPath(args, io);
  const before = await compareTargets(args, io, listPathOf([path], "comparison"));
  if (before.differenceCount === 0) return before;
  await writeResult(path, json(before));
  await mend(args, io, { path, before });
  return await compareTargets({ ...args, resume: false }, io, differencesPath);
}

/** The job that restores reads it again, from wherever it is taken up. */
async function repairPath(args: ComparisonArguments, io: Io): Promise<string> {
  const directory = stateDirectory(args, io);
  await openStateDirectory(directory);
  return join(await openRepairs(directory), `${randomBytes(8).toString("hex")}.json`);
}

interface Damage {
  /** Where the report on it stands. */
  readonly path: string;
  readonly before: Verification;
}

async function mend(args: ComparisonArguments, io: Io, { path, before }: Damage): Promise<void> {
  const say = (text: string): void => {
    if (args.progress !== "none" && text !== "") io.stderr.write(`${text.trimEnd()}\n`);
  };
  say(comparisonText(before));
  const found = () =>
    before.differencesFile === undefined ? each(before.differences) : readFound(before.differencesFile);
  const deletes = args.mode === "replace" && (await mayDelete(before, args, io));
  const options = await runOptions(args, io, progressSink(args.progress ?? "auto", io));
  const locks = await lockDamaged(before, options, jobPlace(args, io));
  try {
    const writes = await namesRecords(found());
    const { later, ...mended } = await mendTarget(options, { found, deletes, writes });
    say(mendedText(mended));
    if (writes) await restore(path, args, io, options.newJobId);
    if (later.size === 0) return;
    const progress = progressSink(args.progress ?? "auto", io);
    say(mendedText(await mendLater({ ...options, progress }, later)));
  } finally {
    await locks.release();
  }
}

/** As a restore of them does, in the name of the job that restores records. @throws RestoreError JOB_HELD */
async function lockDamaged(
  { scopes }: Verification,
  options: RunOptions,
  place: ReturnType<typeof jobPlace>,
): Promise<Lock> {
  const { pid, mayBeEnded, isAlive, stateDirectory } = place;
  const targets = scopes.filter(({ differences }) => differences > 0);
  const endpoints = endpointLabels(options.targets, new Set(targets.map(({ adapter }) => adapter)));
  const holder = { pid, job: options.newJobId, ...(mayBeEnded === true ? { mayBeEnded } : {}) };
  return await lockScopes({ targets, endpoints, holder, isAlive, stateDirectory });
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function namesRecords(found: AsyncIterable<Found>): Promise<boolean> {
  for await (const each of found) if (isMendedByWriting(each)) return true;
  return false;
}

/** Deleting was asked for with the mode, and is confirmed as in a restore. @throws RestoreError NOT_CONFIRMED */
async function mayDelete({ extra }: Verification, { yes }: ComparisonArguments, io: Io): Promise<boolean> {
  if (extra === 0 || yes === true) return true;
  const question = `This deletes ${plural(extra, "record")} that the dump lacks. Type "replace" to go on: `;
  if ((await ask(question, io)) === "replace") return true;
  throw new RestoreError("NOT_CONFIRMED", "records that the dump lacks would be deleted, and nobody confirmed it", {
    hint: "Nothing was changed. Say --yes, or repair with another mode: then they stay.",
  });
}

function mendedText({ settings, deleted, left }: Mended): string {
  return [
    ...(settings > 0 ? [`Settings of ${plural(settings, "scope")} were set.`] : []),
    ...(deleted > 0 ? [`${plural(deleted, "record")} that the dump lacks deleted.`] : []),
    ...left.map((what) => `Not mended: ${what}.`),
  ].join("\n");
}

/** @throws RestoreError of the classes usage, dump and target; the stop of the job */
async function restore(path: string, args: ComparisonArguments, io: Io, newJobId: string): Promise<void> {
  const { report: _report, json: _json, resume: _resume, repair: _repair, ...rest } = args;
  const again: ApplyArguments = withAbsolutePaths({ ...rest, retryOf: path }, io.cwd);
  // What it says of itself is no result of this command.
  const quiet = { ...io, stdout: io.stderr };
  const job = { take: "begin", words: wordsOf(again), newJobId, holdsScopes: true } as const;
  const status = await runApply(again, quiet, job);
  if (status === EXIT.ok || status === EXIT.incomplete) return;
  throw new RestoreError(io.signal?.aborted === true ? "INTERRUPTED" : "OUTAGE", "the repair was stopped", {
    hint: "`elastickv-restore resume` takes it up where it was; then compare again.",
  });
}
