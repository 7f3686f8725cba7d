/** What the options promise, end to end: small dumps through the command line into real servers. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { GetBucketAclCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type DumpFile, s3Object, sqsMessage, tableSchema } from "../support/dump-builder.js";
import { EndToEnd } from "../support/end-to-end.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { runCli, runCliWithReport } from "../support/run-cli.js";
import { etagOfParts, MIB, md5, patterned } from "../support/s3-records.js";
import { type ScriptedProxy, startScriptedProxy } from "../support/scripted-proxy.js";

const bench = new EndToEnd();
const { own, newDump } = bench;

const apply = async (dump: string, ...more: string[]) =>
  await runCliWithReport(["apply", dump, ...bench.servers.options, "--progress", "none", ...more], CLI_ENVIRONMENT);

const table = (name: string, ...keys: string[]): Record<string, DumpFile> => ({
  [`dynamodb/${name}/_schema.json`]: tableSchema(name, { name: "pk", type: "S" }),
  ...Object.fromEntries(
    keys.map((key, i) => [`dynamodb/${name}/items/${i}.json`, { pk: { S: key }, v: { S: "ours" } }]),
  ),
});
const bucket = (name: string, ...keys: string[]): Record<string, DumpFile> => ({
  [`s3/${name}/_bucket.json`]: { name },
  ...Object.assign({}, ...keys.map((key) => s3Object(`s3/${name}/${key}`, "ours"))),
});
const strings = (database: number, ...keys: string[]): Record<string, DumpFile> =>
  Object.fromEntries(keys.map((key) => [`redis/db_${database}/strings/${key}.bin`, "ours"]));
const queue = (name: string, settings: object, ...bodies: string[]): Record<string, DumpFile> => ({
  [`sqs/${name}/_queue.json`]: { format_version: 1, name, ...settings },
  [`sqs/${name}/messages.jsonl`]: bodies.map((body, i) => sqsMessage(body, { message_id: `m${i}` })),
});

describe("--rename", () => {
  it("gives each adapter's scopes their names on the target, by name, by pattern and by number", async () => {
    const redrive = { deadLetterTargetArn: `arn:aws:sqs:us-east-1:0:${own("dead")}`, maxReceiveCount: 3 };
    const dump = await newDump({
      ...table(own("orders"), "a"),
      ...table(own("users"), "b"),
      ...bucket(own("photos"), "cat"),
      ...strings(0, "zero"),
      ...strings(3, "three"),
      ...queue(own("jobs"), { redrive_policy: JSON.stringify(redrive) }, "job"),
      ...queue(own("dead"), {}),
    });
    const renames = [
      ...[`dynamodb:${own("orders")}=${own("orders_copy")}`, "dynamodb:*=x.*", "s3:*=dr-*"],
      ...["redis:0=5", "redis:db_3=db_6", "sqs:*=dr_*"],
    ];
    const { status, stderr, report } = await apply(dump, ...renames.flatMap((one) => ["--rename", one]));
    expect(status, stderr).toBe(0);
    expect(await bench.target.items(own("orders_copy"))).toEqual({ a: "ours" });
    expect(await bench.target.items(`x.${own("users")}`)).toEqual({ b: "ours" });
    expect(await bench.target.objects(`dr-${own("photos")}`)).toEqual({ cat: "ours" });
    const databases = await Promise.all([0, 3, 5, 6].map((number) => bench.target.keys(number)));
    expect(databases).toEqual([{}, {}, { zero: "ours" }, { three: "ours" }]);
    expect(await bench.target.queues.bodies(`dr_${own("jobs")}`)).toEqual(["job"]);
    const attributes = await bench.target.queues.attributes(`dr_${own("jobs")}`);
    expect(attributes["RedrivePolicy"]).toContain(`:dr_${own("dead")}"`);
    const names = report?.scopes.map((scope) => `${scope.scope} ${scope.target}`);
    expect(names).toContain(`${own("jobs")} dr_${own("jobs")}`);
    expect(await bench.target.tables()).not.toContain(own("orders"));
    expect(await bench.target.queues.exists(own("jobs"))).toBe(false);
  });
});

describe("a selection", () => {
  const files = () => ({
    ...table(own("orders"), "user:1", "tmp:1"),
    ...table(own("users"), "user:2"),
    ...bucket(own("photos"), "user:1", "dir/user:2", "tmp:1"),
    ...strings(0, "user%3A1", "user%3A2", "tmp%3A1"),
    ...strings(3, "user%3A3"),
  });
  const scopesOf = (result: Awaited<ReturnType<typeof apply>>) => result.report?.scopes.map(({ scope }) => scope);

  it("of adapters needs no other endpoint and touches nothing else", async () => {
    const argv = ["--adapter", "redis", "--redis-url", bench.servers.redis.endpoint];
    const result = await runCliWithReport(["apply", await newDump(files()), ...argv], CLI_ENVIRONMENT);
    expect(result.status, result.stderr).toBe(0);
    expect(scopesOf(result)).toEqual(["db_0", "db_3"]);
    expect(await bench.target.tables()).not.toContain(own("orders"));
  });

  it("of scopes, said in several words, takes each of them and no other", async () => {
    const scopes = ["--scope", `dynamodb=${own("users")}`, "--scope", "redis=3", "--scope", `s3=${own("photos")}`];
    const result = await apply(await newDump(files()), ...scopes);
    expect(result.status, result.stderr).toBe(0);
    expect(scopesOf(result)?.sort()).toEqual(["db_3", own("photos"), own("users")].sort());
    expect(await bench.target.keys(0)).toEqual({});
    expect(Object.keys(await bench.target.keys(3))).toEqual(["user:3"]);
    expect(await bench.target.tables()).not.toContain(own("orders"));
  });

  it("of keys takes what some include and no exclude matches, in every adapter, and counts nothing else", async () => {
    const globs = ["--include", "user:*", "--include", "dir/*", "--exclude", "*:2", "--exclude", "*:3"];
    const { status, stderr, report } = await apply(await newDump(files()), ...globs);
    expect(status, stderr).toBe(0);
    expect(report?.recordsRead).toBe(3);
    expect(await bench.target.items(own("orders"))).toEqual({ "user:1": "ours" });
    expect(await bench.target.items(own("users"))).toEqual({});
    expect(await bench.target.objects(own("photos"))).toEqual({ "user:1": "ours" });
    expect(await bench.target.keys(0)).toEqual({ "user:1": "ours" });
    expect(await bench.target.keys(3)).toEqual({});
  });
});

describe("--ttl-policy", () => {
  const HOUR = 3_600_000;
  const taken = Date.now() - 10 * HOUR;
  /** Alive when the dump was taken, past now; alive now; past when the dump was taken. */
  const times = { past: taken + HOUR, alive: Date.now() + HOUR, dead: taken - HOUR };
  const HLL = Buffer.from("\u0000RS\u0001\n\u0001a", "latin1");
  const files = () => {
    const all: Record<string, DumpFile> = {};
    const ttls: { readonly key: string; readonly expire_at_ms: number }[] = [];
    for (const [name, expire_at_ms] of Object.entries(times)) {
      all[`redis/db_0/strings/string-${name}.bin`] = "ours";
      all[`redis/db_0/hashes/hash-${name}.json`] = { format_version: 1, fields: { a: "1" }, expire_at_ms };
      all[`redis/db_0/streams/stream-${name}.jsonl`] = [
        { id: "1-1", fields: { a: "1" } },
        { _meta: true, length: 1, last_ms: 1, last_seq: 1, expire_at_ms },
      ];
      all[`redis/db_0/hll/hll-${name}.bin`] = HLL;
      ttls.push({ key: `string-${name}`, expire_at_ms }, { key: `hll-${name}`, expire_at_ms });
    }
    all["redis/db_0/strings_ttl.jsonl"] = ttls.filter(({ key }) => key.startsWith("string"));
    all["redis/db_0/hll_ttl.jsonl"] = ttls.filter(({ key }) => key.startsWith("hll"));
    return all;
  };
  const TYPES = ["hash", "hll", "stream", "string"];
  const keysOf = (...names: string[]) => TYPES.flatMap((type) => names.map((name) => `${type}-${name}`)).sort();
  const run = async (...options: string[]) => {
    const dump = await newDump(files(), { wall_time_iso: new Date(taken).toISOString() });
    const startedAt = Date.now();
    const result = await apply(dump, ...options);
    expect(result.status, result.stderr).toBe(0);
    const expiries = new Map<string, number>();
    for (const key of (await bench.target.redis().keys("*")).sort()) {
      expiries.set(key, await bench.target.redis().pexpiretime(key));
    }
    return { totals: result.report?.totals, expiries, startedAt };
  };

  it.each([[[]], [["--ttl-policy", "skip-expired"]]])("%j leaves out what has expired by now", async (options) => {
    const { totals, expiries } = await run(...options);
    expect(totals).toMatchObject({ restored: 4, "skipped-expired": 8 });
    expect(expiries).toEqual(new Map(keysOf("alive").map((key) => [key, times.alive])));
  });

  it.each([[["--preserve-ttl"]], [["--ttl-policy", "preserve"]]])("%j writes times as they are", async (options) => {
    const { totals, expiries } = await run(...options);
    expect(totals).toMatchObject({ restored: 12, "skipped-expired": 0 });
    expect(expiries).toEqual(new Map(keysOf("alive").map((key) => [key, times.alive])));
  });

  it("rebase gives what was left when the dump was taken, counted from the start of the run", async () => {
    const { totals, expiries, startedAt } = await run("--ttl-policy", "rebase");
    expect(totals).toMatchObject({ restored: 8, "skipped-expired": 4 });
    expect([...expiries.keys()]).toEqual(keysOf("alive", "past"));
    for (const [key, at] of expiries) {
      const left = times[key.endsWith("past") ? "past" : "alive"] - taken;
      expect(at - left, key).toBeGreaterThanOrEqual(startedAt);
      expect(at - left, key).toBeLessThanOrEqual(Date.now());
    }
  });

  it("persist writes without expiry, and does not raise what was past then", async () => {
    const { totals, expiries } = await run("--ttl-policy", "persist");
    expect(totals).toMatchObject({ restored: 8, "skipped-expired": 4 });
    expect(expiries).toEqual(new Map(keysOf("alive", "past").map((key) => [key, -1])));
  });
});

