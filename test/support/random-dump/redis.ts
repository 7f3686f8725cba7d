/** Databases of keys that are any bytes, values of every type, in both of the shapes that they are written in. */
import fc from "fast-check";

import { fallbackOf, segmentOf } from "../dump-builder.js";
import { someBytes, someText } from "../fuzz.js";
import { redisRecord } from "../readback/expected-redis.js";
import { binarySafe, Digits, isText, type JsonSource, jsonText } from "./json-text.js";
import { type DumpKind, type DumpPart, joined, type Shape, seldom } from "./parts.js";

const MAX_SEGMENT = 240;
const HOUR_MS = 3_600_000;

interface Value {
  readonly directory: string;
  /** With the time that the record is to end at, where the file itself holds it. */
  content(shape: Shape, expireAtMs: number | null): string | Buffer;
  readonly isEmpty: boolean;
}

const text = (maxLength: number) => someText(maxLength).map((value) => Buffer.from(value));
const bytes = (maxLength: number) => fc.oneof(text(maxLength), someBytes(maxLength));

/** Also the empty one, ones that look like the format's special names, and ones too long for a name. */
const key: fc.Arbitrary<Buffer> = fc.oneof(
  { arbitrary: bytes(20), weight: 6 },
  {
    arbitrary: fc
      .constantFrom("", ".", "..", "__proto__", "%41", "b64.QUJD", `${"0f".repeat(16)}__key`, "{tag}:x", "KEYMAP.jsonl")
      .map((name) => Buffer.from(name)),
    weight: 2,
  },
  { arbitrary: fc.uint8Array({ minLength: 81, maxLength: 600 }).map((array) => Buffer.from(array)), weight: 1 },
);

/** Mostly none; or hours ahead; or past. */
const expiry = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 6 },
  { arbitrary: fc.integer({ min: HOUR_MS, max: 20_000 * HOUR_MS }), weight: 3 },
  { arbitrary: fc.integer({ min: -20_000 * HOUR_MS, max: -HOUR_MS }), weight: 1 },
);

function distinct<T>(element: fc.Arbitrary<T>, identity: (element: T) => Buffer): fc.Arbitrary<T[]> {
  const options = { selector: (each: T) => identity(each).toString("hex") };
  const few = fc.uniqueArray(element, { ...options, maxLength: 8 });
  return seldom(20, fc.uniqueArray(element, { ...options, minLength: 80, maxLength: 300 }), few);
}

function collection(directory: string, name: string, elements: (shape: Shape) => JsonSource, count: number): Value {
  return {
    directory,
    content: (shape, expire_at_ms) => jsonText({ format_version: 1, [name]: elements(shape), expire_at_ms }),
    isEmpty: count === 0,
  };
}

const string = seldom(
  15,
  fc.uint8Array({ minLength: 70_000, maxLength: 90_000 }),
  fc.uint8Array({ maxLength: 60 }),
).map((value): Value => ({ directory: "strings", content: () => Buffer.from(value), isEmpty: false }));

const hash = distinct(fc.tuple(bytes(10), bytes(20)), ([name]) => name).map((fields) => {
  const listed = () => fields.map(([name, value]) => ({ name: binarySafe(name), value: binarySafe(value) }));
  // A name that is no text cannot be a member's: then the design's shape is the other one too.
  const isObject = fields.every(([name]) => isText(name));
  const object = () => new Map(fields.map(([name, value]) => [name.toString(), binarySafe(value)]));
  return collection(
    "hashes",
    "fields",
    (shape) => (shape === "design" && isObject ? object() : listed()),
    fields.length,
  );
});

const list = fc
  .array(bytes(20), { maxLength: 10 })
  .map((items) => collection("lists", "items", () => items.map(binarySafe), items.length));

const set = distinct(bytes(12), (member) => member).map((members) =>
  collection("sets", "members", () => members.map(binarySafe), members.length),
);

