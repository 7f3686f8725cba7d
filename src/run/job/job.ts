/**
 * A job: one restore, from its first process to its end, over however many processes. It owns its folder, its journal and
 * the locks that keep other processes from the same job and the same target scopes.
 */

import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { Clock } from "../../support/clock.js";
import { openFileJournal, readFileJournal } from "../journal/file-journal.js";
import type { Journal } from "../journal/journal.js";
import type { ListedFile } from "../journal/listed-file.js";
import { differences, fingerprintOf, type JobIdentity } from "./identity.js";
import { hasEnded, hasReport, writeEnd } from "./job-end.js";
import {
  createJob,
  type JobFile,
  jobDirectory,
  jobIds,
  openStateDirectory,
  readJob,
  removeJob,
  unknownJob,
  writeJob,
} from "./job-file.js";
import type { Lock } from "./lock.js";
import { acquireLock } from "./locks.js";
import { lockScopes } from "./scope-locks.js";

export interface Job {
  readonly id: string;
  /** Unix milliseconds of its first process. */
  readonly startedAt: number;
  readonly directory: string;
  /** Whether an earlier process of it came as far as its first scope. */
  readonly isResumed: boolean;
  readonly journal: Journal;
  readonly listed: ListedFile;
  /** Keeps how the job ended: then it is not to be taken up again. */
  end(report: string): Promise<void>;
  /** Removes the job: for one that wrote nothing. */
  forget(): Promise<void>;
  /** Frees locks and files. Repeatable. What could not be kept is told by the journal's own `close`, not here. */
  release(): Promise<void>;
}

export interface JobInit {
  readonly stateDirectory: string;
  readonly identity: JobIdentity;
  /** The dump's directory, absolute. */
  readonly dump: string;
  readonly words: readonly string[];
  /** The folder from which their relative paths count. */
  readonly cwd: string;
  readonly clock: Clock;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  /** The process works on nothing else, and ends in good order at SIGTERM: `cancel` may ask it to. */
  readonly mayBeEnded?: boolean;
  /** Whoever opens the job has the locks of its scopes already, and frees them behind it. */
  readonly holdsScopes?: boolean;
  /** For a job that is begun. */
  readonly newId: string;
  /** `begin` a job, refusing one that is unfinished; take up the unfinished one with the same identity; or this one. */
  readonly take: "begin" | "same" | TakenJob;
}

export interface TakenJob {
  readonly id: string;
  readonly rebindTarget: boolean;
  /** To let go of it, also once more. */
  readonly letsGo?: boolean;
}

/**
 * Begins a job or takes one up, with all its locks.
 * @throws RestoreError JOB_UNFINISHED, JOB_DIFFERS, JOB_UNKNOWN, JOB_HELD, JOURNAL_INVALID, LOCAL_IO; nothing was begun then
 */
export async function openJob(init: JobInit): Promise<Job> {
  const { stateDirectory, clock } = init;
  await openStateDirectory(stateDirectory);
  const id = (await jobFor(init))?.id ?? init.newId;
  const locks = await acquireAll(init, id);
  const freeLocks = async () => {
    for (let lock = locks.pop(); lock !== undefined; lock = locks.pop()) await lock.release();
  };
  try {
    // Another process may have begun or ended it before the locks were had.
    const found = await jobFor(init);
    if ((found?.id ?? init.newId) !== id) throw changedMeanwhile();
    const directory = jobDirectory(stateDirectory, id);
    const isBegun = found !== undefined && (await hasBegun(directory));
    if (found === undefined) await removeUnbegun(init);
    const file = isBegun ? await asNow(found, init) : await begin(init, id);
    const { journal, listed } = await openFileJournal({ directory, clock });
    return {
      id,
      startedAt: file.startedAt,
      directory,
      isResumed: isBegun,
      journal,
      listed,
      end: (report) => writeEnd(directory, report).catch(unwritable(directory)),
      forget: async () => {
        // What cannot be written any more is removed all the same.
        await journal.close().catch(() => undefined);
        await removeJob(stateDirectory, id);
      },
      release: async () => {
        // Whoever was to learn of a failure closed it before.
        await journal.close().catch(() => undefined);
        await freeLocks();
      },
    };
  } catch (error) {
    await freeLocks();
    throw error;
  }
}

/** Also for one that is named and whose process ended before it wrote anything: it is begun anew, under its id. */
async function begin({ stateDirectory, identity, dump, cwd, words, clock }: JobInit, id: string): Promise<JobFile> {
  const file: JobFile = { jobVersion: 1, id, startedAt: clock.now(), dump, cwd, words: [...words], identity };
  await createJob(stateDirectory, file);
  return file;
}

async function hasBegun(directory: string): Promise<boolean> {
  return (await readFileJournal(directory)).size > 0;
}

