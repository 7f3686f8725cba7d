/** A dump's Redis database through the command line into a Redis Cluster, in every mode, read back exactly. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import { clientOf, type RunningCluster, startRedisCluster } from "../../testcontainers/redis-cluster.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type FreshDump, freshDump } from "../support/fresh-dump.js";
import { type Expected, expectedFrom } from "../support/readback/expected.js";
import type { Difference } from "../support/readback/state.js";
import { verifyRedis } from "../support/readback/verify-redis.js";
import { runCliWithReport } from "../support/run-cli.js";
import { clusterClient } from "../support/servers/redis-cluster-view.js";

const EXPIRED = ['redis db_0 "ttl-past"', 'redis db_0 "hash:past"'];

let cluster: RunningCluster;
/** The proof reads one server: what the cluster holds is copied there. */
let mirror: RunningServer;
let dump: FreshDump;
let expected: Expected;
let total: number;

beforeAll(async () => {
  dump = await freshDump("gallery");
  expected = expectedFrom(dump.path);
  total = [...expected.counts]
    .filter(([scope]) => scope.startsWith("redis:"))
    .reduce((sum, [, count]) => sum + count, 0);
  [cluster, mirror] = await Promise.all([startRedisCluster(), startRedis()]);
}, 300_000);

afterAll(async () => {
  await Promise.all([cluster?.stop(), mirror?.stop(), dump?.remove()]);
});

beforeEach(async () => {
  await onEachNode((node) => node.flushall());
});

async function onEachNode(use: (node: Redis) => Promise<unknown>): Promise<void> {
  for (const at of cluster.nodes) {
    const node = clientOf(at);
    await use(node);
    node.disconnect();
  }
}

/** Everything that is otherwise than in the dump, keys that it lacks included. */
async function differences(): Promise<Difference[]> {
  const copy = new Redis(mirror.endpoint, { protocol: 2 });
  await copy.flushall();
  await onEachNode(async (node) => {
    for (const key of await node.keysBuffer("*")) {
      const [value, expiry] = await Promise.all([node.dumpBuffer(key), node.pexpiretime(key)]);
      await copy.restore(key, Math.max(expiry, 0), value ?? "", "ABSTTL");
    }
  });
  copy.disconnect();
  return await verifyRedis(
    expected,
    mirror.endpoint,
    EXPIRED.map((record) => ({ record, reason: "its time is past" })),
  );
}

const apply = async (...more: string[]) => {
  const argv = ["apply", dump.path, "--adapter", "redis", "--progress", "none", ...more];
  return await runCliWithReport(argv, { REDIS_URL: cluster.endpoint });
};

async function withCluster(use: (client: ReturnType<typeof clusterClient>) => Promise<unknown>): Promise<void> {
  const client = clusterClient(cluster.endpoint);
  await use(client);
  client.disconnect();
}

describe("the gallery dump on a Redis Cluster", () => {
  it("is exactly there, and refused where it is without a mode", async () => {
    const first = await apply();
    expect(first.status, first.stderr).toBe(0);
    expect(await differences()).toEqual([]);
    expect(first.report?.totals).toMatchObject({ restored: total - EXPIRED.length, "skipped-expired": EXPIRED.length });
    const second = await apply();
    expect(second.status).toBe(5);
    expect(second.stderr).toContain("--mode");
  }, 120_000);

  it("is written by skip-existing where it is missing, and what differs stays", async () => {
    await apply();
    await withCluster(async (client) => {
      await client.del("list:big");
      await client.del("greeting");
      await client.rpush("greeting", "not what it was");
    });
    const { status, stderr, report } = await apply("--mode", "skip-existing");
    expect(status, stderr).toBe(0);
    expect(report?.totals["restored"]).toBe(1);
    expect((await differences()).map(({ record }) => record)).toContain('redis db_0 "greeting"');
  }, 120_000);

  it("wins by merge over what differs, and keeps what it does not name", async () => {
    await apply();
    await withCluster(async (client) => {
      await client.set("greeting", "not what it was");
      await client.set("stranger", "1");
    });
    const { status, stderr } = await apply("--mode", "merge");
    expect(status, stderr).toBe(0);
    expect((await differences()).map(({ record }) => record)).toEqual(['redis db_0 "stranger"']);
  }, 120_000);

  it.each([[], ["--replace-strategy", "per-key"]])(
    "is by replace all that is there on any node (%s %s)",
    async (...how) => {
      await apply();
      await withCluster(async (client) => {
        for (let i = 0; i < 50; i++) await client.set(`stranger-${i}`, "1");
        await client.set("greeting", "not what it was");
      });
      const { status, stderr } = await apply("--mode", "replace", "--yes", ...how);
      expect(status, stderr).toBe(0);
      expect(await differences()).toEqual([]);
    },
    120_000,
  );

  it("is planned under a plain URL with the cluster's name", async () => {
    const url = cluster.endpoint.replace("redis+cluster:", "redis:");
    const { status, stdout, stderr } = await apply("--dry-run", "--redis-url", url);
    expect(status, stderr).toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/(?:Redis|Valkey) \S+ cluster, 3 primaries/);
  });

  it("goes into database 0 only, and the rename that helps is told", async () => {
    const { status, stderr } = await apply("--rename", "redis:0=3");
    expect(status).toBe(5);
    expect(stderr).toContain("--rename redis:0=0");
  });

  it("takes several hosts, of which one is down", async () => {
    const url = cluster.endpoint.replace("//", "//127.0.0.1:1,");
    const { status, stderr } = await apply("--redis-url", url);
    expect(status, stderr).toBe(0);
    expect(await differences()).toEqual([]);
  });
});
