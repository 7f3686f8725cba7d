/** Redis 7 for tests and the demo. Nothing is saved to disk; 16 databases; evicts nothing. */
import { Redis } from "ioredis";

import { needCommand } from "./cache.js";
import { type NativeServer, runNative } from "./native.js";
import type { Access, RunningServer, ServerRecipe } from "./recipe.js";
import { startServer } from "./server.js";

export const redisRecipe: ServerRecipe = {
  name: "redis",
  variable: "ELASTICKV_RESTORE_TEST_REDIS_URL",
  version: "7",
  protocol: "redis",
  ask: askRedis,
  docker: { image: "redis:7", port: 6379, command: ["redis-server", "--save", ""] },
  native: {
    needs: "redis-server on the PATH, or root on a Debian, where it is installed",
    install: (options) => needCommand("redis-server", "redis-server", options),
    launch: (command, port, data) => ({
      command,
      args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", data],
    }),
  },
};

/** A Redis of the caller's own, unless `ELASTICKV_RESTORE_TEST_REDIS_URL` names one that is shared. */
export async function startRedis(): Promise<RunningServer> {
  return await startServer(redisRecipe);
}

/** A process of this machine with further arguments, `--tls-port` beside its plain port, say. */
export async function startNativeRedis(args: readonly string[]): Promise<NativeServer> {
  const { native } = redisRecipe;
  const launch: typeof native.launch = async (command, port, data) => {
    const plain = await native.launch(command, port, data);
    return { ...plain, args: [...plain.args, ...args] };
  };
  return await runNative({ ...native, launch }, (port) => askRedis({ endpoint: `redis://127.0.0.1:${port}` }));
}

/** `INFO` is answered with an error while data is loaded, so an answer means ready. */
async function askRedis({ endpoint }: Access): Promise<string | undefined> {
  const client = new Redis(endpoint, {
    lazyConnect: true,
    protocol: 2,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return /^redis_version:(\S+)/m.exec(await client.info("server"))?.[1];
  } finally {
    client.disconnect();
  }
}
