/** How tests look at a Redis Cluster: a client that knows where keys are, and each primary for what is asked of all. */
import { Cluster, type Redis } from "ioredis";

import type { RedisView } from "./redis-view.js";

export function clusterView(endpoint: string): RedisView {
  const cluster = clusterClient(endpoint);
  // Its commands are those of a client of one server.
  const client = cluster as unknown as Redis;
  const config = async (...args: [string, ...string[]]) => (await each((node) => node.call("CONFIG", args)))[0];
  Object.assign(client, { config });
  const each = async <T>(ask: (node: Redis) => Promise<T>): Promise<T[]> => {
    // Before the first command, no node is known.
    await client.exists("any");
    return await Promise.all(cluster.nodes("master").map(ask));
  };
  return {
    client,
    keys: async () => (await each((node) => node.keys("*"))).flat().sort(),
    clear: async () => {
      await each((node) => node.flushall());
    },
    expiryOf: (key) => client.pexpiretime(key),
    expiryToleranceMs: 0,
    // There is no other database.
    onlooker: () => clusterClient(endpoint) as unknown as Redis,
    goesOnAfter: async (key, id) => {
      const info = (await client.xinfo("STREAM", key)) as unknown[];
      return info[info.indexOf("last-generated-id") + 1] === id;
    },
  };
}

export function clusterClient(endpoint: string): Cluster {
  const { hostname, port } = new URL(endpoint);
  return new Cluster([{ host: hostname, port: Number(port) }], {
    redisOptions: { protocol: 2, replyMapping: "legacy", disableClientInfo: true },
  });
}
