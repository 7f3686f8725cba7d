/** Counts of how records ended: sums that can be added up, written down and read again. */
import * as z from "zod";
import type { Outcome, OutcomeKind } from "../model/outcome.js";
import { type Note, OUTCOMES } from "../model/outcome.js";
import type { DumpRecord } from "../model/record.js";

export type Totals = Record<OutcomeKind, number>;

export function emptyTotals(): Totals {
  return Object.fromEntries(OUTCOMES.map((kind) => [kind, 0])) as Totals;
}

const count = z.int().nonnegative();

/** Every outcome with its number, as reports and plans hold it. */
export const totalsSchema = z.strictObject(
  Object.fromEntries(OUTCOMES.map((kind) => [kind, count])) as Record<OutcomeKind, typeof count>,
);

/** Entries of streams, as reports and plans hold them. */
export const entriesSchema = z.strictObject({ restored: count, skippedExisting: count, rejected: count });

const counts = z.record(z.string(), count);

/** A tally as JSON: what is zero is left out. */
export const tallySchema = z.strictObject({
  totals: z.partialRecord(z.enum(OUTCOMES), count).exactOptional(),
  reasons: counts.exactOptional(),
  notes: counts.exactOptional(),
  entries: z.tuple([count, count, count]).exactOptional(),
  bytes: count.exactOptional(),
  leftOut: count.exactOptional(),
});

export type TallyJson = z.infer<typeof tallySchema>;

export class Tally {
  readonly totals: Totals = emptyTotals();
  /** How often each reason occurred, `outcome/reason`. */
  readonly reasons = new Map<string, number>();
  readonly notes = new Map<string, number>();
  /** Entries of streams, counted beside them. */
  readonly entries = { restored: 0, skippedExisting: 0, rejected: 0 };
  /** Payload of the records that were restored. */
  bytesRestored = 0;
  /** Records that a transform dropped. They are not among those that have an outcome. */
  leftOut = 0;

  /** Records that have an outcome. */
  get settled(): number {
    return Object.values(this.totals).reduce((sum, value) => sum + value, 0);
  }

  /** Counts one record's end. `notes`: the record's and the outcome's. */
  add(record: Pick<DumpRecord, "bytes">, outcome: Outcome, notes: readonly Note[]): void {
    this.totals[outcome.kind]++;
    if (outcome.kind === "restored") this.bytesRestored += record.bytes;
    if (outcome.reason !== undefined) more(this.reasons, `${outcome.kind}/${outcome.reason}`, 1);
    for (const note of notes) more(this.notes, note.kind, 1);
    this.entries.restored += outcome.entries?.restored ?? 0;
    this.entries.skippedExisting += outcome.entries?.skippedExisting ?? 0;
    this.entries.rejected += outcome.entries?.rejected ?? 0;
  }

  merge(other: Tally): void {
    for (const kind of OUTCOMES) this.totals[kind] += other.totals[kind];
    for (const [reason, value] of other.reasons) more(this.reasons, reason, value);
    for (const [note, value] of other.notes) more(this.notes, note, value);
    this.entries.restored += other.entries.restored;
    this.entries.skippedExisting += other.entries.skippedExisting;
    this.entries.rejected += other.entries.rejected;
    this.bytesRestored += other.bytesRestored;
    this.leftOut += other.leftOut;
  }

  toJSON(): TallyJson {
    const { restored, skippedExisting, rejected } = this.entries;
    const totals = Object.entries(this.totals).filter(([, value]) => value > 0);
    return {
      ...(totals.length === 0 ? {} : { totals: Object.fromEntries(totals) }),
      ...(this.reasons.size === 0 ? {} : { reasons: Object.fromEntries(this.reasons) }),
      ...(this.notes.size === 0 ? {} : { notes: Object.fromEntries(this.notes) }),
      ...(restored + skippedExisting + rejected === 0 ? {} : { entries: [restored, skippedExisting, rejected] }),
      ...(this.bytesRestored === 0 ? {} : { bytes: this.bytesRestored }),
      ...(this.leftOut === 0 ? {} : { leftOut: this.leftOut }),
    };
  }

  static from(json: TallyJson): Tally {
    const tally = new Tally();
    Object.assign(tally.totals, json.totals);
    for (const [reason, value] of Object.entries(json.reasons ?? {})) tally.reasons.set(reason, value);
    for (const [note, value] of Object.entries(json.notes ?? {})) tally.notes.set(note, value);
    const [restored, skippedExisting, rejected] = json.entries ?? [0, 0, 0];
    Object.assign(tally.entries, { restored, skippedExisting, rejected });
    tally.bytesRestored = json.bytes ?? 0;
    tally.leftOut = json.leftOut ?? 0;
    return tally;
  }
}

function more(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
