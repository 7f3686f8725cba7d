/** Letting go of a job: cut off half-way, of a process that may be somebody else's, and later once more. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";

import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { acquireLock } from "../../src/run/job/locks.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { type RedisProxy, startRedisProxy } from "../support/redis-proxy.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

const LISTS = 200;

let server: RunningServer;
let client: Redis;
let proxy: RedisProxy;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint, 0);
  proxy = await startRedisProxy(server.endpoint);
  const list = { format_version: 1, items: ["ours"] };
  const lists = Array.from({ length: LISTS }, (_, i) => [`redis/db_0/lists/k${i}.json`, list] as const);
  dump = await temporaryDump({ files: Object.fromEntries(lists) });
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await proxy?.stop();
  await Promise.all([server?.stop(), dump?.remove()]);
});

beforeEach(async () => {
  await client.flushdb();
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-cancel-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const stateDirectory = () => join(folder, "state");
const state = () => ["--state-dir", stateDirectory()];
const cli = (...argv: string[]) => runCli([...argv, ...state()]);
const statusOf = async (id: string) => JSON.parse((await cli("status", id, "--json")).stdout) as unknown;
const markers = () => client.keys("elastickv-restore:*");

/** A job that appends, and was interrupted in the middle. */
async function stoppedJob(): Promise<string> {
  const interruption = new AbortController();
  const options = ["--mode", "merge", "--list-merge-strategy", "append", "--rate-limit", "40ops/s"];
  const applied = runCli(
    ["apply", dump.path, "--redis-url", server.endpoint, ...options, ...state()],
    {},
    {
      signal: interruption.signal,
    },
  );
  await expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(1);
  interruption.abort();
  const { status, stderr } = await applied;
  expect(status, stderr).toBe(130);
  expect((await markers()).length).toBeGreaterThan(0);
  const [id = ""] = await readdir(join(stateDirectory(), "jobs"));
  return id;
}

describe("a job that is let go of", () => {
  it("is over from the first removal on, since what told what was appended may be gone, and is rid of it later", async () => {
    const id = await stoppedJob();
    const there = await client.dbsize();
    proxy.order(":markers:", "cut", Number.POSITIVE_INFINITY);
    const through = ["--redis-url", proxy.url, "--rebind-target", "--max-retry-time", "0s"];
    const cutOff = await cli("cancel", id, ...through);
    expect(cutOff.status, cutOff.stderr).toBe(1);
    expect(cutOff.stderr).toContain("say the same again to remove what is left");
    expect(await statusOf(id)).toMatchObject({
      state: "cancelled",
      targetsReached: false,
      left: [`Redis: keys whose names begin with elastickv-restore:${id}:`],
    });
    expect((await cli("resume", id)).stderr).toContain(`job ${id} has ended`);
    expect(await client.dbsize()).toBe(there);
    proxy.order("", "cut", 0);
    const again = await cli("cancel", id, "--redis-url", server.endpoint, "--rebind-target");
    expect(again.status, again.stderr).toBe(0);
    expect(await markers()).toEqual([]);
    expect(await statusOf(id)).toMatchObject({ state: "cancelled", targetsReached: true, left: [] });
    expect((await cli("cancel", id)).stderr).toContain(`job ${id} has ended`);
  });

  it("without its target is rid of what is left there later, and not forgotten twice", async () => {
    const id = await stoppedJob();
    const forgotten = await cli("cancel", id, "--forget");
    expect(forgotten.stdout).toContain(`Later: elastickv-restore cancel ${id} --state-dir ${stateDirectory()}`);
    expect(await statusOf(id)).toMatchObject({ state: "cancelled", targetsReached: false });
    expect((await markers()).length).toBeGreaterThan(0);
    expect((await cli("cancel", id, "--forget")).stderr).toContain(`job ${id} has ended`);
    expect((await cli("cancel", id)).status).toBe(0);
    expect(await markers()).toEqual([]);
  });
});

describe("a process that holds a job", () => {
  let bystander: ChildProcess;
  beforeEach(() => {
    bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  });
  afterEach(() => {
    bystander.kill("SIGKILL");
  });

  /** Cancels while this process has the job's lock, and says that another one has it, or not. */
  async function cancelHeld(holder: { readonly pid: number; readonly mayBeEnded?: true }) {
    const id = await stoppedJob();
    const init = { what: `job ${id}`, directory: stateDirectory(), isAlive: () => true };
    const lock = await acquireLock({ ...init, holder: { job: id, ...holder } });
    const terminate = vi.fn(() => {
      void lock.release();
    });
    const answer = await runCli(["cancel", id, ...state()], {}, { terminate });
    await lock.release();
    return { id, answer, terminate };
  }

  it("is not asked to end where the process with its id is another one", async () => {
    const pid = bystander.pid ?? 0;
    const { id, answer, terminate } = await cancelHeld({ pid, mayBeEnded: true });
    expect(answer.status).toBe(1);
    expect(answer.stderr).toContain(`process ${pid} still works on job ${id}`);
    expect(answer.stderr).toContain(`Look whether process ${pid} is that restore and end it (\`kill ${pid}\`)`);
    expect(terminate).not.toHaveBeenCalled();
    expect(await statusOf(id)).toMatchObject({ state: "stopped" });
  });

  it("is not asked to end where it does more than restore", async () => {
    const { answer, terminate } = await cancelHeld({ pid: process.pid });
    expect([answer.status, answer.stderr]).toEqual([1, expect.stringContaining("Look whether process")]);
    expect(terminate).not.toHaveBeenCalled();
  });

  it.skipIf(platform() !== "linux")(
    "is asked to end where it surely is the one, and its job is let go of",
    async () => {
      const { id, answer, terminate } = await cancelHeld({ pid: process.pid, mayBeEnded: true });
      expect(answer.status, answer.stderr).toBe(0);
      expect(terminate.mock.calls).toEqual([[process.pid]]);
      expect(await statusOf(id)).toMatchObject({ state: "cancelled", targetsReached: true });
    },
  );
});
