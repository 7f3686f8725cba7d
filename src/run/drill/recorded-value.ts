/**
 * What an assertion means by a record's value: text, whatever the record's type. Takes records as plain objects.
 *
 * Numbers of DynamoDB and scores are compared as exact decimals, everything else as text. Bytes that are no UTF-8 stand as
 * base64; sets, lists and maps as JSON without blanks.
 */
import { canonicalNumber } from "../../support/decimal.js";
import type { PlainAttribute, PlainItem, PlainObject, TransformRecord } from "../transform/plain-records.js";
import { type PartName, partsOf, type RecordAssertion } from "./assertion-schema.js";
import { isMatch } from "./pattern.js";

type Value = { readonly text: string; readonly isNumber?: true } | { readonly none: string };

/** Of an object's body, whatever its size. */
export interface BodyFacts {
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Why the record is not as asserted; undefined when it is. Holds no value of the record. */
export function mismatchOf(record: TransformRecord, assertion: RecordAssertion, body?: BodyFacts): string | undefined {
  const { type, equals, matches } = assertion;
  if (type !== undefined && type !== record.kind) return `its type is ${record.kind}, not ${type}`;
  const parts = partsOf(assertion);
  if (parts.length === 0 && equals === undefined && matches === undefined) return undefined;
  const value = bodyFact(assertion, body) ?? partOf(record, assertion, parts);
  if ("none" in value) return value.none;
  const what = parts.length === 0 ? "its value" : `${parts[0]} ${label(assertion, parts[0])}`;
  if (equals !== undefined && !isEqual(value, equals)) return `${what} is another one than the expected`;
  if (matches !== undefined && !isMatch.test(matches, value.text)) return `${what} does not match ${matches}`;
  return undefined;
}

/** What of an object can be told without its body in memory. */
function bodyFact({ header, metadata, equals = "" }: RecordAssertion, body: BodyFacts | undefined): Value | undefined {
  if (body === undefined || metadata !== undefined) return undefined;
  if (header === "content-length") return { text: String(body.size), isNumber: true };
  return header === undefined && DIGEST.test(equals) ? { text: `sha256:${body.sha256}` } : undefined;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

function isEqual(value: { readonly text: string; readonly isNumber?: true }, expected: string): boolean {
  return value.isNumber === true ? canonicalNumber(value.text) === canonicalNumber(expected) : value.text === expected;
}

function label(assertion: RecordAssertion, part: PartName | undefined): string {
  return part === undefined ? "" : String(assertion[part]);
}

function partOf(record: TransformRecord, assertion: RecordAssertion, parts: readonly PartName[]): Value {
  const [part] = parts;
  switch (record.kind) {
    case "item":
      return part === undefined || part === "attribute"
        ? attributeOf(record, assertion.attribute)
        : strange(record, part);
    case "object":
      return objectPart(record, assertion, part);
    case "string":
      return part === undefined ? { text: textOf(record.value) } : strange(record, part);
    case "hash": {
      if (part !== "field") return strange(record, part);
      const field = record.fields.find(({ name }) => textOf(name) === assertion.field);
      return field === undefined ? { none: `it has no field ${assertion.field}` } : { text: textOf(field.value) };
    }
    case "list": {
      if (assertion.index === undefined) return strange(record, part);
      const item = record.items.at(assertion.index);
      return item === undefined ? { none: `it has ${record.items.length} elements` } : { text: textOf(item) };
    }
    case "set": {
      if (part !== "member") return strange(record, part);
      const member = record.members.find((each) => textOf(each) === assertion.member);
      return member === undefined ? { none: `it has no member ${assertion.member}` } : { text: textOf(member) };
    }
    case "zset": {
      if (part !== "member") return strange(record, part);
      const found = record.members.find(({ member }) => textOf(member) === assertion.member);
      return found === undefined
        ? { none: `it has no member ${assertion.member}` }
        : { text: String(found.score), isNumber: true };
    }
    case "stream":
      return entryOf(record.entries, assertion);
    default:
      return strange(record, part);
  }
}

function strange({ kind }: TransformRecord, part: PartName | undefined): Value {
  const how = PARTS_OF[kind];
  const given = part === undefined ? "the whole of it" : `its ${part}`;
  return { none: `of a record of type ${kind}, ${how} can be compared, not ${given}` };
}

const PARTS_OF: Record<TransformRecord["kind"], string> = {
  item: "an attribute",
  object: "the body, a header or metadata",
  string: "the value",
  hash: "a field",
  list: "an element by its index",
  set: "whether a member is there",
  zset: "a member's score",
  stream: "a field of an entry",
  hll: "the type alone",
  message: "nothing",
};

function entryOf(
  entries: readonly {
    readonly id: string;
    readonly fields: readonly { readonly name: Buffer; readonly value: Buffer }[];
  }[],
  { entry, field }: RecordAssertion,
): Value {
  if (entry === undefined) return { none: "of a record of type stream, a field of an entry can be compared" };
  const found = entries.find(({ id }) => id === entry);
  if (found === undefined) return { none: `it has no entry ${entry}` };
  if (field === undefined) return { text: entry };
  const value = found.fields.find(({ name }) => textOf(name) === field)?.value;
  return value === undefined ? { none: `entry ${entry} has no field ${field}` } : { text: textOf(value) };
}

function objectPart(record: PlainObject, assertion: RecordAssertion, part: PartName | undefined): Value {
  const { body, metadata } = record;
  if (part === "metadata") {
    const name = assertion.metadata?.toLowerCase();
    const found = metadata.user.find((each) => each.name.toLowerCase() === name);
    return found === undefined ? { none: `it has no metadata ${assertion.metadata}` } : { text: found.value };
  }
  if (part === "header" && assertion.header !== undefined && assertion.header !== "content-length") {
    const value = metadata[HEADERS[assertion.header]];
    return value === undefined ? { none: `it has no header ${assertion.header}` } : { text: value };
  }
  if (part !== undefined && part !== "header") return strange(record, part);
  if (body === null) return { none: "its body is too large to be compared with a text" };
  return part === "header" ? { text: String(body.length), isNumber: true } : { text: textOf(body) };
}

const HEADERS = {
  "content-type": "contentType",
  "content-encoding": "contentEncoding",
  "cache-control": "cacheControl",
  "content-disposition": "contentDisposition",
} as const;

/** `lines[0].sku`; an attribute whose own name is the whole path comes first. */
function attributeOf({ item }: PlainItem, path: string | undefined): Value {
  if (path === undefined)
    return { none: "of a record of type item, an attribute can be compared, not the whole of it" };
  const whole = Object.hasOwn(item, path) ? item[path] : undefined;
  const found = whole ?? stepsOf(path).reduce<PlainAttribute | undefined>(stepInto, { M: item });
  return found === undefined ? { none: `it has no attribute ${path}` } : attributeText(found);
}

function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, at, name]) =>
    at === undefined ? (name ?? "") : Number(at),
  );
}

function stepInto(attribute: PlainAttribute | undefined, step: string | number): PlainAttribute | undefined {
  if (attribute === undefined) return undefined;
  if (typeof step === "number") return "L" in attribute ? attribute.L[step] : undefined;
  return "M" in attribute && Object.hasOwn(attribute.M, step) ? attribute.M[step] : undefined;
}

function attributeText(attribute: PlainAttribute): Value {
  if ("S" in attribute) return { text: attribute.S };
  if ("N" in attribute) return { text: attribute.N, isNumber: true };
  if ("BOOL" in attribute) return { text: String(attribute.BOOL) };
  if ("NULL" in attribute) return { text: "null" };
  if ("B" in attribute)
    return { text: typeof attribute.B === "string" ? attribute.B : textOf(Buffer.from(attribute.B)) };
  return { text: JSON.stringify(Object.values(attribute)[0]) };
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : bytes.toString("base64");
}
