/** A plan that is kept is run as it was made, or not at all. */
import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Plan, planSchema } from "../../src/run/plan/plan-schema.js";
import { reportSchema } from "../../src/run/report.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { reseal } from "../support/fresh-dump.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

let server: RunningServer;
let redis: Redis;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let work: string;
let path: string;

beforeAll(async () => {
  server = await startRedis();
  redis = onlooker(server.endpoint);
}, 300_000);

afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

beforeEach(async () => {
  await redis.flushall();
  dump = await temporaryDump({
    files: { "redis/db_0/strings/k.bin": "ours", "redis/db_0/sets/s.json": { format_version: 1, members: ["a"] } },
  });
  work = await mkdtemp(join(tmpdir(), "elastickv-restore-plan-"));
  path = join(work, "plan.json");
});

afterEach(async () => {
  await Promise.all([dump.remove(), rm(work, { recursive: true, force: true })]);
});

const env = (): Record<string, string> => ({ XDG_STATE_HOME: join(work, "state"), REDIS_URL: server.endpoint });

async function keep(...more: string[]) {
  const kept = await runCli(["plan", dump.path, "--out", path, ...more], env());
  expect(kept.stdout).toContain(`elastickv-restore apply --plan ${path}`);
  return kept.status;
}

const run = (...more: string[]) => runCli(["apply", "--plan", path, "--progress", "none", ...more], env());

const read = async (): Promise<Plan> => planSchema.parse(JSON.parse(await readFile(path, "utf8")));

const rewrite = async (parts: object) => await writeFile(path, JSON.stringify({ ...(await read()), ...parts }));

