/**
 * Letting go of a job: removes from the targets what its stopped processes left there beside records. What they restored
 * stays. May run again, also where it was cut off: the job is not taken up any more from before the first removal on,
 * since a process that took it up then could write twice what the removed would have told it of.
 */
import { resolve } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import { ADAPTERS, type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import { eachOf } from "../support/breathing.js";
import { type Job, type JobInit, openJob, type TakenJob } from "./job/job.js";
import { writeCancellation } from "./job/job-end.js";
import { type JobOverview, processOf } from "./job/jobs.js";
import { acquireLock } from "./job/locks.js";
import type { Journal, RecoveredScope, ScopePhase } from "./journal/journal.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { batchesToWrite, recordSource } from "./run-records.js";

export interface CancelOptions extends RunOptions {
  /** The job and its folder. */
  readonly job: Pick<JobInit, "cwd" | "isAlive" | "mayBeEnded" | "pid" | "stateDirectory" | "words"> & {
    readonly take: Omit<TakenJob, "letsGo">;
  };
}

export interface Cancelled {
  /** Records whose write was cut off: each may have been restored, in part where it is merged into another. */
  readonly underWay: number;
  /** What may stand on the targets beside records, in a sentence each. */
  readonly left: readonly string[];
  /** Whether the targets were rid of what can be removed. */
  readonly targetsReached: boolean;
}

/**
 * Reaches the targets, removes what is left there, and ends the job.
 * @throws RestoreError as `apply` before its first write: the job is as it was then, unless something was to be removed
 */
export async function cancelOnTargets(options: CancelOptions): Promise<Cancelled> {
  let opened: Job | undefined;
  let run: PreparedRun | undefined;
  const take = { ...options.job.take, letsGo: true };
  const common = { ...options.job, take, clock: options.clock, newId: options.newJobId };
  try {
    run = await prepare(options, async (identity) => {
      opened = await openJob({ ...common, identity, dump: resolve(options.dump) });
      return opened;
    });
    if (opened === undefined) throw new RestoreError("INTERNAL", "a run that lets go of a job has none");
    return await letGo(run, opened, options);
  } finally {
    await run?.close();
    options.progress.report({ type: "finished" });
  }
}

async function letGo(run: PreparedRun, { id, journal }: Job, { job, clock }: CancelOptions): Promise<Cancelled> {
  const keep = async (cancelled: Pick<Cancelled, "left" | "targetsReached">) =>
    await writeCancellation(job.stateDirectory, id, { at: clock.now(), ...cancelled });
  const begun = run.scopes.flatMap(({ scope }) => {
    const state = journal.recovered(scope);
    return state === undefined ? [] : [{ scope, state }];
  });
  const unfinished = begun.filter(({ state }) => leavesSomething(state.phase));
  const adapters = new Set(unfinished.map(({ scope }) => scope.adapter));
  await keep({ left: mayStand(id, adapters), targetsReached: false });
  const left: string[] = [];
  for (const { scope, state } of unfinished) left.push(...(await removeOf(run, journal, { scope, state })));
  await journal.close();
  const underWay = begun.reduce((sum, { scope }) => sum + journal.records(scope).underWay, 0);
  await keep({ left, targetsReached: true });
  return { underWay, left, targetsReached: true };
}

/** What cannot be removed, in a sentence each. */
async function removeOf(
  run: PreparedRun,
  journal: Journal,
  { scope, state }: { readonly scope: Scope; readonly state: RecoveredScope },
): Promise<string[]> {
  const replayer = run.replayers.of(scope);
  const records = journal.records(scope);
  const end = records.underWayUpTo;
  let sequence = state.nextSequence;
  if (replayer.discard !== undefined && end > sequence) {
    for await (const record of eachOf(batchesToWrite(recordSource(run, scope), state.settledUpTo))) {
      run.signal.throwIfAborted();
      const wasUnderWay = !records.isSettled(sequence) && records.announcedAt(sequence) !== undefined;
      if (wasUnderWay && record.kind !== "faulty" && record.kind !== "left-out") await replayer.discard(scope, record);
      if (++sequence >= end) break;
    }
  }
  const { warnings } = (await replayer.abandon?.(scope)) ?? { warnings: [] };
  return warnings.map((warning) => `${scopeLabel(scope)}: ${warning}`);
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
    const reached = job.scopes.filter(({ phase }) => leavesSomething(phase)).map(({ adapter }) => adapter);
    // Of a job whose journal cannot be read, everything that any might leave.
    const left = mayStand(job.id, new Set(job.state === "damaged" ? ADAPTERS : reached));
    await writeCancellation(stateDirectory, job.id, { at: clock.now(), left, targetsReached: false });
    return { underWay: job.scopes.reduce((sum, { underWay }) => sum + underWay, 0), left, targetsReached: false };
  } finally {
    await lock.release();
  }
}

function leavesSomething(phase: ScopePhase | undefined): boolean {
  return phase !== undefined && phase !== "done";
}

const MAY_STAND: { readonly [A in Adapter]?: (id: string) => string } = {
  redis: (id) => `Redis: keys whose names begin with elastickv-restore:${id}:`,
  s3: () => "S3: multipart uploads that were not completed, which cost storage",
  sqs: () => "SQS: queues without the dump's redrive policies, FIFO queues without its delay",
};

function mayStand(id: string, adapters: ReadonlySet<Adapter>): string[] {
  return ADAPTERS.flatMap((adapter) => (adapters.has(adapter) ? (MAY_STAND[adapter]?.(id) ?? []) : []));
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
