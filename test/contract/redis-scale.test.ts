/** Several chunks, binary keys, two databases, replacing, asking what is there: on a real Redis. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RedisRecord } from "../../src/model/record.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { onlooker, type RestoreOptions, replayerFor, restore, words } from "../support/redis-restore.js";

let server: RunningServer;
let redis: Redis;

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
});

const run = async (records: readonly RedisRecord[], options?: RestoreOptions) =>
  words(await restore(server.endpoint, records, options));
const keys = async () => (await redis.keys("*")).sort();
const MODES = ["none", "replace", "merge", "skip-existing"] as const;

describe("collections of several chunks", () => {
  const many = Array.from({ length: 3_300 }, (_, i) => `m${i}`);
  const records = (at?: number) => [
    collectionRecord(
      "list",
      "list",
      many.map((one) => [one]),
      at,
    ),
    collectionRecord(
      "set",
      "set",
      many.map((one) => [one]),
      at,
    ),
    collectionRecord(
      "hash",
      "hash",
      many.map((one) => [one, `${one} value`]),
      at,
    ),
    collectionRecord(
      "zset",
      "zset",
      many.map((one, i) => [String(i), one]),
      at,
    ),
    membersRecord("hll", many, at),
    streamRecord(
      "stream",
      many.map((one, i) => [`${i + 1}-0`, "f", one]),
      at === undefined ? {} : { expireAtMs: at },
    ),
  ];
  const names = ["hash", "hll", "list", "set", "stream", "zset"];
  const counts = async () => [
    await redis.llen("list"),
    await redis.scard("set"),
    await redis.hlen("hash"),
    await redis.zcard("zset"),
    await redis.xlen("stream"),
  ];

  it.each(MODES)("arrive whole, with their expiry, and leave nothing temporary (%s)", async (mode) => {
    const at = Date.now() + 500_000;
    expect(await run(records(at), { mode })).toEqual(names.map(() => "restored"));
    expect(await counts()).toEqual([3_300, 3_300, 3_300, 3_300, 3_300]);
    expect(await redis.lrange("list", 0, -1)).toEqual(many);
    expect(await redis.zrange("zset", 0, "-1")).toEqual(many);
    for (const name of names) expect(await redis.pexpiretime(name), name).toBe(at);
    expect(await keys()).toEqual(names);
  });

  it("replace values of another type", async () => {
    for (const name of names) await redis.set(name, "old");
    expect(await run(records(), { mode: "replace" })).toEqual(names.map(() => "restored"));
    expect(await counts()).toEqual([3_300, 3_300, 3_300, 3_300, 3_300]);
    for (const name of names) expect(await redis.pttl(name), name).toBe(-1);
  });

  it("merge into what is there, which gets the dump's expiry", async () => {
    await redis.hset("hash", "z", "26");
    await redis.sadd("set", "z");
    await redis.zadd("zset", -1, "z");
    await redis.rpush("list", "z");
    await redis.pfadd("hll", "z");
    const at = Date.now() + 500_000;
    const outcomes = await run(records(at).slice(0, 5), { mode: "merge" });
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => "restored"));
    expect((await counts()).slice(0, 4)).toEqual([3_300, 3_301, 3_301, 3_301]);
    for (const name of names.slice(0, 4)) expect(await redis.pexpiretime(name), name).toBe(at);
    expect(await keys()).toEqual(["hash", "hll", "list", "set", "zset"]);
  });

  it("merged without expiry keep the target's", async () => {
    await redis.hset("hash", "z", "26");
    await redis.pexpire("hash", 100_000);
    await run(records().slice(2, 3), { mode: "merge" });
    expect(await redis.pttl("hash")).toBeGreaterThan(0);
    expect(await redis.hlen("hash")).toBe(3_301);
  });

  it("merged while the key vanishes are built anew and never half", async () => {
    await redis.sadd("set", "z");
    const record = collectionRecord(
      "set",
      "set",
      many.map((one) => [one]),
    );
    let vanished = false;
    const vanishing = {
      ...record,
      elements: async function* () {
        for await (const chunk of record.elements()) {
          yield chunk;
          if (!vanished) await redis.del("set");
          vanished = true;
        }
      },
    };
    expect(await run([vanishing], { mode: "merge" })).toEqual(["restored"]);
    expect(await redis.scard("set")).toBe(3_300);
  });

  it("added to a stream that vanishes meanwhile are built anew and never half", async () => {
    await redis.xadd("stream", "0-1", "old", "entry");
    const record = vanishingStream();
    const [outcome] = await restore(server.endpoint, [record], { mode: "skip-existing" });
    expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 3_300, skippedExisting: 0 } });
    expect(await redis.xlen("stream")).toBe(3_300);
  });

  it("appended to a stream with an expiry that vanishes meanwhile fail instead of coming back half", async () => {
    await redis.xadd("stream", "0-1", "old", "entry");
    await redis.pexpire("stream", 100_000);
    const options = { mode: "merge", strategies: { stream: "auto-id" } } as const;
    expect(await run([vanishingStream()], options)).toEqual(["failed/gone"]);
    expect(await keys()).toEqual([]);
  });

  it("appended to a list that is consumed meanwhile go on", async () => {
    await redis.rpush("list", "old");
    const record = collectionRecord(
      "list",
      "list",
      many.map((one) => [one]),
    );
    const consumed = { ...record, elements: () => whileDeleting("list", record.elements()) };
    const options = { mode: "merge", strategies: { list: "append" } } as const;
    expect(await run([consumed], options)).toEqual(["restored"]);
    expect(await redis.llen("list")).toBe(2_300);
  });

  function vanishingStream() {
    const record = streamRecord(
      "stream",
      many.map((one, i) => [`${i + 1}-0`, "f", one]),
    );
    let vanished = false;
    return {
      ...record,
      entries: () => {
        const first = !vanished;
        vanished = true;
        return first ? whileDeleting("stream", record.entries()) : record.entries();
      },
    };
  }

  /** Deletes the key when the first chunk has been written. */
  async function* whileDeleting<T>(key: string, chunks: AsyncIterable<T>): AsyncGenerator<T> {
    let first = true;
    for await (const chunk of chunks) {
      yield chunk;
      if (first) await redis.del(key);
      first = false;
    }
  }

  it("leave what is there under skip-existing and reject it under merge when it is of another type", async () => {
    for (const name of names) await redis.set(name, "old");
    const skipped = await run(records().slice(0, 4), { mode: "skip-existing" });
    expect(skipped).toEqual(Array.from({ length: 4 }, () => "skipped-existing/wrong-type"));
    expect(await run(records(), { mode: "merge" })).toEqual(names.map(() => "rejected/wrong-type"));
    for (const name of names) expect(await redis.get(name)).toBe("old");
    expect(await keys()).toEqual(names);
  });

  it("preserved with a past time end without the key", async () => {
    for (const record of records()) await run([record]);
    expect(await run(records(1_000), { mode: "replace", ttl: "preserve" })).toEqual(names.map(() => "restored"));
    expect(await keys()).toEqual([]);
  });

  it("appended twice by one job are there once", async () => {
    await redis.rpush("list", "first");
    const options = { mode: "merge", strategies: { list: "append" } } as const;
    const replayer = replayerFor(server.endpoint, options);
    const record = records()[0] as RedisRecord;
    expect(words(await replayer.write(databaseScope(), [record]))).toEqual(["restored"]);
    expect(words(await replayer.write(databaseScope(), [record]))).toEqual(["restored"]);
    await replayer.finish(databaseScope());
    await replayer.close();
    expect(await redis.llen("list")).toBe(3_301);
    expect(await keys()).toEqual(["list"]);
  });

  it("overwrite what a killed run of the same job left under the temporary key", async () => {
    const jobId = "00000000000000ff";
    const broken = { ...(records()[0] as RedisRecord), elements: () => stopAfterFirst() } as RedisRecord;
    const replayer = replayerFor(server.endpoint, { jobId });
    const writing = replayer.write(databaseScope(), [broken]);
    await expect.poll(keys).toHaveLength(1);
    await replayer.close();
    release();
    await writing.catch(() => undefined);
    expect(await keys()).toHaveLength(1);
    expect(await run(records().slice(0, 1), { jobId })).toEqual(["restored"]);
    expect(await keys()).toEqual(["list"]);
    expect(await redis.llen("list")).toBe(3_300);
  });

  let release = (): void => undefined;
  async function* stopAfterFirst() {
    yield [[Buffer.from("left")]];
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    throw new Error("killed");
  }
});

