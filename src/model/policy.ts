/** The words in which a run's policy reaches readers and replayers. How modes choose among them is `src/modes`. */

/** What a target holds under a scope's name before the run. */
export type ScopePresence = "absent" | "empty" | "holds-records";

/**
 * What a record's write may do to what stands under its key:
 * - `put`: the dump's record wins whole, whatever type stands there;
 * - `overwrite`: as `put`, but another type under the key is refused, and what the target already holds need not be sent;
 * - `put-if-absent`: only if nothing stands under the key;
 * - `merge-into`: elements are added to the collection under the key, elements it has stay;
 * - `append`: elements go behind those of the list, entries behind those of the stream under new ids;
 * - `only-if-absent-or-equal`: equal to the dump is skipped-existing, anything else rejected;
 * - `reject-existing`: anything under the key is rejected;
 * - `entry-by-entry`: stream entries one at a time: present with the same fields is skipped, another one refused.
 */
export type WriteAction =
  | "put"
  | "overwrite"
  | "put-if-absent"
  | "merge-into"
  | "append"
  | "only-if-absent-or-equal"
  | "reject-existing"
  | "entry-by-entry";

export type RecordType = "item" | "object" | "string" | "hash" | "list" | "set" | "zset" | "stream" | "hll" | "message";

/** A key's expiry after the TTL policy: none, an absolute Unix time in milliseconds, or: do not write the key. */
export type Expiry =
  | { readonly kind: "none" }
  | { readonly kind: "at"; readonly atMs: bigint }
  | { readonly kind: "skip" };

/** What a run decided about writing; the same for all scopes of a run. */
export interface WritePolicy {
  actionFor(type: RecordType): WriteAction;
  /** How a record counts under whose key the target holds another type (where the action does not overwrite it). */
  readonly wrongType: "rejected" | "skipped-existing";
  /** Decides at the moment of the write: asks the clock. */
  expiryOf(expireAtMs: bigint | undefined): Expiry;
  /** Names this run in temporary keys and made ids: 16 lower-case hex digits. Kept by a resume. */
  readonly jobId: string;
}
