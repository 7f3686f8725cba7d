/** What a report says of the listed records, gathered in one pass over them in bounded memory. */
import { OUTCOMES, type OutcomeKind } from "../model/outcome.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { ListedRecord } from "./listed-record.js";
import { emptyTotals, type Totals } from "./tally.js";

/** As many of a kind stand in the report itself. */
const SHOWN = 1000;

/** The outcomes that somebody has to look at. */
export const WANTING: readonly OutcomeKind[] = ["rejected", "failed", "ambiguous"];

export interface ScopeErrors {
  readonly first: ListedRecord;
  readonly last: ListedRecord;
}

export class ListedSummary {
  /** The first ones. */
  readonly first: ListedRecord[] = [];
  /** The first whose write nobody can tell the end of. */
  readonly inDoubt: ListedRecord[] = [];
  /** The first whose deduplication id is another one. */
  readonly rekeyed: ListedRecord[] = [];
  /** All of them. */
  count = 0;
  readonly #errors = new Map<string, ScopeErrors>();
  readonly #totals = new Map<string, Totals>();

  /** In the order in which the records ended. */
  add(record: ListedRecord): void {
    const label = scopeLabel({ adapter: record.adapter, name: record.scope });
    this.count++;
    put(this.first, record);
    if (record.outcome === "ambiguous") put(this.inDoubt, record);
    if (record.notes?.some(({ kind }) => kind === "rekeyed") === true) put(this.rekeyed, record);
    const totals = this.#totals.get(label) ?? emptyTotals();
    totals[record.outcome]++;
    this.#totals.set(label, totals);
    if (!WANTING.includes(record.outcome)) return;
    this.#errors.set(label, { first: this.#errors.get(label)?.first ?? record, last: record });
  }

  /** The first and the last record of the scope that was not restored. */
  errorsOf(scope: Pick<Scope, "adapter" | "name">): ScopeErrors | undefined {
    return this.#errors.get(scopeLabel(scope));
  }

  /** The first outcome of which not as many records are listed as were counted; undefined when the list is whole. */
  missing(scope: Pick<Scope, "adapter" | "name">, counted: Totals): OutcomeKind | undefined {
    const listed = this.#totals.get(scopeLabel(scope)) ?? emptyTotals();
    // A plainly restored record is not listed.
    return OUTCOMES.find((kind) => kind !== "restored" && listed[kind] !== counted[kind]);
  }
}

function put(list: ListedRecord[], record: ListedRecord): void {
  if (list.length < SHOWN) list.push(record);
}
