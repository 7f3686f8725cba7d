/** Into elastickv, where the environment names one: every write is agreed upon by a cluster, and how many go together counts. */
import { Redis } from "ioredis";

import type { RunningServer } from "../../testcontainers/server.js";
import { unmeasured } from "../measurement.js";
import { nodeScript, type Peer } from "../peers/peer.js";
import type { Scenario } from "../scenario.js";
import { redisStrings } from "../shapes/redis.js";
import { type Shape, wrong } from "../shapes/shape.js";
import { restoreScenario } from "./restore.js";

const VARIABLE = "ELASTICKV_RESTORE_TEST_ELASTICKV_REDIS_URL";
const PAGE = 1_000;

const strings = redisStrings({ expireEvery: 10, chars: 64 });

/** Asked key by key: it has no command that counts or lists them which it would survive. */
const elastickvStrings: Shape = {
  ...strings,
  start,
  async empty(server) {
    await onServer(server, async (client) => await client.call("FLUSHALL"));
  },
  check: async (server, { size }) =>
    await onServer(server, async (client) => {
      let found = 0;
      for (let at = 0; at < size; at += PAGE) {
        const keys = Array.from({ length: Math.min(PAGE, size - at) }, (_, index) => `key-${at + index}`);
        found += Number(await client.call("EXISTS", ...keys));
      }
      return wrong("keys of the dump", found, size);
    }),
};

const plainLoop: Peer = {
  name: "a loop of SET, 16 in flight",
  install: () => Promise.resolve(""),
  command: ({ dump, server }) => nodeScript("redis-loop.mjs", [dump, server.endpoint]),
};

const restored = restoreScenario({
  name: "speed/elastickv-redis",
  title: "Redis strings into elastickv, a tenth with an expiry",
  size: 5_000,
  shape: elastickvStrings,
  peers: [plainLoop],
  atMost: 1,
});

export const elastickvRedis: Scenario = {
  ...restored,
  async measure(settings) {
    if ((process.env[VARIABLE] ?? "") !== "") return await restored.measure(settings);
    return unmeasured(restored, { skipped: `${VARIABLE} is not set` });
  },
};

function start(): Promise<RunningServer> {
  const endpoint = process.env[VARIABLE] ?? "";
  // It speaks Redis, and is no server of this project's to start.
  return Promise.resolve({
    name: "redis",
    version: "(elastickv)",
    endpoint,
    how: "environment",
    stop: () => Promise.resolve(),
  });
}

async function onServer<T>({ endpoint }: RunningServer, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(endpoint, { protocol: 2, enableReadyCheck: false });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
