/**
 * The ledger: every record that was read, and how it ended. It owns the sums of the report and refuses to close on
 * sums that do not add up.
 */
import { RestoreError } from "../errors/restore-error.js";
import {
  type EntryCounts,
  type Note,
  type NoteKind,
  OUTCOMES,
  type Outcome,
  type OutcomeKind,
} from "../model/outcome.js";
import type { DumpRecord } from "../model/record.js";
import { type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import type { ProgressSink } from "./progress.js";

/** A record that did not end plainly restored: what the rejects file and the report list. */
export interface ListedRecord {
  readonly adapter: Adapter;
  readonly scope: string;
  readonly path: string;
  readonly line?: number;
  readonly key: string;
  readonly outcome: OutcomeKind;
  readonly reason?: string;
  readonly detail?: string;
  readonly notes?: readonly Note[];
  readonly entries?: EntryCounts;
}

/** Takes listed records one by one, in any order. */
export interface RejectsSink {
  write(record: ListedRecord): Promise<void>;
}

export type Totals = Record<OutcomeKind, number>;

function emptyTotals(): Totals {
  return Object.fromEntries(OUTCOMES.map((kind) => [kind, 0])) as Totals;
}

export class Ledger {
  readonly #scopes = new Map<string, ScopeLedger>();
  readonly #rejects: RejectsSink;
  readonly #progress: ProgressSink;

  constructor(rejects: RejectsSink, progress: ProgressSink) {
    this.#rejects = rejects;
    this.#progress = progress;
  }

  /** The scope's own ledger; the same one at every call. */
  scope(scope: Scope): ScopeLedger {
    const label = scopeLabel(scope);
    let ledger = this.#scopes.get(label);
    if (ledger === undefined) {
      ledger = new ScopeLedger(scope, this.#rejects, this.#progress);
      this.#scopes.set(label, ledger);
    }
    return ledger;
  }

  totals(): Totals {
    const totals = emptyTotals();
    for (const ledger of this.#scopes.values()) {
      for (const kind of OUTCOMES) totals[kind] += ledger.totals[kind];
    }
    return totals;
  }

  get recordsRead(): number {
    return sum([...this.#scopes.values()].map((ledger) => ledger.recordsRead));
  }

  /** Records that were read and have no outcome because the run ended before their turn. */
  get notReached(): number {
    return sum([...this.#scopes.values()].map((ledger) => ledger.notReached));
  }

  /** Records that a transform dropped: not among those read, so that outcomes and records read stay one sum. */
  get leftOut(): number {
    return sum([...this.#scopes.values()].map((ledger) => ledger.leftOut));
  }

  /** @throws RestoreError INTERNAL when a run that came to its end has records without an outcome */
  assertComplete(): void {
    const settled = sum(Object.values(this.totals()));
    if (settled !== this.recordsRead) {
      throw new RestoreError("INTERNAL", `${this.recordsRead} records were read but ${settled} have an outcome`);
    }
  }
}

export class ScopeLedger {
  readonly totals: Totals = emptyTotals();
  /** How often each reason occurred, `outcome/reason`. */
  readonly reasons = new Map<string, number>();
  readonly notes = new Map<NoteKind, number>();
  readonly entries = { restored: 0, skippedExisting: 0, rejected: 0 };
  recordsRead = 0;
  bytesRestored = 0;
  leftOut = 0;
  readonly #scope: Scope;
  readonly #rejects: RejectsSink;
  readonly #progress: ProgressSink;

  constructor(scope: Scope, rejects: RejectsSink, progress: ProgressSink) {
    this.#scope = scope;
    this.#rejects = rejects;
    this.#progress = progress;
  }

  get notReached(): number {
    return this.recordsRead - sum(Object.values(this.totals));
  }

  read(_record: DumpRecord): void {
    this.recordsRead++;
  }

  /** Counts a record that a transform dropped, in place of `read`. */
  leaveOut(): void {
    this.leftOut++;
  }

  /** Counts one record's end, and lists it unless it is plainly restored. */
  async settle(record: DumpRecord, outcome: Outcome): Promise<void> {
    const notes = [...(record.notes ?? []), ...(outcome.notes ?? [])];
    this.totals[outcome.kind]++;
    if (outcome.kind === "restored") this.bytesRestored += record.bytes;
    if (outcome.reason !== undefined) count(this.reasons, `${outcome.kind}/${outcome.reason}`);
    for (const note of notes) count(this.notes, note.kind);
    this.entries.restored += outcome.entries?.restored ?? 0;
    this.entries.skippedExisting += outcome.entries?.skippedExisting ?? 0;
    this.entries.rejected += outcome.entries?.rejected ?? 0;
    this.#progress.report({
      type: "records",
      scope: this.#scope,
      outcome: outcome.kind,
      records: 1,
      bytes: record.bytes,
    });
    if (outcome.kind !== "restored" || notes.length > 0)
      await this.#rejects.write(this.#listed(record, outcome, notes));
  }

  #listed(record: DumpRecord, outcome: Outcome, notes: readonly Note[]): ListedRecord {
    return {
      adapter: this.#scope.adapter,
      scope: this.#scope.name,
      path: record.place.path,
      ...(record.place.line === undefined ? {} : { line: record.place.line }),
      key: record.displayKey,
      outcome: outcome.kind,
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
      ...(outcome.detail === undefined ? {} : { detail: outcome.detail }),
      ...(notes.length === 0 ? {} : { notes }),
      ...(outcome.entries === undefined ? {} : { entries: outcome.entries }),
    };
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
