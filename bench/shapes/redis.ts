/** Redis: very many keys, collections far larger than memory allows to hold, and many small ones. */
import { createHash } from "node:crypto";
import { Redis } from "ioredis";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import type { BigDump } from "../big-dump.js";
import { type Expected, filler, type Shape, wrong } from "./shape.js";

const PAGE = 10_000;
/** The first day of 2100. */
const EXPIRY_MS = 4_102_444_800_000;
const STREAM_MS = 1_777_000_000_000;

const onRedisServer = { adapter: "redis", start: startRedis, empty } as const;

/** `size` elements in one list. */
export const redisList: Shape = giants({ add: addList, wrongIn: wrongInList });

/** `size` fields in one hash. */
export const redisHash: Shape = giants({ add: addHash, wrongIn: wrongInHash });

/** A list of `size` elements and a hash of `size` fields. */
export const redisGiants: Shape = giants(
  { add: addList, wrongIn: wrongInList },
  { add: addHash, wrongIn: wrongInHash },
);

/** A key with `size` of something in it. */
interface Giant {
  add(dump: BigDump, size: number): Promise<void>;
  wrongIn(client: Redis, size: number): Promise<string[]>;
}

function giants(...each: readonly Giant[]): Shape {
  return {
    ...onRedisServer,
    async generate(dump, size) {
      for (const { add } of each) await add(dump, size);
      return { records: each.length };
    },
    check: async (server, { size }) =>
      await onRedis(server, async (client) => {
        const found: string[] = [];
        for (const { wrongIn } of each) found.push(...(await wrongIn(client, size)));
        return [...found, ...wrong("DBSIZE", await client.dbsize(), each.length)];
      }),
  };
}

/** `size` strings of so many characters, every nth with an expiry. */
export function redisStrings({ expireEvery, chars }: { expireEvery: number; chars: number }): Shape {
  const valueAt = (index: number) => `value ${index}`.padEnd(chars, ".");
  return {
    ...onRedisServer,
    async generate(dump, size) {
      for (let index = 0; index < size; index++)
        dump.addSmall(`redis/db_0/strings/${keyOf(index)}.bin`, valueAt(index));
      await dump.add("redis/db_0/strings_ttl.jsonl", expiries(size, expireEvery));
      return { records: size };
    },
    check: async (server, { size }) =>
      await onRedis(server, (client) => wrongInStrings(client, { size, expireEvery, valueAt })),
  };
}

interface Strings {
  readonly size: number;
  readonly expireEvery: number;
  valueAt(index: number): string;
}

async function wrongInStrings(client: Redis, { size, expireEvery, valueAt }: Strings): Promise<string[]> {
  const expiring = Math.ceil(size / expireEvery);
  const last = (expiring - 1) * expireEvery;
  return [
    ...wrong("DBSIZE", await client.dbsize(), size),
    ...wrong("keys with an expiry", await keysWithExpiry(client), expiring),
    ...wrong("the last value", await client.get(keyOf(size - 1)), valueAt(size - 1)),
    ...wrong("the last expiry", await client.pexpiretime(keyOf(last)), EXPIRY_MS + last),
  ];
}

/** `size` each of hashes, lists, sets, sorted sets and streams, of four elements each. */
export const redisCollections: Shape = {
  ...onRedisServer,
  async generate(dump, size) {
    for (let index = 0; index < size; index++) {
      for (const [folder, content] of Object.entries(collectionsOf(index))) {
        dump.addSmall(`redis/db_0/${folder}/${folder}-${index}.${folder === "streams" ? "jsonl" : "json"}`, content);
      }
    }
    return { records: size * 5 };
  },
  check: async (server, expected) => await onRedis(server, (client) => wrongInCollections(client, expected)),
};

const MEMBERS = [0, 1, 2, 3];

