/** The modes table, cell by cell and end to end: one small dump into targets that hold other and differing records. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { s3Object, sqsMessage, tableSchema, temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { runCli, runCliWithReport, type WrittenReport } from "../support/run-cli.js";
import { TargetState } from "../support/target-state.js";

let servers: FourServers;
let target: TargetState;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let round = 0;

beforeAll(async () => {
  servers = await startFourServers();
  target = new TargetState(servers);
  dump = await temporaryDump({ files: await dumpFiles() });
}, 300_000);

afterAll(async () => {
  target?.close();
  await Promise.all([servers?.stop(), dump?.remove()]);
});

const named = (name: string) => `${name}-${round}`;

/** Other records than the dump's, and others under its names. */
beforeEach(async () => {
  round++;
  await target.createTable(named("orders"));
  await target.putItem(named("orders"), { pk: { S: "both" }, v: { S: "theirs" }, old: { S: "theirs" } });
  await target.putItem(named("orders"), { pk: { S: "stranger" }, v: { S: "theirs" } });
  await target.createBucket(named("photos"), { both: "theirs", stranger: "theirs" });
  await target.queues.create(named("jobs"), { VisibilityTimeout: "17" });
  await target.queues.send(named("jobs"), "stranger");
  const redis = target.redis();
  await redis.flushall();
  await redis.mset("string", "theirs", "stranger", "theirs");
  await redis.hset("hash", { a: "theirs", z: "theirs" });
  await redis.sadd("set", "z");
  await redis.zadd("zset", 9, "a", 7, "z");
  await redis.rpush("list", "z");
  await redis.xadd("stream", "1-1", "f", "theirs");
  await redis.pfadd("members", "z");
  await redis.pfadd("sketch", "z");
  await redis.sadd("turned", "z");
});

const renames = () =>
  ["dynamodb:orders", "s3:photos", "sqs:jobs"].flatMap((from) => [
    "--rename",
    `${from}=${named(from.replace(/^\w+:/u, ""))}`,
  ]);

const apply = async (...more: string[]) => {
  const argv = ["apply", dump.path, ...servers.options, "--progress", "none", "--purge-wait", "0s", ...renames()];
  return await runCliWithReport([...argv, ...more], CLI_ENVIRONMENT);
};

/** All that can be looked at without taking it away. */
const held = async () => ({
  items: await target.items(named("orders")),
  objects: await target.objects(named("photos")),
  keys: await target.keys(),
  depth: (await target.queues.depths(named("jobs")))[0],
});

/** What is not restored, by the end of its file's name. */
const ends = (report: WrittenReport | undefined) =>
  Object.fromEntries(
    (report?.listed ?? []).map(({ adapter, key, outcome, reason }) => [
      adapter === "sqs" ? key.slice(0, 2) : key,
      `${outcome}/${reason}`,
    ]),
  );

const THEIRS = {
  items: { both: "theirs", stranger: "theirs" },
  objects: { both: "theirs", stranger: "theirs" },
  keys: {
    string: "theirs",
    hash: { a: "theirs", z: "theirs" },
    set: ["z"],
    zset: ["z", "7", "a", "9"],
    list: ["z"],
    stream: [["1-1", ["f", "theirs"]]],
    members: 1,
    sketch: 1,
    turned: ["z"],
    stranger: "theirs",
  },
  depth: 1,
};

const OURS = {
  items: { both: "ours", new: "ours" },
  objects: { both: "ours", new: "ours" },
  keys: {
    string: "ours",
    hash: { a: "ours", b: "ours" },
    set: ["a", "b"],
    zset: ["a", "1", "b", "2"],
    list: ["b", "a", "b"],
    stream: [
      ["5-1", ["f", "ours"]],
      ["5-2", ["f", "ours"]],
    ],
    members: 2,
    sketch: 3,
    turned: "ours",
    new: "ours",
  },
  depth: 2,
};

const RECORDS = 2 + 2 + 10 + 2;

