/** What a Redis holds in all its databases, each type asked with its own commands. */
import { Redis } from "ioredis";

import type { Expected } from "./expected.js";
import {
  type ExpectedRedis,
  type HyperLogLog,
  hashValue,
  listValue,
  redisRecord,
  setValue,
  sortedSetValue,
  streamValue,
} from "./expected-redis.js";
import { registersOf } from "./sketch.js";
import {
  compareStates,
  type Difference,
  digestBytes,
  type Exception,
  type Facets,
  type State,
  withoutExceptions,
} from "./state.js";

const DATABASES = 16;
/** Never a dump's own in tests: sketches to compare with are made here and removed. */
const SCRATCH_DATABASE = 15;
const SCRATCH_KEY = "scratch";

/** Every difference between the dump's databases and the target's, all keys of all databases included. */
export async function verifyRedis(
  expected: Expected,
  endpoint: string,
  exceptions: readonly Exception[] = [],
): Promise<Difference[]> {
  const actual = await redisState(endpoint, expected.redis);
  const wanted = await withRegisters(expected.redis, endpoint);
  return withoutExceptions(compareStates(wanted, actual), exceptions);
}

/** All keys of all databases. Keys that `expected` knows as HyperLogLogs are read as such, not as strings. */
export async function redisState(endpoint: string, expected?: ExpectedRedis): Promise<State> {
  return await withClient(endpoint, async (client) => {
    const state: State = new Map();
    for (let database = 0; database < DATABASES; database++) {
      await client.select(database);
      for (const key of await allKeys(client)) {
        const record = redisRecord(`db_${database}`, key);
        const facets = await keyFacets(client, key, expected?.hyperLogLogs.has(record) === true);
        const expiry = Number(await client.call("PEXPIRETIME", key));
        state.set(record, expiry < 0 ? facets : { ...facets, expiry: { atMs: BigInt(expiry) } });
      }
    }
    return state;
  });
}

async function withRegisters(expected: ExpectedRedis, endpoint: string): Promise<State> {
  return await withClient(endpoint, async (client) => {
    await client.select(SCRATCH_DATABASE);
    if ((await client.dbsize()) !== 0) throw new Error(`database ${SCRATCH_DATABASE} has to be empty`);
    const state: State = new Map(expected.state);
    for (const [record, content] of expected.hyperLogLogs) {
      state.set(record, { ...state.get(record), registers: registersOf(await sketchOf(client, content)) });
    }
    return state;
  });
}

async function sketchOf(client: Redis, content: HyperLogLog): Promise<Buffer> {
  if ("sketch" in content) return content.sketch;
  await client.pfadd(SCRATCH_KEY, ...content.members);
  const sketch = await client.getBuffer(SCRATCH_KEY);
  await client.del(SCRATCH_KEY);
  return sketch ?? Buffer.alloc(0);
}

async function allKeys(client: Redis): Promise<Buffer[]> {
  const found = new Map<string, Buffer>();
  for (let cursor = "0"; ; ) {
    const [next, keys] = await client.scanBuffer(cursor, "COUNT", 1000);
    for (const key of keys) found.set(key.toString("hex"), key);
    cursor = next.toString();
    if (cursor === "0") return [...found.values()];
  }
}

/** The type of a key and its value, by the commands of its type. */
export async function keyFacets(client: Redis, key: Buffer, isHyperLogLog: boolean): Promise<Facets> {
  const type = await client.type(key);
  switch (type) {
    case "string": {
      const value = (await client.getBuffer(key)) ?? Buffer.alloc(0);
      return isHyperLogLog ? { type, registers: registersOf(value) } : { type, value: digestBytes(value) };
    }
    case "hash":
      return { type, value: hashValue(inPairs(await bulks(client, "HGETALL", key))) };
    case "list":
      return { type, value: listValue(await client.lrangeBuffer(key, 0, -1)) };
    case "set":
      return { type, value: setValue(await client.smembersBuffer(key)) };
    case "zset": {
      const scored = inPairs(await bulks(client, "ZRANGE", key, "0", "-1", "WITHSCORES"));
      return { type, value: sortedSetValue(scored.map(([name, score]) => [name, score.toString()])) };
    }
    case "stream":
      return await streamFacets(client, key);
    default:
      return { type };
  }
}

async function streamFacets(client: Redis, key: Buffer): Promise<Facets> {
  const entries = await client.xrangeBuffer(key, "-", "+");
  const about = (await client.call("XINFO", "STREAM", key)) as unknown[];
  return {
    type: "stream",
    value: streamValue(entries.map(([id, fields]) => [id.toString(), fields])),
    "last id": String(about[about.indexOf("last-generated-id") + 1]),
  };
}

async function bulks(client: Redis, command: string, ...args: (string | Buffer)[]): Promise<Buffer[]> {
  return (await client.callBuffer(command, ...args)) as Buffer[];
}

function inPairs(flat: readonly Buffer[]): [Buffer, Buffer][] {
  const pairs: [Buffer, Buffer][] = [];
  for (let at = 0; at < flat.length; at += 2) {
    pairs.push([flat[at] ?? Buffer.alloc(0), flat[at + 1] ?? Buffer.alloc(0)]);
  }
  return pairs;
}

async function withClient<T>(endpoint: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(endpoint, { protocol: 2, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
