/**
 * Writes the scopes of a prepared run: the adapters side by side, a few scopes of an adapter at once, and what must wait
 * for all scopes of an adapter (`finish`) behind them.
 *
 * A scope that cannot be made ready fails alone, with all its records; an outage, a full target or an interruption ends
 * the whole run, after what is in flight has settled.
 */
import { interrupted } from "../errors/interruption.js";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { Outcome } from "../model/outcome.js";
import { ADAPTERS, type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import type { Replayer, ScopeNotes } from "../replayers/replayer.js";
import { present } from "../support/present.js";
import { someAtOnce } from "../support/some-at-once.js";
import { workClock } from "./control.js";
import { lookAgain, type PreparedScope } from "./inspection.js";
import { type Journal, type Readiness, type RecoveredScope, SCOPE_PHASES, type ScopePhase } from "./journal/journal.js";
import type { Ledger } from "./ledger.js";
import type { PreparedRun } from "./prepare.js";
import { batchesToWrite, recordSource, runBatches } from "./run-records.js";
import { runScope } from "./scope-runner.js";
import { Tally } from "./tally.js";

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

/** Of one adapter. */
export const SCOPES_AT_ONCE = 4;

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

async function replayScope(job: AdapterReplay, prepared: PreparedScope): Promise<void> {
  const { run, journal, ledger } = job;
  const { scope } = prepared;
  run.options.progress.report({ type: "scope-started", scope, expectedBytes: prepared.size.bytes });
  const before = journal.recovered(scope);
  if (before !== undefined) ledger.scope(scope).begin(before.tally);
  if (before !== undefined && hasReached(before.phase, "finishing")) await takeUpWritten(job, prepared, before);
  else await writeScope(job, prepared, before);
  run.options.progress.report({ type: "scope-finished", scope });
}

/** All its records are settled. What is still to be finished has to know how the scope was begun. */
async function takeUpWritten(job: AdapterReplay, prepared: PreparedScope, before: RecoveredScope): Promise<void> {
  const { readiness = { warnings: [] }, workedMs, phase } = before;
  const { scope, decision } = prepared;
  keepEnd(job, prepared, { readiness, workedMs });
  if (phase === "done" || readiness.everyRecord !== undefined) return;
  if (decision !== "create" && decision !== "empty" && decision !== "keep") return;
  try {
    await job.run.replayers.of(scope).reopen?.(scope, decision);
  } catch (error) {
    if (endsTheRun(error)) throw error;
    keepEnd(job, prepared, { readiness: { ...readiness, error: messageOf(error) }, workedMs });
  }
}

async function writeScope(
  job: AdapterReplay,
  prepared: PreparedScope,
  before: RecoveredScope | undefined,
): Promise<void> {
  const { options } = job.run;
  const clock = workClock(options.clock, options.control);
  const startedAt = clock.monotonic();
  const workedMs = () => (before?.workedMs ?? 0) + clock.monotonic() - startedAt;
  const readiness = await ready(job, prepared, before);
  keepEnd(job, prepared, { readiness, workedMs: workedMs() });
  await settleIncarnation(job, prepared);
  for (let turn = 0; ; turn++) {
    await writeRecords(job, { prepared, readiness, workedMs });
    if (!(await isAnotherIncarnation(job, prepared))) return;
    if (turn === MOST_REWINDS) throw keepsRestarting(prepared.scope);
    await rewind(job, prepared);
  }
}

/** Each time, the server was restarted while the scope was written. */
const MOST_REWINDS = 10;

async function writeRecords(
  job: AdapterReplay,
  { prepared, readiness, workedMs }: { prepared: PreparedScope; readiness: Readiness; workedMs: () => number },
): Promise<void> {
  const { run, journal, ledger } = job;
  const { scope } = prepared;
  const source = recordSource(run, scope);
  const capabilities = run.capabilities.get(scope.adapter);
  if (capabilities === undefined) throw new RestoreError("INTERNAL", `${scope.adapter} was not probed`);
  const before = journal.recovered(scope);
  await runScope({
    scope,
    // A record that ends unwritten ends by its faults first.
    batches: (readiness.everyRecord === undefined ? batchesToWrite : runBatches)(source, before?.settledUpTo),
    ...present({ control: source.control }),
    firstSequence: before?.nextSequence ?? 0,
    replayer: readiness.everyRecord === undefined ? run.replayers.of(scope) : everyRecord(readiness.everyRecord),
    capabilities,
    journal: journal.records(scope),
    ledger: ledger.scope(scope),
    workedMs,
    signal: run.signal,
  }).finally(() => keepEnd(job, prepared, { readiness, workedMs: workedMs(), readerWarnings: source.reader.warnings }));
}

function keepEnd(
  { ends }: AdapterReplay,
  { scope }: PreparedScope,
  end: { readonly readiness: Readiness; readonly workedMs: number; readonly readerWarnings?: readonly string[] },
): void {
  const { readiness, workedMs, readerWarnings = [] } = end;
  ends.set(scope, {
    scope,
    warnings: [...readiness.warnings, ...readerWarnings],
    ...(readiness.error === undefined ? {} : { error: readiness.error }),
    isPrepared: readiness.everyRecord === undefined,
    durationMs: workedMs,
  });
}

/** What a server is remembered by, for as long as the scope is not done. */
const INCARNATION = "incarnation";

/** A job that is taken up may find another server process than the one that it wrote into. */
async function settleIncarnation(job: AdapterReplay, prepared: PreparedScope): Promise<void> {
  const { journal, run } = job;
  const { scope } = prepared;
  if (journal.notes(scope).has(INCARNATION)) {
    if (await isAnotherIncarnation(job, prepared)) await rewind(job, prepared);
    return;
  }
  const incarnation = await run.replayers.of(scope).incarnation?.(scope);
  if (incarnation !== undefined) await journal.note(scope, INCARNATION, incarnation);
}

async function isAnotherIncarnation({ run, journal }: AdapterReplay, { scope }: PreparedScope): Promise<boolean> {
  const noted = journal.notes(scope).get(INCARNATION);
  return noted !== undefined && (await run.replayers.of(scope).incarnation?.(scope)) !== noted;
}

/** What the server acknowledged may be gone: all records are written again, and nothing is emptied. */
async function rewind({ run, journal, ledger }: AdapterReplay, { scope }: PreparedScope): Promise<void> {
  await journal.rewind(scope);
  ledger.scope(scope).begin(new Tally());
  const incarnation = await run.replayers.of(scope).incarnation?.(scope);
  await journal.note(scope, INCARNATION, incarnation);
  const text = "its server was restarted and may have forgotten records: it is written again from its start";
  run.options.progress.report({ type: "warning", scope, text });
}

function keepsRestarting(scope: Scope): RestoreError {
  return new RestoreError("OUTAGE", `the server of ${scopeLabel(scope)} was restarted again and again`, {
    hint: "Find out why, then take the job up again.",
    retry: "fatal",
  });
}

/** Makes the scope ready for its next record, by what is known of it. One that cannot be made so fails with all its records. */
async function ready(
  job: AdapterReplay,
  prepared: PreparedScope,
  before: RecoveredScope | undefined,
): Promise<Readiness> {
  const { journal } = job;
  const { scope } = prepared;
  if (before?.readiness?.everyRecord !== undefined) return before.readiness;
  const readiness = await madeReady(job, prepared, before).catch((error: unknown): Readiness => {
    if (endsTheRun(error)) throw error;
    const detail = messageOf(error);
    return { warnings: [], error: detail, everyRecord: { kind: "failed", reason: "scope-not-ready", detail } };
  });
  // What was noticed when the scope was first made ready still holds.
  const first = before?.readiness;
  if (first !== undefined && readiness.everyRecord === undefined) return first;
  await journal.ready(scope, readiness);
  return readiness;
}

async function madeReady(
  job: AdapterReplay,
  prepared: PreparedScope,
  before: RecoveredScope | undefined,
): Promise<Readiness> {
  return await makeReady(job, before === undefined ? await admit(job, prepared) : prepared, before);
}

/** Decided once: what a job that is taken up finds there is its own. */
async function admit({ run, journal }: AdapterReplay, planned: PreparedScope): Promise<PreparedScope> {
  let admitted = planned;
  try {
    admitted = await lookAgain(planned, run);
  } finally {
    const { state, decision } = admitted;
    await journal.admit(planned.scope, { presence: state.presence, decision });
  }
  return admitted;
}

/** Every record of a scope that is skipped whole. */
export const SCOPE_HOLDS_RECORDS: Outcome = { kind: "skipped-existing", reason: "scope-holds-records" };

/** Creates, empties or takes the scope as it is. */
async function makeReady(
  job: AdapterReplay,
  { scope, state, decision }: PreparedScope,
  before: RecoveredScope | undefined,
): Promise<Readiness> {
  const replayer = job.run.replayers.of(scope);
  const isMade = before !== undefined && hasReached(before.phase, "emptied");
  switch (decision) {
    case "create":
    case "keep":
      if (isMade && replayer.reopen !== undefined) return await replayer.reopen(scope, decision);
      return decision === "create" ? await replayer.create(scope) : await replayer.keep(scope, state);
    case "empty":
      if (!isMade) return await emptied(job.journal, replayer, scope);
      return await (replayer.reopen?.(scope, decision) ?? replayer.create(scope));
    case "skip":
      return { warnings: [], everyRecord: SCOPE_HOLDS_RECORDS };
    case "refuse":
      throw new RestoreError("INTERNAL", `${scopeLabel(scope)} was refused and yet reached`, { retry: "fatal" });
  }
}

async function emptied(journal: Journal, replayer: Replayer, scope: Scope): Promise<ScopeNotes> {
  await journal.phase(scope, "emptying");
  const notes = await replayer.empty(scope);
  await journal.phase(scope, "emptied");
  return notes;
}

function hasReached(phase: ScopePhase, other: ScopePhase): boolean {
  return SCOPE_PHASES.indexOf(phase) >= SCOPE_PHASES.indexOf(other);
}

function endsTheRun(error: unknown): boolean {
  return !(error instanceof RestoreError) || error.retry === "fatal" || error.code === "INTERRUPTED";
}

function everyRecord(outcome: Outcome): Pick<Replayer, "write"> {
  return { write: (_scope, batch) => Promise.resolve(batch.map(() => outcome)) };
}

async function finishScope(job: AdapterReplay, prepared: PreparedScope): Promise<void> {
  const { run, journal, ends } = job;
  const { scope } = prepared;
  if (!ends.has(scope) || journal.recovered(scope)?.phase === "done") return;
  // A scope that was written before a restart of its server learns of it only now.
  if (await isAnotherIncarnation(job, prepared)) {
    await rewind(job, prepared);
    await writeScope(job, prepared, journal.recovered(scope));
  }
  await journal.phase(scope, "finishing");
  const end = ends.get(scope);
  if (end?.isPrepared === true) {
    const done = await finish(run.replayers.of(scope), scope);
    ends.set(scope, { ...end, ...done, warnings: [...end.warnings, ...done.warnings] });
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
