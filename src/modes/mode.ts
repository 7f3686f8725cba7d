/**
 * Modes: policy as values, without I/O. A mode says what becomes of a scope that exists and which write plan a record
 * gets; the target enforces the plan's condition atomically. Nothing here asks a target anything.
 */
import type { RecordType, ScopePresence, WriteAction } from "../model/policy.js";
import type { Adapter } from "../model/scope.js";

export const MODE_NAMES = ["none", "replace", "merge", "skip-existing"] as const;
export type ModeName = (typeof MODE_NAMES)[number];

/**
 * What to do with a scope: `create` it; `keep` what is there; `empty` it first; `refuse` the whole run;
 * `skip` all its records as existing.
 */
export type ScopeDecision = "create" | "keep" | "empty" | "refuse" | "skip";

export interface MergeStrategies {
  readonly list: "replace" | "append" | "reject";
  readonly stream: "reject" | "auto-id";
}

export interface Mode {
  readonly name: ModeName;
  /** True where records that exist may be deleted: the run asks first. */
  readonly destructive: boolean;
  onScope(adapter: Adapter, presence: ScopePresence): ScopeDecision;
  onRecord(type: RecordType, strategies: MergeStrategies): WriteAction;
  /** How a record of another type under a key counts. */
  readonly wrongType: "rejected" | "skipped-existing";
}
