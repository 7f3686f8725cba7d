/**
 * Letting go of a job: removes from the targets what its stopped processes left there beside records. What they restored
 * stays. May run twice.
 */
import { resolve } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import type { Adapter } from "../model/scope.js";
import { scopeLabel } from "../model/scope.js";
import { type Job, type JobInit, openJob } from "./job/job.js";
import { writeCancellation } from "./job/job-end.js";
import { type JobOverview, processOf } from "./job/jobs.js";
import { acquireLock } from "./job/locks.js";
import { readFileJournal } from "./journal/file-journal.js";
import type { ScopeState } from "./journal/state.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { recordSource, runRecords } from "./run-records.js";

export interface CancelOptions extends RunOptions {
  /** The job and its folder. */
  readonly job: Pick<JobInit, "cwd" | "isAlive" | "pid" | "stateDirectory" | "words"> & {
    readonly take: JobInit["take"] & object;
  };
}

export interface Cancelled {
  /** Records whose write was cut off, and of which nothing is left beside them. */
  readonly discarded: number;
  /** What may stand on the targets all the same, in a sentence each. */
  readonly left: readonly string[];
}

/**
 * Reaches the targets, removes what is left there, and ends the job.
 * @throws RestoreError as `apply` before its first write; the job is as it was then
 */
export async function cancelOnTargets(options: CancelOptions): Promise<Cancelled> {
  let job: Job | undefined;
  let run: PreparedRun | undefined;
  try {
    run = await prepare(options, async (identity) => {
      job = await openJob({
        ...options.job,
        clock: options.clock,
        newId: options.newJobId,
        identity,
        dump: resolve(options.dump),
      });
      return job;
    });
    if (job === undefined) throw new RestoreError("INTERNAL", "a run that lets go of a job has none");
    const states = await readFileJournal(job.directory);
    let discarded = 0;
    for (const { scope } of run.scopes) {
      const state = states.get(scopeLabel(scope));
      if (state?.admission !== undefined) discarded += await discardIn(run, scope, state);
    }
    await job.journal.close();
    await writeCancellation(options.job.stateDirectory, job.id, { at: options.clock.now(), left: [] });
    return { discarded, left: [] };
  } finally {
    await run?.close();
    options.progress.report({ type: "finished" });
  }
}

type RunScope = PreparedRun["scopes"][number]["scope"];

/** Reads from where the scope stands to the last record that was under way. */
async function discardIn(run: PreparedRun, scope: RunScope, state: ScopeState): Promise<number> {
  const replayer = run.replayers.of(scope);
  const end = state.underWayUpTo;
  if (replayer.discard === undefined || end <= state.nextSequence) return 0;
  let sequence = state.nextSequence;
  let discarded = 0;
  for await (const record of runRecords(recordSource(run, scope), state.settledUpTo)) {
    run.signal.throwIfAborted();
    const wasUnderWay = !state.isSettled(sequence) && state.announcedAt(sequence) !== undefined;
    if (wasUnderWay && record.kind !== "faulty" && record.kind !== "left-out") {
      await replayer.discard(scope, record);
      discarded++;
    }
    sequence++;
    if (sequence >= end) break;
  }
  return discarded;
}

export interface ForgetInit {
  readonly stateDirectory: string;
  readonly isAlive: (pid: number) => boolean;
  readonly pid: number;
  readonly clock: RunOptions["clock"];
}

/** Ends a job without reaching its targets. @throws RestoreError JOB_HELD when a process works on it */
export async function forgetJob(init: ForgetInit, job: JobOverview): Promise<Cancelled> {
  const { stateDirectory, isAlive, pid, clock } = init;
  const holder = { pid, job: job.id };
  const lock = await acquireLock({ what: `job ${job.id}`, holder, directory: stateDirectory, isAlive });
  try {
    const left = mayStand(job);
    await writeCancellation(stateDirectory, job.id, { at: clock.now(), left });
    return { discarded: 0, left };
  } finally {
    await lock.release();
  }
}

/** Of a job whose journal cannot be read, everything that any might leave. */
function mayStand(job: JobOverview): string[] {
  const reached = job.scopes.filter(({ phase }) => phase !== undefined && phase !== "done");
  const adapters = new Set<Adapter>(reached.map(({ adapter }) => adapter));
  const isUnknown = job.state === "damaged";
  return (["redis", "s3"] as const)
    .filter((adapter) => isUnknown || adapters.has(adapter))
    .map((adapter) =>
      adapter === "redis"
        ? `Redis: keys whose names begin with elastickv-restore:${job.id}:`
        : "S3: multipart uploads that were not completed, which cost storage",
    );
}

const POLL_MS = 100;

/** Waits until no process works on the job. False when one still does after the time. */
export async function untilFree(
  init: Pick<ForgetInit, "isAlive" | "stateDirectory"> & { readonly clock: RunOptions["clock"] },
  id: string,
  ms: number,
): Promise<boolean> {
  const end = init.clock.monotonic() + ms;
  while ((await processOf(init, id)) !== undefined) {
    if (init.clock.monotonic() >= end) return false;
    await init.clock.sleep(POLL_MS);
  }
  return true;
}