function collectionsOf(index: number): Record<string, string> {
  const end = { expire_at_ms: null };
  const members = MEMBERS.map((each) => memberOf(index, each));
  const one = { format_version: 1 };
  return {
    hashes: JSON.stringify({ ...one, fields: members.map((value, at) => ({ name: `field ${at}`, value })), ...end }),
    lists: JSON.stringify({ ...one, items: members, ...end }),
    sets: JSON.stringify({ ...one, members, ...end }),
    zsets: JSON.stringify({ ...one, members: members.map((member, score) => ({ member, score })), ...end }),
    streams: [...members.map(entryOf), metaOfStream(members.length)]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  };
}

function memberOf(index: number, at: number): string {
  return `member ${at} of ${index} ${filler(index + at, 20)}`;
}

function entryOf(value: string, at: number): object {
  return { id: `${STREAM_MS + at}-0`, fields: [{ name: "event", value }] };
}

function metaOfStream(length: number): object {
  return { _meta: true, length, last_ms: STREAM_MS + length - 1, last_seq: 0, expire_at_ms: null };
}

async function wrongInCollections(client: Redis, { size }: Expected): Promise<string[]> {
  const last = size - 1;
  const members = MEMBERS.map((each) => memberOf(last, each));
  const entries = await client.xrange(`streams-${last}`, "-", "+");
  return [
    ...wrong("DBSIZE", await client.dbsize(), size * 5),
    ...wrong("the last hash", (await client.hvals(`hashes-${last}`)).join(), members.join()),
    ...wrong("the last list", (await client.lrange(`lists-${last}`, 0, -1)).join(), members.join()),
    ...wrong("the last set", (await client.smembers(`sets-${last}`)).toSorted().join(), members.toSorted().join()),
    ...wrong("the last sorted set", (await client.zrange(`zsets-${last}`, 0, "-1")).join(), members.join()),
    ...wrong("the last stream", entries.map(([, [, value]]) => value).join(), members.join()),
  ];
}

async function addList(dump: BigDump, size: number): Promise<void> {
  await dump.add("redis/db_0/lists/long.json", collection("items", size, element));
}

async function addHash(dump: BigDump, size: number): Promise<void> {
  await dump.add("redis/db_0/hashes/wide.json", collection("fields", size, field));
}

async function wrongInList(client: Redis, size: number): Promise<string[]> {
  return [
    ...wrong("LLEN", await client.llen("long"), size),
    ...wrong("elements in their order", await digestOfList(client, size), digestOfElements(size)),
  ];
}

async function wrongInHash(client: Redis, size: number): Promise<string[]> {
  return [
    ...wrong("HLEN", await client.hlen("wide"), size),
    ...wrong("the last field", await client.hget("wide", `field ${size - 1}`), `value ${size - 1}`),
  ];
}

function element(index: number): object | string {
  return `element ${index} é`;
}

function field(index: number): object | string {
  return { name: `field ${index}`, value: `value ${index}` };
}

function keyOf(index: number): string {
  return `key-${index}`;
}

function* collection(member: string, size: number, made: (index: number) => object | string): Generator<string> {
  yield `{"format_version":1,"${member}":[`;
  for (let index = 0; index < size; index++) yield `${index === 0 ? "" : ","}${JSON.stringify(made(index))}`;
  yield '],"expire_at_ms":null}';
}

function* expiries(size: number, every: number): Generator<string> {
  for (let index = 0; index < size; index += every) {
    yield `${JSON.stringify({ key: keyOf(index), expire_at_ms: EXPIRY_MS + index })}\n`;
  }
}

function digestOfElements(size: number): string {
  const hash = createHash("sha256");
  for (let index = 0; index < size; index++) hash.update(`${element(index)}\n`);
  return hash.digest("hex");
}

async function digestOfList(client: Redis, size: number): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += PAGE) {
    for (const each of await client.lrange("long", at, at + PAGE - 1)) hash.update(`${each}\n`);
  }
  return hash.digest("hex");
}

/** As the server counts them. */
async function keysWithExpiry(client: Redis): Promise<number> {
  return Number(/^db0:.*expires=(\d+)/mu.exec(await client.info("keyspace"))?.[1] ?? 0);
}

async function empty(server: RunningServer): Promise<void> {
  await onRedis(server, async (client) => await client.flushall("SYNC"));
}

async function onRedis<T>(running: RunningServer, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(running.endpoint, { protocol: 2 });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