describe("--stream-merge-strategy auto-id", () => {
  const files: Record<string, DumpFile> = {
    "redis/db_0/streams/events%3A1.jsonl": [
      { id: "5-1", fields: [{ name: "a", value: "one" }] },
      { id: "18446744073709551615-7", fields: [{ name: "a", value: "two" }] },
    ],
    "redis/db_0/streams/fresh.jsonl": [{ id: "9-9", fields: { a: "three" } }],
  };
  const options = ["--mode", "merge", "--stream-merge-strategy", "auto-id"];
  const lines = (path: string) =>
    readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { original_id: string; new_id: string });
  const entries = async () => await bench.target.redis().xrange("events:1", "-", "+");

  beforeEach(async () => {
    await bench.target.redis().xadd("events:1", "1-1", "a", "theirs");
  });

  it("appends, and writes beside the stream which new id each entry got", async () => {
    const dump = await newDump(files);
    const { status, stderr } = await apply(dump, ...options);
    expect(status, stderr).toBe(0);
    const [theirs, one, two] = await entries();
    expect([theirs, one?.[1], two?.[1]]).toEqual([
      ["1-1", ["a", "theirs"]],
      ["a", "one"],
      ["a", "two"],
    ]);
    expect(lines(join(dump, "redis/db_0/streams/events%3A1._id_remap.jsonl"))).toEqual([
      { original_id: "5-1", new_id: one?.[0] },
      { original_id: "18446744073709551615-7", new_id: two?.[0] },
    ]);
    expect(await bench.target.redis().xrange("fresh", "-", "+")).toEqual([["9-9", ["a", "three"]]]);
    expect(existsSync(join(dump, "redis/db_0/streams/fresh._id_remap.jsonl"))).toBe(false);
    expect((await runCli(["verify", dump])).status).toBe(0);
  });

  it("never overwrites a remap file: a second run's carries its own name", async () => {
    const dump = await newDump(files);
    await apply(dump, ...options, "--include", "events:1");
    const first = await readFile(join(dump, "redis/db_0/streams/events%3A1._id_remap.jsonl"), "utf8");
    expect((await apply(dump, ...options, "--include", "events:1")).status).toBe(0);
    const names = (await readdir(join(dump, "redis/db_0/streams"))).filter((name) => name.includes("_id_remap"));
    const [another = "none"] = names.filter((name) => /^events%3A1\.[0-9a-f]{16}\._id_remap\.jsonl$/u.test(name));
    expect(names.sort()).toEqual(["events%3A1._id_remap.jsonl", another].sort());
    expect(await readFile(join(dump, "redis/db_0/streams/events%3A1._id_remap.jsonl"), "utf8")).toBe(first);
    const second = lines(join(dump, "redis/db_0/streams", another));
    expect(second.map(({ new_id }) => new_id)).toEqual((await entries()).slice(3).map(([id]) => id));
  });

  it("writes under --remap-dir instead, and nothing into the dump", async () => {
    const dump = await newDump(files);
    const elsewhere = await newDump({});
    const before = await readdir(dump, { recursive: true });
    const { status, stderr } = await apply(dump, ...options, "--remap-dir", elsewhere);
    expect(status, stderr).toBe(0);
    const path = join(elsewhere, "redis/db_0/streams/events%3A1._id_remap.jsonl");
    expect(lines(path).map(({ new_id }) => new_id)).toEqual((await entries()).slice(1).map(([id]) => id));
    expect((await readdir(dump, { recursive: true })).sort()).toEqual(before.sort());
  });

  it("refuses a folder that cannot be written to before anything is written", async () => {
    const { status, stderr } = await apply(await newDump(files), ...options, "--remap-dir", "/nowhere/at/all");
    expect(status).toBe(2);
    expect(stderr).toContain("--remap-dir");
    expect(await entries()).toHaveLength(1);
  });
});

