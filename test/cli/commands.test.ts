import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { reportSchema } from "../../src/run/report.js";
import { startRedis } from "../../testcontainers/redis.js";
import { type FreshDump, freshDump, reseal } from "../support/fresh-dump.js";
import { runCli } from "../support/run-cli.js";

let server: Awaited<ReturnType<typeof startRedis>>;
let client: Redis;
let dump: FreshDump;
let work: string;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.endpoint, { protocol: 2 });
}, 300_000);

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

beforeEach(async () => {
  dump = await freshDump("design");
  work = await mkdtemp(join(tmpdir(), "elastickv-restore-work-"));
  await client.flushall();
});

afterEach(async () => {
  await dump.remove();
  await rm(work, { recursive: true, force: true });
});

const at = (path: string) => join(dump.path, path);
const cli = (command: string, ...more: string[]) => runCli([command, dump.path, ...more], { TMPDIR: work });
const redisOnly = () => ["--adapter", "redis", "--redis-url", server.endpoint];

describe("inspect", () => {
  it("lists scopes with their counts, as text and as nothing but JSON", async () => {
    const text = await cli("inspect");
    expect(text.status).toBe(0);
    expect(text.stdout).toMatch(/redis:db_0 +\d/);
    const { status, stdout } = await cli("inspect", "--json");
    expect(status).toBe(0);
    const { scopes } = JSON.parse(stdout) as { scopes: { adapter: string; scope: string; records: number }[] };
    expect(scopes).toContainEqual(
      expect.objectContaining({ adapter: "redis", scope: "db_3", records: expect.any(Number) }),
    );
  });

  it("shows a record by its file, with its real key", async () => {
    const { status, stdout } = await cli("inspect", "redis/db_0/hashes/user%3A1.json", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ adapter: "redis", scope: "db_0", key: "user:1", type: "hash" });
    const text = await cli("inspect", "redis/db_0/hashes/user%3A1.json");
    expect(text.stdout).toMatch(/^key: user:1$/m);
  });

  it("shows the one line that was asked for of a file of lines", async () => {
    const path = "dynamodb/invoices/items/data-00001.jsonl";
    const { stdout } = await cli("inspect", `${path}:2`, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ type: "item", place: { path, line: 2 } });
  });

  it("lists the records of a scope, each with its type and place", async () => {
    const { status, stdout } = await cli("inspect", "redis/db_0", "--json", "--limit", "0");
    expect(status).toBe(0);
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; type: string });
    expect(records).toContainEqual(expect.objectContaining({ key: "user:1", type: "hash" }));
    expect((await cli("inspect", "redis:db_0", "--json", "--limit", "0")).stdout).toBe(stdout);
  });

  it("finds keys by glob, in all scopes or in those that are named", async () => {
    const lines = (await cli("inspect", "--include", "user:*", "--json", "--limit", "0")).stdout.trim().split("\n");
    const found = lines.map((line) => JSON.parse(line) as { key: string; adapter: string });
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter(({ key }) => !key.startsWith("user:"))).toEqual([]);
    const none = await cli("inspect", "--adapter", "redis", "--include", "nobody:*");
    expect(none).toMatchObject({ status: 0, stdout: "", stderr: expect.stringMatching(/no record's key matches/) });
  });

  it("shows as many records as are asked for, and says that there are more", async () => {
    const { stdout, stderr } = await cli("inspect", "redis/db_0", "--limit", "2");
    expect(stdout.trim().split("\n")).toHaveLength(2);
    expect(stderr).toMatch(/only the first 2 are shown/);
  });

  it("shows items with DynamoDB's types, or without", async () => {
    const path = "dynamodb/invoices/items/data-00001.jsonl:1";
    const typed = JSON.parse((await cli("inspect", path, "--json")).stdout) as { item: Record<string, object> };
    expect(Object.values(typed.item).every((attribute) => Object.keys(attribute).length === 1)).toBe(true);
    const plain = JSON.parse((await cli("inspect", path, "--json", "--plain")).stdout) as { item: object };
    expect(Object.keys(plain.item).sort()).toEqual(Object.keys(typed.item).sort());
    expect(JSON.stringify(plain.item)).not.toMatch(/"[SN]":/);
  });

  it.each([["--limit", "3"], ["--values"], ["--plain"], ["redis/db_0", "--limit", "x"]])(
    "takes no options of records where there are none (%#)",
    async (...words) => {
      expect(await cli("inspect", ...words)).toMatchObject({ status: 2, stdout: "" });
    },
  );

  it.each([
    "redis/db_0/hashes/none.json",
    "MANIFEST.json",
    "../etc/passwd",
    "dynamodb/invoices/items/data-00001.jsonl:0",
  ])("finds no record in %s", async (path) => {
    const { status, stdout, stderr } = await cli("inspect", path);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/no record of the dump stands in/);
  });
});

