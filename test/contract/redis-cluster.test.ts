/** What only a cluster has: slots that move, primaries that fail, nodes that cannot be reached. */
import type { Cluster, Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { slotOf } from "../../src/replayers/redis/slots.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import { startRedis } from "../../testcontainers/redis.js";
import {
  type ClusterNode,
  clientOf,
  type RunningCluster,
  startRedisCluster,
} from "../../testcontainers/redis-cluster.js";
import { startRedisProxy } from "../support/redis-proxy.js";
import { collectionRecord, databaseScope, stringRecord } from "../support/redis-records.js";
import { type RestoreOptions, replayerFor, restore, words } from "../support/redis-restore.js";
import { clusterClient } from "../support/servers/redis-cluster-view.js";

let cluster: RunningCluster;
let client: Cluster;
let nodes: readonly (ClusterNode & { readonly client: Redis; readonly id: string })[];
const opened: Replayer<"redis">[] = [];

beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: true });
  client = clusterClient(cluster.endpoint);
  nodes = await Promise.all(
    cluster.nodes.map(async (node) => {
      const own = clientOf(node);
      return { ...node, client: own, id: String(await own.call("CLUSTER", "MYID")) };
    }),
  );
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  for (const node of nodes ?? []) node.client.disconnect();
  await cluster?.stop();
});

beforeEach(async () => {
  for (const node of nodes.slice(0, 3)) await node.client.flushall().catch(() => undefined);
});

afterEach(async () => {
  for (const replayer of opened.splice(0)) await replayer.close();
});

function replayer(url = cluster.endpoint, options: RestoreOptions = {}): Replayer<"redis"> {
  const made = replayerFor(url, options);
  opened.push(made);
  return made;
}

const [A, B] = [0, 1];
const at = (i: number) => {
  const node = nodes[i];
  if (node === undefined) throw new Error("no such node");
  return node;
};
const plain = (i: number): string => `redis://${at(i).host}:${at(i).port}`;
const cluster_ = async (i: number, ...args: string[]): Promise<unknown> => await at(i).client.call("CLUSTER", args);

