/**
 * Request bodies for items, put together from the items' own JSON text: what was checked is what is sent. The text is
 * trusted to be an item, for the reader has parsed it.
 */
import type { ItemRecord } from "../../model/record.js";
import type { KeySchema } from "../../model/scope.js";
import { keyParts } from "./keys.js";

const ITEM_HEAD = Buffer.from('{"PutRequest":{"Item":');
const ITEM_TAIL = Buffer.from("}}");
const COMMA = Buffer.from(",");

/** Bytes that a batch's body needs beside its items, at most: a table's name has 255 bytes, or six times that escaped. */
export const BATCH_OVERHEAD_BYTES = 2048;
/** Bytes around each item of a batch. */
export const ITEM_OVERHEAD_BYTES = ITEM_HEAD.length + ITEM_TAIL.length + COMMA.length;

export function batchBody(table: string, texts: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"RequestItems":{${JSON.stringify(table)}:[`)];
  for (const [i, text] of texts.entries()) {
    if (i > 0) parts.push(COMMA);
    parts.push(ITEM_HEAD, text, ITEM_TAIL);
  }
  parts.push(Buffer.from("]}}"));
  return Buffer.concat(parts);
}

export function putBody(table: string, text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"TableName":${JSON.stringify(table)},"Item":`), text, Buffer.from("}")]);
}

/** A put that fails when an item stands under the key. Every item has a hash key, whatever its name. */
export function putIfAbsentBody(table: string, text: Buffer, hashName: string): Buffer {
  return conditionalBody({ table, text, hashName }, "attribute_not_exists(#k)");
}

/** A put that fails whatever stands under the key. */
export function putNeverBody(table: string, text: Buffer, hashName: string): Buffer {
  return conditionalBody({ table, text, hashName }, "attribute_exists(#k) AND attribute_not_exists(#k)");
}

function conditionalBody(
  { table, text, hashName }: { readonly table: string; readonly text: Buffer; readonly hashName: string },
  condition: string,
): Buffer {
  const names = `"ExpressionAttributeNames":{"#k":${JSON.stringify(hashName)}}`;
  const head = `{"TableName":${JSON.stringify(table)},"ConditionExpression":"${condition}",${names},"Item":`;
  return Buffer.concat([Buffer.from(head), text, Buffer.from("}")]);
}

type KeyText = ItemRecord["keyText"];

/** What is read, and of which table. */
export interface Asked {
  readonly table: string;
  readonly key: KeySchema;
  /** Of each item no attribute but those of its key. */
  readonly keyOnly: boolean;
}

/** Reads the item under a record's key, as it stands after every write acknowledged so far. */
export function getBody(asked: Asked, keyText: KeyText): Buffer {
  const head = `{"TableName":${JSON.stringify(asked.table)},${reading(asked)},"Key":`;
  return Buffer.concat([Buffer.from(head), keyObject(asked.key, keyText), Buffer.from("}")]);
}

/** The same for several keys, none of them twice. */
export function batchGetBody(asked: Asked, keyTexts: readonly KeyText[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"RequestItems":{${JSON.stringify(asked.table)}:{${reading(asked)},"Keys":[`)];
  for (const [i, keyText] of keyTexts.entries()) {
    if (i > 0) parts.push(COMMA);
    parts.push(keyObject(asked.key, keyText));
  }
  return Buffer.concat([...parts, Buffer.from("]}}}")]);
}

/** A page of all items. `start`: what the page before said, as it stands in its answer. */
export function scanBody(asked: Asked, limit: number, start: Buffer | undefined): Buffer {
  const parts: Buffer[] = [
    Buffer.from(`{"TableName":${JSON.stringify(asked.table)},${reading(asked)},"Limit":${limit}`),
  ];
  if (start !== undefined) parts.push(Buffer.from(',"ExclusiveStartKey":'), start);
  return Buffer.concat([...parts, Buffer.from("}")]);
}

/** `keys`: JSON objects of the key attributes. */
export function deleteBody(table: string, keys: readonly Buffer[]): Buffer {
  const requests = keys.map((key) => `{"DeleteRequest":{"Key":${key.toString()}}}`);
  return Buffer.from(`{"RequestItems":{${JSON.stringify(table)}:[${requests.join(",")}]}}`);
}

function reading({ key, keyOnly }: Asked): string {
  const consistent = '"ConsistentRead":true';
  if (!keyOnly) return consistent;
  const names = keyParts(key).map(({ name }, i) => [`#k${i}`, name] as const);
  const placeholders = names.map(([placeholder]) => placeholder).join(",");
  const named = JSON.stringify(Object.fromEntries(names));
  return `${consistent},"ProjectionExpression":"${placeholders}","ExpressionAttributeNames":${named}`;
}

function keyObject(key: KeySchema, { hash, range }: KeyText): Buffer {
  const parts: Buffer[] = [Buffer.from(`{${JSON.stringify(key.hash.name)}:`), hash];
  if (key.range !== undefined && range !== undefined) {
    parts.push(Buffer.from(`,${JSON.stringify(key.range.name)}:`), range);
  }
  return Buffer.concat([...parts, Buffer.from("}")]);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The same JSON without the space between its tokens; dumps indent items, which can double a request's size. */
export function compactJson(text: Buffer): Buffer {
  const out = Buffer.allocUnsafe(text.length);
  let length = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] ?? 0;
    if (inString) {
      out[length++] = byte;
      if (byte === BACKSLASH) out[length++] = text[++at] ?? 0;
      else if (byte === QUOTE) inString = false;
      continue;
    }
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    if (byte === QUOTE) inString = true;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
