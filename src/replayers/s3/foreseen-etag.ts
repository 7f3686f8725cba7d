/** The ETag that an upload will give an object, on a server that makes ETags of MD5 and encrypts with no keys of its own. */
import { createHash } from "node:crypto";
import type { ObjectRecord } from "../../model/record.js";
import { etagOfParts, isPlainMd5, partsOf } from "./part-size.js";
import type { UploadPlan } from "./upload-plan.js";

/**
 * Above this an ETag of the dump that has the form which the upload gives is taken at its word: to check it would read as
 * much once more as the restore will read.
 */
const READ_BYTES = 64 * 1024 * 1024;

/** Undefined where the dump has no ETag to compare it with. May read the content. */
export async function foreseenEtag(
  { etag, body }: ObjectRecord,
  plan: Exclude<UploadPlan, { kind: "impossible" }>,
): Promise<string | undefined> {
  if (etag === undefined) return undefined;
  const hasForm =
    plan.kind === "single" ? isPlainMd5(etag) : partsOf(etag) === Math.max(1, Math.ceil(body.size / plan.partBytes));
  if (hasForm && ((plan.kind === "parts" && plan.isProven) || body.size > READ_BYTES)) return etag;
  if (plan.kind === "parts") return await etagOfParts(body, plan.partBytes);
  const md5 = createHash("md5");
  for await (const block of body.blocks()) md5.update(block);
  return md5.digest("hex");
}
