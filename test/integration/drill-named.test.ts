/** Drills in real servers that hold other things, which none of them may touch. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../src/support/present.js";
import { cliProcesses } from "../support/cli-process.js";
import { Drills, when } from "../support/drills.js";
import { s3Object, sqsMessage, tableSchema } from "../support/dump-builder.js";
import { EndToEnd } from "../support/end-to-end.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { startRelay } from "../support/relay.js";

const end = new EndToEnd();

let drills: Drills;
const removers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  drills = await Drills.make(CLI_ENVIRONMENT);
});

afterEach(async () => {
  for (const remove of removers.splice(0)) await remove();
  await drills.remove();
});

const TWO_KEYS = { "redis/db_0/strings/one.bin": "1", "redis/db_0/strings/two.bin": "2" };

describe("a drill in servers that hold other things", () => {
  const files = {
    "dynamodb/orders/_schema.json": tableSchema("orders", { name: "pk", type: "S" }),
    "dynamodb/orders/items/a.json": { pk: { S: "a" }, v: { S: "the dump's" } },
    "s3/photos/_bucket.json": { format_version: 1, name: "photos" },
    ...s3Object("s3/photos/cat.txt", "the dump's cat"),
    "redis/db_0/strings/greeting.bin": "the dump's",
    "redis/db_0/hashes/h.json": { format_version: 1, fields: [{ name: "f", value: "v" }], expire_at_ms: null },
    "sqs/jobs/_queue.json": { format_version: 1, name: "jobs" },
    "sqs/jobs/messages.jsonl": [sqsMessage("the dump's message")],
    "sqs/jobs.fifo/_queue.json": { format_version: 1, name: "jobs.fifo", fifo: true },
    "sqs/jobs.fifo/messages.jsonl": [sqsMessage("in order", { message_group_id: "g", message_deduplication_id: "d" })],
  };

  async function queueNames(): Promise<string[]> {
    const { endpoint, credentials } = end.servers.sqs;
    const client = new SQSClient({ endpoint, region: "us-east-1", ...present({ credentials }) });
    const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
    client.destroy();
    return QueueUrls.map((url) => url.replace(/.*\//, "")).sort();
  }

  async function theirs(): Promise<unknown> {
    const { target } = end;
    return {
      tables: await target.tables(),
      items: await target.items("orders"),
      objects: await target.objects("photos"),
      keys: [await target.keys(0), await target.keys(9)],
      queues: await queueNames(),
    };
  }

  it("makes scopes of its own names, and takes away those and no other", async () => {
    const { target, servers } = end;
    await target.createTable("orders");
    await target.putItem("orders", { pk: { S: "a" }, v: { S: "theirs" } });
    await target.createBucket("photos", { "cat.txt": "their cat" });
    await target.redis().set("greeting", "theirs");
    await target.queues.create("jobs");
    const before = await theirs();
    const dump = await end.newDump(files);
    let during: unknown;
    const onStderr = when("comparing the target", () => {
      during = Promise.all([target.tables(), target.keys(9), queueNames()]);
    });
    const { status, report } = await drills.run([dump, ...servers.options, "--drill-database", "9"], { onStderr });
    expect(report?.failures).toEqual([]);
    expect(status).toBe(0);
    const id = report?.drill ?? "";
    expect(report?.restore?.scopes.map(({ target: name }) => name)).toEqual([
      `drill-${id}-orders`,
      `drill-${id}-photos`,
      "db_9",
      `drill-${id}-jobs`,
      `drill-${id}-jobs.fifo`,
    ]);
    expect(JSON.stringify(await during)).toContain(`drill-${id}-orders`);
    expect(report?.cleanUp.removed).toHaveLength(5);
    expect(await theirs()).toEqual(before);
  });

  it("counts what the target refuses as left over, not as a difference", async () => {
    const dump = await end.newDump({
      "s3/photos/_bucket.json": { format_version: 1, name: "photos" },
      ...s3Object("s3/photos/fine.txt", "fine"),
      // More than MinIO takes.
      ...s3Object("s3/photos/big.txt", "x", { user_metadata: { big: "x".repeat(3_000) } }),
    });
    const { status, report } = await drills.run([dump, "--s3-endpoint", end.servers.s3.endpoint]);
    expect(report?.restore?.totals).toMatchObject({ restored: 1, rejected: 1 });
    expect(report?.verification).toMatchObject({ differenceCount: 0, standings: { equal: 1, "not-compared": 1 } });
    expect(report?.verdict).toBe("incomplete");
    expect(status).toBe(3);
  });

  it("refuses a Redis database that holds keys, and leaves them alone", async () => {
    const { target, servers } = end;
    await target.redis(9).set("theirs", "x");
    const words = [await end.newDump(TWO_KEYS), "--redis-url", servers.redis.endpoint, "--drill-database", "9"];
    const { status, report } = await drills.run(words);
    expect(status).toBe(5);
    expect(report?.error?.message).toBe("redis:db_9 holds keys");
    expect(report?.cleanUp).toEqual({ removed: [], left: [] });
    expect(await target.keys(9)).toEqual({ theirs: "x" });
  });

  it("leaves keys that others put there meanwhile, says so, and goes on being cleaned up after", async () => {
    const { target, servers } = end;
    const onStderr = when("removing what", () => void target.redis(9).set("theirs", "x"));
    const words = [await end.newDump(TWO_KEYS), "--redis-url", servers.redis.endpoint, "--drill-database", "9"];
    const { status, report, stderr } = await drills.run(words, { onStderr });
    expect(status).toBe(1);
    expect(report?.cleanUp.left).toEqual([
      `redis:db_9 on ${servers.redis.endpoint}: it holds 1 keys that the drill did not write; they stay`,
    ]);
    expect(stderr).toContain("elastickv-restore drill --clean");
    expect(await target.keys(9)).toEqual({ theirs: "x" });
    expect((await drills.run(["--clean"])).status).toBe(1);
    await target.redis(9).del("theirs");
    expect((await drills.run(["--clean"])).status).toBe(0);
    expect(drills.open(report?.drill ?? "")).toBeUndefined();
  });

  it("tells what it left where a server is gone, and --clean finds it there again", async () => {
    const { target, servers } = end;
    const relay = await startRelay(servers.redis.endpoint);
    const onStderr = when("removing what", () => void relay.stop());
    const words = [await end.newDump(TWO_KEYS), "--redis-url", relay.endpoint, "--drill-database", "9"];
    const { status, report } = await drills.run([...words, "--max-retry-time", "1s"], { onStderr });
    expect(status).toBe(1);
    expect(report).toMatchObject({ verdict: "passed", cleanUp: { left: [expect.stringContaining("redis:db_9 on ")] } });
    expect(Object.keys(await target.keys(9))).toHaveLength(2);
    const again = await startRelay(servers.redis.endpoint, Number(new URL(relay.endpoint).port));
    removers.push(() => again.stop());
    const cleaned = await drills.run(["--clean"]);
    expect(cleaned.status).toBe(0);
    expect(await target.keys(9)).toEqual({});
  });

  it("that is killed before it wrote leaves keys of the dump's names alone, which are somebody else's by then", async () => {
    const { target, servers } = end;
    const dump = await end.newDump(TWO_KEYS);
    const drilled = await drills.run([dump, "--redis-url", servers.redis.endpoint, "--drill-database", "9"]);
    const id = drilled.report?.drill ?? "";
    await target.redis(9).set("one", "theirs");
    const note = { adapter: "redis", scope: "db_0", target: "db_9", endpoint: servers.redis.endpoint };
    const options = { redisUrl: servers.redis.endpoint };
    const open = {
      ...{ openVersion: 1, id, startedAt: 1, pid: 1, dump, target: { kind: "named", options } },
      ...{ job: "0123456789abcdef", servers: [], scopes: [note] },
    };
    await writeFile(join(drills.folder, id, "open.json"), JSON.stringify(open));
    expect((await drills.run(["--clean"])).status).toBe(0);
    expect(await target.keys(9)).toEqual({ one: "theirs" });
    await target.redis(9).del("one");
  });

  it("takes its keys away also when it is interrupted", async () => {
    const { target, servers } = end;
    const interruption = new AbortController();
    const words = [await end.newDump(Object.fromEntries(manyKeys())), "--redis-url", servers.redis.endpoint];
    const slowly = ["--drill-database", "9", "--rate-limit", "20ops/s"];
    const drill = drills.run([...words, ...slowly], { signal: interruption.signal });
    await vi.waitUntil(async () => Object.keys(await target.keys(9)).length > 0, { timeout: 30_000, interval: 50 });
    interruption.abort();
    const { status, report } = await drill;
    expect(status).toBe(130);
    expect(report).toMatchObject({ verdict: "interrupted", cleanUp: { left: [] } });
    expect(report?.target.servers[0]?.server).toMatch(/^Redis 7/);
    expect(await target.keys(9)).toEqual({});
  });

  it("that is killed in the middle is cleaned up after by --clean", async () => {
    const { target, servers } = end;
    const processes = await cliProcesses();
    removers.push(() => processes.remove());
    const dump = await end.newDump({ ...files, ...Object.fromEntries(manyKeys()) });
    const before = [await target.tables(), await queueNames()];
    const slowly = ["--rate-limit", "redis=5ops/s"];
    const words = ["drill", dump, ...servers.options, "--drill-database", "9", ...slowly];
    const { child, ended } = processes.start(words, drills.env);
    await vi.waitUntil(async () => Object.keys(await target.keys(9)).length > 0, { timeout: 30_000, interval: 100 });
    child.kill("SIGKILL");
    await ended;
    const [id = ""] = drills.ids();
    expect(drills.open(id)?.scopes).toHaveLength(5);
    const cleaned = await drills.run(["--clean"]);
    expect(cleaned.stdout).toContain("removed  redis:db_9");
    expect(cleaned.status).toBe(0);
    expect(await target.keys(9)).toEqual({});
    expect([await target.tables(), await queueNames()]).toEqual(before);
  });
});

function manyKeys(): [string, string][] {
  return Array.from({ length: 50 }, (_, i) => [`redis/db_0/strings/many-${i}.bin`, "x"]);
}
