/** A journal that keeps its entries in memory, for looking at, and counts as durable at once. */
import type { Scope } from "../../src/model/scope.js";
import type { Entry, EntryOf } from "../../src/run/journal/entries.js";
import type { EntryKeeper } from "../../src/run/journal/entry-keeper.js";
import type { Admission } from "../../src/run/journal/journal.js";
import type { ScopeState } from "../../src/run/journal/state.js";
import { StateJournal } from "../../src/run/journal/state-journal.js";
import type { ListedRecord } from "../../src/run/listed-record.js";

export interface MemoryJournal {
  readonly journal: StateJournal;
  readonly entries: readonly Entry[];
  /** Listed records of all settlements, in their order. */
  readonly listed: readonly ListedRecord[];
  ofType<T extends Entry["type"]>(type: T): EntryOf<T>[];
}

export const CREATED: Admission = { presence: "absent", decision: "create" };

/** `admitted`: scopes that are begun already; `states`: what the journal goes on from. */
export function memoryJournal(admitted: readonly Scope[] = [], states?: Map<string, ScopeState>): MemoryJournal {
  const entries: Entry[] = [];
  const listed: ListedRecord[] = [];
  const keeper: EntryKeeper = {
    keep: (entry) => {
      entries.push(entry);
      if (entry.type === "settled") listed.push(...((entry.listed ?? []) as ListedRecord[]));
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const journal = new StateJournal(keeper, { now: () => 1_700_000_000_000 }, states);
  for (const scope of admitted) void journal.admit(scope, CREATED);
  const ofType = <T extends Entry["type"]>(type: T) =>
    entries.filter((entry): entry is EntryOf<T> => entry.type === type);
  return { journal, entries, listed, ofType };
}