const score: fc.Arbitrary<JsonSource> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => new Digits(JSON.stringify(number))),
  fc.integer().map((number) => new Digits(String(number))),
  fc.constantFrom("+inf", "-inf", new Digits("-0"), new Digits("1E+2"), new Digits("0.10")),
);

const sortedSet = distinct(fc.tuple(bytes(12), score), ([member]) => member).map((scored) => {
  const members = () => scored.map(([member, score]) => ({ member: binarySafe(member), score }));
  return collection("zsets", "members", members, scored.length);
});

const uint64 = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 20n }));
type Id = readonly [ms: bigint, sequence: bigint];
const id: fc.Arbitrary<Id> = fc.tuple(uint64, uint64).filter(([ms, sequence]) => ms + sequence > 0n);

function byId([a, b]: Id, [c, d]: Id): number {
  return a === c ? Number(b > d) - Number(b < d) : Number(a > c) - Number(a < c);
}

interface StreamSource {
  readonly ids: readonly Id[];
  readonly fields: readonly (readonly (readonly [Buffer, Buffer])[])[];
  readonly meta: "top" | "stale" | "later" | "none";
  readonly later: Id;
}

/** The meta line tells the top id, or an older one, or a later one, or is not there. */
function stream(isForElastickv: boolean): fc.Arbitrary<Value> {
  const some = isForElastickv ? text : bytes;
  const entryFields = fc.array(fc.tuple(some(6), some(12)), { minLength: 1, maxLength: 4 });
  const metas = ["top", "stale", "none"] as const;
  return fc
    .record({
      ids: fc.uniqueArray(id, { maxLength: 6, selector: String }).map((ids) => [...ids].sort(byId)),
      fields: fc.array(entryFields, { minLength: 6, maxLength: 6 }),
      meta: isForElastickv ? fc.constantFrom(...metas) : fc.constantFrom(...metas, "later" as const),
      later: id,
    })
    .map(streamValue);
}

function streamValue({ ids, fields, meta, later }: StreamSource): Value {
  const entry = (shape: Shape, [ms, sequence]: Id, pairs: readonly (readonly [Buffer, Buffer])[]) => {
    const names = pairs.map(([name]) => name.toString("hex"));
    const isObject = pairs.every(([name]) => isText(name)) && new Set(names).size === names.length;
    const object = () => new Map(pairs.map(([name, value]) => [name.toString(), binarySafe(value)]));
    const listed = () => pairs.map(([name, value]) => ({ name: binarySafe(name), value: binarySafe(value) }));
    return jsonText({ id: `${ms}-${sequence}`, fields: shape === "design" && isObject ? object() : listed() });
  };
  const handedOut = { top: ids.at(-1) ?? later, stale: ids[0] ?? later, later, none: ids.at(-1) ?? later }[meta];
  const content = (shape: Shape, expire_at_ms: number | null) => {
    const [last_ms, last_seq] = handedOut;
    const length = meta === "stale" ? 1 : ids.length;
    const lines = ids.map((each, index) => entry(shape, each, fields[index] ?? []));
    const hasMeta = meta !== "none" || shape === "shipped" || expire_at_ms !== null;
    if (hasMeta) lines.push(jsonText({ _meta: true, length, last_ms, last_seq, expire_at_ms }));
    return lines.map((line) => `${line}\n`).join("");
  };
  return { directory: "streams", content, isEmpty: false };
}

/** elastickv's member set: its magic, then a protobuf field a member. */
function memberSet(members: readonly Buffer[]): Buffer {
  const fields = members.flatMap((member) => [Buffer.from([0x0a]), varint(member.length), member]);
  return Buffer.concat([Buffer.from([0x00, 0x52, 0x53, 0x01]), ...fields]);
}

function varint(number: number): Buffer {
  const groups: number[] = [];
  for (let left = number; ; left >>= 7) {
    groups.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) return Buffer.from(groups);
  }
}

const REGISTERS = 16_384;