describe("--replace-strategy per-key", () => {
  it("replaces keys one by one, deletes what the dump lacks, and knows the selection", async () => {
    const dump = await newDump({
      ...strings(0, "user%3A1", "user%3A2", "tmp%3A1"),
      "redis/db_0/strings/user%3Agone.bin": "ours",
      "redis/db_0/strings_ttl.jsonl": [{ key: "user%3Agone", expire_at_ms: 1 }],
      "redis/db_0/hashes/user%3Abad.json": "{",
    });
    const theirs = ["user:1", "user:stranger", "user:gone", "user:bad", "tmp:1", "tmp:stranger"];
    for (const key of theirs) await bench.target.redis().rpush(key, "theirs");
    const options = ["--adapter", "redis", "--mode", "replace", "--yes", "--replace-strategy", "per-key"];
    const { status, report } = await apply(dump, ...options, "--include", "user:*");
    expect(status).toBe(3);
    expect(report?.totals).toMatchObject({ restored: 2, rejected: 1, "skipped-expired": 1 });
    const kept = { "tmp:1": ["theirs"], "tmp:stranger": ["theirs"], "user:bad": ["theirs"] };
    expect(await bench.target.keys()).toEqual({ ...kept, "user:1": "ours", "user:2": "ours" });
    await apply(dump, ...options);
    const all = { "tmp:1": "ours", "user:1": "ours", "user:2": "ours", "user:bad": ["theirs"] };
    expect(await bench.target.keys()).toEqual(all);
  });
});

