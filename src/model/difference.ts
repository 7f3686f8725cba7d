/** How a target can fail to be what a dump says. Words and types; who finds them is in `src/replayers`. */

export const DIFFERENCES = [
  /** The record is not there. */
  "missing",
  /** A record that the dump does not hold. */
  "extra",
  /** Something of another type stands under the key. */
  "type",
  /** A value, or a part's value, is another one: a string, an item's attribute, a field, an element, an entry. */
  "value",
  /** A part of the record is not there: an attribute, a field, a member, an element, an entry. */
  "missing-part",
  /** The record has a part that the dump's has not. */
  "extra-part",
  /** The parts are the dump's, but stand in another order. */
  "order",
  "score",
  "expiry",
  "last-id",
  /** An object's bytes. */
  "body",
  /** An object's headers and user metadata. */
  "metadata",
  /** The same message more often than the dump holds it. */
  "duplicate",
  /** Not as many records as the dump holds, where no record can be told from another. */
  "count",
  /** The scope itself is not there. */
  "scope-missing",
  /** A setting of the scope: key schema, index, versioning, a queue's attribute. */
  "setting",
] as const;

export type DifferenceKind = (typeof DIFFERENCES)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  /**
   * Where in the record or the scope, printable: `field "name"`, `index 3`, `entry 1714400000000-0`, `lines[0].sku`,
   * `header content-type`, `metadata caption`, `global index by_status`, `VisibilityTimeout`. Absent: the whole.
   */
  readonly at?: string;
  /** One sentence for people. Holds no values of the record, but settings, sizes, counts, digests and times. */
  readonly detail: string;
}
