/** Looking at the jobs of a state directory, also at those that another process works on. Changes nothing. */
import * as z from "zod";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { type Adapter, scopeLabel } from "../../model/scope.js";
import { readFileJournal } from "../journal/file-journal.js";
import type { ScopePhase } from "../journal/journal.js";
import type { ScopeState } from "../journal/state.js";
import { emptyTotals, Tally, type Totals } from "../tally.js";
import { readCancellation, readEnd } from "./job-end.js";
import { type JobFile, jobDirectory, jobIds, readJob, unknownJob } from "./job-file.js";
import type { Holder } from "./lock.js";
import { isHolder, lockHolder } from "./locks.js";

/** `stopped`: to be taken up. `damaged`: its files cannot be read; it can only be let go of. */
export type JobState = "running" | "stopped" | "finished" | "cancelled" | "damaged";

export interface JobScope {
  readonly adapter: Adapter;
  readonly scope: string;
  readonly target: string;
  /** Absent: its turn has not come. */
  readonly phase?: ScopePhase;
  readonly outcomes: Totals;
  /** Records that were announced and have no outcome: they may be on the target. */
  readonly underWay: number;
}

export interface JobOverview {
  readonly id: string;
  readonly state: JobState;
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly dump?: string;
  readonly mode?: string;
  /** The process that works on it. */
  readonly pid?: number;
  /** Of a finished one. */
  readonly exitStatus?: number;
  /** Of a cancelled one: what may stand on the targets beside records, in a sentence each. */
  readonly left?: readonly string[];
  /** Of a cancelled one: whether the targets were rid of what can be removed. */
  readonly targetsReached?: boolean;
  readonly totals: Totals;
  readonly scopes: readonly JobScope[];
  /** Why it is damaged. */
  readonly problem?: string;
}

export interface JobsInit {
  readonly stateDirectory: string;
  /** Whether a process of this machine has the id. */
  readonly isAlive: (pid: number) => boolean;
}

/** All jobs, those begun last first. */
export async function listJobs(init: JobsInit): Promise<JobOverview[]> {
  const jobs: JobOverview[] = [];
  for (const id of await jobIds(init.stateDirectory)) jobs.push(await overviewOf(init, id));
  return jobs.sort((a, b) => ((a.startedAt ?? "") < (b.startedAt ?? "") ? 1 : -1));
}

/**
 * The only job whose id begins so.
 * @throws RestoreError JOB_UNKNOWN when there is none, USAGE when there are several
 */
export async function findJob({ stateDirectory }: JobsInit, prefix: string): Promise<string> {
  const found = (await jobIds(stateDirectory)).filter((id) => prefix !== "" && id.startsWith(prefix));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only !== undefined) {
    throw new RestoreError("USAGE", `several jobs begin with ${prefix}: ${found.join(", ")}`, {
      hint: "Give more of its id.",
    });
  }
  throw unknownJob(prefix, stateDirectory);
}

/** The process that works on a job, as it says; undefined when none does. */
export async function processOf(
  { stateDirectory, isAlive }: JobsInit,
  id: string,
): Promise<Pick<Holder, "mayBeEnded" | "pid"> | "unknown" | undefined> {
  const holder = await lockHolder({ what: `job ${id}`, directory: stateDirectory, isAlive });
  if (holder === undefined) return undefined;
  return holder === "unnamed" || holder.job !== id ? "unknown" : holder;
}

/** Whether the process with this id is surely the one that works on the job. */
export async function worksOn(id: string, pid: number): Promise<boolean> {
  return await isHolder(`job ${id}`, pid);
}

export async function overviewOf(init: JobsInit, id: string): Promise<JobOverview> {
  try {
    return await readOverview(init, id);
  } catch (error) {
    return { id, state: "damaged", totals: emptyTotals(), scopes: [], problem: messageOf(error) };
  }
}

async function readOverview(init: JobsInit, id: string): Promise<JobOverview> {
  const { stateDirectory } = init;
  const job = await readJob(stateDirectory, id);
  if (job === undefined) throw new RestoreError("JOURNAL_INVALID", "its folder holds no job.json");
  // Asked before the files: a process that ends meanwhile has written them.
  const holder = await processOf(init, id);
  const cancelled = await readCancellation(stateDirectory, id);
  const ended = await readEnd(stateDirectory, id);
  const about = aboutOf(job);
  if (cancelled !== undefined && ended === undefined) {
    // It was let go of because its journal is damaged, perhaps.
    const counts = await countsOf(stateDirectory, job).catch(() => ({ totals: emptyTotals(), scopes: [] }));
    const { cancelledAt, left, targetsReached } = cancelled;
    return { ...about, state: "cancelled", endedAt: isoOf(cancelledAt), left, targetsReached, ...counts };
  }
  const counts = await countsOf(stateDirectory, job);
  if (ended !== undefined) return { ...about, state: "finished", ...endSchema.parse(JSON.parse(ended)), ...counts };
  if (holder === undefined) return { ...about, state: "stopped", ...counts };
  return { ...about, state: "running", ...(holder === "unknown" ? {} : { pid: holder.pid }), ...counts };
}

/** Of a job's report, what an overview says. */
const endSchema = z.object({ exitStatus: z.int(), endedAt: z.string() });

function aboutOf({ id, startedAt, dump, identity }: JobFile) {
  return { id, startedAt: isoOf(startedAt), dump, mode: identity.mode };
}

async function countsOf(stateDirectory: string, job: JobFile): Promise<Pick<JobOverview, "totals" | "scopes">> {
  const states = await readFileJournal(jobDirectory(stateDirectory, job.id));
  const tally = new Tally();
  for (const state of states.values()) tally.merge(state.tally);
  const scopes = job.identity.targets.map(({ adapter, scope, target }) => ({
    adapter,
    scope,
    target,
    ...scopeCounts(states.get(scopeLabel({ adapter, name: scope }))),
  }));
  return { totals: tally.totals, scopes };
}

function scopeCounts(state: ScopeState | undefined): Pick<JobScope, "outcomes" | "phase" | "underWay"> {
  if (state?.admission === undefined) return { outcomes: emptyTotals(), underWay: 0 };
  return { phase: state.phase, outcomes: state.tally.totals, underWay: state.underWay };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