describe("buckets", () => {
  const head = async (Bucket: string, Key: string) =>
    await bench.target.s3.send(new HeadObjectCommand({ Bucket, Key }));

  it("--multipart-threshold sends what is larger in parts, which is listed; --keep-etag does not", async () => {
    const body = patterned(2 * MIB);
    const dump = await newDump({ ...bucket("photos"), ...s3Object("s3/photos/big", body) });
    const run = async (name: string, ...more: string[]) =>
      await apply(dump, "--rename", `s3:photos=${own(name)}`, ...more);
    const plain = await run("plain");
    expect(plain.report?.listed).toEqual([]);
    expect((await head(own("plain"), "big")).ETag).toBe(`"${md5(body)}"`);
    const parts = await run("parts", "--multipart-threshold", "1MiB");
    expect(parts.status).toBe(0);
    expect(parts.report?.listed).toMatchObject([
      { key: "big", outcome: "restored", notes: [{ kind: "etag-changed" }] },
    ]);
    expect((await head(own("parts"), "big")).ETag).toMatch(/-1"$/u);
    const kept = await run("kept", "--multipart-threshold", "1MiB", "--keep-etag");
    expect(kept.report?.listed).toEqual([]);
    expect((await head(own("kept"), "big")).ETag).toBe(`"${md5(body)}"`);
  });

  it("an object that was uploaded in parts has its ETag again", async () => {
    const body = patterned(11 * MIB);
    const etag = etagOfParts(body, 5 * MIB);
    const dump = await newDump({ ...bucket(own("photos")), ...s3Object(`s3/${own("photos")}/big`, body, { etag }) });
    expect((await apply(dump)).report?.listed).toEqual([]);
    expect((await head(own("photos"), "big")).ETag).toBe(`"${etag}"`);
  });

  it("a public bucket and its policy come only when asked for", async () => {
    const policy = (name: string) => ({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { AWS: ["*"] }, Action: ["s3:GetObject"], Resource: [`arn:aws:s3:::${name}/*`] },
      ],
    });
    const files = (name: string) => ({
      ...bucket(name, "cat"),
      [`s3/${name}/_bucket.json`]: { name, acl: "public-read", policy_json: JSON.stringify(policy(name)) },
    });
    const isPublic = async (name: string) => (await fetch(`${bench.servers.s3.endpoint}/${name}/cat`)).status === 200;
    const closed = await apply(await newDump(files(own("closed"))));
    expect(closed.status).toBe(0);
    const warnings = closed.report?.scopes[0]?.warnings.join("\n");
    expect(warnings).toContain("--allow-public");
    expect(warnings).toContain("--apply-policies");
    expect(await isPublic(own("closed"))).toBe(false);
    const open = await apply(await newDump(files(own("open"))), "--allow-public", "--apply-policies");
    // MinIO knows no public ACL, and says so when it is asked.
    expect(open.report?.scopes[0]?.warnings).toEqual([expect.stringMatching(/public-read could not be set/u)]);
    expect(await isPublic(own("open"))).toBe(true);
    expect((await bench.target.s3.send(new GetBucketAclCommand({ Bucket: own("open") }))).Grants).toHaveLength(1);
  });

  it("a directory without _bucket.json is refused, or taken with --allow-orphan-buckets", async () => {
    const dump = await newDump(s3Object(`s3/${own("orphan")}/cat`, "ours"));
    expect((await apply(dump)).status).toBe(4);
    expect((await apply(dump, "--allow-orphan-buckets")).status).toBe(0);
    expect(await bench.target.objects(own("orphan"))).toEqual({ cat: "ours" });
  });
});