async function dumpFiles() {
  const redis = target.redis();
  await redis.pfadd("source", "a", "b", "c");
  const sketch = (await redis.getBuffer("source")) ?? Buffer.alloc(0);
  await redis.del("source");
  return {
    "dynamodb/orders/_schema.json": tableSchema("orders", { name: "pk", type: "S" }),
    "dynamodb/orders/items/both.json": { pk: { S: "both" }, v: { S: "ours" } },
    "dynamodb/orders/items/new.json": { pk: { S: "new" }, v: { S: "ours" } },
    "s3/photos/_bucket.json": { name: "photos" },
    ...s3Object("s3/photos/both", "ours"),
    ...s3Object("s3/photos/new", "ours"),
    "redis/db_0/strings/string.bin": "ours",
    "redis/db_0/strings/turned.bin": "ours",
    "redis/db_0/strings/new.bin": "ours",
    "redis/db_0/hashes/hash.json": { format_version: 1, fields: { a: "ours", b: "ours" } },
    "redis/db_0/sets/set.json": { format_version: 1, members: ["a", "b"] },
    "redis/db_0/zsets/zset.json": {
      format_version: 1,
      members: [
        { member: "a", score: 1 },
        { member: "b", score: 2 },
      ],
    },
    "redis/db_0/lists/list.json": { format_version: 1, items: ["b", "a", "b"] },
    "redis/db_0/streams/stream.jsonl": [
      { id: "5-1", fields: { f: "ours" } },
      { id: "5-2", fields: { f: "ours" } },
    ],
    "redis/db_0/hll/members.bin": Buffer.from("\u0000RS\u0001\n\u0001a\n\u0001b", "latin1"),
    "redis/db_0/hll/sketch.bin": sketch,
    "sqs/jobs/_queue.json": { format_version: 1, name: "jobs", visibility_timeout_seconds: 45 },
    "sqs/jobs/messages.jsonl": [sqsMessage("one", { message_id: "m1" }), sqsMessage("two", { message_id: "m2" })],
  };
}

describe("plan", () => {
  it.each([
    ["replace", ["empty", "empty", "empty", "empty"]],
    ["merge", ["keep", "keep", "keep", "keep"]],
    ["skip-existing", ["keep", "keep", "keep", "skip"]],
  ])(
    "of %s says what it does with each scope and how many records it reads, and changes nothing",
    async (mode, decisions) => {
      const argv = ["plan", dump.path, ...servers.options, ...renames(), "--mode", mode, "--json"];
      const { status, stdout } = await runCli(argv, CLI_ENVIRONMENT);
      expect(status).toBe(0);
      const { scopes } = JSON.parse(stdout) as { scopes: Record<string, unknown>[] };
      expect(scopes.map(({ target }) => target)).toEqual([named("orders"), named("photos"), "db_0", named("jobs")]);
      expect(scopes.map(({ decision }) => decision)).toEqual(decisions);
      expect(scopes.map(({ recordsRead }) => recordsRead)).toEqual([2, 2, 10, 2]);
      expect(await held()).toEqual(THEIRS);
      const applied = await apply("--mode", mode, "--yes");
      expect(applied.report?.scopes.map(({ decision }) => decision)).toEqual(decisions);
    },
  );

  it("without a mode tells that apply would refuse, with its status", async () => {
    const { status, stdout } = await runCli(["plan", dump.path, ...servers.options, ...renames()], CLI_ENVIRONMENT);
    expect(status).toBe(5);
    for (const scope of ["dynamodb:orders", "s3:photos", "redis:db_0", "sqs:jobs"]) expect(stdout).toContain(scope);
    expect(stdout).toContain("apply would refuse this");
    expect(await held()).toEqual(THEIRS);
  });
});

describe("without a mode", () => {
  it.each(["dynamodb", "s3", "redis", "sqs"])(
    "a scope of %s that holds records is refused, untouched",
    async (adapter) => {
      const names = { dynamodb: "orders", s3: "photos", redis: "db_0", sqs: "jobs" } as Record<string, string>;
      const argv = ["apply", dump.path, ...servers.options, "--adapter", adapter];
      const rename =
        adapter === "redis" ? [] : ["--rename", `${adapter}:${names[adapter]}=${named(names[adapter] ?? "")}`];
      const { status, stderr, report } = await runCliWithReport([...argv, ...rename], CLI_ENVIRONMENT);
      expect({ status, report }).toEqual({ status: 5, report: undefined });
      expect(stderr).toContain(`${adapter}:${names[adapter]}`);
      expect(stderr).toContain("already holds records");
      expect(await held()).toEqual(THEIRS);
    },
  );

  it("one scope that is filled holds back the others, which are empty", async () => {
    await target.redis().flushall();
    expect((await apply()).status).toBe(5);
    expect(await target.keys()).toEqual({});
  });
});

it("replace leaves exactly the dump in its scopes, and so it does again", async () => {
  for (const time of ["first", "second"]) {
    const { status, stderr, report } = await apply("--mode", "replace", "--yes");
    expect(status, stderr).toBe(0);
    expect(report?.totals["restored"], time).toBe(RECORDS);
    expect(ends(report)).toEqual({});
    expect(await held()).toEqual(OURS);
    expect((await target.queues.attributes(named("jobs")))["VisibilityTimeout"]).toBe("45");
  }
  expect(await target.queues.sortedBodies(named("jobs"))).toEqual(["one", "two"]);
});

