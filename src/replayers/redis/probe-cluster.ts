/**
 * What a Redis Cluster is and can do: every primary is asked what a single server is asked, and what one of them cannot
 * do is not relied on. Its slots have to be covered and its nodes within reach.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";
import type { MemoryState } from "../replayer.js";
import { shardsOf } from "./cluster-layout.js";
import { assertCovered, type ClusterNodes } from "./cluster-nodes.js";
import type { Link } from "./link.js";
import { type Abilities, fallbacksOf, type Probing, probeRedis } from "./probe.js";

/** Repeatable, changes nothing. @throws RestoreError as `probeRedis` */
export async function probeCluster(link: Link, nodes: ClusterNodes, probing: Probing): Promise<Abilities> {
  await assertCluster(link, probing.endpoint);
  const layout = await nodes.refreshed();
  assertCovered(layout, probing.endpoint);
  const found: Abilities[] = [];
  for (const shard of shardsOf(layout)) found.push(await probeRedis(link.at(shard), { ...probing, shard }));
  const [first, ...others] = found;
  if (first === undefined) throw notACluster(probing.endpoint);
  return common(first, others);
}

/** @throws RestoreError TARGET_UNFIT, TARGET_CREDENTIALS, TARGET_UNREACHABLE */
async function assertCluster(link: Link, endpoint: string): Promise<void> {
  try {
    await link.shards();
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    if (error.code === "RECORD_REFUSED") throw notACluster(endpoint, error);
    if (error.code !== "OUTAGE") throw error;
    throw new RestoreError("TARGET_UNREACHABLE", error.message, {
      where: error.where,
      hint: "Check --redis-url and that the nodes that it names are up.",
      retry: "fatal",
      cause: error,
    });
  }
}

function notACluster(endpoint: string, cause?: unknown): RestoreError {
  return new RestoreError("TARGET_UNFIT", `${endpoint} is no Redis Cluster`, {
    where: { adapter: "redis", endpoint },
    hint: "Name a server outside of a cluster with --redis-url redis://host:port.",
    cause,
  });
}

/** What all can do. */
function common(first: Abilities, others: readonly Abilities[]): Abilities {
  const all = [first, ...others];
  const every = (can: (one: Abilities) => boolean): boolean => all.every(can);
  const versions = [...new Set(all.map(({ server }) => server))].join(" and ");
  const { memory: _, evicts: __, fallbacks: ___, ...rest } = first;
  const abilities = {
    ...rest,
    server: `${versions} cluster, ${all.length} ${all.length === 1 ? "primary" : "primaries"}`,
    clustered: true,
    listable: every(({ listable }) => listable),
    absoluteTimes: every(({ absoluteTimes }) => absoluteTimes),
    xsetid: every(({ xsetid }) => xsetid),
    xgroup: every(({ xgroup }) => xgroup),
    pfmerge: every(({ pfmerge }) => pfmerge),
    persist: every(({ persist }) => persist),
    unlink: every(({ unlink }) => unlink),
    expireTime: every(({ expireTime }) => expireTime),
    freedBy: (keys: number) => all.reduce((sum, { freedBy }) => sum + freedBy(keys / all.length), 0),
    ...present({ evicts: all.find(({ evicts }) => evicts !== undefined)?.evicts, memory: memoryOfAll(all) }),
  };
  const told = all.flatMap(({ fallbacks }) => fallbacks);
  return { ...abilities, fallbacks: [...new Set([...fallbacksOf(abilities), ...told])] };
}

/** Undefined where one has no limit. Slots are spread evenly, as far as anybody knows, so the sum is what counts. */
function memoryOfAll(all: readonly Abilities[]): MemoryState | undefined {
  const memories = all.flatMap(({ memory }) => (memory === undefined ? [] : [memory]));
  if (memories.length < all.length) return undefined;
  const sum = (of: (one: MemoryState) => number): number => memories.reduce((total, one) => total + of(one), 0);
  const dropsBy = memories.find((one) => one.dropsBy !== undefined)?.dropsBy;
  return { limitBytes: sum((one) => one.limitBytes), usedBytes: sum((one) => one.usedBytes), ...present({ dropsBy }) };
}
