/** The servers that the Redis contract is run on, how each of them is looked at, and what each cannot do. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

import type { RedisTarget } from "../../../src/replayers/redis/replayer.js";
import { redisRecipe, startRedis } from "../../../testcontainers/redis.js";
import { startRedisCluster } from "../../../testcontainers/redis-cluster.js";
import { startServer } from "../../../testcontainers/server.js";
import type { ContractServer } from "./contract-server.js";
import { elastickv } from "./elastickv.js";
import { REDIS_CLUSTER_LIMITS } from "./redis-cluster-limits.js";
import { clusterView } from "./redis-cluster-view.js";
import { ELASTICKV_REDIS_LIMITS } from "./redis-elastickv-limits.js";
import { unlistedView } from "./redis-unlisted-view.js";
import { fullView, type RedisView } from "./redis-view.js";

export interface RedisServer extends ContractServer {
  /** A client to set up and to look, without any of the replayer's code. */
  view(endpoint: string): RedisView;
  /** What a replayer is told beside the address. */
  readonly target?: Partial<RedisTarget>;
  /** Records of no more than a chunk are handed over with their content in memory, as those of small files are. */
  readonly inMemory?: boolean;
}

const redis: RedisServer = { name: "Redis", limits: [], start: startRedis, view: fullView };

/** Beside those that get their records' content from elsewhere. */
export const REDIS_IN_MEMORY: RedisServer = { ...redis, name: "Redis with content in memory", inMemory: true };

/** Started from the PATH, unless the environment names one. */
const VALKEY_VARIABLE = "ELASTICKV_RESTORE_TEST_VALKEY_URL";

const valkeyRecipe: typeof redisRecipe = {
  ...redisRecipe,
  variable: VALKEY_VARIABLE,
  native: {
    ...redisRecipe.native,
    needs: "valkey-server on the PATH",
    install: () => Promise.resolve("valkey-server"),
  },
};

const valkey: RedisServer = {
  ...redis,
  name: "Valkey",
  ...(hasValkey() ? {} : { missing: `${VALKEY_VARIABLE} names none and no valkey-server is on the PATH` }),
  start: () => startServer(valkeyRecipe),
};

export const elastickvRedis: RedisServer = {
  ...elastickv("REDIS_URL"),
  limits: ELASTICKV_REDIS_LIMITS,
  view: unlistedView,
};

const redisCluster: RedisServer = {
  name: "Redis Cluster",
  limits: REDIS_CLUSTER_LIMITS,
  start: startRedisCluster,
  view: clusterView,
};

export const REDIS_SERVERS: readonly RedisServer[] = [redis, valkey, redisCluster, elastickvRedis];

function hasValkey(): boolean {
  if ((process.env[VALKEY_VARIABLE] ?? "") !== "") return true;
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, "valkey-server"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
