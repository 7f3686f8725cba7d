/** An item's key: as one text for all its spellings, as a request takes it, and as people read it. */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import type { ItemRecord } from "../../model/record.js";
import type { KeyAttribute, KeySchema } from "../../model/scope.js";
import { canonicalNumber } from "../../support/decimal.js";
import { type JsonObject, type JsonValue, parseJson } from "../../support/json.js";
import { canonicalKey } from "./same-item.js";

/** Hash first. */
export function keyParts({ hash, range }: KeySchema): KeyAttribute[] {
  return range === undefined ? [hash] : [hash, range];
}

/** Whether every server can be asked for the key's attributes alone: elastickv takes plain names only. */
export function isPlainKey(key: KeySchema): boolean {
  return keyParts(key).every(({ name }) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
}

/** What two records share exactly when their keys are one key to the target. */
export function keyOfRecord({ keyText }: ItemRecord): string {
  const parts = keyText.range === undefined ? [keyText.hash] : [keyText.hash, keyText.range];
  const plain = parts.map(canonicalPlain);
  return plain.includes(undefined) ? canonicalKey(parts.map((part) => parseJson(part))) : `[${plain.join(",")}]`;
}

const PLAIN_HEAD = '{"S":"'.length;
const PLAIN_TAIL = '"}'.length;

/**
 * What `canonicalKey` makes of `{"S":"a"}` or `{"N":"1"}` as nearly all are written, without parsing it: between its outer
 * quotes there is no quote then, for a key has one type, and nothing that JSON would write otherwise.
 */
function canonicalPlain(raw: Buffer): string | undefined {
  const text = raw.toString("utf8");
  if (!text.endsWith('"}') || text.includes("\\")) return undefined;
  if (text.startsWith('{"S":"')) return `["S",${text.slice(PLAIN_HEAD - 1, -1)}]`;
  if (!text.startsWith('{"N":"')) return undefined;
  return `["N","${canonicalNumber(text.slice(PLAIN_HEAD, -PLAIN_TAIL))}"]`;
}

/** The same of an item in an answer, or undefined when it lacks a part of its key. */
export function keyOfItem(item: JsonObject, key: KeySchema): string | undefined {
  const parts = partsOf(item, key);
  return parts === undefined ? undefined : canonicalKey(parts);
}

/** As the reader shows the key of a record. */
export function displayKeyOf(item: JsonObject, key: KeySchema): string {
  const texts = (partsOf(item, key) ?? []).map((part) => {
    const [value] = part instanceof Map ? part.values() : [];
    return escapeForDisplay(typeof value === "string" ? value : "");
  });
  return texts.join(" / ");
}

function partsOf(item: JsonObject, key: KeySchema): JsonValue[] | undefined {
  const all = keyParts(key);
  const told = all.map(({ name }) => item.get(name)).filter((part) => part !== undefined);
  return told.length === all.length ? told : undefined;
}

/** The key as a request names it: a JSON object of its attributes. `canonical`: as `keyOfRecord` gives it. */
export function keyJson(key: KeySchema, canonical: string): Buffer {
  const values = parseJson(Buffer.from(canonical));
  const members = keyParts(key).map(({ name }, i) => {
    const part = Array.isArray(values) ? values[i] : undefined;
    const [type, value] = Array.isArray(part) ? part : [];
    if (typeof type !== "string" || typeof value !== "string") {
      throw new RestoreError("INTERNAL", "a key was given back in another form");
    }
    return `${JSON.stringify(name)}:{${JSON.stringify(type)}:${JSON.stringify(value)}}`;
  });
  return Buffer.from(`{${members.join(",")}}`);
}
