/**
 * A repair beside other jobs on the same scopes: it keeps out of a process that writes, keeps others out while it mends,
 * and takes nothing from a job that is to be taken up.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { told } from "../support/damages/damage.js";
import { runVerify, verification } from "../support/damages/verifications.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { type CliResult, runCli } from "../support/run-cli.js";

const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`);
const HELD = "redis:db_0 on redis://";

let server: RunningServer;
let client: Redis;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint, 0);
  const list = { format_version: 1, items: ["ours"] };
  const lists = KEYS.map((key) => [`redis/db_0/lists/${key}.json`, list] as const);
  dump = await temporaryDump({ files: Object.fromEntries(lists) });
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await Promise.all([server?.stop(), dump?.remove()]);
});

beforeEach(async () => {
  await client.flushdb();
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-repair-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const target = () => ["--redis-url", server.endpoint];
const stateDirectory = () => join(folder, "state");
const state = () => ["--state-dir", stateDirectory()];
const REPLACING = ["--repair", "--mode", "replace", "--yes"];
const APPENDING = ["--mode", "merge", "--list-merge-strategy", "append"];

interface Begun {
  readonly ended: Promise<CliResult>;
  stop(): void;
}

/** A job that appends, in the middle: some lists are there. */
async function appending(): Promise<Begun> {
  const interruption = new AbortController();
  const argv = ["apply", dump.path, ...target(), ...APPENDING, "--rate-limit", "40ops/s", ...state()];
  const ended = runCli(argv, {}, { signal: interruption.signal });
  await expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(1);
  return { ended, stop: () => interruption.abort() };
}

describe("keys that a job keeps for itself", () => {
  const markers = async () => (await client.keys("elastickv-restore:*")).sort();

  it("are nothing that the dump lacks, and stay for the job, which appends nothing twice", async () => {
    const job = await appending();
    job.stop();
    expect((await job.ended).status).toBe(130);
    const [id = ""] = await readdir(join(stateDirectory(), "jobs"));
    const kept = await markers();
    expect(kept.length).toBeGreaterThan(0);
    const appended = (await client.keys("k*")).sort();
    await client.set("stranger", "1");

    const apart = ["--state-dir", join(folder, "apart")];
    const before = await verification([dump.path, ...target(), ...apart]);
    expect(told(before).filter((each) => each.endsWith(" extra"))).toEqual(['redis:db_0 "stranger" extra']);
    expect(before.scopes[0]?.warnings).toContainEqual(expect.stringContaining(`job ${id} keeps keys of its own`));
    expect(before.stdout).toContain(`job ${id} keeps keys of its own`);
    const after = await verification([dump.path, ...target(), ...apart, ...REPLACING]);
    expect(after, after.stderr).toMatchObject({ exitStatus: 0, differenceCount: 0, extra: 0 });
    expect(await client.exists("stranger")).toBe(0);
    expect(await markers()).toEqual(kept);

    const resumed = await runCli(["resume", id, ...state(), "--progress", "none", "--rate-limit", "none"]);
    expect(resumed.status, resumed.stderr).toBe(0);
    for (const key of appended) expect(await client.lrange(key, 0, -1), key).toEqual(["ours"]);
    expect(await markers()).toEqual([]);
  });
});

describe("a repair and another process on the same scope", () => {
  it("is refused while the other one restores, and changes nothing", async () => {
    await client.set("stranger", "1");
    const job = await appending();
    const { status, stderr } = await runVerify([dump.path, ...target(), ...state(), ...REPLACING]);
    job.stop();
    await job.ended;
    expect(status, stderr).toBe(1);
    expect(stderr).toContain(HELD);
    expect(stderr).toContain("is being restored by job");
    expect(await client.exists("stranger")).toBe(1);
    expect(await client.llen(KEYS.at(-1) ?? "")).toBe(0);
  });

  it("keeps restores out from its first change on to its last", async () => {
    await client.mset(Object.fromEntries(KEYS.map((_, i) => [`stranger-${i}`, "1"])));
    const slow = ["--rate-limit", "250ops/s", "--concurrency", "1"];
    const repair = verification([dump.path, ...target(), ...state(), ...REPLACING, ...slow]);
    await expect.poll(() => client.keys("stranger-*"), { timeout: 60_000, interval: 5 }).not.toHaveLength(KEYS.length);
    const refused: CliResult[] = [];
    // While most are still to be restored: what begins then meets the repair.
    while ((await client.keys("k*")).length < KEYS.length / 4) {
      refused.push(
        await runCli(["apply", dump.path, ...target(), "--mode", "merge", ...state(), "--progress", "none"]),
      );
    }
    expect(await repair).toMatchObject({ exitStatus: 0, differenceCount: 0 });
    expect(refused.length).toBeGreaterThan(1);
    for (const { status, stderr } of refused) {
      expect(status, stderr).toBe(1);
      expect(stderr).toContain(HELD);
    }
    const free = await runCli(["apply", dump.path, ...target(), "--mode", "merge", ...state(), "--progress", "none"]);
    expect(free.status, free.stderr).toBe(0);
  }, 120_000);
});
