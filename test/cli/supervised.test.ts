/** The command line as a process that another one started as a job, over a real channel and against a real Redis. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { JOB_ID_VARIABLE, type Order, type Reported } from "../../src/daemon/channel.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { type CliProcess, type CliProcesses, cliProcesses } from "../support/cli-process.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { startRespServer } from "../support/resp-server.js";

const KEYS = 600;
const ID = "00112233aabbccdd";

let server: RunningServer;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let processes: CliProcesses;
let folder: string;
let client: Redis;
const started: CliProcess[] = [];

beforeAll(async () => {
  server = await startRedis();
  processes = await cliProcesses();
  client = onlooker(server.endpoint);
  const keys = Array.from({ length: KEYS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, `value ${i}`] as const);
  dump = await temporaryDump({ files: Object.fromEntries(keys) });
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await Promise.all([server?.stop(), dump?.remove(), processes?.remove()]);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-supervised-"));
  await client.flushdb();
});

afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Into the one Redis, with a state folder of the test's own. */
function supervise(command: string, ...argv: string[]): CliProcess {
  return begin(processes.supervise, [command, dump.path, "--redis-url", server.endpoint, ...argv]);
}

function begin(how: CliProcesses["start"], argv: readonly string[], env: Record<string, string> = {}): CliProcess {
  const cli = how([...argv, "--state-dir", join(folder, "state")], { [JOB_ID_VARIABLE]: ID, ...env });
  started.push(cli);
  return cli;
}

function order({ child }: CliProcess, message: Order): void {
  child.send(message);
}

/** The first message of a kind, of those that come or came behind `after` others. */
async function told<T extends Reported["type"]>(cli: CliProcess, type: T, after = 0) {
  const found = () => cli.told.slice(after).find((message) => message.type === type);
  await expect.poll(found, { timeout: 30_000, interval: 10, message: cli.said.stderr }).toBeDefined();
  return found() as Extract<Reported, { type: T }>;
}

async function written(atLeast: number): Promise<void> {
  await expect.poll(() => client.dbsize(), { timeout: 30_000, interval: 10 }).toBeGreaterThanOrEqual(atLeast);
}

async function values(): Promise<number> {
  const keys = Array.from({ length: KEYS }, (_, i) => `k${i}`);
  const held = await client.mget(keys);
  return held.filter((value, i) => value === `value ${i}`).length;
}

