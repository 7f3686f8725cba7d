/** Databases of a dump: keys as bytes, values whole, both ways in which hashes and streams are written. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { digits, entries, items, type Json, member, parseJson, parseLines, text } from "./json.js";
import { digestBytes, type Facets, type State, shortName, showBytes } from "./state.js";
import { decodeSegment, filesIn, keymapOf, scopeDirectories, textOf } from "./tree.js";

export interface ExpectedRedis {
  readonly state: State;
  /** The key of each record: for a target that cannot be listed. */
  readonly keys: ReadonlyMap<string, { readonly database: string; readonly key: Buffer }>;
  /** What each HyperLogLog has to be able to say, by record. */
  readonly hyperLogLogs: ReadonlyMap<string, HyperLogLog>;
}

export type HyperLogLog = { readonly members: readonly Buffer[] } | { readonly sketch: Buffer };

export function expectedDatabases(dump: string, counts: Map<string, number>): ExpectedRedis {
  const state: State = new Map();
  const keys = new Map<string, { database: string; key: Buffer }>();
  const hyperLogLogs = new Map<string, HyperLogLog>();
  for (const { name, path } of scopeDirectories(dump, "redis")) {
    const keymap = keymapOf(path);
    let count = 0;
    for (const [directory, extension, read] of KINDS) {
      const expiries = expiriesOf(path, directory);
      for (const file of filesIn(join(path, directory))) {
        const segment = file.slice(0, -extension.length);
        const key = keymap.get(segment) ?? decodeSegment(segment);
        const record = redisRecord(name, key);
        const content = readFileSync(join(path, directory, file));
        if (state.has(record)) throw new Error(`${record} stands twice in the dump`);
        state.set(record, { ...read(content), ...expiries(segment, content) });
        keys.set(record, { database: name, key });
        if (directory === "hll") hyperLogLogs.set(record, hyperLogLog(content));
        count++;
      }
    }
    counts.set(`redis:${name}`, count);
  }
  return { state, keys, hyperLogLogs };
}

export function redisRecord(database: string, key: Buffer): string {
  return shortName(`redis ${database} ${showBytes(key)}`);
}

type Reader = (content: Buffer) => Facets;

const KINDS: readonly (readonly [directory: string, extension: string, read: Reader])[] = [
  ["strings", ".bin", (content) => ({ type: "string", value: digestBytes(content) })],
  ["hashes", ".json", (content) => hashFacets(parseJson(content.toString("utf8")))],
  ["lists", ".json", (content) => listFacets(parseJson(content.toString("utf8")))],
  ["sets", ".json", (content) => setFacets(parseJson(content.toString("utf8")))],
  ["zsets", ".json", (content) => sortedSetFacets(parseJson(content.toString("utf8")))],
  ["streams", ".jsonl", (content) => streamFacets(parseLines(content.toString("utf8")))],
  ["hll", ".bin", () => ({ type: "string" })],
];

/** Strings and sketches have their times in a file beside them, all others in their own. */
function expiriesOf(database: string, directory: string): (segment: string, content: Buffer) => Facets {
  if (directory === "strings" || directory === "hll") {
    const lines = parseLines(textOf(join(database, `${directory}_ttl.jsonl`)));
    const times = new Map(lines.map((line) => [text(member(line, "key")) ?? "", member(line, "expire_at_ms")]));
    return (segment) => expiryFacet(times.get(segment));
  }
  if (directory === "streams") return (_segment, content) => expiryFacet(lineWithExpiry(content));
  return (_segment, content) => expiryFacet(member(parseJson(content.toString("utf8")), "expire_at_ms"));
}

function lineWithExpiry(content: Buffer): Json | undefined {
  const meta = parseLines(content.toString("utf8")).find(isMeta);
  return meta === undefined ? undefined : member(meta, "expire_at_ms");
}

function expiryFacet(value: Json | undefined): Facets {
  const time = value === undefined ? undefined : digits(value);
  return time === undefined ? {} : { expiry: { atMs: BigInt(time) } };
}

/** Text, or `{"base64": …}` for what is not text. */
export function binarySafe(value: Json): Buffer {
  if (value.kind === "string") return Buffer.from(value.value, "utf8");
  return Buffer.from(text(member(value, "base64")) ?? "", "base64url");
}

