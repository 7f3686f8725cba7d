/** Compares when a key expires. Where the target tells only what remains, the moment lies between asking and answer. */
import type { Expiry } from "../../../model/policy.js";
import type { Abilities } from "../probe.js";
import type { Findings } from "./findings.js";

/** When the key expires, as far as it can be known. `none`: it does not. */
export type HeldExpiry =
  | { readonly kind: "none" }
  | { readonly kind: "between"; readonly from: bigint; readonly to: bigint };

/** What PEXPIRETIME or PTTL answered; the times are Unix milliseconds. */
export interface ExpiryReply {
  readonly reply: unknown;
  readonly isAbsolute: boolean;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** The client hands out integers as numbers, whose last digits are lost that far ahead. */
const BLUR = 4096n;

export function heldExpiryOf({ reply, isAbsolute, askedAt, answeredAt }: ExpiryReply): HeldExpiry {
  if (typeof reply !== "number" || reply < 0) return { kind: "none" };
  const [ms, blur] = [BigInt(reply), Number.isSafeInteger(reply) ? 0n : BLUR];
  const [from, to] = isAbsolute ? [0n, 0n] : [BigInt(Math.floor(askedAt)), BigInt(Math.ceil(answeredAt))];
  return { kind: "between", from: ms + from - blur, to: ms + to + blur };
}

export interface ExpiryMatter {
  readonly expected: Exclude<Expiry, { kind: "skip" }>;
  readonly held: HeldExpiry;
  readonly abilities: Pick<Abilities, "absoluteTimes" | "longestMs">;
  readonly nowMs: number;
  readonly toleranceMs: number;
}

const INT64_MAX = 2n ** 63n - 1n;

export function compareExpiry(
  findings: Findings,
  { expected, held, abilities, nowMs, toleranceMs }: ExpiryMatter,
): void {
  if (expected.kind === "none") {
    if (held.kind !== "none") findings.add("expiry", `it expires at ${timeText(held.from)}, and should not expire`);
    return;
  }
  const { atMs } = expected;
  if (held.kind === "none") {
    findings.add("expiry", `it does not expire, and should at ${timeText(atMs)}`);
    return;
  }
  if (!abilities.absoluteTimes && atMs - BigInt(Math.floor(nowMs)) > abilities.longestMs) {
    findings.cannotTell("the target takes no expiry so far ahead");
    return;
  }
  const wanted = atMs > INT64_MAX ? INT64_MAX : atMs;
  const tolerance = BigInt(Math.ceil(toleranceMs));
  const isEarly = held.to + tolerance < wanted;
  if (!isEarly && held.from - tolerance <= wanted) return;
  findings.add("expiry", `it expires at ${timeText(isEarly ? held.to : held.from)} instead of ${timeText(wanted)}`);
}

const LAST_DATE = 8_640_000_000_000_000n;

function timeText(ms: bigint): string {
  return ms >= -LAST_DATE && ms <= LAST_DATE ? new Date(Number(ms)).toISOString() : `${ms} ms`;
}