describe("binary keys and values", () => {
  const key = Buffer.from([0, 255, 13, 10, 123, 125]);
  const value = Buffer.from([255, 0, 13, 10, 254]);

  it("arrive byte for byte", async () => {
    const at = (suffix: string) => Buffer.concat([key, Buffer.from(suffix)]);
    const big = Buffer.alloc(5 * 1024 * 1024, value);
    const outcomes = await run([
      stringRecord(at("s"), value),
      stringRecord(at("b"), big),
      stringRecord("", ""),
      collectionRecord("hash", at("h"), [
        [value, value],
        ["", ""],
      ]),
      collectionRecord("set", at("u"), [[value]]),
      collectionRecord("zset", at("z"), [["-0.1", value]]),
      collectionRecord("list", at("l"), [[value], [""]]),
      streamRecord(at("x"), [["1-1", value, value]]),
    ]);
    expect(outcomes).toEqual(Array.from({ length: 8 }, () => "restored"));
    expect(await redis.getBuffer(at("s"))).toEqual(value);
    expect((await redis.getBuffer(at("b")))?.equals(big)).toBe(true);
    expect(await redis.get("")).toBe("");
    expect(await redis.hgetBuffer(at("h"), value)).toEqual(value);
    expect(await redis.sismember(at("u"), value)).toBe(1);
    expect(Number(await redis.zscore(at("z"), value))).toBe(-0.1);
    expect(await redis.lindexBuffer(at("l"), 0)).toEqual(value);
    expect(await redis.dbsize()).toBe(8);
  });
});

