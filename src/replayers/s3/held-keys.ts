/**
 * The keys of all objects that a bucket lists. What a server does not list at all is not found: MinIO keeps `a/b` under
 * an object `a` without listing it.
 *
 * A listing in plain XML cannot write some characters. Go's encoder, and so elastickv, puts U+FFFD in place of each; and
 * the client's reader of XML gives a key of nothing but white space with a line break as nothing. What stands behind such
 * a key is found out by asking what is listed with that beginning.
 */
import { escapeForDisplay } from "../../model/display.js";
import { SpillingSet } from "../../support/spilling-set.js";
import type { HeldKey } from "../verifier.js";
import type { KeyPage, S3Api } from "./api.js";

const REPLACEMENT = "\ufffd";
/** What stands in a listing as U+FFFD: itself, and what XML 1.0 cannot hold. */
const REPLACED = [
  ...Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).filter((char) => !/[\t\n\r]/.test(char)),
  REPLACEMENT,
  "\ufffe",
  "\uffff",
];
const BLANKS = ["\t", "\n", "\r", " "];

/** Pages as the server lists them. `workDirectory` takes a file, if very many keys have to be found out. */
export async function* heldKeys(api: S3Api, bucket: string, workDirectory: string): AsyncGenerator<readonly HeldKey[]> {
  // Several keys may be listed alike.
  const known = new SpillingSet(workDirectory);
  try {
    for (let page = await api.listObjects(bucket); ; page = await api.listObjects(bucket, { after: page.next })) {
      const keys = await exactKeys(api, bucket, page, (listed) => known.add(listed));
      if (keys.length > 0) yield keys.map((key) => ({ key: Buffer.from(key), displayKey: escapeForDisplay(key) }));
      if (page.next === undefined) return;
    }
  } finally {
    known.close();
  }
}

/**
 * The keys of a page as they are. `isNew`: whether to find out what stands behind this one, which may be several keys
 * that are all listed so.
 */
export async function exactKeys(
  api: S3Api,
  bucket: string,
  page: KeyPage,
  isNew: (listed: string) => boolean,
): Promise<string[]> {
  const keys: string[] = [];
  for (const listed of page.keys) {
    const isExact = page.isExact || !(listed === "" || listed.includes(REPLACEMENT));
    if (isExact) keys.push(listed);
    else if (isNew(listed)) keys.push(...(await keysListedAs(api, bucket, listed)));
  }
  return keys;
}

/**
 * All keys that a listing shows so. If none is found, the key holds what no dump's key does, bytes that are no UTF-8,
 * and is given as it is shown.
 */
async function keysListedAs(api: S3Api, bucket: string, listed: string): Promise<string[]> {
  const candidates = listed === "" ? blankKeys(api, bucket) : replacedKeys(api, bucket, listed);
  const held: string[] = [];
  for (const key of await candidates) {
    if ((await api.headObject({ bucket, key })) !== undefined) held.push(key);
  }
  return held.length === 0 ? [listed] : held;
}

async function replacedKeys(api: S3Api, bucket: string, listed: string): Promise<string[]> {
  const [first = "", ...others] = listed.split(REPLACEMENT);
  let found = [first];
  for (const part of others) {
    const longer = found.flatMap((start) => REPLACED.map((char) => start + char + part));
    found = await beginnings(api, bucket, longer);
  }
  return found;
}

async function blankKeys(api: S3Api, bucket: string): Promise<string[]> {
  const found: string[] = [];
  for (let starts = [""]; starts.length > 0; ) {
    const longer = starts.flatMap((start) => BLANKS.map((char) => start + char));
    starts = await beginnings(api, bucket, longer);
    found.push(...starts.filter((start) => start.includes("\n")));
  }
  return found;
}

/** Those with which a key begins that the bucket lists. */
async function beginnings(api: S3Api, bucket: string, candidates: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const prefix of candidates) {
    const { keys } = await api.listObjects(bucket, { prefix, most: 1 });
    if (keys.length > 0) found.push(prefix);
  }
  return found;
}
