/** Tables with keys of every type, with and without indexes, and items of every type within the service's limits. */
import fc from "fast-check";

import { fallbackOf, segmentOf } from "../dump-builder.js";
import { someBytes, someText } from "../fuzz.js";
import { canonicalDecimal } from "../readback/decimal.js";
import { type JsonSource, jsonText } from "./json-text.js";
import { type DumpKind, type DumpPart, joined, type Shape, scopeNames, seldom } from "./parts.js";

const MAX_SEGMENT = 240;

type KeyType = "S" | "N" | "B";
type Attributes = Map<string, JsonSource>;

/** Up to 38 digits, from 1E-130 to 9.9E+125, in some of the notations that a number has. */
const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom("0", "-0", "0.5", "1.50", "1e2", "-1E-130", `${"9".repeat(38)}`),
  fc
    .tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 10n ** 38n - 1n }), fc.integer({ min: -80, max: 80 }))
    .map(([isNegative, digits, power]) => `${isNegative ? "-" : ""}${digits}${power === 0 ? "" : `E${power}`}`),
);

const filledText = (maxLength: number) => someText(maxLength).filter((value) => value !== "");
const filledBytes = (maxLength: number) => someBytes(maxLength).filter(({ length }) => length > 0);
const base64 = (bytes: fc.Arbitrary<Buffer>) => bytes.map((value) => value.toString("base64"));
const attributeName = seldom(10, fc.constantFrom("__proto__", "constructor", "S", "#n"), filledText(8));

function setOf(element: fc.Arbitrary<string>, selector: (element: string) => string = (each) => each) {
  return fc.uniqueArray(element, { minLength: 1, maxLength: 5, selector });
}

function typed(type: string, value: fc.Arbitrary<JsonSource>): fc.Arbitrary<JsonSource> {
  return value.map((inner) => ({ [type]: inner }));
}

const { value: attributeValue } = fc.letrec<{ value: JsonSource }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    typed("S", someText(30)),
    typed("N", number),
    typed("B", base64(someBytes(30))),
    typed("BOOL", fc.boolean()),
    typed("NULL", fc.constant(true)),
    typed("SS", setOf(filledText(10))),
    typed("NS", setOf(number, canonicalDecimal)),
    typed("BS", setOf(base64(filledBytes(10)))),
    typed("L", fc.array(tie("value"), { maxLength: 4 })),
    typed("M", attributes(tie("value"), 4)),
  ),
}));

function attributes(value: fc.Arbitrary<JsonSource>, most: number): fc.Arbitrary<Attributes> {
  return fc
    .uniqueArray(fc.tuple(attributeName, value), { maxLength: most, selector: ([name]) => name })
    .map((members) => new Map(members));
}

const KEY_VALUES: Readonly<Record<KeyType, fc.Arbitrary<string>>> = {
  S: seldom(12, filledText(250), filledText(16)),
  N: number,
  B: base64(filledBytes(24)),
};

interface KeyPart {
  readonly name: string;
  readonly type: KeyType;
}

interface TableSource {
  readonly hash: KeyPart;
  readonly range: KeyPart | undefined;
  readonly index: "none" | "ALL" | "KEYS_ONLY" | "INCLUDE";
  readonly layout: "per-item" | "jsonl";
}

const keyType = fc.constantFrom<KeyType>("S", "N", "B");
const table: fc.Arbitrary<TableSource> = fc.record({
  hash: fc.record({ name: fc.constantFrom("id", "__proto__", "p k", "hash#é"), type: keyType }),
  range: fc.option(fc.record({ name: fc.constantFrom("sort", "r\u{1f600}"), type: keyType }), { nil: undefined }),
  index: fc.constantFrom<TableSource["index"]>("none", "none", "ALL", "KEYS_ONLY", "INCLUDE"),
  layout: fc.constantFrom<TableSource["layout"]>("per-item", "jsonl"),
});

/** Of the index: an item without these attributes is not in it. */
const INDEX_HASH: KeyPart = { name: "index hash", type: "S" };
const INDEX_RANGE: KeyPart = { name: "index range", type: "N" };

interface Item {
  readonly keys: readonly string[];
  readonly attributes: Attributes;
}