describe("queues", () => {
  const fifo = (name: string) => ({
    ...queue(name, { fifo: true }),
    [`sqs/${name}/messages.jsonl`]: ["one", "two", "three"].map((body, i) =>
      sqsMessage(body, { message_group_id: "g", message_deduplication_id: i === 2 ? "id-0" : `id-${i}` }),
    ),
  });
  const received = async (name: string) =>
    (await bench.target.queues.drain(name)).map(({ Body, Attributes }) => [Body, Attributes?.MessageDeduplicationId]);
  const made = expect.stringMatching(/^restore-[0-9a-f]{16}-/u);

  it("--fifo-dedup original keeps ids while they are unique, record makes them all", async () => {
    const dump = await newDump(fifo("jobs.fifo"));
    const kept = await apply(dump, "--rename", `sqs:jobs.fifo=${own("kept.fifo")}`);
    expect(await received(own("kept.fifo"))).toEqual([
      ["one", "id-0"],
      ["two", "id-1"],
      ["three", made],
    ]);
    expect(kept.report?.listed).toMatchObject([{ notes: [{ kind: "rekeyed" }] }]);
    const record = await apply(dump, "--rename", `sqs:jobs.fifo=${own("made.fifo")}`, "--fifo-dedup", "record");
    expect(record.status).toBe(0);
    expect(await received(own("made.fifo"))).toEqual([
      ["one", made],
      ["two", made],
      ["three", made],
    ]);
  });

  it("--preserve-visibility keeps hidden what was in flight; without it everything is visible", async () => {
    const visible_at_millis = Date.now() + 600_000;
    const dump = await newDump({
      ...queue("jobs", {}),
      "sqs/jobs/messages.jsonl": [sqsMessage("free"), sqsMessage("in flight", { visible_at_millis })],
    });
    await apply(dump, "--rename", `sqs:jobs=${own("hidden")}`, "--preserve-visibility");
    expect(await bench.target.queues.depths(own("hidden"))).toEqual([1, 0, 1]);
    await apply(dump, "--rename", `sqs:jobs=${own("seen")}`);
    expect(await bench.target.queues.depths(own("seen"))).toEqual([2, 0, 0]);
  });
});