/** All nodes know one another by their real addresses again. */
async function announcedAsTheyAre(i: number): Promise<void> {
  await at(i).client.config("SET", "cluster-announce-port", "0");
  const ports = new Set(nodes.map(({ port }) => port));
  for (const { client: own } of nodes) {
    for (;;) {
      const lines = String(await own.call("CLUSTER", "NODES"))
        .trim()
        .split("\n");
      if (lines.every((line) => ports.has(Number(/:(\d+)@/.exec(line)?.[1])))) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Keys of one slot, by a tag. */
const TAG = "{a}";
const SLOT = slotOf(Buffer.from("a"));

/** The node that owns TAG's slot comes first; the other one of A and B second. */
function ends(): readonly [from: number, to: number] {
  const owner = Math.floor((SLOT * 3) / 16_384);
  return [owner, owner === A ? B : A];
}

async function beginMove([from, to] = ends()): Promise<void> {
  await cluster_(to, "SETSLOT", String(SLOT), "IMPORTING", at(from).id);
  await cluster_(from, "SETSLOT", String(SLOT), "MIGRATING", at(to).id);
}

async function endMove([from, to] = ends()): Promise<void> {
  const keys = (await cluster_(from, "GETKEYSINSLOT", String(SLOT), "1000")) as string[];
  for (const key of keys) await at(from).client.migrate(at(to).host, at(to).port, key, 0, 5_000);
  for (const i of [to, from]) await cluster_(i, "SETSLOT", String(SLOT), "NODE", at(to).id);
}

describe("a cluster", () => {
  it("is known by any of its nodes, replicas too, under a plain URL", async () => {
    for (const i of [0, 2, 4]) {
      const one = replayer(plain(i));
      expect((await one.probe()).server).toMatch(/^(?:Redis|Valkey) \S+ cluster, 3 primaries$/);
      expect(words(await one.write(databaseScope(), [stringRecord(`k${i}`, "v")]))).toEqual(["restored"]);
      expect(await client.get(`k${i}`)).toBe("v");
    }
  });

  it("has every key on the node of its slot, however odd its braces", async () => {
    const keys = ["{}x", "a{b", "a}b{", "{{}}x", "a{}b{c}", "{t}1", "\x00\xff{\xfe}", " "];
    const records = keys.flatMap((key) => [
      stringRecord(Buffer.from(key, "latin1"), "v"),
      collectionRecord("hash", Buffer.from(`h${key}`, "latin1"), [["f", "v"]]),
      collectionRecord(
        "list",
        Buffer.from(`l${key}`, "latin1"),
        Array.from({ length: 1_500 }, (_, i) => [`${i}`]),
      ),
    ]);
    const written = await restore(cluster.endpoint, records, { mode: "merge", strategies: { list: "append" } });
    expect(new Set(words(written))).toEqual(new Set(["restored"]));
    for (const { key } of records) {
      expect(await at(0).client.call("CLUSTER", "KEYSLOT", key)).toBe(slotOf(key));
      expect(await client.exists(key)).toBe(1);
    }
    const held = await Promise.all(nodes.slice(0, 3).map(async (node) => await node.client.dbsize()));
    expect(held.reduce((sum, count) => sum + count, 0)).toBe(records.length);
  });

  it("is counted and emptied on all of its nodes", async () => {
    for (let i = 0; i < 300; i++) await client.set(`old-${i}`, "x");
    const one = replayer(cluster.endpoint, { mode: "replace" });
    const state = await one.inspect(databaseScope(), async function* () {});
    expect(state).toMatchObject({ presence: "holds-records", count: { value: 300, exact: true } });
    await one.empty(databaseScope());
    expect((await one.inspect(databaseScope(), async function* () {})).presence).toBe("empty");
  });

  it("that is no cluster is told by its name", async () => {
    const server = await startRedis();
    try {
      const url = server.endpoint.replace("redis:", "redis+cluster:");
      await expect(replayer(url).probe()).rejects.toMatchObject({ code: "TARGET_UNFIT" });
    } finally {
      await server.stop();
    }
  });

  it("with a slot that no node owns is refused before anything is written", async () => {
    await cluster_(B, "DELSLOTS", "8000");
    try {
      const probing = replayer(plain(B)).probe();
      await expect(probing).rejects.toMatchObject({ code: "TARGET_UNFIT", message: /1 of the 16384 slots.*8000/ });
    } finally {
      await cluster_(B, "ADDSLOTS", "8000");
    }
  });

  it("that is partly out of reach names the node", async () => {
    await at(B).client.config("SET", "cluster-announce-port", "1");
    try {
      const probing = replayer(plain(B), { maxRetryTimeMs: 300 }).probe();
      await expect(probing).rejects.toMatchObject({
        code: "TARGET_UNREACHABLE",
        message: /the node 127\.0\.0\.1:1 of/,
      });
    } finally {
      await announcedAsTheyAre(B);
    }
  });

  it("of which no node answers is out of reach", async () => {
    const probing = replayer("redis+cluster://127.0.0.1:1,127.0.0.1:2", { maxRetryTimeMs: 300 }).probe();
    await expect(probing).rejects.toMatchObject({
      code: "TARGET_UNREACHABLE",
      message: /127\.0\.0\.1:1,127\.0\.0\.1:2/,
    });
  });

  it("that does not tell a user its slots says which right is missing", async () => {
    for (const { client: own } of nodes)
      await own.call("ACL", "SETUSER", "blind", "on", ">pw", "~*", "+@all", "-cluster");
    const probing = replayer(cluster.endpoint, { target: { access: { username: "blind", password: "pw" } } }).probe();
    await expect(probing).rejects.toMatchObject({ code: "TARGET_CREDENTIALS", message: /cluster/i });
  });

  it("that lets a user not follow a slot on its way says which right is missing", async () => {
    for (const { client: own } of nodes)
      await own.call("ACL", "SETUSER", "half", "on", ">pw", "~*", "+@all", "-asking");
    const probing = replayer(cluster.endpoint, { target: { access: { username: "half", password: "pw" } } }).probe();
    await expect(probing).rejects.toMatchObject({ code: "TARGET_CREDENTIALS", message: /ASKING/ });
  });
});

describe("a slot that moves", () => {
  it("takes new keys at its new node, and is followed when it has moved", async () => {
    const one = replayer(cluster.endpoint, { mode: "skip-existing" });
    const value = Buffer.alloc(5 * 1024 * 1024, "x");
    const before = await one.incarnation?.(databaseScope());
    expect(words(await one.write(databaseScope(), [stringRecord(`${TAG}before`, "v")]))).toEqual(["restored"]);
    await beginMove();
    const records = [
      stringRecord(`${TAG}during`, "v"),
      stringRecord(`${TAG}large`, value),
      stringRecord(`${TAG}before`, "w"),
    ];
    const outcomes = words(await one.write(databaseScope(), records));
    expect(outcomes).toEqual(["restored", "restored", "skipped-existing/exists"]);
    await endMove();
    expect(words(await one.write(databaseScope(), [stringRecord(`${TAG}after`, "v")]))).toEqual(["restored"]);
    expect(await at(ends()[1]).client.mget(`${TAG}before`, `${TAG}during`, `${TAG}after`)).toEqual(["v", "v", "v"]);
    expect(await at(ends()[1]).client.strlen(`${TAG}large`)).toBe(value.length);
    expect(await one.incarnation?.(databaseScope())).toBe(before);
    await moveBack();
  });

  it("gets what takes several keys once it has arrived, each item once", async () => {
    await client.rpush(`${TAG}list`, "old");
    const one = replayer(cluster.endpoint, { mode: "merge", strategies: { list: "append" }, maxRetryTimeMs: 20_000 });
    await one.probe();
    await beginMove();
    const items = Array.from({ length: 2_500 }, (_, i) => [`${i}`]);
    const records = [
      collectionRecord("list", `${TAG}list`, items),
      collectionRecord("hash", `${TAG}hash`, [["f", "v"]]),
      collectionRecord("set", `${TAG}set`, items),
    ];
    const writing = one.write(databaseScope(), records);
    while (one.stats.retries < 2) await new Promise((resolve) => setImmediate(resolve));
    await endMove();
    expect(words(await writing)).toEqual(["restored", "restored", "restored"]);
    await one.finish(databaseScope());
    const target = at(ends()[1]).client;
    expect(await target.lrange(`${TAG}list`, 0, -1)).toEqual(["old", ...items.flat()]);
    expect([await target.hget(`${TAG}hash`, "f"), await target.scard(`${TAG}set`)]).toEqual(["v", 2_500]);
    expect(await cluster_(ends()[1], "COUNTKEYSINSLOT", String(SLOT))).toBe(3);
    await moveBack();
  });

  async function moveBack(): Promise<void> {
    const [from, to] = ends();
    await beginMove([to, from]);
    await endMove([to, from]);
  }
});

describe("a lost answer of a node", () => {
  it("doubles nothing and is cleared up by a look at the target", async () => {
    const owner = ends()[0];
    const proxy = await startRedisProxy(plain(owner));
    await at(owner).client.config("SET", "cluster-announce-port", new URL(proxy.url).port);
    try {
      const one = replayer(plain(owner), { mode: "skip-existing" });
      await one.probe();
      const before = await one.incarnation?.(databaseScope());
      proxy.order("lost-once", "lose-answer");
      const string = await one.write(databaseScope(), [stringRecord(`${TAG}s`, "lost-once")]);
      expect(words(string)).toEqual(["restored/found-after-lost-reply"]);
      const appending = replayer(plain(owner), { mode: "merge", strategies: { list: "append" } });
      await appending.probe();
      proxy.order("lost-too", "lose-answer");
      const list = await appending.write(databaseScope(), [collectionRecord("list", `${TAG}l`, [["lost-too"]])]);
      expect([words(list), proxy.faults]).toEqual([["restored"], 2]);
      expect(await at(owner).client.lrange(`${TAG}l`, 0, -1)).toEqual(["lost-too"]);
      expect(await one.incarnation?.(databaseScope())).toBe(before);
    } finally {
      await announcedAsTheyAre(owner);
      await proxy.stop();
    }
  });
});

/** Last: a node is gone after it. */
describe("a primary that fails", () => {
  it("is replaced by its replica, no record is lost unseen, and the cluster is another one then", async () => {
    const one = replayer(cluster.endpoint, { maxRetryTimeMs: 60_000 });
    const records = (from: number) =>
      Array.from({ length: 300 }, (_, i) => stringRecord(`f${from + i}`, `${from + i}`));
    expect(new Set(words(await one.write(databaseScope(), records(0))))).toEqual(new Set(["restored"]));
    const before = await one.incarnation?.(databaseScope());
    await at(B).stop();
    const after = words(await one.write(databaseScope(), records(300)));
    expect(after.every((word) => word.startsWith("restored"))).toBe(true);
    await one.finish(databaseScope());
    expect(await one.incarnation?.(databaseScope())).not.toBe(before);
    const values = await Promise.all(Array.from({ length: 300 }, async (_, i) => await client.get(`f${300 + i}`)));
    expect(values).toEqual(Array.from({ length: 300 }, (_, i) => `${300 + i}`));
  }, 90_000);
});
