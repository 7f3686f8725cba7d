/** Entries on their way: as script arguments, and counted by how they ended. */
import { isUtf8 } from "node:buffer";

import type { EntryCounts, Outcome } from "../../model/outcome.js";
import type { StreamEntry, StreamRecord } from "../../model/record.js";
import type { Abilities } from "./probe.js";

/** Refused entries that are listed by id; the others are counted. */
const LISTED = 20;

/** Fields that a script's `unpack` surely takes; wider entries go by a command of their own. */
export const SCRIPT_FIELDS = 1_000;

export class EntryTally {
  #restored = 0;
  #present = 0;
  #rejected = 0;
  readonly #refused: { readonly id: string; readonly reason: string }[] = [];

  /** Starts with what the reader could not read. */
  constructor(faulty: StreamRecord["faultyEntries"]) {
    for (const { id, reason } of faulty) this.refused(id, reason);
  }

  restored(entries: number): void {
    this.#restored += entries;
  }

  present(entries: number): void {
    this.#present += entries;
  }

  refused(id: string, reason: string): void {
    this.#rejected++;
    if (this.#refused.length < LISTED) this.#refused.push({ id, reason });
  }

  counts(): EntryCounts {
    return {
      restored: this.#restored,
      skippedExisting: this.#present,
      rejected: this.#rejected,
      ...(this.#refused.length === 0 ? {} : { refused: [...this.#refused] }),
    };
  }

  /** The stream's outcome: rejected when an entry was, restored when one was written, else `otherwise`. */
  outcome(otherwise: Outcome): Outcome {
    const entries = this.counts();
    const notes = otherwise.notes === undefined ? {} : { notes: otherwise.notes };
    if (this.#rejected > 0) {
      const reason = this.#refused[0]?.reason ?? "entries-refused";
      const detail = `${this.#rejected} of its entries were refused, the others are there`;
      return { kind: "rejected", reason, detail, entries, ...notes };
    }
    return this.#restored > 0 ? { kind: "restored", entries, ...notes } : { ...otherwise, entries };
  }
}

/** Why this target cannot take an entry, known before it is sent. */
export function unfit(entry: StreamEntry, abilities: Pick<Abilities, "utf8Only">): string | undefined {
  if (entry.id === "0-0") return "id-below-top";
  return abilities.utf8Only && !entry.fields.every((field) => isUtf8(field)) ? "not-utf8" : undefined;
}

export function isWide({ fields }: StreamEntry): boolean {
  return fields.length > SCRIPT_FIELDS;
}

/** Runs of entries that a script takes, and wide ones alone, in order. */
export function* runsOf(entries: readonly StreamEntry[]): Generator<readonly StreamEntry[]> {
  let run: StreamEntry[] = [];
  for (const entry of entries) {
    if (!isWide(entry)) {
      run.push(entry);
      continue;
    }
    if (run.length > 0) yield run;
    run = [];
    yield [entry];
  }
  if (run.length > 0) yield run;
}

/** `<ms>-<seq>`, compared as numbers. */
export function compareIds(a: string, b: string): number {
  const [aMs, aSeq] = parseId(a);
  const [bMs, bSeq] = parseId(b);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  return aSeq === bSeq ? 0 : aSeq < bSeq ? -1 : 1;
}

export function laterId(a: string, b: string): string {
  return compareIds(a, b) >= 0 ? a : b;
}

/** The lowest id above this one; undefined above the highest of all. */
export function idBehind(id: string): string | undefined {
  const [ms, seq] = parseId(id);
  if (seq < UINT64_MAX) return `${ms}-${seq + 1n}`;
  return ms < UINT64_MAX ? `${ms + 1n}-0` : undefined;
}

const UINT64_MAX = 2n ** 64n - 1n;

function parseId(id: string): [ms: bigint, seq: bigint] {
  const [ms = "0", seq = "0"] = id.split("-");
  return [BigInt(ms), BigInt(seq)];
}
