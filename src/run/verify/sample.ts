/** Which records of a dump are compared where not all of them are: by their places, so that a second look finds the same. */
import { createHash } from "node:crypto";
import { RestoreError } from "../../errors/restore-error.js";
import { formatPlace, type Place } from "../../model/position.js";

export interface Sample {
  /** Above 0, below 1. */
  readonly share: number;
  /** Another seed chooses other records. */
  readonly seed: string;
}

const FRACTIONS = 2 ** 32;

export function isSampled(sample: Sample | undefined, place: Place): boolean {
  if (sample === undefined) return true;
  const digest = createHash("sha256")
    .update(`${sample.seed}\0${formatPlace(place)}`)
    .digest();
  return digest.readUInt32BE(0) < sample.share * FRACTIONS;
}

/** `1%` or `0.01`. @throws RestoreError USAGE */
export function parseShare(text: string): number {
  const [, digits = "", percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = Number(digits) / (percent === "%" ? 100 : 1);
  if (digits !== "" && share > 0 && share <= 1) return share;
  throw new RestoreError("USAGE", `--sample does not take "${text}"`, {
    hint: "Give a share of the records, above 0%: 1%, or 0.01.",
  });
}
