/**
 * What can be known of an object's bytes beside a record's, cheapest first: its size, its ETag, a SHA-256 that the target
 * keeps, and, where the caller wants that, by reading it.
 *
 * An ETag of parts that does not come out proves nothing by itself: the bytes may be the same, cut into other parts, or
 * the server may make such ETags in another way. Where the parts are known, it is reason enough to read the object.
 */
import type { Content } from "../../model/record.js";
import type { HeldObject, S3Api } from "./api.js";
import { ifTold } from "./if-told.js";
import { etagOfLayout, hasEtag, isPlainMd5, partsOf } from "./part-size.js";
import type { ObjectName } from "./requests.js";
import type { Slots } from "./slots.js";
import { isOpaque } from "./stored.js";

export interface HeldUnder {
  readonly api: S3Api;
  readonly name: ObjectName;
  readonly held: HeldObject;
}

export interface ProofInit {
  /** Read the object if nothing else tells. */
  readonly download: boolean;
  /** For what reads whole contents. */
  readonly slots: Slots;
}

/** `differs` and `unproven` with a sentence. */
export type Proof =
  | { readonly kind: "same" }
  | { readonly kind: "differs"; readonly detail: string }
  | { readonly kind: "unproven"; readonly detail: string };

const SAME: Proof = { kind: "same" };
const UNTOLD = "the bytes: the target gives no digest to compare them by; --download reads them";
/** Parts whose sizes are asked for one by one; of more the first is, and they count as equal. */
const MOST_ASKED_PARTS = 100;

/** Reads the record's content, unless the sizes differ or the target gives its SHA-256. @throws what reading it throws */
export async function proveContent(under: HeldUnder, content: Content, init: ProofInit): Promise<Proof> {
  const { api, name, held } = under;
  // Who unpacks or packs on the way does not tell the size.
  const tellsSize = held.headers["content-length"] !== undefined;
  if (tellsSize && held.size !== content.size) {
    return differs(`it has ${held.size} bytes, the dump's has ${content.size}`);
  }
  const told = isOpaque(held.headers) ? "nothing" : await init.slots.use(() => toldByEtag(under, content));
  if (told === "same") return SAME;
  if (told === "other") return differs(`its MD5 is ${held.etag}, the dump's another`);
  const kept = await keptSha256(under);
  if (kept !== undefined) return kept === content.sha256 ? SAME : differs(`its SHA-256 is ${kept}`);
  if (!init.download && told === "nothing") return { kind: "unproven", detail: UNTOLD };
  const read = await init.slots.use(() => api.sha256Of(name, content.size));
  return read === content.sha256 ? SAME : differs(`its SHA-256 is ${read}, by reading it`);
}

function differs(detail: string): Proof {
  return { kind: "differs", detail };
}

async function toldByEtag(under: HeldUnder, content: Content): Promise<"same" | "other" | "doubt" | "nothing"> {
  const { etag } = under.held;
  if (isPlainMd5(etag)) return (await hasEtag(content, etag)) ? "same" : "other";
  const parts = partsOf(etag);
  if (parts === undefined) return "nothing";
  const layout = await layoutOf(under, parts, content.size);
  if (layout === undefined) return (await hasEtag(content, etag)) ? "same" : "nothing";
  return (await etagOfLayout(content, layout)) === etag.toLowerCase() ? "same" : "doubt";
}

/** The sizes of the object's parts, where the target tells them. */
async function layoutOf({ api, name }: HeldUnder, parts: number, size: number): Promise<number[] | undefined> {
  if (parts === 1) return [size];
  const sizeOf = (number: number) => ifTold(() => api.partBytes(name, number, parts));
  const first = await sizeOf(1);
  if (first === undefined || first === 0) return undefined;
  const layout = [first];
  for (let number = 2; number <= parts; number++) {
    const left = Math.min(first, size - (number - 1) * first);
    layout.push(parts > MOST_ASKED_PARTS ? left : ((await sizeOf(number)) ?? Number.NaN));
  }
  const isWhole = layout.every((bytes) => bytes >= 0) && layout.reduce((sum, bytes) => sum + bytes, 0) === size;
  return isWhole ? layout : undefined;
}

/** The SHA-256 of the whole object, lower-case hex, where the target keeps one. Digests of parts' digests end in `-n`. */
async function keptSha256({ api, name, held }: HeldUnder): Promise<string | undefined> {
  const again = await ifTold(() => api.headObject(name, { checksums: true }));
  const value = again?.etag === held.etag ? again.headers["x-amz-checksum-sha256"] : undefined;
  return value === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(value)
    ? undefined
    : Buffer.from(value, "base64").toString("hex");
}