/** The job to take up; undefined to begin one. */
async function jobFor(init: JobInit): Promise<JobFile | undefined> {
  const { stateDirectory, identity, take } = init;
  if (typeof take === "object") {
    const job = await readJob(stateDirectory, take.id);
    if (job === undefined) throw unknownJob(take.id, stateDirectory);
    const isOver = take.letsGo === true ? hasReport : hasEnded;
    if (await isOver(stateDirectory, job.id)) throw endedJob(job.id);
    return asSame(job, init);
  }
  const [same] = (await unfinishedLike(stateDirectory, identity)).begun;
  if (same === undefined || take === "same") return same;
  throw new RestoreError(
    "JOB_UNFINISHED",
    `this restore was begun ${timeOf(same)} and is unfinished (job ${same.id})`,
    {
      hint: `--resume takes it up where it was; \`elastickv-restore cancel ${same.id}\` lets go of it.`,
    },
  );
}

/** @throws RestoreError JOB_DIFFERS with every difference */
function asSame(job: JobFile, { identity, take }: JobInit): JobFile {
  const differing = differences(job.identity, identity);
  if (differing.length === 0) return job;
  const { endpoints } = identity;
  const onlyEndpoints = differences({ ...job.identity, endpoints }, identity).length === 0;
  if (onlyEndpoints && typeof take === "object" && take.rebindTarget) return job;
  throw new RestoreError("JOB_DIFFERS", `job ${job.id} was begun otherwise: ${differing.join("; ")}`, {
    hint: onlyEndpoints
      ? "If the same data is reached there now (a failover), say --rebind-target."
      : "Take it up as it was begun, or begin another job.",
  });
}

/** Keeps where the job's data is reached now. */
async function asNow(job: JobFile, { identity, stateDirectory }: JobInit): Promise<JobFile> {
  if (fingerprintOf(job.identity) === fingerprintOf(identity)) return job;
  const rebound = { ...job, identity };
  await writeJob(stateDirectory, rebound).catch(unwritable(jobDirectory(stateDirectory, job.id)));
  return rebound;
}

interface Unfinished {
  readonly begun: readonly JobFile[];
  /** Their processes ended before they wrote anything, or are about to write. */
  readonly unbegun: readonly JobFile[];
}

/** Jobs that are the same restore. */
async function unfinishedLike(stateDirectory: string, identity: JobIdentity): Promise<Unfinished> {
  const fingerprint = fingerprintOf(identity);
  const [begun, unbegun]: [JobFile[], JobFile[]] = [[], []];
  for (const id of await jobIds(stateDirectory)) {
    // A job that cannot be read is no reason not to begin another one.
    const job = await readJob(stateDirectory, id).catch(() => undefined);
    if (job === undefined || fingerprintOf(job.identity) !== fingerprint) continue;
    if (await hasEnded(stateDirectory, id)) continue;
    const isBegun = await hasBegun(jobDirectory(stateDirectory, id));
    (isBegun ? begun : unbegun).push(job);
  }
  return { begun, unbegun };
}

/** Nothing stands for a restore that wrote nothing. No process is about to begin one: the locks of its scopes are had. */
async function removeUnbegun({ stateDirectory, identity }: JobInit): Promise<void> {
  const { unbegun } = await unfinishedLike(stateDirectory, identity);
  for (const { id } of unbegun) await removeJob(stateDirectory, id);
}

async function acquireAll(init: JobInit, id: string): Promise<Lock[]> {
  const { identity, stateDirectory, pid, isAlive, mayBeEnded, holdsScopes } = init;
  const holder = { pid, job: id, ...(mayBeEnded === true ? { mayBeEnded } : {}) };
  const own = await acquireLock({ what: `job ${id}`, holder, directory: stateDirectory, isAlive });
  if (holdsScopes === true) return [own];
  try {
    const { targets, endpoints } = identity;
    return [own, await lockScopes({ targets, endpoints, stateDirectory, holder, isAlive })];
  } catch (error) {
    await own.release();
    throw error;
  }
}

function unwritable(directory: string) {
  return (cause: unknown): never => {
    throw new RestoreError("LOCAL_IO", `cannot write into ${directory}: ${messageOf(cause)}`, {
      hint: "Make room or name another place with --state-dir, then take the job up again.",
      retry: "fatal",
      cause,
    });
  };
}

function changedMeanwhile(): RestoreError {
  return new RestoreError("JOB_HELD", "another process began or ended the same restore just now", {
    hint: "Nothing was written. Look at `elastickv-restore status`, then try again.",
    retry: "fatal",
  });
}

function timeOf({ startedAt }: JobFile): string {
  return new Date(startedAt).toISOString();
}

/** For whoever wants to take it up. */
export function endedJob(id: string): RestoreError {
  return new RestoreError("USAGE", `job ${id} has ended`, {
    hint: "`elastickv-restore status` shows how; `elastickv-restore retry` restores again what it could not.",
  });
}
