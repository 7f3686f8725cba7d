/**
 * Writes the scopes of a prepared run: the adapters side by side, a few scopes of an adapter at once, and what must wait
 * for all scopes of an adapter (`finish`) behind them.
 *
 * A scope that cannot be made ready fails alone, with all its records; an outage, a full target or an interruption ends
 * the whole run, after what is in flight has settled.
 */
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { Outcome } from "../model/outcome.js";
import { ADAPTERS, type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import type { Replayer, ScopeNotes } from "../replayers/replayer.js";
import { lookAgain, type PreparedScope } from "./inspection.js";
import type { Journal } from "./journal/journal.js";
import type { Ledger } from "./ledger.js";
import type { PreparedRun } from "./prepare.js";
import { recordSource, runRecords } from "./run-records.js";
import { runScope } from "./scope-runner.js";

/** What became of one scope beside its records. */
export interface ScopeEnd {
  readonly scope: Scope;
  readonly warnings: readonly string[];
  /** Why the scope is not as the dump has it, although its records may be. */
  readonly error?: string;
  /** False for a scope that was left alone or could not be made. */
  readonly isPrepared: boolean;
  readonly durationMs: number;
}

export interface Replay {
  readonly run: PreparedRun;
  readonly journal: Journal;
  readonly ledger: Ledger;
}

export interface ReplayEnd {
  /** In the order of the run's scopes. Scopes that were not reached are missing. */
  readonly scopes: readonly ScopeEnd[];
  /** What ended the run before its end. */
  readonly error?: unknown;
}

const SCOPES_AT_ONCE = 4;

/** Runs every scope. Never throws for what ends a run early: that stands in the answer, beside what was done. */
export async function replay(job: Replay): Promise<ReplayEnd> {
  const ends = new Map<Scope, ScopeEnd>();
  let error: unknown;
  const fail = (thrown: unknown) => {
    // What the stop itself causes in other scopes is not its cause; an interruption comes as whatever a library throws.
    error ??= job.run.signal.aborted && !(thrown instanceof RestoreError) ? interrupted(thrown) : thrown;
    job.run.stop();
  };
  const adapters = ADAPTERS.filter((adapter) => job.run.scopes.some(({ scope }) => scope.adapter === adapter));
  await Promise.all(adapters.map((adapter) => replayAdapter({ ...job, adapter, ends, fail })));
  const scopes = job.run.scopes.flatMap(({ scope }) => ends.get(scope) ?? []);
  return error === undefined ? { scopes } : { scopes, error };
}

function interrupted(cause?: unknown): RestoreError {
  return new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal", cause });
}

interface AdapterReplay extends Replay {
  readonly adapter: Adapter;
  readonly ends: Map<Scope, ScopeEnd>;
  readonly fail: (error: unknown) => void;
}

async function replayAdapter(job: AdapterReplay): Promise<void> {
  const prepared = job.run.scopes.filter(({ scope }) => scope.adapter === job.adapter);
  await someAtOnce(prepared, SCOPES_AT_ONCE, async (each) => {
    // A scope that is left out makes the run one that was stopped, also where no call under way noticed.
    if (job.run.signal.aborted) job.fail(interrupted());
    else await replayScope(job, each).catch(job.fail);
  });
  for (const each of prepared) {
    if (job.run.signal.aborted) return job.fail(interrupted());
    await finishScope(job, each).catch(job.fail);
  }
}

/** Calls `work` for every item, `limit` of them side by side, in order. */
async function someAtOnce<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

async function replayScope(job: AdapterReplay, prepared: PreparedScope): Promise<void> {
  const { run, journal, ledger, ends } = job;
  const { scope } = prepared;
  const { clock, progress } = run.options;
  const startedAt = clock.monotonic();
  progress.report({ type: "scope-started", scope, expectedBytes: prepared.size.bytes });
  await journal.phase(scope, "admitted");
  const made = await makeReady(job, prepared);
  await journal.phase(scope, "writing");
  const source = recordSource(run, scope);
  const { reader } = source;
  const replayer = run.replayers.of(scope);
  const end = (): ScopeEnd => ({
    scope,
    warnings: [...made.warnings, ...reader.warnings],
    ...(made.error === undefined ? {} : { error: made.error }),
    isPrepared: made.everyRecord === undefined,
    durationMs: clock.monotonic() - startedAt,
  });
  ends.set(scope, end());
  const capabilities = run.capabilities.get(scope.adapter);
  if (capabilities === undefined) throw new RestoreError("INTERNAL", `${scope.adapter} was not probed`);
  await runScope({
    scope,
    records: runRecords(source),
    replayer: made.everyRecord === undefined ? replayer : everyRecord(made.everyRecord),
    capabilities,
    journal,
    ledger: ledger.scope(scope),
    signal: run.signal,
  }).finally(() => ends.set(scope, end()));
  const lost = replayer.mayHaveLost?.(scope);
  if (lost !== undefined) ends.set(scope, { ...end(), error: lost });
  progress.report({ type: "scope-finished", scope });
}

interface Readiness extends ScopeNotes {
  /** How all records end, without being sent. */
  readonly everyRecord?: Outcome;
  readonly error?: string;
}

/** Creates, empties or takes the scope as it is. A scope that cannot be made ready fails with all its records. */
async function makeReady(job: AdapterReplay, planned: PreparedScope): Promise<Readiness> {
  const { scope } = planned;
  const replayer = job.run.replayers.of(scope);
  try {
    const { state, decision } = await lookAgain(planned, job.run);
    switch (decision) {
      case "create":
        return await replayer.create(scope);
      case "keep":
        return await replayer.keep(scope, state);
      case "empty":
        return await emptied(job.journal, replayer, scope);
      case "skip":
        return { warnings: [], everyRecord: { kind: "skipped-existing", reason: "scope-holds-records" } };
      case "refuse":
        throw new RestoreError("INTERNAL", `${scopeLabel(scope)} was refused and yet reached`, { retry: "fatal" });
    }
  } catch (error) {
    if (endsTheRun(error)) throw error;
    const detail = messageOf(error);
    return { warnings: [], error: detail, everyRecord: { kind: "failed", reason: "scope-not-ready", detail } };
  }
}

async function emptied(journal: Journal, replayer: Replayer, scope: Scope): Promise<ScopeNotes> {
  await journal.phase(scope, "emptying");
  const notes = await replayer.empty(scope);
  await journal.phase(scope, "emptied");
  return notes;
}

function endsTheRun(error: unknown): boolean {
  return !(error instanceof RestoreError) || error.retry === "fatal" || error.code === "INTERRUPTED";
}

function everyRecord(outcome: Outcome): Pick<Replayer, "write"> {
  return { write: (_scope, batch) => Promise.resolve(batch.map(() => outcome)) };
}

async function finishScope(job: AdapterReplay, { scope }: PreparedScope): Promise<void> {
  const { run, journal, ends } = job;
  const end = ends.get(scope);
  if (end === undefined) return;
  await journal.phase(scope, "finishing");
  if (end.isPrepared) {
    const done = await finish(run.replayers.of(scope), scope);
    const replayed = { ...end, ...done, warnings: [...end.warnings, ...done.warnings] };
    // A scope that was done before a restart of its server learns of it only now.
    const lost = run.replayers.of(scope).mayHaveLost?.(scope);
    ends.set(scope, lost === undefined ? replayed : { ...replayed, error: lost });
  }
  await journal.phase(scope, "done");
}

async function finish(replayer: Replayer, scope: Scope): Promise<ScopeNotes & { readonly error?: string }> {
  try {
    return await replayer.finish(scope);
  } catch (error) {
    if (endsTheRun(error)) throw error;
    return { warnings: [], error: messageOf(error) };
  }
}