describe("a standard queue", () => {
  let proxy: ScriptedProxy;
  const bodies = Array.from({ length: 60 }, (_, i) => `body ${String(i).padStart(2, "0")}`);

  beforeAll(async () => {
    proxy = await startScriptedProxy(bench.servers.sqs.endpoint);
  });
  afterAll(() => proxy?.stop());

  it.each([
    ["one request at a time", 1, []],
    ["several at once with --unordered, each message once", 3, ["--unordered"]],
  ] as const)("gets %s", async (_what, least, options) => {
    let [underWay, highest] = [0, 0];
    const waiting: (() => void)[] = [];
    const name = own(`queue_${least}`);
    proxy.follow(async ({ operation }) => {
      if (operation !== "SendMessageBatch") return "pass" as const;
      highest = Math.max(highest, ++underWay);
      // All of them go on once there are as many as there should be.
      if (underWay >= least) for (const goOn of waiting.splice(0)) goOn();
      else await new Promise<void>((resolve) => waiting.push(resolve));
      underWay--;
      return "pass" as const;
    });
    const argv = ["apply", await newDump(queue(name, {}, ...bodies)), "--sqs-endpoint", proxy.endpoint, ...options];
    const { status, stderr } = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(status, stderr).toBe(0);
    expect(highest).toBeGreaterThanOrEqual(least);
    if (least === 1) expect(highest).toBe(1);
    expect(await bench.target.queues.sortedBodies(name)).toEqual(bodies);
  });
});

describe("--on-ambiguous", () => {
  let proxy: ScriptedProxy;

  beforeAll(async () => {
    proxy = await startScriptedProxy(bench.servers.sqs.endpoint);
  });
  afterAll(() => proxy?.stop());

  it.each([
    ["resend", 3, ["one", "one", "two", "two"], { ambiguous: 2 }],
    ["skip", 3, ["one", "two"], { ambiguous: 2 }],
    ["stop", 1, ["one", "two"], { restored: 0 }],
  ] as const)("%s after a lost answer ends with %i", async (choice, expected, bodies, totals) => {
    proxy.follow(({ operation, before }) =>
      operation === "SendMessageBatch" && before === 0 ? "lose-answer" : "pass",
    );
    const argv = ["apply", await newDump(queue(own("jobs"), {}, "one", "two")), "--sqs-endpoint", proxy.endpoint];
    const { status, stderr, report } = await runCliWithReport([...argv, "--on-ambiguous", choice], CLI_ENVIRONMENT);
    expect(status, stderr).toBe(expected);
    expect(report?.totals).toMatchObject(totals);
    expect(await bench.target.queues.sortedBodies(own("jobs"))).toEqual(bodies);
  });
});

