/** Checks that a JSON text is an item of a table and finds its key. What only a target decides is left to the target. */
import { escapeForDisplay } from "../model/display.js";
import type { KeyAttribute, TableSchema } from "../model/scope.js";
import { canonicalNumber } from "../support/decimal.js";
import { type JsonObject, type JsonValue, parseLocated } from "../support/json.js";
import { RecordFault } from "./faults.js";
import { ItemScanner, type ScannedKey } from "./item-scan.js";
import { asArray, asObject, asString, decodeBase64 } from "./json-access.js";

export interface ReadItem {
  /** Raw text of the key attributes' values. */
  readonly keyText: { readonly hash: Buffer; readonly range?: Buffer };
  /** Equal for two items exactly when DynamoDB takes their keys for one. */
  readonly canonicalKey: string;
  readonly displayKey: string;
}

/** Reads the items of one table. */
export class ItemReader {
  readonly #schema: TableSchema;
  readonly #scanner: ItemScanner;

  constructor(schema: TableSchema) {
    this.#schema = schema;
    this.#scanner = new ItemScanner(schema);
  }

  /** `text`: without space around it. @throws RecordFault, JsonSyntaxError, FieldError */
  read(text: Buffer): ReadItem {
    const scanned = this.#scanner.scan(text);
    if (scanned === undefined) return readItem(text, this.#schema);
    const { key } = this.#schema;
    const hash = keyPart(key.hash, scanned.hash);
    return key.range === undefined || scanned.range === undefined
      ? readKey(hash)
      : readKey(hash, keyPart(key.range, scanned.range));
  }
}

interface KeyPart {
  readonly raw: Buffer;
  readonly canonical: string;
  readonly display: string;
}

function keyPart(key: KeyAttribute, { raw, value }: ScannedKey): KeyPart {
  return { raw, canonical: canonical(key, value), display: escapeForDisplay(value) };
}

/** @throws RecordFault, JsonSyntaxError, FieldError */
export function readItem(text: Buffer, schema: TableSchema): ReadItem {
  const { value: root, ranges } = parseLocated(text);
  const item = asObject(root, "the item");
  for (const [name, value] of item) checkAttribute(value, name);
  const part = (key: KeyAttribute): KeyPart => {
    const value = keyValue(item, key);
    const [start, end] = ranges.get(key.name) ?? [0, 0];
    return keyPart(key, { raw: text.subarray(start, end), value });
  };
  const hash = part(schema.key.hash);
  return schema.key.range === undefined ? readKey(hash) : readKey(hash, part(schema.key.range));
}

function readKey(hash: KeyPart, range?: KeyPart): ReadItem {
  if (range === undefined) {
    return { keyText: { hash: hash.raw }, canonicalKey: hash.canonical, displayKey: hash.display };
  }
  return {
    keyText: { hash: hash.raw, range: range.raw },
    canonicalKey: JSON.stringify([hash.canonical, range.canonical]),
    displayKey: `${hash.display} / ${range.display}`,
  };
}

function keyValue(item: JsonObject, key: KeyAttribute): string {
  const attribute = item.get(key.name);
  if (attribute === undefined) throw new RecordFault("missing-key", `it has no key attribute "${key.name}"`);
  const value = asObject(attribute, `"${key.name}"`).get(key.type);
  if (typeof value !== "string") {
    throw new RecordFault("wrong-key-type", `its key attribute "${key.name}" is not of type ${key.type}`);
  }
  return value;
}

function canonical(key: KeyAttribute, value: string): string {
  if (key.type === "N") return `N${canonicalNumber(value)}`;
  return key.type === "B" ? `B${Buffer.from(value, "base64").toString("hex")}` : `S${value}`;
}

function checkAttribute(value: JsonValue, name: string): void {
  const what = `attribute "${name}"`;
  const object = asObject(value, what);
  const [entry] = object;
  if (object.size !== 1 || entry === undefined) throw fault(`${what} does not have exactly one type`);
  checkTyped(entry[0], entry[1], what);
}

function checkTyped(type: string, value: JsonValue, what: string): void {
  switch (type) {
    case "S":
    case "N":
      asString(value, what);
      return;
    case "B":
      decodeBase64(asString(value, what), what);
      return;
    case "BOOL":
      if (typeof value !== "boolean") throw fault(`${what} is BOOL but neither true nor false`);
      return;
    case "NULL":
      if (value !== true) throw fault(`${what} is NULL but not true`);
      return;
    case "SS":
    case "NS":
      for (const member of asArray(value, what)) asString(member, what);
      return;
    case "BS":
      for (const member of asArray(value, what)) decodeBase64(asString(member, what), what);
      return;
    case "L":
      for (const member of asArray(value, what)) checkAttribute(member, `${what}[]`);
      return;
    case "M":
      for (const [name, member] of asObject(value, what)) checkAttribute(member, name);
      return;
    default:
      throw fault(`${what} has the unknown type "${type}"`);
  }
}

function fault(message: string): RecordFault {
  return new RecordFault("invalid-item", message);
}
