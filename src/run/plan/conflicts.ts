/** Records that a run would not write for what stands on the target: counted by reason, the first ones kept as samples. */
import type { Outcome } from "../../model/outcome.js";
import type { WritableRecord } from "../../model/record.js";
import type { ConflictSample, PlannedScope } from "./plan-schema.js";

const SAMPLES_KEPT = 10;

/** Reasons of rejected records that lie in what stands under their key, as opposed to the record or the target itself. */
const OF_WHAT_IS_THERE: ReadonlySet<string> = new Set(["exists", "id-below-top", "wrong-type"]);

export class Conflicts {
  #count = 0;
  readonly #reasons = new Map<string, number>();
  readonly #samples: ConflictSample[] = [];

  /** Counts the record if it is one. */
  add(record: Pick<WritableRecord, "displayKey" | "place">, outcome: Outcome): void {
    const { kind, reason = kind } = outcome;
    if (kind !== "skipped-existing" && !(kind === "rejected" && OF_WHAT_IS_THERE.has(reason))) return;
    this.#count++;
    const name = `${kind}/${reason}`;
    this.#reasons.set(name, (this.#reasons.get(name) ?? 0) + 1);
    if (this.#samples.length >= SAMPLES_KEPT) return;
    const { path, line } = record.place;
    const place = line === undefined ? { path } : { path, line };
    this.#samples.push({ key: record.displayKey, ...place, outcome: kind, reason });
  }

  toJSON(): PlannedScope["conflicts"] {
    return { count: this.#count, reasons: Object.fromEntries(this.#reasons), samples: this.#samples };
  }
}
