/** A restore from beginning to end. Reads as a table of contents; each step lives in a module of its own. */
import { resolve } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import type { Scope } from "../model/scope.js";
import { assertAcceptable } from "./inspection.js";
import type { JobIdentity } from "./job/identity.js";
import { type Job, type JobInit, openJob } from "./job/job.js";
import { ListedCopy } from "./journal/listed-copy.js";
import { Ledger } from "./ledger.js";
import { ListedSummary } from "./listed-summary.js";
import { assertMemory } from "./memory.js";
import { judgeIdentity, judgeTargets, type KeptPlan } from "./plan/judge-plan.js";
import { mayDelete } from "./plan/may-delete.js";
import { outlinePlan } from "./plan/outline.js";
import type { Outline } from "./plan/plan-schema.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { type ReplayEnd, replay } from "./replay.js";
import { makeReport, type Report } from "./report.js";
import { assertSameDump } from "./retry.js";
import { Timeline } from "./timeline.js";

export interface ApplyOptions extends RunOptions {
  /** Begins or takes up the job. */
  readonly job: Pick<JobInit, "cwd" | "holdsScopes" | "isAlive" | "pid" | "stateDirectory" | "take" | "words">;
  /** JSONL file for every record that is not plainly restored; absent: it stands in the job's folder only. */
  readonly rejectsPath?: string;
  /** What the job has to be: a job that is begun is refused where it is another one. */
  readonly plan?: KeptPlan;
  /** Shown before the first write, which waits for it; what it throws ends the run with nothing written. */
  readonly onPlan?: (plan: Outline) => void | Promise<void>;
  /** Asked before anything is deleted: true to go on. Only a mode that deletes asks, and only where there is anything. */
  readonly confirm: (plan: Outline) => Promise<boolean>;
}

/**
 * Restores a dump. Everything that can be known before the first write is found before it.
 * @returns the report, also of a run that was stopped after its first write: its job can then be taken up again
 * @throws RestoreError of the classes usage, dump and target, with nothing written by this process
 */
export async function apply(options: ApplyOptions): Promise<Report> {
  const startedAt = options.clock.monotonic();
  const pausedBefore = options.control?.pausedMs ?? 0;
  let run: PreparedRun | undefined;
  let opened: Job | undefined;
  let isWriting = false;
  let changed: readonly string[] = [];
  try {
    let dumpDigest = "";
    run = await prepare(options, async (identity) => {
      assertSameDump(options.retry, identity.dump);
      dumpDigest = identity.dump;
      const dump = resolve(options.dump);
      opened = await openJob({ ...options.job, clock: options.clock, newId: options.newJobId, identity, dump });
      changed = await judgedBeginning(opened, identity, options.plan);
      return opened;
    }).catch((error: unknown) => {
      throw unwritten(error, options);
    });
    const plan = await outlinePlan(run);
    await options.onPlan?.(plan);
    if (options.plan !== undefined && opened?.isResumed !== true) judgeTargets(options.plan, changed, plan);
    assertAcceptable(run);
    // A part of what a job that is taken up needs is taken already, by its own records.
    if (opened?.isResumed !== true) assertMemory(run);
    await assertConfirmed(options, run, plan);
    isWriting = true;
    return await write({ options, run, plan, dumpDigest, startedAt, pausedBefore });
  } catch (error) {
    // A job that never wrote anything leaves nothing to be taken up.
    if (opened !== undefined && !opened.isResumed && !isWriting) await opened.forget();
    throw error;
  } finally {
    await run?.close();
    options.progress.report({ type: "finished" });
  }
}

/** How a job that is begun differs from the plan that it is to be. One that cannot be it is let go of again. */
async function judgedBeginning(
  job: Job,
  identity: JobIdentity,
  plan: KeptPlan | undefined,
): Promise<readonly string[]> {
  if (plan === undefined || job.isResumed) return [];
  try {
    return judgeIdentity(plan, identity);
  } catch (error) {
    await job.release();
    throw error;
  }
}

/** An interruption of whatever kind, before anything was written: what somebody who pressed Ctrl-C wants to know. */
function unwritten(error: unknown, { signal }: ApplyOptions): unknown {
  const isInterruption = error instanceof RestoreError ? error.code === "INTERRUPTED" : signal?.aborted === true;
  if (!isInterruption) return error;
  return new RestoreError("INTERRUPTED", "interrupted before anything was written", { cause: error });
}

/** Asked once a job: one that is taken up was confirmed. */
async function assertConfirmed(options: ApplyOptions, { job }: PreparedRun, plan: Outline): Promise<void> {
  if (job?.isResumed === true || !options.mode.destructive || !plan.scopes.some(mayDelete)) return;
  if (await options.confirm(plan)) return;
  throw new RestoreError("NOT_CONFIRMED", "replace deletes what the target holds, and nobody confirmed it", {
    hint: "Nothing was written. Look at `elastickv-restore plan`, then say --yes.",
  });
}

async function write({
  options,
  run,
  plan,
  dumpDigest,
  startedAt,
  pausedBefore,
}: {
  readonly options: ApplyOptions;
  readonly run: PreparedRun;
  readonly plan: Outline;
  readonly dumpDigest: string;
  readonly startedAt: number;
  readonly pausedBefore: number;
}): Promise<Report> {
  const { job } = run;
  if (job === undefined) throw new RestoreError("INTERNAL", "a run that writes has no job");
  const timeline = new Timeline(options.clock);
  const ledger = new Ledger(options.progress, timeline);
  const workedMs = new Map(run.scopes.map(({ scope }) => [scope, job.journal.recovered(scope)?.workedMs ?? 0]));
  const workedBefore = (scope: Scope) => workedMs.get(scope) ?? 0;
  const replayed = await replay({ run, journal: job.journal, ledger });
  const closed = await kept(replayed, () => job.journal.close());
  const points = timeline.points();
  const { listed, failure, ...rejects } = await gatherListed(job, options.rejectsPath);
  const end = failure === undefined ? closed : { ...closed, error: closed.error ?? failure };
  const durationMs = options.clock.monotonic() - startedAt;
  const pausedMs = (options.control?.pausedMs ?? 0) - pausedBefore;
  const measured = { timeline: points, workedBefore, durationMs, pausedMs };
  const report = makeReport({ run, plan, end, ledger, job, dumpDigest, listed, ...rejects, ...measured });
  if (end.error === undefined) await job.end(`${JSON.stringify(report, undefined, 2)}\n`);
  return report;
}

interface GatheredList {
  readonly listed: ListedSummary;
  /** Where the list stands for whoever looks at the report; absent: nowhere. */
  readonly rejectsFile?: string;
  /** Why it does not. */
  readonly failure?: RestoreError;
}

/** Reads the list once, for the report and for the file beside it. */
async function gatherListed(job: Job, to: string | undefined): Promise<GatheredList> {
  const listed = new ListedSummary();
  const copy = to === undefined ? undefined : new ListedCopy({ from: job.listed.path, to });
  try {
    for await (const record of job.listed.records()) {
      listed.add(record);
      await copy?.add(record);
    }
  } finally {
    await copy?.close();
  }
  if (copy?.failure !== undefined) return { listed, failure: copy.failure };
  return to === undefined || listed.count === 0 ? { listed } : { listed, rejectsFile: to };
}

/** What cannot be kept is told in the report, not in its place. */
async function kept(end: ReplayEnd, keep: () => Promise<void>): Promise<ReplayEnd> {
  try {
    await keep();
    return end;
  } catch (error) {
    return { ...end, error: end.error ?? error };
  }
}