/** Commands that write or read a key, whoever sent them. */
async function calls(): Promise<number> {
  const stats = await client.info("commandstats");
  return [...stats.matchAll(/^cmdstat_(?:set|get|type|exists|pttl|eval).*?:calls=(\d+)/gmu)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

async function reportIn(path: string) {
  return JSON.parse(await readFile(path, "utf8")) as {
    readonly job: string;
    readonly resumed: boolean;
    readonly status: string;
    readonly durationMs: number;
    readonly totals: Readonly<Record<string, number>>;
    readonly thisProcess: { readonly pausedMs?: number; readonly recordsPerSecond: number };
    readonly scopes: readonly { readonly durationMs: number }[];
  };
}

describe("a pause", () => {
  it("holds the target still, and the restore goes on where it was", async () => {
    const report = join(folder, "report.json");
    const cli = supervise("apply", "--rate-limit", "200ops/s", "--report", report);
    await written(5);
    order(cli, { type: "pause" });
    await told(cli, "paused");
    const held = await client.dbsize();
    expect(held).toBeLessThan(KEYS);
    await delay(1_500);
    expect(await client.dbsize()).toBe(held);
    order(cli, { type: "resume" });
    await told(cli, "resumed");
    expect(await cli.ended, cli.said.stderr).toBe(0);
    expect(await values()).toBe(KEYS);
    const { job, durationMs, thisProcess, scopes, totals } = await reportIn(report);
    expect([job, totals["restored"]]).toEqual([ID, KEYS]);
    const { pausedMs = 0, recordsPerSecond } = thisProcess;
    expect(pausedMs).toBeGreaterThanOrEqual(1_500);
    expect(scopes[0]?.durationMs).toBeLessThanOrEqual(durationMs - pausedMs);
    expect(recordsPerSecond).toBeCloseTo(KEYS / ((durationMs - pausedMs) / 1000), 0);
  });

  it("before anything was sent keeps everything from being sent", async () => {
    const cli = supervise("apply");
    order(cli, { type: "pause" });
    await told(cli, "paused");
    await delay(1_500);
    expect(await client.dbsize()).toBe(0);
    order(cli, { type: "resume" });
    expect(await cli.ended, cli.said.stderr).toBe(0);
    expect(await values()).toBe(KEYS);
  });

  it.each([
    ["plan", ["--mode", "skip-existing"]],
    ["verify", []],
  ])("of %s asks the target nothing, and it ends as if there had been none", async (command, argv) => {
    for (let i = 0; i < KEYS; i++) await client.set(`k${i}`, `value ${i}`);
    const cli = supervise(command, "--rate-limit", "300ops/s", ...argv);
    const before = await calls();
    await expect.poll(calls, { timeout: 30_000, interval: 10 }).toBeGreaterThan(before);
    order(cli, { type: "pause" });
    await told(cli, "paused");
    const asked = await calls();
    await delay(1_000);
    expect(await calls()).toBe(asked);
    order(cli, { type: "limits", limits: { rateLimit: "none" } });
    order(cli, { type: "resume" });
    expect(await cli.ended, cli.said.stderr).toBe(0);
    expect(await calls()).toBeGreaterThan(asked);
  });

  it("of a drill is left out of its recovery time, and told", async () => {
    const out = join(folder, "evidence");
    const named = ["--drill-database", "7", "--out", out, "--json", "--rate-limit", "300ops/s"];
    const cli = supervise("drill", ...named);
    const drilled = onlooker(server.endpoint, 7);
    try {
      await expect.poll(() => drilled.dbsize(), { timeout: 30_000, interval: 10 }).toBeGreaterThan(5);
      order(cli, { type: "pause" });
      await told(cli, "paused");
      const held = await drilled.dbsize();
      await delay(3_000);
      expect(await drilled.dbsize()).toBe(held);
      order(cli, { type: "limits", limits: { rateLimit: "none" } });
      order(cli, { type: "resume" });
      expect(await cli.ended, cli.said.stderr).toBe(0);
      expect(await drilled.dbsize()).toBe(0);
    } finally {
      drilled.disconnect();
    }
    const { times, warnings } = JSON.parse(cli.said.stdout) as { times: { restoreMs: number }; warnings: string[] };
    expect(warnings).toContainEqual(expect.stringMatching(/^the restore was paused for \d+ s, which/u));
    expect(times.restoreMs).toBeLessThan(3_000);
    const last = cli.told.findLast(({ type }) => type === "progress");
    expect(last).toMatchObject({
      progress: {
        scopes: [
          { scope: "redis/db_0", records: KEYS, outcomes: { restored: KEYS }, isComparison: false, isFinished: true },
          { scope: "redis/db_0", records: KEYS, differing: 0, isComparison: true, isFinished: true },
        ],
      },
    });
  });
});

describe("limits", () => {
  it("hold from the moment they are accepted, up and down", async () => {
    const cli = supervise("apply", "--rate-limit", "20ops/s");
    await written(1);
    const inASecond = async (rateLimit: string) => {
      const after = cli.told.length;
      order(cli, { type: "limits", limits: { rateLimit } });
      expect(await told(cli, "limits", after)).toEqual({ type: "limits", limits: { rateLimit } });
      const [before, began] = [await client.dbsize(), performance.now()];
      await delay(1_000);
      // The timer of a busy machine is late.
      return ((await client.dbsize()) - before) / ((performance.now() - began) / 1000);
    };
    const fast = await inASecond("200ops/s");
    expect(fast).toBeGreaterThan(100);
    expect(fast).toBeLessThanOrEqual(220);
    const slow = await inASecond("redis=30ops/s");
    expect(slow).toBeGreaterThan(10);
    expect(slow).toBeLessThanOrEqual(35);
    order(cli, { type: "limits", limits: { rateLimit: "none" } });
    expect(await cli.ended, cli.said.stderr).toBe(0);
    expect(await values()).toBe(KEYS);
  });

  it("that are none are refused, and those before hold on", async () => {
    const cli = supervise("apply", "--rate-limit", "50ops/s");
    await written(1);
    order(cli, { type: "limits", limits: { rateLimit: "none", concurrency: "lots" } });
    expect(await told(cli, "limits-refused")).toMatchObject({
      failure: { code: "USAGE", message: '--concurrency does not take "lots"' },
    });
    const before = await client.dbsize();
    await delay(1_000);
    expect((await client.dbsize()) - before).toBeLessThanOrEqual(100);
    order(cli, { type: "stop" });
    expect(await cli.ended).toBe(143);
  });
});

/** Takes the job up in a process without a supervisor, and looks at what the target holds then. */
async function takenUp(): Promise<void> {
  const report = join(folder, "resumed.json");
  const again = begin(processes.start, ["resume", ID, "--rate-limit", "none", "--report", report]);
  expect(await again.ended, again.said.stderr).toBe(0);
  expect(await reportIn(report)).toMatchObject({ job: ID, resumed: true, totals: { restored: KEYS } });
  expect(await values()).toBe(KEYS);
}

describe("the end", () => {
  it.each([
    ["an order to stop", false, (cli: CliProcess) => order(cli, { type: "stop" })],
    ["an order to stop, paused", true, (cli: CliProcess) => order(cli, { type: "stop" })],
    ["SIGTERM, paused", true, ({ child }: CliProcess) => child.kill("SIGTERM")],
    ["a channel that closes", false, ({ child }: CliProcess) => child.disconnect()],
    ["a channel that closes, paused", true, ({ child }: CliProcess) => child.disconnect()],
  ])("by %s is that of SIGTERM: the job is taken up where it was", async (_, isPaused, stop) => {
    const cli = supervise("apply", "--rate-limit", "100ops/s");
    await written(5);
    if (isPaused) {
      order(cli, { type: "pause" });
      await told(cli, "paused");
    }
    stop(cli);
    expect(await cli.ended, cli.said.stderr).toBe(143);
    expect(cli.said.stderr).toContain(`elastickv-restore resume ${ID}`);
    expect(await client.dbsize()).toBeLessThan(KEYS);
    await takenUp();
  });

  it.each([["plan"], ["apply"], ["verify"]])(
    "of a channel that closes before %s has come to its target is that of SIGTERM, with no connection left",
    async (command) => {
      const cli = supervise(command);
      cli.child.disconnect();
      expect(await Promise.race([cli.ended, delay(15_000, "it has not ended")]), cli.said.stderr).toBe(143);
    },
  );

  it("that was asked for is told as interrupted, behind the last progress", async () => {
    const cli = supervise("apply", "--rate-limit", "100ops/s");
    await written(5);
    order(cli, { type: "stop" });
    expect(await cli.ended).toBe(143);
    expect(cli.told.at(-1)).toMatchObject({ type: "failed", failure: { code: "INTERRUPTED" } });
    const held = await client.dbsize();
    const last = cli.told.findLast(({ type }) => type === "progress");
    expect(last).toMatchObject({ progress: { scopes: [{ records: held, outcomes: { restored: held } }] } });
  });

  it("by an error is told with its code, place and hint", async () => {
    const argv = ["apply", dump.path, "--redis-url", "redis://127.0.0.1:1", "--max-retry-time", "1s"];
    const cli = begin(processes.supervise, argv);
    expect(await cli.ended).toBe(5);
    expect(cli.told.at(-1)).toMatchObject({
      type: "failed",
      failure: { code: "TARGET_UNREACHABLE", hint: expect.any(String), where: { adapter: "redis" } },
    });
  });

  it("by an error that nobody catches is told before the process ends at once", async () => {
    const hostile = await startRespServer(() => "*-5\r\n$-7\r\n");
    try {
      const cli = begin(processes.supervise, ["apply", dump.path, "--redis-url", `redis://127.0.0.1:${hostile.port}`]);
      expect(await cli.ended).toBe(1);
      expect(cli.told.at(-1)).toMatchObject({ type: "failed", failure: { code: "INTERNAL" } });
    } finally {
      await hostile.stop();
    }
  });

  it("by a mistake in usage is told as well", async () => {
    const cli = supervise("apply", "--mode", "sideways");
    expect(await cli.ended).toBe(2);
    expect(cli.told).toMatchObject([{ type: "failed", failure: { code: "USAGE" } }]);
  });

  it("of a plan that would be refused is told with the reason", async () => {
    await client.set("theirs", "1");
    const cli = supervise("plan", "--json");
    expect(await cli.ended).toBe(5);
    expect(cli.told.filter(({ type }) => type === "failed")).toMatchObject([{ failure: { code: "TARGET_NOT_EMPTY" } }]);
  });
});

describe("the job's id", () => {
  it("that is none is a mistake in usage", async () => {
    const argv = ["apply", dump.path, "--redis-url", server.endpoint];
    const cli = begin(processes.supervise, argv, { [JOB_ID_VARIABLE]: "../../etc" });
    expect(await cli.ended).toBe(2);
    expect(await client.dbsize()).toBe(0);
  });

  it("counts for nothing where there is no channel", async () => {
    const report = join(folder, "report.json");
    const cli = begin(processes.start, ["apply", dump.path, "--redis-url", server.endpoint, "--report", report]);
    expect(await cli.ended, cli.said.stderr).toBe(0);
    expect((await reportIn(report)).job).not.toBe(ID);
    expect(cli.told).toEqual([]);
  });
});

it("a channel alone is no supervisor", async () => {
  const argv = ["apply", dump.path, "--redis-url", server.endpoint, "--state-dir", join(folder, "state")];
  const cli = processes.supervise(argv);
  started.push(cli);
  expect(await cli.ended, cli.said.stderr).toBe(0);
  expect(cli.told).toEqual([]);
});

it("orders that are none are ignored, each with a warning", async () => {
  const cli = supervise("apply", "--rate-limit", "300ops/s");
  await written(1);
  const garbage = ["pause", 7, {}, { type: "explode" }, { type: "pause", hard: true }, { type: "limits" }, ["stop"]];
  for (const message of garbage) cli.child.send(message as object);
  expect(await cli.ended, cli.said.stderr).toBe(0);
  expect(await values()).toBe(KEYS);
  expect(cli.told.filter(({ type }) => type === "warning")).toHaveLength(garbage.length);
});
