/**
 * How a scope's records would end: a replay whose replayer foresees instead of writing, through the same windows, batches
 * and lanes and counted by the same ledger. One pass over the dump, memory bounded as a replay's. Writes nothing.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { WritableRecord } from "../../model/record.js";
import type { Scope } from "../../model/scope.js";
import type { ScopeDecision } from "../../modes/mode.js";
import { present } from "../../support/present.js";
import type { PreparedScope } from "../inspection.js";
import { Ledger, type ScopeLedger } from "../ledger.js";
import type { PreparedRun } from "../prepare.js";
import type { ProgressSink } from "../progress.js";
import { SCOPE_HOLDS_RECORDS } from "../replay.js";
import { type RecordSource, recordSource, runBatches, runRecords } from "../run-records.js";
import { runScope, type ScopeRun } from "../scope-runner.js";
import { Conflicts } from "./conflicts.js";

export interface ScopeForesight {
  readonly ledger: ScopeLedger;
  /** Records that the target would be asked about or sent. */
  readonly reaching: number;
  /** What would be restored and is not there already. */
  readonly toWrite: { readonly records: number; readonly bytes: number };
  readonly conflicts: Conflicts;
  /** What the reader noticed. */
  readonly warnings: readonly string[];
}

/** @throws what the replayer or the reader throws, and INTERRUPTED */
export async function foreseeScope(run: PreparedRun, prepared: PreparedScope): Promise<ScopeForesight> {
  const { scope, decision } = prepared;
  const source = recordSource(run, scope);
  const ledger = new Ledger(surveying(run.options.progress)).scope(scope);
  const seen = new Seen();
  if (decision === "refuse") await count(source, ledger);
  else await foresee({ run, scope, source, ledger, foresees: foresightOf(run, scope, decision), seen });
  const { reaching, toWrite, conflicts } = seen;
  return { ledger, reaching, toWrite, conflicts, warnings: source.reader.warnings };
}

type Foresees = (batch: readonly WritableRecord[]) => Promise<readonly Outcome[]>;

async function foresee({
  run,
  scope,
  source,
  ledger,
  foresees,
  seen,
}: {
  readonly run: PreparedRun;
  readonly scope: Scope;
  readonly source: RecordSource;
  readonly ledger: ScopeLedger;
  readonly foresees: Foresees;
  readonly seen: Seen;
}): Promise<void> {
  const capabilities = run.capabilities.get(scope.adapter);
  if (capabilities === undefined) throw new RestoreError("INTERNAL", `${scope.adapter} was not probed`);
  await runScope({
    scope,
    batches: runBatches(source),
    ...present({ control: source.control }),
    firstSequence: 0,
    replayer: {
      // `runRecords` yields none that is not judged.
      write: async (_scope, batch: readonly WritableRecord[]) => {
        const outcomes = [...(await foresees(batch))];
        for (const [i, record] of batch.entries()) seen.add(record, outcomes[i]);
        return outcomes;
      },
    },
    capabilities,
    journal: FORGETFUL,
    ledger,
    workedMs: () => 0,
    signal: run.signal,
  });
}

/** A plan keeps nothing. */
const FORGETFUL: ScopeRun["journal"] = {
  announcedAt: () => undefined,
  isSettled: () => false,
  passed: () => undefined,
  intent: () => Promise.resolve(),
  settled: () => Promise.resolve(),
  withdraw: () => Promise.resolve(),
};

function foresightOf(run: PreparedRun, scope: Scope, decision: Exclude<ScopeDecision, "refuse">): Foresees {
  if (decision === "skip") return (batch) => Promise.resolve(batch.map(() => SCOPE_HOLDS_RECORDS));
  const replayer = run.replayers.of(scope);
  return (batch) => replayer.foresee(scope, batch, decision);
}

/** Counts what nobody would write: records that can be read stay without an outcome. */
async function count(source: RecordSource, ledger: ScopeLedger): Promise<void> {
  for await (const record of runRecords(source)) {
    if (record.kind === "left-out") {
      ledger.leaveOut();
      continue;
    }
    ledger.read();
    if (record.kind !== "faulty") continue;
    ledger.settle([{ record, outcome: { kind: record.outcome, reason: record.reason, detail: record.detail } }]);
  }
}

/** What a ledger does not count. */
class Seen {
  reaching = 0;
  toWrite = { records: 0, bytes: 0 };
  readonly conflicts = new Conflicts();

  add(record: WritableRecord, outcome: Outcome | undefined): void {
    if (outcome === undefined) return;
    const { kind, reason } = outcome;
    if (kind !== "skipped-expired" && kind !== "skipped-empty" && outcome !== SCOPE_HOLDS_RECORDS) this.reaching++;
    this.conflicts.add(record, outcome);
    if (kind !== "restored" || reason === "already-equal") return;
    const { records, bytes } = this.toWrite;
    this.toWrite = { records: records + 1, bytes: bytes + record.bytes };
  }
}

const TOLD_EVERY = 256;

/** A plan's progress is the number of records that it has looked at. */
function surveying(progress: ProgressSink): ProgressSink {
  let records = 0;
  return {
    report: (event) => {
      if (event.type !== "records") return;
      records += event.records;
      if (records % TOLD_EVERY === 0) progress.report({ type: "surveyed", scope: event.scope, records });
    },
  };
}

/** Requests that records take at least: one each, unless the target takes several in one. */
export function requestsFor(run: PreparedRun, { scope }: PreparedScope, reaching: number): number {
  const { mode, strategies } = run.options;
  // A pipeline of Redis commands is still a request a record; an item with a condition goes alone.
  const isBatched =
    scope.adapter === "sqs" || (scope.adapter === "dynamodb" && mode.onRecord("item", strategies) === "put");
  const batch = isBatched ? run.capabilities.get(scope.adapter)?.batch : undefined;
  return Math.ceil(reaching / Math.min(batch?.records ?? 1, batch?.perRequest ?? Number.POSITIVE_INFINITY));
}
