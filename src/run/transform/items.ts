/** Items as a transform sees them, and back. What comes back is checked as an item of the dump is. */
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import { readItem } from "../../readers/dynamodb-item.js";
import { JsonNumber, type JsonValue, parseJson } from "../../support/json.js";
import type { PlainAttributes, PlainItem } from "./plain-records.js";
import type { Rebuilt } from "./rebuilt.js";
import { frameOf } from "./rebuilt.js";
import { asMembers, asOnly, assertSame, asText, TransformFault } from "./returned.js";

/** Beyond DynamoDB's 32 levels, each of them two of JSON. */
const MAX_DEPTH = 100;

export function plainItem(record: ItemRecord, scope: TableScope): PlainItem {
  const item = plainValue(parseJson(record.text)) as PlainAttributes;
  return { adapter: "dynamodb", scope: scope.name, kind: "item", key: record.displayKey, item };
}

/** Objects without a prototype: `__proto__` and `constructor` are attributes like any other. */
function plainValue(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return value.map(plainValue);
  if (!(value instanceof Map)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of value) object[name] = plainValue(member);
  return object;
}

/** @throws TransformFault, and what reading an item of the dump throws */
export function rebuiltItem(returned: unknown, record: ItemRecord, scope: TableScope): Rebuilt<ItemRecord> {
  const members = asOnly(returned, "the item", ["adapter", "scope", "kind", "key", "item"]);
  assertSame(members.get("key"), record.displayKey, "the item's key stands in its attributes; `key`");
  const text = Buffer.from(jsonOf(members.get("item"), "item"));
  const { keyText, canonicalKey, displayKey } = readItem(text, scope.schema);
  const rebuilt: ItemRecord = {
    ...frameOf(record),
    kind: "item",
    displayKey,
    bytes: text.length,
    text,
    keyText,
  };
  return { record: rebuilt, identity: canonicalKey };
}

/** JSON of what DynamoDB's JSON is made of. Bytes become base64 where a binary value stands, nowhere else. */
function jsonOf(value: unknown, what: string, depth = 0): string {
  if (depth > MAX_DEPTH) throw new TransformFault(`${what} is nested too deep`);
  if (typeof value === "string") return JSON.stringify(asText(value, what));
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map((member) => jsonOf(member, `${what}[]`, depth + 1)).join(",")}]`;
  if (typeof value !== "object" || value === null) {
    throw new TransformFault(
      `${what} is ${value === null ? "null" : `of type ${typeof value}`}, which no item can hold`,
    );
  }
  const members = [...asMembers(value, what)].map(([name, member]) => {
    const inside = `${what}.${name}`;
    const text = base64Of(name, member) ?? jsonOf(member, inside, depth + 1);
    return `${JSON.stringify(asText(name, `a name in ${what}`))}:${text}`;
  });
  return `{${members.join(",")}}`;
}

/** An attribute called B would make an item that is none, and be told. */
function base64Of(name: string, value: unknown): string | undefined {
  if (name === "B" && value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("base64"));
  if (name !== "BS" || !Array.isArray(value) || !value.every((member) => member instanceof Uint8Array))
    return undefined;
  return JSON.stringify(value.map((member: Uint8Array) => Buffer.from(member).toString("base64")));
}