describe("merge", () => {
  const MERGED = {
    items: { both: "ours", new: "ours", stranger: "theirs" },
    objects: { both: "ours", new: "ours", stranger: "theirs" },
    keys: {
      ...OURS.keys,
      hash: { a: "ours", b: "ours", z: "theirs" },
      set: ["a", "b", "z"],
      zset: ["a", "1", "b", "2", "z", "7"],
      stream: THEIRS.keys.stream,
      members: 3,
      sketch: 4,
      turned: ["z"],
      stranger: "theirs",
    },
  };

  it("lets the dump win, keeps what it does not name, rejects what cannot be merged; and so it does again", async () => {
    for (const depth of [3, 5]) {
      const { status, stderr, report } = await apply("--mode", "merge");
      expect(status, stderr).toBe(3);
      expect(report?.totals).toMatchObject({ restored: RECORDS - 2, rejected: 2, failed: 0 });
      expect(ends(report)).toEqual({ stream: "rejected/exists", turned: "rejected/wrong-type" });
      expect(await held()).toEqual({ ...MERGED, depth });
    }
    expect((await target.queues.attributes(named("jobs")))["VisibilityTimeout"]).toBe("17");
  });

  it("replaces an item whole: attributes that the dump's has not are gone", async () => {
    expect(await target.attributeNames(named("orders"), "both")).toEqual(["old", "pk", "v"]);
    await apply("--mode", "merge", "--adapter", "dynamodb,s3,sqs");
    expect(await target.attributeNames(named("orders"), "both")).toEqual(["pk", "v"]);
  });

  it.each([
    ["append", ["z", "b", "a", "b"], undefined],
    ["reject", ["z"], "rejected/exists"],
    ["replace", ["b", "a", "b"], undefined],
  ] as const)("does with lists what --list-merge-strategy %s says", async (strategy, list, end) => {
    const { report } = await apply("--mode", "merge", "--list-merge-strategy", strategy);
    expect(ends(report)["list"]).toBe(end);
    expect((await target.keys())["list"]).toEqual(list);
  });

  it("counts a stream that is there entry for entry as skipped", async () => {
    await apply("--mode", "replace", "--yes", "--adapter", "redis");
    const { status, report } = await apply("--mode", "merge", "--adapter", "redis");
    expect(status).toBe(0);
    expect(ends(report)).toEqual({ stream: "skipped-existing/already-equal" });
  });
});

it("skip-existing writes what is missing and leaves all that is there; and so it does again", async () => {
  const skipped = "skipped-existing/exists";
  const keys = { ...THEIRS.keys, stream: [...THEIRS.keys.stream, ...OURS.keys.stream], new: "ours" };
  const left = {
    items: { ...THEIRS.items, new: "ours" },
    objects: { ...THEIRS.objects, new: "ours" },
    keys,
    depth: 1,
  };
  const { status, stderr, report } = await apply("--mode", "skip-existing");
  expect(status, stderr).toBe(0);
  expect(report?.totals).toMatchObject({ restored: 4, "skipped-existing": RECORDS - 4, rejected: 0, failed: 0 });
  expect(ends(report)).toMatchObject({ both: skipped, string: skipped, hash: skipped, list: skipped, sketch: skipped });
  expect(ends(report)["turned"]).toMatch(/^skipped-existing\//u);
  expect(await held()).toEqual(left);
  const again = await apply("--mode", "skip-existing");
  expect(again.status, again.stderr).toBe(0);
  expect(again.report?.totals).toMatchObject({ restored: 0, "skipped-existing": RECORDS, rejected: 0, failed: 0 });
  expect(await held()).toEqual(left);
  expect((await target.queues.attributes(named("jobs")))["VisibilityTimeout"]).toBe("17");
});

it("skip-existing rejects a stream's entry at or below the top that is not there", async () => {
  await target.redis().xadd("stream", "5-5", "f", "theirs");
  const { status, report } = await apply("--mode", "skip-existing", "--adapter", "redis");
  expect(status).toBe(3);
  expect(ends(report)["stream"]).toBe("rejected/id-below-top");
});

describe("a table whose key is another", () => {
  const options = () => ["--adapter", "dynamodb", "--rename", `dynamodb:orders=${named("other")}`];

  it.each(["merge", "skip-existing"])("is refused by %s before anything is written, with a way on", async (mode) => {
    await target.createTable(named("other"), { name: "id", type: "N" });
    const argv = ["apply", dump.path, ...servers.options, ...options(), "--mode", mode];
    const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect({ status, report }).toEqual({ status: 5, report: undefined });
    expect(stderr).toMatch(/id \(N\).*pk \(S\)|pk \(S\).*id \(N\)/su);
    expect(await target.items(named("other"))).toEqual({});
  });

  it("is made anew by replace", async () => {
    await target.createTable(named("other"), { name: "id", type: "N" });
    const argv = ["apply", dump.path, ...servers.options, ...options(), "--mode", "replace", "--yes"];
    const { status, stderr } = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(status, stderr).toBe(0);
    expect(await target.items(named("other"))).toEqual(OURS.items);
  });
});
