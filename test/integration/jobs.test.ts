/** Jobs as people meet them: killed, looked at, taken up again, let go of and retried, against a real server. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

const RECORDS = 300;
/** A job that is taken up or let go of has the limits of then, where no others are given. */
const QUICK = ["--rate-limit", "5000ops/s"];

let server: RunningServer;
let client: Redis;
let processes: CliProcesses;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let folder: string;
const killed: CliProcess[] = [];

beforeAll(async () => {
  server = await startRedis();
  client = onlooker(server.endpoint, 0);
  processes = await cliProcesses();
  const strings = Array.from({ length: RECORDS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `v${i}`] as const);
  dump = await temporaryDump({ files: { ...Object.fromEntries(strings), "redis/db_0/sets/bad.json": "no JSON" } });
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await Promise.all([server?.stop(), dump?.remove(), processes?.remove()]);
});

beforeEach(async () => {
  await client.flushdb();
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-jobs-"));
});

afterEach(async () => {
  for (const { child, ended } of killed.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

const state = () => ["--state-dir", join(folder, "state")];
const cli = (...argv: string[]) => runCli([...argv, ...state()]);

async function onlyJob(): Promise<string> {
  const [id, ...others] = await readdir(join(folder, "state", "jobs"));
  if (id === undefined || others.length > 0) throw new Error(`not one job: ${[id, ...others].join()}`);
  return id;
}

/** A restore as a process, slow enough to be met in the middle. */
async function running(...argv: string[]): Promise<CliProcess> {
  const slow = ["--rate-limit", "20ops/s", "--concurrency", "1", "--redis-url", server.endpoint];
  const started = processes.start(["apply", dump.path, ...slow, ...state(), ...argv]);
  killed.push(started);
  await expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
  return started;
}

async function killedJob(...argv: string[]): Promise<string> {
  const { child, ended } = await running(...argv);
  child.kill("SIGKILL");
  expect(await ended).toBe("SIGKILL");
  return await onlyJob();
}

const parsed = (text: string) => JSON.parse(text) as unknown;

describe("a restore whose process was killed", () => {
  it("is listed as stopped, refused when begun again, and taken up without its id", async () => {
    const id = await killedJob();
    expect(parsed((await cli("status", "--json")).stdout)).toMatchObject([{ id, state: "stopped", mode: "none" }]);
    const again = await cli("apply", dump.path, "--redis-url", server.endpoint);
    expect(again.status).toBe(5);
    expect(again.stderr).toContain(`\`elastickv-restore cancel ${id} --state-dir ${join(folder, "state")}\``);
    const report = join(folder, "report.json");
    const resumed = await cli(
      "resume",
      "--rate-limit",
      "1000ops/s",
      "--report",
      report,
      "--report",
      join(folder, "r.html"),
    );
    expect(resumed.status, resumed.stderr).toBe(3);
    expect(await client.dbsize()).toBe(RECORDS);
    const written = parsed(await readFile(report, "utf8")) as { thisProcess: { restored: number } };
    expect(written).toMatchObject({
      job: id,
      resumed: true,
      totals: { restored: RECORDS, rejected: 1 },
      exitStatus: 3,
    });
    expect(written.thisProcess.restored).toBeLessThanOrEqual(RECORDS);
    expect(await readFile(join(folder, "r.html"), "utf8")).toContain("1 were not restored; 300 were restored.");
    expect(parsed((await cli("status", id.slice(0, 6), "--json")).stdout)).toMatchObject({
      state: "finished",
      exitStatus: 3,
      totals: { restored: RECORDS, rejected: 1 },
      scopes: [{ adapter: "redis", scope: "db_0", phase: "done", underWay: 0 }],
    });
    expect((await cli("resume", id)).stderr).toContain(`job ${id} has ended`);
  });

  it("is let go of: nothing is taken up any more, and it can be begun anew", async () => {
    const id = await killedJob();
    const cancelled = await cli("cancel", id.slice(0, 5), ...QUICK);
    expect(cancelled.status, cancelled.stderr).toBe(0);
    expect(cancelled.stdout).toContain(`Job ${id} is cancelled. What it restored stays.`);
    expect(await client.keys("elastickv-restore:*")).toEqual([]);
    expect((await cli("status")).stdout).toMatch(new RegExp(`${id} {2}cancelled`, "u"));
    expect((await cli("resume")).status).toBe(2);
    expect((await cli("resume", id)).stderr).toContain(`job ${id} has ended`);
    await client.flushdb();
    const anew = await cli("apply", dump.path, "--redis-url", server.endpoint);
    expect(anew.status, anew.stderr).toBe(3);
  });

  it("is let go of without its target, which is said to hold what may be left", async () => {
    const id = await killedJob();
    const forgotten = await cli("cancel", id, "--forget", "--redis-url", "redis://127.0.0.1:3");
    expect(forgotten.status, forgotten.stderr).toBe(0);
    expect(forgotten.stdout).toContain(`keys whose names begin with elastickv-restore:${id}:`);
    expect(parsed((await cli("status", id, "--json")).stdout)).toMatchObject({ state: "cancelled" });
  });

  it("stays when its target cannot be reached for letting go, and --forget is named", async () => {
    const id = await killedJob();
    const refused = await cli(
      "cancel",
      id,
      "--redis-url",
      "redis://127.0.0.1:3",
      "--max-retry-time",
      "0s",
      "--rebind-target",
    );
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("--forget lets go of it");
    expect(parsed((await cli("status", id, "--json")).stdout)).toMatchObject({ state: "stopped" });
  });
});

describe("a restore that runs", () => {
  it("is shown with its process, held against others, and stopped by cancel", async () => {
    const { child, ended } = await running();
    const id = await onlyJob();
    expect(parsed((await cli("status", "--json")).stdout)).toMatchObject([{ id, state: "running", pid: child.pid }]);
    expect((await cli("resume", id)).stderr).toContain(`is being restored by job ${id} (process ${child.pid})`);
    const canceller = processes.start(["cancel", id, ...QUICK, ...state()]);
    expect(await canceller.ended, canceller.said.stderr).toBe(0);
    expect(await ended).toBe(143);
    expect(parsed((await cli("status", id, "--json")).stdout)).toMatchObject({ state: "cancelled" });
  });
});

describe("a retry", () => {
  /** Restores all but what stands in the way, and takes that away. */
  async function withRejects(): Promise<string> {
    await client.lpush("k7", "in the way");
    const report = join(folder, "first.json");
    const first = await cli("apply", dump.path, "--redis-url", server.endpoint, "--mode", "merge", "--report", report);
    expect(first.status, first.stderr).toBe(3);
    await client.del("k7", "k8");
    return report;
  }

  it("restores what was rejected and nothing else, with the options of then", async () => {
    const report = await withRejects();
    const second = join(folder, "second.json");
    const retried = await cli("retry", report, "--report", second);
    expect(retried.status, retried.stderr).toBe(3);
    expect(retried.stderr).toContain("Only     2 records that");
    expect(await client.get("k7")).toBe("v7");
    expect(await client.exists("k8")).toBe(0);
    expect(parsed(await readFile(second, "utf8"))).toMatchObject({
      retryOf: report,
      recordsRead: 2,
      totals: { restored: 1, rejected: 1 },
      scopes: [{ decision: "keep" }],
    });
  });

  it("knows the list by the job's own one, also by the job's id", async () => {
    const report = await withRejects();
    const { job } = parsed(await readFile(report, "utf8")) as { job: string };
    await rm(report);
    const retried = await cli("retry", job.slice(0, 8), "--json");
    expect(parsed(retried.stdout), retried.stderr).toMatchObject({ recordsRead: 2, totals: { restored: 1 } });
  });

  it("refuses another dump, another outcome than there is, and its own report's place", async () => {
    const report = await withRejects();
    const other = await temporaryDump({ files: { "redis/db_0/strings/k7.bin": "another" } });
    try {
      const refused = await cli("retry", report, "--dump", other.path);
      expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("belongs to another dump")]);
    } finally {
      await other.remove();
    }
    expect((await cli("retry", report, "--only", "failed")).stderr).toContain("lists no record that ended failed");
    expect((await cli("retry", report, "--report", report)).stderr).toContain("would write over the report");
    expect(await client.exists("k7")).toBe(0);
    await writeFile(report, "{}");
    expect((await cli("retry", report)).stderr).toContain("is no report that can be retried");
  });
});

it("prune removes what ended and keeps what is unfinished", async () => {
  const id = await killedJob();
  await cli("cancel", id, "--forget");
  await client.flushdb();
  const { child, ended } = await running();
  child.kill("SIGKILL");
  await ended;
  expect((await cli("jobs", "prune", "--older-than", "1d")).stdout).toBe("0 jobs removed.\n");
  expect((await cli("jobs", "prune", "--older-than", "0s")).stdout).toMatch(/1 job removed\.\n$/u);
  expect(await onlyJob()).not.toBe(id);
});