describe("verify", () => {
  it("finds a whole dump whole, with and without reading the records", async () => {
    expect(await cli("verify")).toMatchObject({ status: 0, stdout: expect.stringMatching(/agree with CHECKSUMS/) });
    const { status, stdout } = await cli("verify", "--checksums", "--json");
    expect(status).toBe(0);
    expect(JSON.stringify(JSON.parse(stdout))).not.toContain('"records"');
  });

  it("ends with 3 and names the place of a malformed record", async () => {
    writeFileSync(at("redis/db_0/hashes/user%3A1.json"), "{");
    reseal(dump.path);
    const { status, stdout } = await cli("verify");
    expect(status).toBe(3);
    expect(stdout).toMatch(/redis\/db_0\/hashes\/user%3A1\.json {2}user:1: malformed-json/);
    expect((await cli("verify", "--scope", "redis=3")).status).toBe(0);
  });

  it("ends with 4 where a file is not what CHECKSUMS says, and names the command that helps", async () => {
    appendFileSync(at("redis/db_0/hashes/user%3A1.json"), " ");
    const { status, stdout, stderr } = await cli("verify");
    expect({ status, stdout }).toEqual({ status: 4, stdout: "" });
    expect(stderr).toMatch(/user%3A1\.json/);
    expect(stderr).toMatch(/elastickv-restore reseal/);
  });

  it("refuses a scope that the dump does not hold, with the nearest", async () => {
    const { status, stderr } = await cli("verify", "--scope", "dynamodb=invoice");
    expect(status).toBe(2);
    expect(stderr).toMatch(/no dynamodb table "invoice"\nIt holds: invoices/);
  });

  it("asks no target although the environment names one", async () => {
    const env = { TMPDIR: work, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:2" };
    expect((await runCli(["verify", dump.path], env)).status).toBe(0);
  });
});

describe("reseal", () => {
  it("counts a single difference as one", async () => {
    appendFileSync(at("redis/db_0/hashes/user%3A1.json"), " ");
    expect((await cli("reseal", "--dry-run")).stdout).toMatch(/^1 difference\.$/mu);
  });

  it("lists what changed, leaves it be when dry, and makes the dump acceptable again", async () => {
    appendFileSync(at("redis/db_0/hashes/user%3A1.json"), " ");
    rmSync(at("redis/db_0/hashes/user%3A2.json"));
    writeFileSync(at("redis/db_0/hashes/new.json"), readFileSync(at("redis/db_0/hashes/user%3A1.json")));
    const before = readFileSync(at("CHECKSUMS"), "utf8");
    const dry = await cli("reseal", "--dry-run");
    expect(dry.status).toBe(0);
    for (const row of [
      "added    redis/db_0/hashes/new.json",
      "changed  redis/db_0/hashes/user%3A1.json",
      "removed  redis/",
    ]) {
      expect(dry.stdout).toContain(row);
    }
    expect(readFileSync(at("CHECKSUMS"), "utf8")).toBe(before);
    expect((await cli("reseal", "--json")).status).toBe(0);
    expect((await cli("verify")).status).toBe(0);
    expect((await cli("reseal")).stdout).toMatch(/Nothing changed/);
  });
});

describe("apply and plan", () => {
  it.each(["apply", "plan"])("%s names the option of every endpoint that is missing", async (command) => {
    const { status, stdout, stderr } = await cli(command);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    for (const option of ["--dynamodb-endpoint", "--s3-endpoint", "--redis-url", "--sqs-endpoint"]) {
      expect(stderr).toContain(option);
    }
  });

  it("plan and dry runs say what would be done and write nothing", async () => {
    const [plan, dry] = [await cli("plan", ...redisOnly()), await cli("apply", "--dry-run", ...redisOnly())];
    expect([plan.status, dry.status]).toEqual([0, 0]);
    expect(plan.stdout).toContain("Nothing was written.");
    expect(dry.stdout).toBe(plan.stdout);
    expect(await client.dbsize()).toBe(0);
    const asJson = await cli("plan", "--json", ...redisOnly());
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      mode: "none",
      targets: [{ adapter: "redis", origin: "--redis-url" }],
    });
  });

  it("plan tells with which status apply would refuse, and apply does", async () => {
    await client.set("stranger", "1");
    const argv = ["--scope", "redis=0", "--redis-url", server.endpoint];
    const plan = await cli("plan", ...argv);
    expect(plan.status).toBe(5);
    expect(plan.stdout).toMatch(/apply would refuse this: redis:db_0 already holds records \(1\)/);
    const apply = await cli("apply", ...argv);
    expect(apply).toMatchObject({ status: 5, stdout: "" });
    expect(apply.stderr).toMatch(/--mode merge/);
    expect(await client.dbsize()).toBe(1);
  });

  it("apply prints nothing but JSON on standard output, and the report validates", async () => {
    const path = join(work, "report.json");
    const { status, stdout, stderr } = await cli("apply", "--json", "--report", path, ...redisOnly());
    const report = reportSchema.parse(JSON.parse(stdout));
    expect(status).toBe(report.exitStatus);
    expect(reportSchema.parse(JSON.parse(readFileSync(path, "utf8")))).toEqual(report);
    expect(report.totals.restored).toBeGreaterThan(10);
    expect(report.recordsRead).toBe(Object.values(report.totals).reduce((sum, n) => sum + n, 0));
    expect(report.listedCount).toBeGreaterThan(0);
    const rejects = readFileSync(join(work, "report.rejects.jsonl"), "utf8").trimEnd().split("\n");
    expect(rejects).toHaveLength(report.listedCount);
    expect(stderr).toMatch(/redis:db_0/);
    expect(await client.hlen("user:1")).toBeGreaterThan(0);
  });

  it("a list of rejected records that cannot be kept stops the run, and the report says so", async () => {
    writeFileSync(at("redis/db_0/hashes/user%3A1.json"), "{");
    reseal(dump.path);
    const path = join(work, "report.json");
    mkdirSync(join(work, "report.rejects.jsonl"));
    const { status, stderr } = await cli("apply", "--report", path, ...redisOnly());
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot write .*report\.rejects\.jsonl/);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ status: "stopped", error: { code: "LOCAL_IO" } });
  });

  it("says nothing on standard error when it is told to be silent", async () => {
    const { stderr } = await cli("apply", "--progress", "none", ...redisOnly());
    expect(stderr).toBe("");
  });

  it("replace is refused where nobody can confirm it, and deletes nothing", async () => {
    await client.set("stranger", "1");
    const argv = ["--mode", "replace", "--scope", "redis=0", "--redis-url", server.endpoint];
    const refused = await cli("apply", ...argv);
    expect(refused).toMatchObject({ status: 5, stdout: "", stderr: expect.stringContaining("--yes") });
    expect(await client.get("stranger")).toBe("1");
    expect((await cli("apply", "--yes", ...argv)).status).toBe(0);
    expect(await client.get("stranger")).toBeNull();
  });

  it("a database number in the URL is the target of the one database that is restored", async () => {
    const argv = ["--scope", "redis=3", "--redis-url", `${server.endpoint}/7`];
    expect((await cli("apply", ...argv)).status).toBe(0);
    const seventh = new Redis(server.endpoint, { db: 7, protocol: 2 });
    expect(await seventh.dbsize()).toBeGreaterThan(0);
    seventh.disconnect();
    const both = await cli("apply", "--adapter", "redis", "--redis-url", `${server.endpoint}/7`);
    expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining("--rename redis:") });
  });

  it("two databases cannot be renamed into one", async () => {
    expect((await cli("apply", "--rename", "redis:3=0", ...redisOnly())).status).toBe(2);
  });

  it("replace of some keys only is refused unless it works key by key", async () => {
    const argv = [
      "--mode",
      "replace",
      "--yes",
      "--include",
      "user:*",
      "--scope",
      "redis=0",
      "--redis-url",
      server.endpoint,
    ];
    const { status, stderr } = await cli("apply", ...argv);
    expect(status).toBe(2);
    expect(stderr).toMatch(/--replace-strategy per-key/);
  });

  it("a target that nobody answers at is 5, before anything is written", async () => {
    // A port of its own: two restores into one scope, in whatever test, would keep each other out.
    const { status, stderr, stdout } = await cli(
      "apply",
      "--adapter",
      "redis",
      "--redis-url",
      "redis://127.0.0.1:2",
      "--max-retry-time",
      "0",
    );
    expect({ status, stdout }, stderr).toEqual({ status: 5, stdout: "" });
    expect(stderr).toMatch(/127\.0\.0\.1:2/);
  });

  it("--require-consistent takes a dump of one moment and refuses one group's snapshot", async () => {
    const manifest = readFileSync(at("MANIFEST.json"), "utf8");
    expect(manifest).toContain("phase1-live-pinned");
    expect((await cli("plan", "--require-consistent", ...redisOnly())).status).toBe(0);
    const { live, ...rest } = JSON.parse(manifest) as Record<string, unknown>;
    expect(live).toBeDefined();
    const snapshot = { ...rest, phase: "phase0-snapshot-decode", source: { fsm_path: "x", fsm_crc32c: "0" } };
    writeFileSync(at("MANIFEST.json"), JSON.stringify(snapshot));
    reseal(dump.path);
    const refused = await cli("plan", "--require-consistent", ...redisOnly());
    expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining("--require-consistent") });
    expect((await cli("plan", ...redisOnly())).status).toBe(0);
  });
});

it("nothing of a run's working files is left behind", async () => {
  await cli("verify");
  await cli("apply", ...redisOnly());
  await cli("plan");
  expect(await readdir(work)).toEqual([]);
});