/** Pairs, whether they are written as a list of names and values or as one object. */
function pairs(fields: Json): [Buffer, Buffer][] {
  if (fields.kind === "object") return entries(fields).map(([name, value]) => [Buffer.from(name), binarySafe(value)]);
  return items(fields).map((field) => [binarySafe(member(field, "name")), binarySafe(member(field, "value"))]);
}

function hashFacets(file: Json): Facets {
  return { type: "hash", value: hashValue(pairs(member(file, "fields"))) };
}

function listFacets(file: Json): Facets {
  return { type: "list", value: listValue(items(member(file, "items")).map(binarySafe)) };
}

function setFacets(file: Json): Facets {
  return { type: "set", value: setValue(items(member(file, "members")).map(binarySafe)) };
}

function sortedSetFacets(file: Json): Facets {
  const scored = items(member(file, "members")).map((entry): [Buffer, string] => {
    const score = member(entry, "score");
    return [binarySafe(member(entry, "member")), (score.kind === "number" ? digits(score) : text(score)) ?? ""];
  });
  return { type: "zset", value: sortedSetValue(scored) };
}

function streamFacets(lines: readonly Json[]): Facets {
  const found = lines.filter((line) => !isMeta(line));
  const ids = found.map((line) => text(member(line, "id")) ?? "");
  const meta = lines.find(isMeta);
  const handedOut =
    meta === undefined ? [] : [`${digits(member(meta, "last_ms"))}-${digits(member(meta, "last_seq"))}`];
  return {
    type: "stream",
    value: streamValue(found.map((line, index) => [ids[index] ?? "", pairs(member(line, "fields")).flat()])),
    "last id": [...handedOut, ...ids].reduce(higherId, "0-0"),
  };
}

function isMeta(line: Json): boolean {
  const mark = member(line, "_meta");
  return mark.kind === "boolean" && mark.value;
}

function higherId(one: string, other: string): string {
  const [oneMs = 0n, oneSequence = 0n] = one.split("-").map(BigInt);
  const [otherMs = 0n, otherSequence = 0n] = other.split("-").map(BigInt);
  return oneMs > otherMs || (oneMs === otherMs && oneSequence >= otherSequence) ? one : other;
}

const MEMBERS_MAGIC = Buffer.from([0x00, 0x52, 0x53, 0x01]);

function hyperLogLog(content: Buffer): HyperLogLog {
  if (!content.subarray(0, 4).equals(MEMBERS_MAGIC)) return { sketch: content };
  const members: Buffer[] = [];
  for (let at = 4; at < content.length; ) {
    if (content[at] !== 0x0a) throw new Error(`field 1 was expected at byte ${at} of a member set`);
    let length = 0;
    at++;
    for (let shift = 0; ; shift += 7, at++) {
      const byte = content[at] ?? 0;
      length += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    members.push(content.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { members };
}

export function hashValue(fields: readonly (readonly [Buffer, Buffer])[]): string {
  return lines(fields.map(([name, value]) => `${showBytes(name)} = ${showBytes(value)}`).sort());
}

export function listValue(elements: readonly Buffer[]): string {
  return lines(elements.map(showBytes));
}

export function setValue(members: readonly Buffer[]): string {
  return lines(members.map(showBytes).sort());
}

/** Scores as doubles: the same bits, whatever their text. */
export function sortedSetValue(scored: readonly (readonly [Buffer, string])[]): string {
  return lines(scored.map(([name, score]) => `${showBytes(name)} at ${scoreBits(score)}`).sort());
}

export function streamValue(found: readonly (readonly [id: string, fields: readonly Buffer[]])[]): string {
  return lines(found.map(([id, fields]) => `${id}: ${fields.map(showBytes).join(" ")}`));
}

function scoreBits(score: string): string {
  const named = score.replace(/^\+?inf$/iu, "Infinity").replace(/^-inf$/iu, "-Infinity");
  const bits = Buffer.alloc(8);
  // Adding zero makes -0 a 0: a small sorted set of Redis 7 keeps no sign of zero, a large one does.
  bits.writeDoubleBE(Number(named) + 0);
  return bits.toString("hex");
}

function lines(elements: readonly string[]): string {
  return [`${elements.length} elements`, ...elements].join("\n");
}
