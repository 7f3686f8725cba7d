/** Redis: collections far larger than memory allows to hold, and very many keys. */
import { createHash } from "node:crypto";
import { Redis } from "ioredis";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import type { Scenario } from "../scenario.js";
import { LIMIT_BYTES } from "./limit.js";

const PAGE = 10_000;
/** The first day of 2100. */
const EXPIRY_MS = 4_102_444_800_000;

export const redisList: Scenario = {
  name: "memory/redis-list",
  title: "Redis list, elements in one file",
  adapter: "redis",
  size: 10_000_000,
  limitBytes: LIMIT_BYTES,
  start: startRedis,
  async generate(dump, size) {
    await dump.add("redis/db_0/lists/long.json", collection("items", size, element));
    return { records: 1 };
  },
  async check(server, size) {
    return await onRedis(server, async (client) => [
      ...wrong("LLEN", await client.llen("long"), size),
      ...wrong("DBSIZE", await client.dbsize(), 1),
      ...wrong("elements in their order", await digestOfList(client, size), digestOfElements(size)),
    ]);
  },
};

export const redisHash: Scenario = {
  name: "memory/redis-hash",
  title: "Redis hash, fields in one file",
  adapter: "redis",
  size: 5_000_000,
  limitBytes: LIMIT_BYTES,
  start: startRedis,
  async generate(dump, size) {
    await dump.add("redis/db_0/hashes/wide.json", collection("fields", size, field));
    return { records: 1 };
  },
  async check(server, size) {
    return await onRedis(server, async (client) => [
      ...wrong("HLEN", await client.hlen("wide"), size),
      ...wrong("DBSIZE", await client.dbsize(), 1),
      ...wrong("the last field", await client.hget("wide", `field ${size - 1}`), textOf(size - 1)),
    ]);
  },
};

export const redisKeys: Scenario = {
  name: "memory/redis-keys",
  title: "Redis strings, each with an expiry",
  adapter: "redis",
  size: 1_000_000,
  limitBytes: LIMIT_BYTES,
  start: startRedis,
  async generate(dump, size) {
    for (let index = 0; index < size; index++) dump.addSmall(`redis/db_0/strings/${keyOf(index)}.bin`, textOf(index));
    await dump.add("redis/db_0/strings_ttl.jsonl", expiries(size));
    return { records: size };
  },
  async check(server, size) {
    return await onRedis(server, async (client) => [
      ...wrong("DBSIZE", await client.dbsize(), size),
      ...wrong("keys with an expiry", await keysWithExpiry(client), size),
      ...wrong("the last value", await client.get(keyOf(size - 1)), textOf(size - 1)),
      ...wrong("its expiry", await client.pexpiretime(keyOf(size - 1)), EXPIRY_MS + size - 1),
    ]);
  },
};

function element(index: number): object | string {
  return `element ${index} é`;
}

function field(index: number): object | string {
  return { name: `field ${index}`, value: textOf(index) };
}

function textOf(index: number): string {
  return `value ${index}`;
}

function keyOf(index: number): string {
  return `key-${index}`;
}

function* collection(member: string, size: number, made: (index: number) => object | string): Generator<string> {
  yield `{"format_version":1,"${member}":[`;
  for (let index = 0; index < size; index++) yield `${index === 0 ? "" : ","}${JSON.stringify(made(index))}`;
  yield '],"expire_at_ms":null}';
}

function* expiries(size: number): Generator<string> {
  for (let index = 0; index < size; index++) {
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

async function onRedis(running: RunningServer, use: (client: Redis) => Promise<string[]>): Promise<string[]> {
  const client = new Redis(running.endpoint, { protocol: 2 });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

function wrong<T>(what: string, found: T, wanted: T): string[] {
  return found === wanted ? [] : [`${what}: ${String(found)} instead of ${String(wanted)}`];
}
