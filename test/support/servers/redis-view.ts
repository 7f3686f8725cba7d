/** How tests look at a Redis server: a plain client, and the few questions that not every server answers in one way. */
import type { Redis } from "ioredis";

import type { RedisRecord } from "../../../src/model/record.js";
import { onlooker } from "../redis-restore.js";

export interface RedisView {
  readonly client: Redis;
  /** All keys, sorted: nothing temporary may be left. */
  keys(): Promise<string[]>;
  /** Takes everything away, in all databases. */
  clear(): Promise<void>;
  /** In Unix milliseconds; -1 where the key has none. */
  expiryOf(key: string): Promise<number>;
  /** How far `expiryOf` may be beside the truth. */
  readonly expiryToleranceMs: number;
  /** Whether the stream goes on after this id. May add an entry, so it is asked last. */
  goesOnAfter(key: string, id: string): Promise<boolean>;
  /** Another client, of another database. */
  onlooker(database: number): Redis;
  /** Told of what is written by which job before it is, for servers that cannot list. */
  willHold?(jobId: string, records: readonly RedisRecord[]): void;
}

/** Of a server that answers everything. */
export function fullView(endpoint: string): RedisView {
  const client = onlooker(endpoint);
  return {
    client,
    keys: async () => (await client.keys("*")).sort(),
    clear: async () => {
      await client.flushall();
    },
    expiryOf: (key) => client.pexpiretime(key),
    expiryToleranceMs: 0,
    onlooker: (database) => onlooker(endpoint, database),
    goesOnAfter: async (key, id) => {
      const info = (await client.call("XINFO", "STREAM", key)) as unknown[];
      return info[info.indexOf("last-generated-id") + 1] === id;
    },
  };
}
