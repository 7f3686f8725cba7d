/**
 * A key's expiry as the commands take it: absolute where the target can, else what remains at the moment of the write.
 * Pure; the caller brings the time.
 */
import type { Note } from "../../model/outcome.js";
import type { Expiry } from "../../model/policy.js";
import type { Abilities } from "./probe.js";

/**
 * `N` none; `A` absolute; `R` remaining; `P` none, and an expiry that the key has goes; `X` past: the key is to be gone;
 * `skip` do not write. The letters are those of the scripts.
 */
export type Moment =
  | { readonly how: "N" | "P" }
  | { readonly how: "A" | "R"; readonly ms: string; readonly clamped: boolean }
  | { readonly how: "X"; readonly ms: string }
  | { readonly how: "skip" };

const INT64_MAX = 2n ** 63n - 1n;

interface MomentInit {
  readonly expiry: Expiry;
  /** Whether the record had an expiry in the dump. */
  readonly hadExpiry: boolean;
  readonly abilities: Pick<Abilities, "absoluteTimes" | "longestMs" | "persist">;
  readonly nowMs: number;
}

export function momentOf({ expiry, hadExpiry, abilities, nowMs }: MomentInit): Moment {
  if (expiry.kind === "skip") return { how: "skip" };
  if (expiry.kind === "none") return { how: hadExpiry && abilities.persist ? "P" : "N" };
  const { atMs } = expiry;
  const left = atMs - BigInt(Math.floor(nowMs));
  // Redis refuses 0 and below as times; 1 ms after 1970 is as past as they are.
  if (left <= 0n) return { how: "X", ms: String(atMs < 1n ? 1n : atMs) };
  if (abilities.absoluteTimes) {
    const clamped = atMs > INT64_MAX;
    return { how: "A", ms: String(clamped ? INT64_MAX : atMs), clamped };
  }
  const longest = least(abilities.longestMs, INT64_MAX - BigInt(Math.floor(nowMs)));
  const clamped = left > longest;
  return { how: "R", ms: String(clamped ? longest : left), clamped };
}

/** The two expiry arguments of the scripts. */
export function scriptArgs(moment: Moment): [how: string, ms: string] {
  return [moment.how, "ms" in moment ? moment.ms : "0"];
}

/** The options that SET takes. A past absolute time is sent as it is. */
export function setOptions(moment: Moment, absoluteTimes: boolean): string[] {
  if (!("ms" in moment)) return [];
  return [absoluteTimes ? "PXAT" : "PX", moment.how === "X" && !absoluteTimes ? "1" : moment.ms];
}

export function notesOf(moment: Moment): readonly Note[] {
  return "clamped" in moment && moment.clamped
    ? [{ kind: "expiry-clamped", detail: "the target takes no time so far ahead; set to the longest it takes" }]
    : [];
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
