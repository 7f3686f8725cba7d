/**
 * How tests look at an elastickv, which KEYS, SCAN and DBSIZE would end: asked one by one are the keys that tests use
 * and every name that a replayer may have written for them. Nor does it know PEXPIRETIME and XINFO.
 */
import type { Redis } from "ioredis";

import { markerOf, temporaryKey } from "../../../src/replayers/redis/own-keys.js";
import { onlooker } from "../redis-restore.js";
import type { RedisView } from "./redis-view.js";

/** The names under which the suites put something themselves. */
const NAMES = [
  ...["k", "source", "hash", "hll", "list", "set", "stream", "zset", "empty", "bad", "a", "b", "fine"],
  ...["string", "text", "mixed", "ahead", "foreign", "written", "expired", "faulty", "not-selected", "written-before"],
];

export function unlistedView(endpoint: string): RedisView {
  const client = sparing(onlooker(endpoint));
  const candidates = new Map<string, Buffer>();
  const add = (key: Buffer) => candidates.set(key.toString("latin1"), key);
  for (const name of NAMES) add(Buffer.from(name));
  return {
    client,
    keys: async () => {
      const pipeline = client.pipeline();
      for (const key of candidates.values()) pipeline.exists(key);
      const answers = (await pipeline.exec()) ?? [];
      const held = [...candidates.values()].filter((_, i) => answers[i]?.[1] === 1);
      return held.map((key) => key.toString()).sort();
    },
    // FLUSHALL leaves streams.
    clear: async () => {
      await client.flushall();
      await client.del(...candidates.values());
      candidates.clear();
      for (const name of NAMES) add(Buffer.from(name));
    },
    expiryOf: async (key) => {
      const left = await client.pttl(key);
      return left < 0 ? left : Date.now() + left;
    },
    expiryToleranceMs: 10_000,
    goesOnAfter: async (key, id) => {
      const [ms = "", sequence = ""] = id.split("-");
      const added = (at: string) => client.xadd(key, at, "probe", "probe").then(() => true, isTooSmall);
      return !(await added(id)) && (await added(`${ms}-${BigInt(sequence) + 1n}`));
    },
    willHold: (jobId, records) => {
      for (const { key } of records) [key, temporaryKey(jobId, key), markerOf(jobId, key, false).markers].forEach(add);
    },
    onlooker: (database) => sparing(onlooker(endpoint, database)),
  };
}

/** Commands that would end the server fail before they are sent. */
function sparing(client: Redis): Redis {
  for (const command of ["keys", "scan", "dbsize", "scanStream"]) {
    Object.assign(client, { [command]: () => Promise.reject(new Error(`${command} would end the server`)) });
  }
  return client;
}

/** False when the id is not above the last one; any other error is thrown on. */
function isTooSmall(error: unknown): false {
  if (error instanceof Error && /equal or smaller|greater than 0-0/.test(error.message)) return false;
  throw error;
}
