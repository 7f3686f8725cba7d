/**
 * Counts what became of every record, by scope. Over all scopes, the outcomes of a finished run equal the number of
 * records read; the program asserts it. Records whose outcome an earlier process of the job settled are among them.
 */
import { RestoreError } from "../errors/restore-error.js";
import { type Note, OUTCOMES, type Outcome, type OutcomeKind } from "../model/outcome.js";
import type { DumpRecord } from "../model/record.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import { type ListedRecord, listedRecord } from "./listed-record.js";
import type { ProgressSink } from "./progress.js";
import { emptyTotals, Tally, type Totals } from "./tally.js";
import type { Timeline } from "./timeline.js";

export class Ledger {
  readonly #scopes = new Map<string, ScopeLedger>();
  readonly #progress: ProgressSink;
  readonly #timeline: Timeline | undefined;

  /** `timeline`: told of every record that ends in this process. */
  constructor(progress: ProgressSink, timeline?: Timeline) {
    this.#progress = progress;
    this.#timeline = timeline;
  }

  /** Records and bytes that this process restored, however often it had to. */
  get here(): Work {
    const all = [...this.#scopes.values()].map(({ here }) => here);
    return { restored: sum(all.map(({ restored }) => restored)), bytes: sum(all.map(({ bytes }) => bytes)) };
  }

  /** The scope's own ledger; the same one at every call. */
  scope(scope: Scope): ScopeLedger {
    const label = scopeLabel(scope);
    let ledger = this.#scopes.get(label);
    if (ledger === undefined) {
      ledger = new ScopeLedger(scope, this.#progress, this.#timeline);
      this.#scopes.set(label, ledger);
    }
    return ledger;
  }

  totals(): Totals {
    const totals = emptyTotals();
    for (const { tally } of this.#scopes.values()) {
      for (const kind of OUTCOMES) totals[kind] += tally.totals[kind];
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
    return sum([...this.#scopes.values()].map(({ tally }) => tally.leftOut));
  }

  /** @throws RestoreError INTERNAL when a run that came to its end has records without an outcome */
  assertComplete(): void {
    const settled = sum(Object.values(this.totals()));
    if (settled !== this.recordsRead) {
      throw new RestoreError("INTERNAL", `${this.recordsRead} records were read but ${settled} have an outcome`);
    }
  }
}

/** Some records with their ends. */
export interface Ended {
  readonly record: Pick<DumpRecord, "bytes" | "displayKey" | "notes" | "place">;
  readonly outcome: Outcome;
}

/** What one process did, as opposed to all processes of a job. */
export interface Work {
  readonly restored: number;
  readonly bytes: number;
}

/** Counts and list entries of some records, for the journal. */
export interface Accounted {
  readonly tally: Tally;
  readonly listed: readonly ListedRecord[];
}

export class ScopeLedger {
  readonly #scope: Scope;
  readonly #progress: ProgressSink;
  readonly #timeline: Timeline | undefined;
  #tally = new Tally();
  #read = 0;
  #here: Work = { restored: 0, bytes: 0 };

  constructor(scope: Scope, progress: ProgressSink, timeline?: Timeline) {
    this.#scope = scope;
    this.#progress = progress;
    this.#timeline = timeline;
  }

  /** As the ledger's. */
  get here(): Work {
    return this.#here;
  }

  get tally(): Tally {
    return this.#tally;
  }

  /** Records that are or were under way, without those that a transform dropped. */
  get recordsRead(): number {
    return this.#read;
  }

  get notReached(): number {
    return this.#read - this.#tally.settled;
  }

  /** Counts start over from what is known to be settled. */
  begin(settled: Tally): void {
    this.#tally = new Tally();
    this.#tally.merge(settled);
    this.#read = settled.settled;
    const { totals, bytesRestored: bytes } = settled;
    this.#progress.report({
      type: "counted-before",
      scope: this.#scope,
      records: settled.settled,
      bytes,
      outcomes: { ...totals },
    });
  }

  read(): void {
    this.#read++;
  }

  /** Counts a record that a transform dropped, in place of `read`. */
  leaveOut(): Accounted {
    const tally = new Tally();
    tally.leftOut = 1;
    this.#tally.merge(tally);
    return { tally, listed: [] };
  }

  /** Counts the ends of records, and says which of them are to be listed. */
  settle(ended: readonly Ended[]): Accounted {
    const tally = new Tally();
    const listed: ListedRecord[] = [];
    const bytesOf = new Map<OutcomeKind, number>();
    for (const { record, outcome } of ended) {
      const notes = notesOf(record, outcome);
      tally.add(record, outcome, notes);
      const entry = listedRecord(this.#scope, record, { outcome, notes });
      if (entry !== undefined) listed.push(entry);
      bytesOf.set(outcome.kind, (bytesOf.get(outcome.kind) ?? 0) + record.bytes);
    }
    for (const [outcome, bytes] of bytesOf) {
      const records = tally.totals[outcome];
      this.#progress.report({ type: "records", scope: this.#scope, outcome, records, bytes });
    }
    this.#tally.merge(tally);
    const { restored, bytes } = this.#here;
    this.#here = { restored: restored + tally.totals.restored, bytes: bytes + tally.bytesRestored };
    this.#timeline?.add(ended.length, tally.bytesRestored);
    return { tally, listed };
  }
}

const NO_NOTES: readonly Note[] = [];

function notesOf({ notes: read = NO_NOTES }: Ended["record"], { notes: written = NO_NOTES }: Outcome): readonly Note[] {
  return read.length === 0 ? written : [...read, ...written];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
