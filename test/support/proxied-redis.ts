/** A real Redis and a proxy before it, for the tests of a file: empty before each of them. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.js";
import { onlooker } from "./redis-restore.js";

export interface ProxiedRedis {
  readonly server: RunningServer;
  readonly proxy: RedisProxy;
  /** Looks at the server itself. */
  readonly redis: Redis;
}

/** Registers a Redis for each test of its own. `take`: called once it is there. */
export function useOwnRedis(take: (own: RunningServer, admin: Redis) => void): void {
  beforeEach(async () => {
    const own = await startRedis();
    const admin = onlooker(own.endpoint);
    take(own, admin);
    return async () => {
      admin.disconnect();
      await own.stop();
    };
  });
}

/** Registers what begins and ends them. `take`: called once they are there. */
export function useProxiedRedis(take: (started: ProxiedRedis) => void): void {
  let [server, proxy, redis]: [RunningServer?, RedisProxy?, Redis?] = [];
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startRedisProxy(server.endpoint);
    redis = onlooker(server.endpoint);
    take({ server, proxy, redis });
  }, 300_000);
  afterAll(async () => {
    redis?.disconnect();
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    await redis?.flushall();
  });
}
