/**
 * What a journal's entries amount to. It holds them to the journal's invariants, whether they are written or read again:
 * the same code judges both, so what was accepted once is accepted at every recovery.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Position } from "../../model/position.js";
import { Tally } from "../tally.js";
import type { EntryOf, ScopeStateJson } from "./entries.js";
import { type Admission, type Readiness, SCOPE_PHASES, type ScopePhase } from "./journal.js";
import { numbersOf, rangesOf } from "./ranges.js";
import { SettledRuns } from "./settled-runs.js";

type ScopeEntry =
  | EntryOf<"admitted">
  | EntryOf<"phase">
  | EntryOf<"ready">
  | EntryOf<"intent">
  | EntryOf<"withdrawn">
  | EntryOf<"settled">
  | EntryOf<"rewound">
  | EntryOf<"note">;

interface SettledRecord {
  readonly sequence: number;
  readonly after: Position;
}

export class ScopeState {
  readonly label: string;
  phase: ScopePhase = "admitted";
  admission: Admission | undefined;
  readiness: Readiness | undefined;
  settledUpTo: Position | undefined;
  nextSequence = 0;
  readonly notes = new Map<string, string>();
  tally = new Tally();
  workedMs = 0;
  /** Settled beyond the position. */
  readonly #ahead = new SettledRuns();
  readonly #announced = new Map<number, number>();
  /** Records below `next` were announced before the scope was rewound. */
  #before = { next: 0, at: 0 };

  constructor(label: string) {
    this.label = label;
  }

  isSettled(sequence: number): boolean {
    return sequence < this.nextSequence || this.#ahead.has(sequence);
  }

  announcedAt(sequence: number): number | undefined {
    const { next, at } = this.#before;
    return sequence < next ? at : this.#announced.get(sequence);
  }

  /** Records that are begun and not settled, or settled with a gap before them. */
  get open(): number {
    return this.#announced.size + this.#ahead.size;
  }

  /** Records that were announced and have no outcome. */
  get underWay(): number {
    return this.#announced.size;
  }

  /** Behind the last record that may have been written and has no outcome; 0 where there is none. */
  get underWayUpTo(): number {
    const last = [...this.#announced.keys()].reduce((most, each) => Math.max(most, each), -1);
    const { next } = this.#before;
    return Math.max(last + 1, next > this.nextSequence ? next : 0);
  }

  /** Whether the scope was rewound after a record of it was announced or settled. */
  get isRewound(): boolean {
    return this.#before.next > 0;
  }

  /** @throws RestoreError INTERNAL when the entry cannot follow what is known */
  apply(entry: ScopeEntry): void {
    if (entry.type !== "admitted" && this.admission === undefined) throw this.#broken(`${entry.type} before admission`);
    switch (entry.type) {
      case "admitted":
        if (this.admission !== undefined) throw this.#broken("it was admitted twice");
        this.admission = entry.admission;
        break;
      case "phase":
        this.#moveTo(entry.phase);
        break;
      case "ready":
        this.#moveTo("writing");
        this.readiness = entry.readiness;
        break;
      case "intent":
        this.#announce(numbersOf(entry.records), entry.at);
        break;
      case "withdrawn":
        this.#withdraw(numbersOf(entry.records));
        break;
      case "settled":
        this.#settle(entry);
        break;
      case "rewound":
        this.#rewind(entry.at);
        break;
      case "note":
        if (entry.value === undefined) this.notes.delete(entry.name);
        else this.notes.set(entry.name, entry.value);
        break;
    }
  }

  /**
   * The position to which these records would move the scope on, with the number behind it.
   * Needs the ends of all records between; undefined when it does not move.
   */
  advance(records: readonly SettledRecord[]): { readonly next: number; readonly after: Position } | undefined {
    const inOrder = ascending(records);
    let next = this.nextSequence;
    let reached: Position | undefined;
    let last = -1;
    for (const { sequence, after } of inOrder) {
      this.#assertUnsettled(sequence);
      if (sequence === last) throw this.#broken("a record was settled twice at once");
      last = sequence;
      if (sequence > next) {
        // Those between may be settled already.
        const row = this.#rowFrom(next);
        if (row !== undefined) [next, reached] = [row.next, row.after];
      }
      if (sequence === next) [next, reached] = [next + 1, after];
    }
    const row = this.#rowFrom(next);
    if (row !== undefined) [next, reached] = [row.next, row.after];
    return reached === undefined ? undefined : { next, after: reached };
  }

  /** As `apply` for settled records, with their ends, which entries do not hold one by one. */
  settle(entry: EntryOf<"settled">, records: readonly SettledRecord[]): void {
    this.apply(entry);
    for (const { sequence, after } of records) if (sequence >= this.nextSequence) this.#ahead.put(sequence, after);
  }

  /** Through all runs that follow one another: neighbours are two where an end is unknown. */
  #rowFrom(sequence: number): { readonly next: number; readonly after: Position } | undefined {
    let row = this.#ahead.rowFrom(sequence);
    for (let more = row; more !== undefined; more = this.#ahead.rowFrom(more.next)) row = more;
    return row;
  }

  /** A record that an earlier process settled ends there. */
  passed(sequence: number, after: Position): void {
    if (!this.#ahead.has(sequence)) throw this.#broken(`record ${sequence} was passed and is not settled`);
    this.#ahead.put(sequence, after);
    // Settled records in a row need no entry: what is read again next time is passed again.
    if (sequence !== this.nextSequence) return;
    const moved = this.advance([]);
    if (moved !== undefined) this.#moveUpTo(moved);
  }

  toJSON(): ScopeStateJson {
    if (this.admission === undefined) throw this.#broken("it was not admitted");
    const { label, phase, admission, readiness, settledUpTo, nextSequence, tally, workedMs } = this;
    return {
      scope: label,
      phase,
      admission,
      ...(readiness === undefined ? {} : { readiness: readinessJson(readiness) }),
      ...(settledUpTo === undefined ? {} : { upTo: { next: nextSequence, after: settledUpTo } }),
      ahead: this.#ahead.ranges().map(([first, last]) => [first, last]),
      announced: byTime(this.#announced),
      before: [this.#before.next, this.#before.at],
      tally: tally.toJSON(),
      workedMs,
      notes: Object.fromEntries(this.notes),
    };
  }

  static from(json: ScopeStateJson): ScopeState {
    const state = new ScopeState(json.scope);
    state.phase = json.phase;
    state.admission = json.admission;
    state.readiness = json.readiness;
    state.settledUpTo = json.upTo?.after;
    state.nextSequence = json.upTo?.next ?? 0;
    for (const sequence of numbersOf(json.ahead)) state.#ahead.put(sequence, undefined);
    for (const [first, last, at] of json.announced) state.#announce(numbersOf([[first, last]]), at);
    state.#before = { next: json.before[0], at: json.before[1] };
    state.tally = Tally.from(json.tally);
    state.workedMs = json.workedMs;
    for (const [name, value] of Object.entries(json.notes)) state.notes.set(name, value);
    return state;
  }

  #moveTo(phase: ScopePhase): void {
    if (SCOPE_PHASES.indexOf(phase) < SCOPE_PHASES.indexOf(this.phase)) {
      throw this.#broken(`phase ${this.phase} cannot be followed by ${phase}`);
    }
    this.phase = phase;
  }

  /** The first announcement's time stays: a queue forgets an id that long after it. */
  #announce(sequences: Iterable<number>, at: number): void {
    for (const sequence of sequences) {
      this.#assertUnsettled(sequence);
      if (!this.#announced.has(sequence)) this.#announced.set(sequence, at);
    }
  }

  #withdraw(sequences: Iterable<number>): void {
    for (const sequence of sequences) {
      if (!this.#announced.delete(sequence)) throw this.#broken(`record ${sequence} was withdrawn unannounced`);
    }
  }

  #settle({ records, upTo, tally, workedMs }: EntryOf<"settled">): void {
    for (const [first, last] of records) {
      for (let sequence = first; sequence <= last; sequence++) {
        this.#assertUnsettled(sequence);
        this.#announced.delete(sequence);
      }
      this.#ahead.add(first, last);
    }
    if (upTo !== undefined) this.#moveUpTo(upTo);
    this.tally.merge(Tally.from(tally));
    this.workedMs = workedMs;
  }

  #moveUpTo({ next, after }: { readonly next: number; readonly after: Position }): void {
    const gap = this.#ahead.gapFrom(this.nextSequence);
    if (gap < next) throw this.#broken(`record ${gap} was passed over`);
    this.#ahead.dropBelow(next);
    this.nextSequence = next;
    this.settledUpTo = after;
  }

  #rewind(at: number): void {
    const highest = [...this.#announced.keys()].reduce((most, each) => Math.max(most, each), this.#ahead.highest);
    const next = Math.max(this.nextSequence, this.#before.next, highest + 1);
    this.#before = { next, at: this.#before.next > 0 ? this.#before.at : at };
    // Nothing of it is finished any more.
    if (this.phase !== "admitted") this.phase = "writing";
    this.settledUpTo = undefined;
    this.nextSequence = 0;
    this.#ahead.clear();
    this.#announced.clear();
    this.tally = new Tally();
  }

  #assertUnsettled(sequence: number): void {
    if (sequence < this.nextSequence || this.#ahead.has(sequence)) {
      throw this.#broken(`record ${sequence} was settled before`);
    }
  }

  #broken(what: string): RestoreError {
    return new RestoreError("INTERNAL", `journal of ${this.label}: ${what}`, { retry: "fatal" });
  }
}

/** Nearly always they are already. */
function ascending(records: readonly SettledRecord[]): readonly SettledRecord[] {
  for (let i = 1; i < records.length; i++) {
    if ((records[i - 1]?.sequence ?? 0) > (records[i]?.sequence ?? 0)) {
      return [...records].sort((a, b) => a.sequence - b.sequence);
    }
  }
  return records;
}

/** By time, since records are announced many at once. */
function byTime(announced: ReadonlyMap<number, number>): ScopeStateJson["announced"] {
  const times = new Map<number, number[]>();
  for (const [sequence, at] of announced) {
    const sequences = times.get(at);
    if (sequences === undefined) times.set(at, [sequence]);
    else sequences.push(sequence);
  }
  return [...times].flatMap(([at, sequences]) =>
    rangesOf(sequences).map(([first, last]): [number, number, number] => [first, last, at]),
  );
}

function readinessJson({ warnings, everyRecord, error }: Readiness): NonNullable<ScopeStateJson["readiness"]> {
  return {
    warnings: [...warnings],
    ...(everyRecord === undefined ? {} : { everyRecord: everyRecord as never }),
    ...(error === undefined ? {} : { error }),
  };
}
