/** What an arbitrary of one adapter gives: a part of a dump. */
import fc from "fast-check";

import type { Exception } from "../readback/state.js";

/** Which of the format's two shapes is written. */
export type Shape = "shipped" | "design";

/** What the dump is for: elastickv has one database, and streams and HyperLogLogs of text alone. */
export interface DumpKind {
  readonly shape: Shape;
  /** When the dump is taken: expiry times lie about it. */
  readonly nowMs: number;
  readonly isForElastickv: boolean;
}

export interface DumpPart {
  /** By path below the dump's root. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Records that no target holds afterwards: expired or empty ones, by their names in the proof. */
  readonly absent: readonly (Exception & { readonly outcome: "skipped-expired" | "skipped-empty" })[];
}

export function joined(parts: readonly DumpPart[]): DumpPart {
  return {
    files: Object.fromEntries(parts.flatMap(({ files }) => Object.entries(files))),
    absent: parts.flatMap(({ absent }) => absent),
  };
}

/** Names of scopes, none of which another one has but for case. */
export function scopeNames(pattern: RegExp, most: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.stringMatching(pattern), { maxLength: most, selector: (name) => name.toLowerCase() });
}

/** Once in so many times what `rare` gives. */
export function seldom<T>(times: number, rare: fc.Arbitrary<T>, usual: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: usual, weight: times - 1 }, { arbitrary: rare, weight: 1 });
}
