/** How a record ended. Every record that is read ends in exactly one outcome. */

export const OUTCOMES = [
  "restored",
  "skipped-existing",
  "skipped-expired",
  "skipped-empty",
  "rejected",
  "failed",
  "ambiguous",
] as const;

export type OutcomeKind = (typeof OUTCOMES)[number];

export interface Outcome {
  readonly kind: OutcomeKind;
  /** A stable word, kebab-case: `id-below-top`, `wrong-type`, `already-equal`. Required unless plainly restored. */
  readonly reason?: string;
  /** One sentence for people, with what the target said. Holds no secrets and no values of the record. */
  readonly detail?: string;
  /** Near misses that are named and listed: the record arrived, but not quite as it was. */
  readonly notes?: readonly Note[];
  /** Stream entries written, present and refused, counted beside the record. */
  readonly entries?: EntryCounts;
}

/** The near misses a restored record can carry; `rekeyed` is a replaced deduplication id. */
export const NOTES = [
  "expiry-clamped",
  "last-id-not-restored",
  "early",
  "etag-changed",
  "delayed",
  "rekeyed",
  "stale-meta",
  "md5-mismatch",
  "default-metadata",
] as const;

export type NoteKind = (typeof NOTES)[number];

export interface Note {
  readonly kind: NoteKind;
  readonly detail?: string;
}

export interface EntryCounts {
  readonly restored: number;
  readonly skippedExisting: number;
  readonly rejected: number;
  /** The first refused entries, by id, with the reason. */
  readonly refused?: readonly { readonly id: string; readonly reason: string }[];
}

export const RESTORED: Outcome = { kind: "restored" };

/** Worst first: what a record that had several outcomes counts as. */
const PRECEDENCE: readonly OutcomeKind[] = [
  "failed",
  "ambiguous",
  "rejected",
  "restored",
  "skipped-existing",
  "skipped-expired",
  "skipped-empty",
];

export function worstOf(kinds: Iterable<OutcomeKind>): OutcomeKind | undefined {
  const met = new Set(kinds);
  return PRECEDENCE.find((kind) => met.has(kind));
}