function itemOf({ hash, range, index }: TableSource): fc.Arbitrary<Item> {
  const parts = range === undefined ? [hash] : [hash, range];
  const indexParts = index === "none" ? [] : [INDEX_HASH, INDEX_RANGE];
  const keys = fc.tuple(...parts.map(({ type }) => KEY_VALUES[type]));
  const indexKeys = fc.tuple(...indexParts.map(({ type }) => fc.option(KEY_VALUES[type], { nil: undefined })));
  return fc.tuple(keys, indexKeys, attributes(attributeValue, 6), fc.boolean()).map(([key, indexKey, own, isFirst]) => {
    const named = [...parts, ...indexParts].flatMap(({ name, type }, at): [string, JsonSource][] => {
      const value = [...key, ...indexKey][at];
      return value === undefined ? [] : [[name, { [type]: value }]];
    });
    const others = [...own].filter(([name]) => ![...parts, ...indexParts].some((part) => part.name === name));
    return { keys: key, attributes: new Map(isFirst ? [...named, ...others] : [...others, ...named]) };
  });
}

/** What DynamoDB takes for one key is one: `1.0` and `1`. */
function identity({ keys }: Item, { hash, range }: TableSource): string {
  const parts = range === undefined ? [hash] : [hash, range];
  return JSON.stringify(keys.map((key, at) => (parts[at]?.type === "N" ? canonicalDecimal(key) : key)));
}

export function tables({ shape }: DumpKind): fc.Arbitrary<DumpPart> {
  const one = (name: string) =>
    table.chain((source) =>
      fc
        .uniqueArray(itemOf(source), { maxLength: 12, selector: (item) => identity(item, source) })
        .map((items): DumpPart => ({ files: tableFiles(name, source, { items, shape }), absent: [] })),
    );
  return scopeNames(/^[A-Za-z0-9_.-]{3,20}$/, 2)
    .chain((names) => fc.tuple(...names.map(one)))
    .map(joined);
}

function tableFiles(
  name: string,
  source: TableSource,
  { items, shape }: { readonly items: readonly Item[]; readonly shape: Shape },
): Record<string, string> {
  const root = `dynamodb/${segmentOf(name)}`;
  const files: Record<string, string> = { [`${root}/_schema.json`]: jsonText(schemaOf(name, source, shape)) };
  const texts = items.map((item) => jsonText(item.attributes));
  if (source.layout === "jsonl" && items.length > 0) {
    files[`${root}/items/data-00001.jsonl`] = texts.map((text) => `${text}\n`).join("");
    return files;
  }
  for (const [at, { keys }] of items.entries()) {
    const types = [source.hash.type, source.range?.type ?? "S"] as const;
    const path = keys.map((key, part) => keySegment(key, types[part] ?? "S")).join("/");
    files[`${root}/items/${path}.json`] = texts[at] ?? "";
  }
  return files;
}

function schemaOf(table_name: string, { hash, range, index }: TableSource, shape: Shape): JsonSource {
  const keys = [hash, ...(range === undefined ? [] : [range]), ...(index === "none" ? [] : [INDEX_HASH, INDEX_RANGE])];
  const indexKeys =
    shape === "design"
      ? [{ ...INDEX_HASH }, { ...INDEX_RANGE }]
      : { hash_key: { ...INDEX_HASH }, range_key: { ...INDEX_RANGE } };
  const extra = index === "INCLUDE" ? ["extra"] : undefined;
  const indexes: JsonSource = [
    { name: "by_index", key_schema: indexKeys, projection: { type: index, non_key_attributes: extra } },
  ];
  const rangeKey = range === undefined ? (shape === "shipped" ? {} : undefined) : { ...range };
  return {
    format_version: 1,
    table_name,
    primary_key: { hash_key: { ...hash }, range_key: rangeKey },
    attribute_definitions: [...keys, { name: "used by none", type: "S" }].map((part) => ({ ...part })),
    global_secondary_indexes: index === "none" ? undefined : indexes,
    billing_mode: shape === "design" ? "PAY_PER_REQUEST" : undefined,
  };
}

function keySegment(key: string, type: KeyType): string {
  if (type === "B") {
    const segment = `b64.${Buffer.from(key, "base64").toString("base64url")}`;
    return segment.length <= MAX_SEGMENT ? segment : fallbackOf(Buffer.from(key, "base64")).segment;
  }
  const plain = segmentOf(key);
  return plain.length <= MAX_SEGMENT && !/^(b64\.|[0-9a-f]{32}__)/.test(plain) ? plain : fallbackOf(key).segment;
}
