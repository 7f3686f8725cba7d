/** Redis records made by hand, as a reader would yield them. */
import { createHash } from "node:crypto";

import { displayBytes } from "../../src/model/display.js";
import type {
  CollectionRecord,
  CollectionType,
  Content,
  HyperLogLogRecord,
  StreamEntry,
  StreamRecord,
  StringRecord,
} from "../../src/model/record.js";
import type { DatabaseScope } from "../../src/model/scope.js";

type Bytes = string | Buffer;

export function databaseScope(database = 0, targetDatabase = database): DatabaseScope {
  return {
    adapter: "redis",
    name: `db_${database}`,
    target: `db_${targetDatabase}`,
    path: `redis/db_${database}`,
    warnings: [],
    database,
    targetDatabase,
  };
}

export function contentOf(bytes: Bytes): Content {
  const buffer = Buffer.from(bytes);
  return {
    size: buffer.length,
    sha256: createHash("sha256").update(buffer).digest("hex"),
    blocks: async function* (range = { start: 0, end: buffer.length }) {
      for (let at = range.start; at < range.end; at += BLOCK)
        yield buffer.subarray(at, Math.min(at + BLOCK, range.end));
    },
    buffer: () => Promise.resolve(buffer),
  };
}

const BLOCK = 1024 * 1024;

function base(key: Bytes, expireAtMs: number | bigint | undefined, bytes: number) {
  const place = { path: `redis/db_0/${displayBytes(Buffer.from(key))}` };
  return {
    place,
    after: place,
    displayKey: displayBytes(Buffer.from(key)),
    bytes,
    key: Buffer.from(key),
    ...(expireAtMs === undefined ? {} : { expireAtMs: BigInt(expireAtMs) }),
  };
}

export function stringRecord(key: Bytes, value: Bytes | Content, expireAtMs?: number | bigint): StringRecord {
  const content = typeof value === "object" && "blocks" in value ? value : contentOf(value);
  return { ...base(key, expireAtMs, content.size), kind: "string", value: content };
}

/** Elements as their command takes them: `[name, value]`, `[item]`, `[member]`, `[score, member]`. */
export function collectionRecord(
  type: CollectionType,
  key: Bytes,
  elements: readonly (readonly Bytes[])[],
  expireAtMs?: number | bigint,
): CollectionRecord {
  const buffers = elements.map((element) => element.map((part) => Buffer.from(part)));
  const bytes = buffers.flat().reduce((total, part) => total + part.length, 0);
  return {
    ...base(key, expireAtMs, bytes),
    kind: "collection",
    type,
    count: buffers.length,
    elements: () => chunksOf(buffers),
  };
}

export interface StreamParts {
  readonly expireAtMs?: number | bigint;
  readonly lastId?: string;
  readonly faulty?: readonly string[];
}

/** Entries as `[id, name, value, …]`. */
export function streamRecord(
  key: Bytes,
  entries: readonly (readonly [string, ...Bytes[]])[],
  parts: StreamParts = {},
): StreamRecord {
  const list: StreamEntry[] = entries.map(([id, ...fields]) => ({ id, fields: fields.map((one) => Buffer.from(one)) }));
  const topId = list.at(-1)?.id;
  const lastId = parts.lastId ?? topId;
  const own = base(key, parts.expireAtMs, list.length);
  return {
    ...own,
    kind: "stream",
    count: list.length,
    ...(lastId === undefined ? {} : { lastId }),
    ...(topId === undefined ? {} : { topId }),
    faultyEntries: (parts.faulty ?? []).map((id) => ({ id, reason: "malformed-json", place: own.place })),
    entries: () => chunksOf(list),
  };
}

export function membersRecord(key: Bytes, members: readonly Bytes[], expireAtMs?: number | bigint): HyperLogLogRecord {
  const buffers = members.map((member) => Buffer.from(member));
  return {
    ...base(key, expireAtMs, buffers.length),
    kind: "hll",
    content: { form: "members", count: buffers.length, members: () => chunksOf(buffers) },
  };
}

export function sketchRecord(key: Bytes, value: Bytes, expireAtMs?: number | bigint): HyperLogLogRecord {
  const content = contentOf(value);
  return { ...base(key, expireAtMs, content.size), kind: "hll", content: { form: "sketch", value: content } };
}

async function* chunksOf<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < items.length; at += 1_000) yield items.slice(at, at + 1_000);
}
