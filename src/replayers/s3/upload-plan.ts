/** Whether an object goes in one PUT or in parts, and in which: so that its ETag comes out as it was, where it can. */
import type { ObjectRecord } from "../../model/record.js";
import type { Refusal } from "./metadata.js";
import { LARGEST_PART_BYTES, matchingPartSize, ownPartSize, partSizeCandidates, partsOf } from "./part-size.js";

/** S3's limit for one PUT. */
const LARGEST_PUT_BYTES = 5 * 1024 * 1024 * 1024;

export interface PlanRules {
  readonly multipartThresholdBytes: number;
  readonly keepEtag: boolean;
  /** Whether content encoding, cache control and disposition survive an upload in parts. */
  readonly keepsHeadersOfParts: boolean;
}

export type UploadPlan =
  | { readonly kind: "single" }
  /** `isProven`: with such parts the content has the dump's ETag. */
  | { readonly kind: "parts"; readonly partBytes: number; readonly isProven: boolean }
  | ({ readonly kind: "impossible" } & Refusal);

/** May read the content once or a few times, where several part sizes could have made its ETag. */
export async function planUpload(record: ObjectRecord, rules: PlanRules): Promise<UploadPlan> {
  const { size } = record.body;
  if (!rules.keepsHeadersOfParts && needsOnePiece(record)) return onePiece(size);
  const parts = record.etag === undefined ? undefined : partsOf(record.etag);
  if (record.etag !== undefined && parts !== undefined) {
    const inferred = await inferPartSize(record, record.etag, parts);
    if (inferred !== undefined) return { kind: "parts", ...inferred };
  }
  const mostAtOnce = rules.keepEtag ? LARGEST_PUT_BYTES : Math.min(rules.multipartThresholdBytes, LARGEST_PUT_BYTES);
  if (size <= mostAtOnce) return { kind: "single" };
  const partBytes = ownPartSize(size);
  if (partBytes <= LARGEST_PART_BYTES) return { kind: "parts", partBytes, isProven: false };
  return { kind: "impossible", reason: "object-too-large", detail: `${size} bytes do not go into 10,000 parts` };
}

/** Whether the object has what some servers drop from an upload in parts. */
export function needsOnePiece({ metadata }: ObjectRecord): boolean {
  const { contentEncoding, cacheControl, contentDisposition } = metadata;
  return [contentEncoding, cacheControl, contentDisposition].some((value) => value !== undefined);
}

function onePiece(size: number): UploadPlan {
  if (size <= LARGEST_PUT_BYTES) return { kind: "single" };
  const detail =
    "in parts, as its size demands, the target would lose its content encoding, disposition or cache control";
  return { kind: "impossible", reason: "metadata-refused", detail };
}

/** A single candidate is taken unread: if it is wrong, the ETag changes and nothing else. */
async function inferPartSize(
  record: ObjectRecord,
  etag: string,
  parts: number,
): Promise<{ readonly partBytes: number; readonly isProven: boolean } | undefined> {
  const candidates = partSizeCandidates(record.body.size, parts);
  const isProven = candidates.length > 1;
  const partBytes = isProven ? await matchingPartSize(record.body, etag, candidates) : candidates[0];
  return partBytes === undefined ? undefined : { partBytes, isProven };
}