describe("limits", () => {
  let proxy: ScriptedProxy;
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`);

  beforeAll(async () => {
    proxy = await startScriptedProxy(bench.servers.dynamodb.endpoint);
  });
  afterAll(() => proxy?.stop());

  /** At least so long, as the limit has it: one request is sent whole, the next one waits until it is paid off. */
  it("--rate-limit holds for one adapter in operations, for another in bytes, or for all", async () => {
    const body = patterned(400 * 1024);
    const objects = ["a", "b", "c"].flatMap((key) => Object.entries(s3Object(`s3/photos/${key}`, body)));
    const dump = await newDump({ ...table("orders", ...keys), ...bucket("photos"), ...Object.fromEntries(objects) });
    const took = async (name: string, limit: string) => {
      const renames = ["--rename", `dynamodb:orders=${own(name)}`, "--rename", `s3:photos=${own(name)}`];
      const { report } = await apply(dump, "--rate-limit", limit, ...renames);
      expect(report?.totals["restored"]).toBe(63);
      return new Map(report?.scopes.map((scope) => [scope.adapter, scope.durationMs]));
    };
    const each = await took("each", "dynamodb=60ops/s,s3=1MiB/s");
    // 50 of 60 items, 800 of 1,200 KiB have to be paid off before the last request, less three quanta of 20 ms.
    expect(each.get("dynamodb")).toBeGreaterThan(700);
    expect(each.get("s3")).toBeGreaterThan(700);
    expect((await took("all", "60ops/s")).get("dynamodb")).toBeGreaterThan(700);
  });

  it("--concurrency is how many batches of a scope are under way at once", async () => {
    /** How many were under way at most, when each waits for `others` more, or a moment. */
    const most = async (others: number, ...options: string[]) => {
      let [underWay, highest] = [0, 0];
      const waiting: (() => void)[] = [];
      proxy.follow(async ({ operation }) => {
        if (operation !== "BatchWriteItem") return "pass" as const;
        highest = Math.max(highest, ++underWay);
        if (others === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        else if (underWay > others) for (const goOn of waiting.splice(0)) goOn();
        else await new Promise<void>((resolve) => waiting.push(resolve));
        underWay--;
        return "pass" as const;
      });
      const dump = await newDump(table("orders", ...keys));
      const argv = ["apply", dump, "--dynamodb-endpoint", proxy.endpoint, ...options];
      expect((await runCli(argv, CLI_ENVIRONMENT)).status).toBe(0);
      return highest;
    };
    expect(await most(2, "--rename", `dynamodb:orders=${own("many")}`)).toBe(3);
    expect(await most(0, "--rename", `dynamodb:orders=${own("one")}`, "--concurrency", "dynamodb=1")).toBe(1);
  });
});

describe("a named target", () => {
  it("gives all endpoints and a limit; the command line has the last word", async () => {
    const dump = await newDump({
      ...table(own("orders"), "a"),
      ...bucket(own("photos"), "cat"),
      ...strings(0, "zero"),
      ...queue(own("jobs"), {}, "job"),
    });
    const folder = await newDump({});
    const config = join(folder, "config.yaml");
    const { redis, dynamodb, s3, sqs } = bench.servers;
    writeFileSync(
      config,
      `targets:\n  local:\n    dynamodb: { endpoint: "${dynamodb.endpoint}" }\n    s3: { endpoint: "${s3.endpoint}" }\n` +
        `    sqs: { endpoint: "${sqs.endpoint}" }\n    redis: { url: "redis://127.0.0.1:1" }\n    rate_limit: 5000ops/s\n`,
    );
    const argv = ["apply", dump, "--target", "local", "--config", config, "--redis-url", redis.endpoint, "--json"];
    const { status, stdout, stderr } = await runCli(argv, CLI_ENVIRONMENT);
    expect(status, stderr).toBe(0);
    const { targets } = JSON.parse(stdout) as { targets: { adapter: string; origin: string }[] };
    expect(Object.fromEntries(targets.map(({ adapter, origin }) => [adapter, origin]))).toEqual({
      dynamodb: 'target "local"',
      s3: 'target "local"',
      sqs: 'target "local"',
      redis: "--redis-url",
    });
    expect(await bench.target.items(own("orders"))).toEqual({ a: "ours" });
    expect(await bench.target.keys()).toEqual({ zero: "ours" });
  });
});
