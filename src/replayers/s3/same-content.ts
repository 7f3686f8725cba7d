/** Whether an object on the target holds a record's bytes, by what can be known of it. */
import type { Content } from "../../model/record.js";
import type { HeldObject, S3Api } from "./api.js";
import { hasEtag, matchingPartSize, partsOf } from "./part-size.js";
import type { ObjectName } from "./requests.js";
import { isOpaque } from "./stored.js";

/** Reads the content, unless the sizes differ. False where the ETag says nothing of the bytes. */
export async function hasContent(content: Content, held: HeldObject): Promise<boolean> {
  return held.size === content.size && !isOpaque(held.headers) && (await hasEtag(content, held.etag));
}

/**
 * As `hasContent`, but where the target encrypts with keys of its own and the ETag says nothing, the object is read: for
 * one that may be this job's own. `partBytes`: the size of the parts that it was made of.
 */
export async function holdsContent(
  { api, name, held }: { readonly api: S3Api; readonly name: ObjectName; readonly held: HeldObject },
  content: Content,
  partBytes?: number,
): Promise<boolean> {
  if (held.size !== content.size) return false;
  if (isOpaque(held.headers)) return (await api.sha256Of(name, held.size)) === content.sha256;
  if (partBytes === undefined) return await hasEtag(content, held.etag);
  return partsOf(held.etag) !== undefined && (await matchingPartSize(content, held.etag, [partBytes])) !== undefined;
}