describe("plan --out", () => {
  it("keeps the plan that --json prints, by the published schema, readable by its owner alone", async () => {
    const { stdout } = await runCli(["plan", dump.path, "--out", path, "--json"], env());
    const plan = await read();
    expect(planSchema.parse(JSON.parse(stdout))).toEqual(plan);
    expect(plan).toMatchObject({ planVersion: 1, recordsRead: 2, totals: { restored: 2 }, mode: "none" });
    expect(plan.command?.words).toEqual([dump.path]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("finds a place that cannot be written to before anything else", async () => {
    const { status, stderr } = await runCli(["plan", "/nowhere", "--out", join(work, "no", "plan.json")], env());
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: --out: .*cannot be written to/);
  });

  it("keeps a refusal too, with the status of what apply would do", async () => {
    await redis.set("stranger", "1");
    expect(await keep()).toBe(5);
    expect((await read()).refusal).toMatchObject({ code: "TARGET_NOT_EMPTY", exitStatus: 5 });
  });
});

describe("apply --plan", () => {
  it("restores with the plan's options and endpoints, which the environment may have lost since", async () => {
    await redis.set("k", "theirs");
    await keep("--mode", "merge");
    const { REDIS_URL: _, ...without } = env();
    const { status, stdout, stderr } = await runCli(["apply", "--plan", path, "--json"], without);
    expect(status, stderr).toBe(0);
    expect(reportSchema.parse(JSON.parse(stdout))).toMatchObject({ mode: "merge", totals: { restored: 2 } });
    expect(await redis.get("k")).toBe("ours");
  });

  it("takes limits, a report and the dump's own path beside it", async () => {
    await keep();
    const report = join(work, "report.json");
    const beside = ["--rate-limit", "1000ops/s", "--concurrency", "2", "--max-retry-time", "1s", "--report", report];
    const { status, stderr } = await run(dump.path, ...beside, "--purge-wait", "0s", "--json", "--yes");
    expect(status, stderr).toBe(0);
    expect(reportSchema.parse(JSON.parse(await readFile(report, "utf8"))).totals.restored).toBe(2);
  });

  it("asks before it deletes, as always", async () => {
    await redis.set("stranger", "1");
    await keep("--mode", "replace");
    const unasked = await run();
    expect(unasked.status).toBe(5);
    expect(unasked.stderr).toContain("nobody confirmed it");
    expect(await redis.keys("*")).toEqual(["stranger"]);
    expect((await run("--yes")).status).toBe(0);
    expect((await redis.keys("*")).sort()).toEqual(["k", "s"]);
  });

  it("finds the dump where it stands now, when that is named", async () => {
    await keep();
    const moved = join(work, "moved");
    await rename(dump.path, moved);
    const gone = await run();
    expect(gone).toMatchObject({ status: 4, stdout: "" });
    expect(gone.stderr).toMatch(/the dump of the plan .* is gone/);
    expect((await run(moved)).status).toBe(0);
  });

  it("takes nothing beside it that decides what is written where", async () => {
    await keep();
    const others = [
      ["--mode", "replace"],
      ["--redis-url", "redis://127.0.0.1:1"],
      ["--scope", "redis=0"],
      ["--ttl-policy", "preserve"],
      ["--dry-run"],
      ["--allow-low-memory"],
      ["--target", "staging"],
    ];
    for (const words of others) {
      const { status, stderr } = await run(...words);
      expect(status).toBe(2);
      expect(stderr).toContain(`${words[0]} cannot be said beside --plan`);
    }
    expect(await redis.dbsize()).toBe(0);
  });

  it("takes no other dump beside it", async () => {
    await keep();
    const other = await temporaryDump({ files: { "redis/db_0/strings/other.bin": "1" } });
    const { status, stderr } = await run(other.path);
    await other.remove();
    expect(status).toBe(2);
    expect(stderr).toContain("is about another dump");
    expect(await redis.dbsize()).toBe(0);
  });
});

describe("a job that was begun by a plan", () => {
  const RECORDS = 400;
  let many: Awaited<ReturnType<typeof temporaryDump>>;
  beforeEach(async () => {
    const strings = Array.from({ length: RECORDS }, (_, i) => [`redis/db_0/strings/k${i}.bin`, "ours"] as const);
    many = await temporaryDump({ files: Object.fromEntries(strings) });
    await redis.set("stranger", "1");
    await runCli(["plan", many.path, "--mode", "merge", "--out", path], env());
    await interrupted();
  });
  afterEach(() => many.remove());

  /** Stops in the middle: then the target is no longer what was planned. */
  async function interrupted(): Promise<void> {
    const interruption = new AbortController();
    const slow = ["--rate-limit", "20ops/s", "--concurrency", "1", "--progress", "none"];
    const running = runCli(["apply", "--plan", path, ...slow], env(), { signal: interruption.signal });
    await expect.poll(() => redis.dbsize(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(1);
    interruption.abort();
    expect((await running).status).toBe(130);
    expect(await redis.dbsize()).toBeLessThan(RECORDS);
  }

  it("is taken up with it: what the job wrote itself outdates no plan", async () => {
    const again = await run();
    expect(again.status).toBe(5);
    expect(again.stderr).toContain("is unfinished (job ");
    const { status, stdout, stderr } = await run("--resume", "--json", "--rate-limit", "5000ops/s");
    expect(status, stderr).toBe(0);
    expect(reportSchema.parse(JSON.parse(stdout))).toMatchObject({ resumed: true, totals: { restored: RECORDS } });
  });

  it("is taken up without it, from any folder", async () => {
    await rm(path);
    const { status, stdout, stderr } = await runCli(["resume", "--json", "--rate-limit", "5000ops/s"], env());
    expect(status, stderr).toBe(0);
    expect(reportSchema.parse(JSON.parse(stdout)).totals.restored).toBe(RECORDS);
  });
});

describe("a plan is refused, with nothing written, when", () => {
  const refused = async (...said: string[]) => {
    const before = await redis.dbsize();
    const { status, stdout, stderr } = await run("--yes");
    expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
    for (const text of ["is no longer what would be done", "Make a new plan", ...said]) expect(stderr).toContain(text);
    expect(await redis.dbsize()).toBe(before);
    // Its job is let go of: the next one is not held back.
    expect((await runCli(["status"], env())).stdout).not.toMatch(/[0-9a-f]{16}/);
  };

  it("the dump changed", async () => {
    await keep();
    await writeFile(join(dump.path, "redis/db_0/strings/k.bin"), "another");
    reseal(dump.path);
    await refused("dump was ");
  });

  it("the target was filled, emptied, or holds another number of records", async () => {
    await keep("--mode", "merge");
    await redis.set("stranger", "1");
    await refused("redis:db_0 was empty and is holding records (1)");
    await keep("--mode", "merge");
    await redis.set("another", "1");
    await refused("redis:db_0 was holding records (1) and is holding records (2)");
    await redis.flushall();
    await refused("redis:db_0 was holding records (1) and is empty");
  });

  it("it goes to another endpoint", async () => {
    await keep();
    const other = await startRedis();
    try {
      const { status, stderr } = await runCli(["apply", "--plan", path], { ...env(), REDIS_URL: other.endpoint });
      expect(status).toBe(5);
      expect(stderr).toMatch(/redis endpoint was redis:\/\/.* and is redis:\/\//);
    } finally {
      await other.stop();
    }
  });

  it("another server answers, or other options are meant, each of them told", async () => {
    await keep();
    const { targets, identity } = await read();
    const options = { ...identity.options, "--ttl-policy": "persist" };
    await rewrite({
      targets: targets.map((target) => ({ ...target, server: "Redis 1.0", fallbacks: ["RENAMENX is missing"] })),
      identity: { ...identity, options },
    });
    await refused(
      "--ttl-policy was persist and is skip-expired",
      "redis server was Redis 1.0 and is Redis ",
      "ways round at redis was RENAMENX is missing and is ",
    );
  });

  it("the transform is another one", async () => {
    const transform = join(work, "mask.mjs");
    await writeFile(transform, "export default (record) => record;");
    await keep("--transform", transform);
    await writeFile(transform, "export default () => undefined;");
    await refused("--transform was ");
  });

  it("it was refused itself, in the same words", async () => {
    await redis.set("stranger", "1");
    await keep();
    const planned = (await read()).refusal?.message ?? "";
    await redis.flushall();
    const { status, stderr } = await run();
    expect(status).toBe(5);
    expect(stderr).toContain(`error: ${planned}`);
    expect(await redis.dbsize()).toBe(0);
  });
});

describe("a file that is no plan", () => {
  it.each([
    ["is missing", undefined, /the plan .* cannot be read: ENOENT/],
    ["is no JSON", "{", /is no JSON/],
    ["is something else", "{}", /is no plan/],
    ["is of another version", '{"planVersion":2}', /is of plan version 2, and this build runs version 1/],
    ["misses something", '{"planVersion":1}', /is no whole plan \(at /],
  ])("%s: wrong usage, told clearly", async (_what, text, message) => {
    if (text !== undefined) await writeFile(path, text);
    const { status, stderr } = await run();
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("holds something more: wrong usage too", async () => {
    await keep();
    await writeFile(path, JSON.stringify({ ...(await read()), more: 1 }));
    expect((await run()).status).toBe(2);
  });
});

it("apply without a plan needs a dump", async () => {
  const { status, stderr } = await runCli(["apply", "--mode", "merge"], env());
  expect(status).toBe(2);
  expect(stderr).toContain("apply needs a dump: elastickv-restore apply <dump>");
});