describe("strings of many megabytes", () => {
  const value = Buffer.alloc(9 * 1024 * 1024, "abcdefghij");

  it.each(MODES)("arrive whole with their expiry (%s)", async (mode) => {
    const at = Date.now() + 500_000;
    expect(await run([stringRecord("k", value, at)], { mode })).toEqual(["restored"]);
    expect((await redis.getBuffer("k"))?.equals(value)).toBe(true);
    expect(await redis.pexpiretime("k")).toBe(at);
    expect(await keys()).toEqual(["k"]);
  });

  it("follow the mode where something stands under the key", async () => {
    await redis.rpush("k", "x");
    expect(await run([stringRecord("k", value)], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
    expect(await run([stringRecord("k", value)], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
    expect(await redis.type("k")).toBe("list");
    expect(await run([stringRecord("k", value)], { mode: "replace" })).toEqual(["restored"]);
    expect(await redis.strlen("k")).toBe(value.length);
    expect(await keys()).toEqual(["k"]);
  });

  it("over the server's limit are rejected and stop nothing", async () => {
    await redis.config("SET", "proto-max-bulk-len", 6 * 1024 * 1024);
    try {
      const outcomes = await run([stringRecord("k", value), stringRecord("fine", "v")]);
      expect(outcomes).toEqual(["rejected/value-too-large", "restored"]);
      expect(await keys()).toEqual(["fine"]);
    } finally {
      await redis.config("SET", "proto-max-bulk-len", 512 * 1024 * 1024);
    }
  });
});

describe("databases", () => {
  it("are kept apart", async () => {
    const replayer = replayerFor(server.endpoint);
    for (const [number, value] of [
      [0, "zero"],
      [3, "three"],
    ] as const) {
      expect(words(await replayer.write(databaseScope(number), [stringRecord("k", value)]))).toEqual(["restored"]);
    }
    await replayer.close();
    const third = onlooker(server.endpoint, 3);
    expect([await redis.get("k"), await third.get("k")]).toEqual(["zero", "three"]);
    third.disconnect();
  });

  it("are written under their target's number", async () => {
    await restore(server.endpoint, [stringRecord("k", "v")], { scope: databaseScope(0, 5) });
    const fifth = onlooker(server.endpoint, 5);
    expect(await fifth.get("k")).toBe("v");
    expect(await redis.dbsize()).toBe(0);
    fifth.disconnect();
  });

  it("that the server has not are impossible, with the rename that helps", async () => {
    const replayer = replayerFor(server.endpoint);
    const inspecting = replayer.inspect(databaseScope(99), async function* () {});
    await expect(inspecting).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      hint: expect.stringContaining("--rename redis:99=0") as string,
    });
    await replayer.close();
  });

  it("are counted exactly", async () => {
    const replayer = replayerFor(server.endpoint);
    expect(await replayer.probe()).toMatchObject({
      canCount: true,
      fallbacks: [],
      server: expect.stringMatching(/^(Redis|Valkey) \d/) as string,
    });
    const none = async function* () {};
    expect(await replayer.inspect(databaseScope(), none)).toMatchObject({ presence: "empty", count: { value: 0 } });
    await redis.mset("a", "1", "b", "2");
    const state = await replayer.inspect(databaseScope(), none);
    expect(state).toMatchObject({ presence: "holds-records", count: { value: 2, exact: true } });
    expect((await replayer.inspect(databaseScope(7), none)).presence).toBe("empty");
    await replayer.close();
  });
});

describe("replacing", () => {
  it("by flush empties the one database", async () => {
    await redis.set("a", "1");
    await restore(server.endpoint, [stringRecord("b", "2")], { scope: databaseScope(1) });
    const replayer = replayerFor(server.endpoint, { mode: "replace" });
    await replayer.empty(databaseScope());
    await replayer.close();
    expect(await redis.dbsize()).toBe(0);
    const first = onlooker(server.endpoint, 1);
    expect(await first.dbsize()).toBe(1);
    first.disconnect();
  });

  it("per key deletes at the end what the dump lacks, expired and empty ones too, and spares what is told", async () => {
    await redis.mset("written", "old", "foreign", "x", "expired", "x", "faulty", "kept", "not-selected", "kept");
    await redis.rpush("empty", "x");
    for (let i = 0; i < 2_500; i++) redis.set(`foreign-${i}`, "x").catch(() => undefined);
    const selects = (key: string) => key !== "not-selected";
    const target = { replaceStrategy: "per-key", selects } as const;
    const replayer = replayerFor(server.endpoint, { mode: "replace", target });
    const scope = databaseScope();
    await replayer.empty(scope);
    expect(await redis.dbsize()).toBe(2_506);
    await replayer.write(scope, [
      stringRecord("written", "new"),
      stringRecord("expired", "x", 1_000),
      collectionRecord("list", "empty", []),
    ]);
    replayer.spare?.(scope, Buffer.from("faulty"));
    expect(await redis.exists("foreign")).toBe(1);
    expect((await replayer.finish(scope)).warnings).toEqual([]);
    await replayer.close();
    expect(await keys()).toEqual(["faulty", "not-selected", "written"]);
    expect(await redis.get("written")).toBe("new");
  });

  it("per key taken up again half-way deletes nothing and says so", async () => {
    await redis.set("written-before", "x");
    const replayer = replayerFor(server.endpoint, { mode: "replace", target: { replaceStrategy: "per-key" } });
    await replayer.write(databaseScope(), [stringRecord("k", "v")]);
    expect((await replayer.finish(databaseScope())).warnings).toEqual([expect.stringMatching(/not deleted/)]);
    await replayer.close();
    expect(await keys()).toEqual(["k", "written-before"]);
  });
});

it("a batch of mixed records answers in its order and takes few requests", async () => {
  const records = Array.from({ length: 500 }, (_, i) =>
    i % 2 === 0 ? stringRecord(`s${i}`, "v") : collectionRecord("hash", `h${i}`, [["a", String(i)]]),
  );
  const replayer = replayerFor(server.endpoint);
  const outcomes = await replayer.write(databaseScope(), [...records, stringRecord("gone", "x", 1)]);
  await replayer.close();
  expect(words(outcomes)).toEqual([...records.map(() => "restored"), "skipped-expired/expired"]);
  expect(await redis.dbsize()).toBe(500);
  expect(replayer.stats.requests).toBeLessThan(60);
});

it("a refused record leaves the others of its batch alone", async () => {
  await redis.set("bad", "kept");
  const outcomes = await run(
    [
      collectionRecord("set", "a", [["x"]]),
      collectionRecord("zset", "bad", [["1e999", "m"]]),
      collectionRecord("set", "b", [["x"]]),
    ],
    { mode: "replace" },
  );
  expect(outcomes).toEqual(["restored", "rejected/invalid-score", "restored"]);
  expect(await keys()).toEqual(["a", "b", "bad"]);
  expect(await redis.get("bad")).toBe("kept");
});
