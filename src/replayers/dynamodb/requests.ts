/**
 * Request bodies for items, put together from the items' own JSON text: what was checked is what is sent. The text is
 * trusted to be an item, for the reader has parsed it.
 */
import type { ItemRecord } from "../../model/record.js";
import type { KeySchema } from "../../model/scope.js";

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
  const condition = `"ConditionExpression":"attribute_not_exists(#k)","ExpressionAttributeNames":{"#k":${JSON.stringify(hashName)}}`;
  return Buffer.concat([
    Buffer.from(`{"TableName":${JSON.stringify(table)},${condition},"Item":`),
    text,
    Buffer.from("}"),
  ]);
}

/** Reads the item under a record's key, as it stands after every write acknowledged so far. */
export function getBody(table: string, key: KeySchema, keyText: ItemRecord["keyText"]): Buffer {
  const parts: Buffer[] = [
    Buffer.from(`{"TableName":${JSON.stringify(table)},"ConsistentRead":true,"Key":{${JSON.stringify(key.hash.name)}:`),
    keyText.hash,
  ];
  if (key.range !== undefined && keyText.range !== undefined) {
    parts.push(Buffer.from(`,${JSON.stringify(key.range.name)}:`), keyText.range);
  }
  parts.push(Buffer.from("}}"));
  return Buffer.concat(parts);
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
