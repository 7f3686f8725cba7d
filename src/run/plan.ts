/**
 * What a run would do, as data: a prepared run, every record of it looked at once, and the target asked what each would
 * meet. Writes nothing.
 *
 * On a target that nobody else writes to, its numbers are those of the report of the `apply` that follows. What only the
 * target finds when a record is sent, and outages, it cannot know; nor which deduplication ids a FIFO queue has seen in
 * the last five minutes, whose messages are sent under other ones (`rekeyed`).
 */
import { RestoreError } from "../errors/restore-error.js";
import { OUTCOMES } from "../model/outcome.js";
import { ADAPTERS } from "../model/scope.js";
import { someAtOnce } from "../support/some-at-once.js";
import { asksTarget, unlessInterrupted } from "./before-writing.js";
import { assertAcceptable, type PreparedScope } from "./inspection.js";
import { assertMemory } from "./memory.js";
import { expectedTime } from "./plan/expected-time.js";
import { foreseeScope, requestsFor, type ScopeForesight } from "./plan/foresee-scope.js";
import { outlinePlan } from "./plan/outline.js";
import { pastRates } from "./plan/past-restores.js";
import { type OutlinedScope, PLAN_VERSION, type Plan, type PlannedScope } from "./plan/plan-schema.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { SCOPES_AT_ONCE } from "./replay.js";
import { emptyTotals } from "./tally.js";

export interface PlanOptions extends RunOptions {
  /** Where ended jobs are remembered, which tell how long it may take. Absent: nothing is known of any. */
  readonly stateDirectory?: string;
  /** The words that ask for it, without secrets: a plan that is kept is run by them. */
  readonly command?: { readonly words: readonly string[]; readonly cwd: string };
}

/** Prepares a run, reads every record, and says what it would do. Writes nothing. @throws RestoreError as `prepare` */
export async function plan(options: PlanOptions): Promise<Plan> {
  const run = await prepare(options);
  try {
    const outline = await outlinePlan(run);
    const foreseen = await foreseeAll(run);
    const scopes = outline.scopes.map((outlined, i) => planned(run, outlined, foreseen[i]));
    const recordsRead = sum(scopes, (scope) => scope.recordsRead);
    const unmatched = run.selection.warningFor(recordsRead);
    const past = await pastOf(options, outline.targets);
    const demands = scopes.map(({ adapter, toWrite: { bytes } }, i) => ({
      adapter,
      records: foreseen[i]?.reaching ?? 0,
      bytes,
    }));
    return {
      planVersion: PLAN_VERSION,
      madeAt: new Date(options.clock.now()).toISOString(),
      ...(options.command === undefined
        ? {}
        : { command: { words: [...options.command.words], cwd: options.command.cwd } }),
      identity: run.identity,
      ...outline,
      ttlPolicy: options.ttlPolicy,
      recordsRead,
      totals: totalsOf(scopes),
      notReached: sum(scopes, ({ notReached }) => notReached),
      ...(options.transform === undefined ? {} : { leftOut: sum(scopes, ({ leftOut = 0 }) => leftOut) }),
      toWrite: {
        records: sum(scopes, ({ toWrite }) => toWrite.records),
        bytes: sum(scopes, ({ toWrite }) => toWrite.bytes),
      },
      alreadyEqual: sum(scopes, ({ alreadyEqual }) => alreadyEqual),
      requests: sum(scopes, ({ requests }) => requests),
      scopes,
      expected: expectedTime({ demands, limits: options.limits, past }),
      warnings: unmatched === undefined ? outline.warnings : [...outline.warnings, unmatched],
      ...refusalOf(run),
    };
  } finally {
    await run.close();
  }
}

async function pastOf({ stateDirectory }: PlanOptions, targets: Plan["targets"]) {
  return stateDirectory === undefined ? new Map<never, never>() : await pastRates({ stateDirectory, targets });
}

/** In the order of the run's scopes; as a restore does it, the adapters side by side and a few scopes of each at once. */
async function foreseeAll(run: PreparedRun): Promise<ScopeForesight[]> {
  const foreseen = new Map<PreparedScope, ScopeForesight>();
  const foresee = async (prepared: PreparedScope) => {
    const foresight = asksTarget(run.replayers.of(prepared.scope), foreseeScope(run, prepared));
    foreseen.set(prepared, await unlessInterrupted(foresight, run.signal));
  };
  try {
    await Promise.all(
      ADAPTERS.map((adapter) => {
        const scopes = run.scopes.filter(({ scope }) => scope.adapter === adapter);
        return someAtOnce(scopes, SCOPES_AT_ONCE, foresee);
      }),
    );
  } catch (error) {
    // The others begin nothing more.
    run.stop();
    throw error;
  }
  return run.scopes.flatMap((prepared) => foreseen.get(prepared) ?? []);
}

function planned(run: PreparedRun, outlined: OutlinedScope, foresight: ScopeForesight | undefined): PlannedScope {
  const prepared = run.scopes.find(({ scope }) => scope.adapter === outlined.adapter && scope.name === outlined.scope);
  if (foresight === undefined || prepared === undefined) {
    throw new RestoreError("INTERNAL", `nothing was foreseen of ${outlined.adapter}:${outlined.scope}`);
  }
  const { ledger, reaching, toWrite, conflicts, warnings } = foresight;
  const { tally } = ledger;
  return {
    ...outlined,
    recordsRead: ledger.recordsRead,
    outcomes: tally.totals,
    notReached: ledger.notReached,
    ...(run.options.transform === undefined ? {} : { leftOut: tally.leftOut }),
    reasons: Object.fromEntries(tally.reasons),
    notes: Object.fromEntries(tally.notes),
    entries: tally.entries,
    bytesRestored: tally.bytesRestored,
    toWrite,
    alreadyEqual: tally.totals.restored - toWrite.records,
    requests: requestsFor(run, prepared, reaching),
    conflicts: conflicts.toJSON(),
    warnings: [...outlined.warnings, ...warnings],
  };
}

function sum(scopes: readonly PlannedScope[], of: (scope: PlannedScope) => number): number {
  return scopes.reduce((total, scope) => total + of(scope), 0);
}

function totalsOf(scopes: readonly PlannedScope[]): Plan["totals"] {
  const totals = emptyTotals();
  for (const kind of OUTCOMES) totals[kind] = sum(scopes, ({ outcomes }) => outcomes[kind]);
  return totals;
}

function refusalOf(run: PreparedRun): Pick<Plan, "refusal"> {
  try {
    assertAcceptable(run);
    assertMemory(run);
    return {};
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    const { code, message, hint, exitStatus } = error;
    return { refusal: { code, message, exitStatus, ...(hint === undefined ? {} : { hint }) } };
  }
}
