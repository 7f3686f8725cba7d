/** A journal's part on the records of one scope, over what is known of the scope and the place that keeps entries. */
import type { Position } from "../../model/position.js";
import type { EntryOf } from "./entries.js";
import type { EntryKeeper } from "./entry-keeper.js";
import type { RecordJournal, Settlement } from "./journal.js";
import { rangesOf } from "./ranges.js";
import type { ScopeState } from "./state.js";

export interface StateRecordsInit {
  /** Changed by what is told of the records. */
  readonly state: ScopeState;
  readonly keeper: Pick<EntryKeeper, "keep">;
  /** Unix milliseconds, as entries hold them. */
  readonly now: () => number;
}

export class StateRecords implements RecordJournal {
  readonly #state: ScopeState;
  readonly #keeper: Pick<EntryKeeper, "keep">;
  readonly #now: () => number;

  constructor({ state, keeper, now }: StateRecordsInit) {
    this.#state = state;
    this.#keeper = keeper;
    this.#now = now;
  }

  get underWay(): number {
    return this.#state.underWay;
  }

  get underWayUpTo(): number {
    return this.#state.underWayUpTo;
  }

  isSettled(sequence: number): boolean {
    return this.#state.isSettled(sequence);
  }

  announcedAt(sequence: number): number | undefined {
    return this.#state.announcedAt(sequence);
  }

  passed({ sequence, after }: { readonly sequence: number; readonly after: Position }): void {
    this.#state.passed(sequence, after);
  }

  async intent(sequences: readonly number[]): Promise<void> {
    const { label: scope } = this.#state;
    const entry = { type: "intent" as const, scope, records: ranges(sequences), at: this.#now() };
    this.#state.apply(entry);
    await this.#keeper.keep(entry, true);
  }

  async withdraw(sequences: readonly number[]): Promise<void> {
    if (sequences.length === 0) return;
    const entry = { type: "withdrawn" as const, scope: this.#state.label, records: ranges(sequences) };
    this.#state.apply(entry);
    await this.#keeper.keep(entry, false);
  }

  async settled({ records, tally, listed, workedMs }: Settlement): Promise<void> {
    const upTo = this.#state.advance(records);
    const entry = {
      type: "settled" as const,
      scope: this.#state.label,
      records: ranges(records.map(({ sequence }) => sequence)),
      ...(upTo === undefined ? {} : { upTo }),
      tally: tally.toJSON(),
      ...(listed.length === 0 ? {} : { listed: listed as EntryOf<"settled">["listed"] & object }),
      workedMs: Math.max(0, Math.round(workedMs)),
    };
    this.#state.settle(entry, records);
    await this.#keeper.keep(entry, false);
  }
}

function ranges(sequences: readonly number[]): [number, number][] {
  return rangesOf(sequences).map(([first, last]) => [first, last]);
}
