/** A record that did not end plainly restored: what the rejects file and the report list. */
import type { EntryCounts, Note, Outcome, OutcomeKind } from "../model/outcome.js";
import type { DumpRecord } from "../model/record.js";
import type { Adapter, Scope } from "../model/scope.js";

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

/** Undefined for a record that is plainly restored. `notes`: the record's and the outcome's. */
export function listedRecord(
  scope: Scope,
  record: Pick<DumpRecord, "place" | "displayKey">,
  { outcome, notes }: { readonly outcome: Outcome; readonly notes: readonly Note[] },
): ListedRecord | undefined {
  if (outcome.kind === "restored" && notes.length === 0) return undefined;
  return {
    adapter: scope.adapter,
    scope: scope.name,
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
