/**
 * A Redis Cluster for tests: three primaries, and a replica for each where that is asked for, as processes of this
 * machine, unless `ELASTICKV_RESTORE_TEST_REDIS_CLUSTER_URL` names a cluster. Nothing is saved to disk but what the
 * nodes know of one another. Docker is not used: a container's nodes would announce addresses that nobody outside of it
 * can reach.
 */
import { Redis } from "ioredis";

import { runNative } from "./native.js";
import { askUntilReady } from "./ready.js";
import { redisRecipe } from "./redis.js";

const VARIABLE = "ELASTICKV_RESTORE_TEST_REDIS_CLUSTER_URL";
const PRIMARIES = 3;
const SLOTS = 16_384;
const FORMED_MS = 60_000;
/** Silence after which a node is taken for dead. */
const NODE_TIMEOUT_MS = 1_500;

export interface ClusterNode {
  readonly host: string;
  readonly port: number;
  /** Ends the process, as a machine that fails would. May be called twice. */
  stop(): Promise<void>;
}

export interface RunningCluster {
  /** `redis+cluster://127.0.0.1:port`, one node of it. */
  readonly endpoint: string;
  /** Primaries first. None where the environment names the cluster. */
  readonly nodes: readonly ClusterNode[];
  /** May be called twice. Does nothing to a cluster that the environment named. */
  stop(): Promise<void>;
}

/** Waits until the cluster takes writes. */
export async function startRedisCluster({ replicas = false } = {}): Promise<RunningCluster> {
  const named = process.env[VARIABLE] ?? "";
  if (named !== "") return { endpoint: named, nodes: [], stop: () => Promise.resolve() };
  const nodes = await startNodes(replicas ? PRIMARIES * 2 : PRIMARIES);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(async (node) => await node.stop()));
  };
  try {
    await form(nodes);
    return { endpoint: `redis+cluster://127.0.0.1:${nodes[0]?.port ?? 0}`, nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNodes(count: number): Promise<ClusterNode[]> {
  const started = await Promise.allSettled(Array.from({ length: count }, startClusterNode));
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = started.find((one) => one.status === "rejected");
  if (failed === undefined) return nodes;
  await Promise.all(nodes.map(async (node) => await node.stop()));
  throw new Error("a node of the Redis cluster did not start", { cause: failed.reason });
}

/** A node that knows no other. */
async function startClusterNode(): Promise<ClusterNode> {
  const settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", String(NODE_TIMEOUT_MS)];
  const { native } = redisRecipe;
  const server = await runNative(
    {
      ...native,
      launch: async (command, port, data) => {
        const launch = await native.launch(command, port, data);
        return { ...launch, args: [...launch.args, ...settings, "--repl-diskless-sync-delay", "0"] };
      },
    },
    (port) => redisRecipe.ask({ endpoint: `redis://127.0.0.1:${port}` }),
  );
  return { host: "127.0.0.1", port: server.port, stop: server.stop };
}

/** Gives the slots out, introduces the nodes to one another and waits until they agree. */
async function form(nodes: readonly ClusterNode[]): Promise<void> {
  const clients = nodes.map(clientOf);
  try {
    const [first] = nodes;
    for (const [i, client] of clients.entries()) {
      // Two nodes of one epoch that claim a slot would have to settle it first.
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
      if (i < PRIMARIES) await client.call("CLUSTER", "ADDSLOTSRANGE", ...rangeOf(i));
      if (first !== undefined && i > 0) await client.call("CLUSTER", "MEET", first.host, String(first.port));
    }
    await all(clients, async (client) => (await knownNodes(client)) === nodes.length);
    const ids = await Promise.all(clients.map(async (client) => String(await client.call("CLUSTER", "MYID"))));
    for (const [i, client] of clients.entries()) {
      if (i >= PRIMARIES) await client.call("CLUSTER", "REPLICATE", ids[i - PRIMARIES] ?? "");
    }
    await all(clients, isWhole);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** A client of one node, which follows nothing. */
export function clientOf({ host, port }: Pick<ClusterNode, "host" | "port">): Redis {
  const client = new Redis({ host, port, protocol: 2, enableReadyCheck: false, disableClientInfo: true });
  client.on("error", () => undefined);
  return client;
}

function rangeOf(primary: number): [first: string, last: string] {
  const from = (i: number): number => Math.floor((SLOTS * i) / PRIMARIES);
  return [String(from(primary)), String(from(primary + 1) - 1)];
}

async function knownNodes(client: Redis): Promise<number> {
  const lines = String(await client.call("CLUSTER", "NODES"))
    .trim()
    .split("\n");
  return lines.filter((line) => !line.includes("handshake")).length;
}

async function isWhole(client: Redis): Promise<boolean> {
  const state = String(await client.call("CLUSTER", "INFO"));
  const replication = await client.info("replication");
  return state.includes("cluster_state:ok") && !replication.includes("master_link_status:down");
}

async function all(clients: readonly Redis[], holds: (client: Redis) => Promise<boolean>): Promise<void> {
  await askUntilReady(async () => {
    for (const client of clients) if (!(await holds(client))) throw new Error("the nodes do not agree yet");
  }, FORMED_MS);
}