/** A sparse sketch: a few runs of a value, each behind zeros, and zeros to the end. Its cached count is marked stale. */
function sketch(runs: readonly (readonly [zeros: number, value: number, length: number])[]): Buffer {
  const header = Buffer.from([...Buffer.from("HYLL"), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]);
  const codes: number[] = [];
  let left = REGISTERS;
  for (const [zeros, value, length] of runs) {
    codes.push(zeros - 1, 0x80 | ((value - 1) << 2) | (length - 1));
    left -= zeros + length;
  }
  return Buffer.concat([header, Buffer.from([...codes, 0x40 | ((left - 1) >> 8), (left - 1) & 0xff])]);
}

const sketchRun = fc.tuple(
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 1, max: 32 }),
  fc.integer({ min: 1, max: 4 }),
);

function hyperLogLog(isForElastickv: boolean): fc.Arbitrary<Value> {
  const member = isForElastickv ? text(200) : bytes(200);
  const members = fc.array(member, { minLength: 1, maxLength: 30 }).map(memberSet);
  const sketches = fc.array(sketchRun, { maxLength: 20 }).map(sketch);
  return (isForElastickv ? members : fc.oneof(members, sketches)).map((value) => ({
    directory: "hll",
    content: () => value,
    isEmpty: false,
  }));
}

const EXTENSIONS: Readonly<Record<string, string>> = { strings: ".bin", hll: ".bin", streams: ".jsonl" };

/** Keys of every type. */
export function databases(kind: DumpKind): fc.Arbitrary<DumpPart> {
  const { isForElastickv } = kind;
  const value = fc.oneof(string, hash, list, set, sortedSet, stream(isForElastickv), hyperLogLog(isForElastickv));
  const keys = fc.uniqueArray(fc.tuple(key, value, expiry), {
    selector: ([name]) => name.toString("hex"),
    maxLength: 14,
  });
  const numbers = isForElastickv ? fc.constant([0]) : fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 2 });
  return numbers
    .chain((all) => fc.tuple(...all.map((number) => keys.map((found) => database(number, found, kind)))))
    .map(joined);
}

type Key = readonly [key: Buffer, value: Value, expiresInMs: number | undefined];

function database(number: number, keys: readonly Key[], dump: DumpKind): DumpPart {
  const root = `redis/db_${number}`;
  const files: Record<string, string | Buffer> = {};
  const absent: DumpPart["absent"][number][] = [];
  const lines: Record<string, string> = {};
  const add = (file: string, line: string) => {
    lines[`${root}/${file}`] = `${lines[`${root}/${file}`] ?? ""}${line}\n`;
  };
  for (const [name, value, expiresInMs] of keys) {
    const expireAtMs = expiresInMs === undefined ? null : dump.nowMs + expiresInMs;
    const { directory } = value;
    const segment = segmentFor(name, (line) => add("KEYMAP.jsonl", line));
    const extension = EXTENSIONS[directory] ?? ".json";
    files[`${root}/${directory}/${segment}${extension}`] = value.content(dump.shape, expireAtMs);
    const isBeside = directory === "strings" || directory === "hll";
    if (isBeside && expireAtMs !== null)
      add(`${directory}_ttl.jsonl`, jsonText({ key: segment, expire_at_ms: expireAtMs }));
    const outcome = (expiresInMs ?? 0) < 0 ? "skipped-expired" : value.isEmpty ? "skipped-empty" : undefined;
    if (outcome !== undefined) absent.push({ record: redisRecord(`db_${number}`, name), reason: outcome, outcome });
  }
  return { files: { ...files, ...lines }, absent };
}

function segmentFor(key: Buffer, explain: (line: string) => void): string {
  const plain = segmentOf(key);
  if (plain.length <= MAX_SEGMENT && !/^(b64\.|[0-9a-f]{32}__)/.test(plain)) return plain;
  const { segment, line } = fallbackOf(key);
  explain(JSON.stringify(line));
  return segment;
}
