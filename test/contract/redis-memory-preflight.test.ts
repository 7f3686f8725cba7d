/** What is said before the first write where a Redis has little memory, or drops keys when it is short. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

const MB = 1024 * 1024;
/** 4 MB together; each takes its own size once more while it arrives. */
const VALUE = Buffer.alloc(MB / 16, "x");
const KEYS = Array.from({ length: 64 }, (_, i) => `key${i}`);

let server: RunningServer;
let admin: Redis;
let dump: Awaited<ReturnType<typeof temporaryDump>>;

beforeAll(async () => {
  server = await startRedis();
  admin = onlooker(server.endpoint);
  dump = await temporaryDump({
    files: Object.fromEntries(KEYS.map((key) => [`redis/db_0/strings/${key}.bin`, VALUE])),
  });
}, 300_000);

afterAll(async () => {
  await admin?.config("SET", "maxmemory", "0");
  admin?.disconnect();
  await server?.stop();
  await dump?.remove();
});

beforeEach(async () => {
  await admin.config("SET", "maxmemory", "0", "maxmemory-policy", "noeviction");
  await admin.flushall();
});

/**
 * Leaves room for so many megabytes. What other clients still take counts as used until the server has noticed that they
 * are gone, and would be room afterwards.
 */
async function room(megabytes: number, policy: string): Promise<void> {
  await expect.poll(async () => /connected_clients:(\d+)/.exec(await admin.info("clients"))?.[1]).toBe("1");
  const used = Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
  const limit = String(used + megabytes * MB);
  await admin.config("SET", "maxmemory", limit, "maxmemory-policy", policy);
}

const run = async (command: "plan" | "apply", ...more: string[]) =>
  await runCli([command, dump.path, "--redis-url", server.endpoint, ...more]);

describe.each(["allkeys-lru", "volatile-ttl"])("a server that drops keys by %s", (policy) => {
  it("and has little room is refused before the first write, by plan too", async () => {
    await room(6, policy);
    const { status, stderr } = await run("apply");
    expect(status, stderr).toBe(5);
    expect(stderr).toMatch(new RegExp(`drops keys by ${policy}.*\\n.*CONFIG SET maxmemory-policy noeviction`));
    expect(await admin.dbsize()).toBe(0);
    const planned = await run("plan");
    expect(planned.status).toBe(5);
    expect(planned.stdout).toMatch(new RegExp(`apply would refuse this: .*drops keys by ${policy}`));
  });

  it("and has little room is taken with --allow-low-memory, and warned of", async () => {
    await room(6, policy);
    const { status, stderr } = await run("apply", "--allow-low-memory");
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(new RegExp(`the dump's \\d+ bytes go into .*drops keys by ${policy}`));
  });

  it("and has ample room is warned of", async () => {
    await room(60, policy);
    const { status, stderr } = await run("apply");
    expect(status, stderr).toBe(0);
    expect(stderr).toContain(policy);
  });
});

describe("a server that drops nothing", () => {
  it("and has too little room is refused before the first write", async () => {
    await room(3, "noeviction");
    const { status, stderr } = await run("apply");
    expect(status, stderr).toBe(5);
    expect(stderr).toMatch(/a server that is full stops the run\n.*CONFIG SET maxmemory/);
    expect(await admin.dbsize()).toBe(0);
  });

  it("and may have too little room is warned of and taken", async () => {
    await room(7, "noeviction");
    const { status, stderr } = await run("apply");
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/a server that is full stops the run/);
  });

  it("and has room, or no limit, is not warned of", async () => {
    await room(60, "noeviction");
    expect((await run("plan")).stdout).not.toMatch(/maxmemory/);
    await admin.config("SET", "maxmemory", "0");
    expect((await run("plan")).stdout).not.toMatch(/maxmemory/);
  });

  it("is not refused for what a replace gives back first", async () => {
    // Made there: the server keeps a buffer of a large argument's size for its client, for seconds.
    await admin.setrange("old", 20 * MB - 1, "x");
    await room(1, "noeviction");
    const { status, stderr } = await run("apply", "--mode", "replace", "--yes");
    expect(status, stderr).toBe(0);
    expect(await admin.dbsize()).toBe(KEYS.length);
  });

  it("is refused before a replace is confirmed or empties anything", async () => {
    await admin.set("old", "v");
    await room(1, "noeviction");
    const { status, stderr } = await run("apply", "--mode", "replace");
    expect(status, stderr).toBe(5);
    expect(stderr).toMatch(/a server that is full/);
    expect(await admin.get("old")).toBe("v");
  });

  it("is not refused for records that it holds already", async () => {
    for (const key of KEYS) await admin.set(key, VALUE);
    await room(3, "noeviction");
    const { status, stderr } = await run("apply", "--mode", "skip-existing");
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/a server that is full stops the run/);
  });
});
