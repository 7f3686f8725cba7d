/**
 * What differs on elastickv, on an endpoint that `ELASTICKV_RESTORE_TEST_ELASTICKV_REDIS_URL` names, whose data is
 * flushed. Without it nothing here runs: the project cannot start one. SCAN, KEYS and DBSIZE would end the server.
 */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RedisRecord } from "../../src/model/record.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { onlooker, type RestoreOptions, remapMemory, replayerFor, restore, words } from "../support/redis-restore.js";

const url = process.env["ELASTICKV_RESTORE_TEST_ELASTICKV_REDIS_URL"] ?? "";
const MODES = ["none", "replace", "merge", "skip-existing"] as const;

describe.skipIf(url === "")("elastickv", () => {
  let redis: Redis;

  beforeAll(() => {
    redis = onlooker(url);
  });

  afterAll(() => {
    redis.disconnect();
  });

  beforeEach(async () => {
    await redis.flushdb();
    // Which leaves streams.
    await redis.del("stream", "empty", "mixed", "ahead", "foreign");
  });

  const run = async (records: readonly RedisRecord[], options?: RestoreOptions) =>
    words(await restore(url, records, options));

  const samples = (at?: number): RedisRecord[] => [
    stringRecord(Buffer.from([255, 1]), Buffer.from([0, 254]), at),
    stringRecord("text", "dump", at),
    collectionRecord("hash", "hash", [["a", Buffer.from([255])]], at),
    collectionRecord("set", "set", [["a"], [Buffer.from([255])]], at),
    collectionRecord(
      "zset",
      "zset",
      [
        ["1.5", "a"],
        ["-inf", "b"],
        ["+inf", "c"],
      ],
      at,
    ),
    collectionRecord("list", "list", [["b"], ["a"], ["b"]], at),
    membersRecord("hll", ["a", "b"], at),
    streamRecord(
      "stream",
      [
        ["5-1", "a", "1", "a", "2"],
        ["5-2", "b", "3"],
      ],
      at === undefined ? {} : { expireAtMs: at },
    ),
    streamRecord("empty", [], { lastId: "9-9", ...(at === undefined ? {} : { expireAtMs: at }) }),
  ];
  const names = ["text", "hash", "set", "zset", "list", "hll", "stream", "empty"];

  const expectSamples = async () => {
    expect(await redis.getBuffer(Buffer.from([255, 1]))).toEqual(Buffer.from([0, 254]));
    expect(await redis.get("text")).toBe("dump");
    expect(await redis.hgetBuffer("hash", "a")).toEqual(Buffer.from([255]));
    expect(await redis.sismember("set", Buffer.from([255]))).toBe(1);
    expect(await redis.scard("set")).toBe(2);
    expect(await redis.zrange("zset", 0, "-1")).toEqual(["b", "a", "c"]);
    expect(await redis.lrange("list", 0, -1)).toEqual(["b", "a", "b"]);
    expect(await redis.pfcount("hll")).toBe(2);
    expect(await redis.xrange("stream", "-", "+")).toEqual([
      ["5-1", ["a", "1", "a", "2"]],
      ["5-2", ["b", "3"]],
    ]);
    expect(await redis.xlen("empty")).toBe(0);
    await expect(redis.xadd("empty", "9-9", "a", "b")).rejects.toThrow(/equal or smaller/);
  };

  it("is recognised and never listed", async () => {
    const replayer = replayerFor(url);
    expect(await replayer.probe()).toMatchObject({ server: "elastickv", canCount: false });
    const own = async function* () {
      yield* samples();
    };
    expect(await replayer.inspect(databaseScope(), own)).toMatchObject({ presence: "empty" });
    await restore(url, [stringRecord("text", "x")]);
    expect((await replayer.inspect(databaseScope(), own)).presence).toBe("holds-records");
    await replayer.close();
  });

  it("takes no database but 0", async () => {
    const replayer = replayerFor(url);
    const inspected = replayer.inspect(databaseScope(3), async function* () {});
    await expect(inspected).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      hint: expect.stringMatching(/--rename redis:3=0/) as string,
    });
    await replayer.close();
  });

  it.each(MODES)("holds what was written (%s)", async (mode) => {
    expect(await run(samples(), { mode })).toEqual(samples().map(() => "restored"));
    await expectSamples();
    for (const name of names) expect(await redis.pttl(name), name).toBe(-1);
  });

  it.each(MODES)("gives every key its expiry (%s)", async (mode) => {
    expect(await run(samples(Date.now() + 60_000), { mode })).toEqual(samples().map(() => "restored"));
    await expectSamples();
    for (const name of names) {
      const left = await redis.pttl(name);
      expect(left, name).toBeGreaterThan(30_000);
      expect(left, name).toBeLessThanOrEqual(60_000);
    }
  });

  it("replaces keys of any type", async () => {
    for (const name of names) await (name === "set" ? redis.rpush(name, "x") : redis.sadd(name, "x"));
    expect(await run(samples(), { mode: "replace" })).toEqual(samples().map(() => "restored"));
    await expectSamples();
  });

  it("says that FLUSHDB leaves streams, and deletes those whose names the dump holds", async () => {
    await redis.xadd("stream", "1-1", "a", "b");
    await redis.xadd("foreign", "1-1", "a", "b");
    await redis.set("text", "gone");
    const replayer = replayerFor(url, { mode: "replace" });
    expect((await replayer.empty(databaseScope())).warnings).toEqual([expect.stringMatching(/streams/)]);
    const outcomes = await replayer.write(databaseScope(), [stringRecord("stream", "x", 1_000)]);
    await replayer.close();
    expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
    expect(await redis.exists("text", "stream")).toBe(0);
    expect(await redis.exists("foreign")).toBe(1);
  });

  it("leaves existing keys under skip-existing", async () => {
    for (const name of names) await redis.set(name, "kept");
    const outcomes = await run(samples().slice(1), { mode: "skip-existing" });
    for (const outcome of outcomes) expect(outcome).toMatch(/^skipped-existing\//);
    for (const name of names) expect(await redis.get(name)).toBe("kept");
  });

  it("rejects other types in merge", async () => {
    for (const name of names) await (name === "list" ? redis.sadd(name, "x") : redis.rpush(name, "x"));
    expect(await run(samples().slice(1), { mode: "merge" })).toEqual(names.map(() => "rejected/wrong-type"));
  });

  it("merges into what is there", async () => {
    await redis.hset("hash", "z", "26");
    await redis.sadd("set", "z");
    await redis.zadd("zset", 7, "z");
    await redis.pfadd("hll", "z");
    await redis.rpush("list", "z");
    const records = samples().filter(({ displayKey }) => ["hash", "set", "zset", "hll", "list"].includes(displayKey));
    expect(await run(records, { mode: "merge" })).toEqual(records.map(() => "restored"));
    expect(await redis.hlen("hash")).toBe(2);
    expect(await redis.scard("set")).toBe(3);
    expect(await redis.zrange("zset", 0, "-1")).toEqual(["b", "a", "z", "c"]);
    expect(await redis.pfcount("hll")).toBe(3);
    expect(await redis.lrange("list", 0, -1)).toEqual(["b", "a", "b"]);
  });

  it("appends once to lists and streams", async () => {
    await redis.rpush("list", "z");
    await redis.xadd("stream", "1-1", "x", "y");
    const records = samples().filter(({ displayKey }) => ["stream", "list"].includes(displayKey));
    const remaps = remapMemory();
    const options = { mode: "merge", strategies: { list: "append", stream: "auto-id" }, target: { remaps } } as const;
    expect(await run(records, options)).toEqual(["restored", "restored"]);
    expect(await redis.lrange("list", 0, -1)).toEqual(["z", "b", "a", "b"]);
    expect(await redis.xlen("stream")).toBe(3);
    expect(remaps.lines.map((line) => line.original_id)).toEqual(["5-1", "5-2"]);
  });

  it("compares streams entry by entry under skip-existing", async () => {
    await redis.xadd("stream", "5-1", "a", "1", "a", "2");
    const [outcome] = await restore(url, [samples()[7] as RedisRecord], { mode: "skip-existing" });
    expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 1, skippedExisting: 1, rejected: 0 } });
  });

  it("rejects what it cannot hold and names the rest", async () => {
    const outcomes = await restore(url, [
      sketchRecord("sketch", "HYLL"),
      membersRecord("members", ["a", Buffer.from([255])]),
      streamRecord("mixed", [
        ["1-1", "a", Buffer.from([255])],
        ["1-2", "a", "b"],
      ]),
      streamRecord("ahead", [["1-1", "a", "b"]], { lastId: "9-9" }),
      stringRecord("far", "x", 2n ** 62n),
    ]);
    expect(words(outcomes)).toEqual([
      "rejected/sketch-not-supported",
      "rejected/not-utf8",
      "rejected/not-utf8",
      "restored",
      "restored",
    ]);
    expect(outcomes[2]?.entries).toMatchObject({ restored: 1, rejected: 1 });
    expect(outcomes[3]?.notes).toMatchObject([{ kind: "last-id-not-restored" }]);
    expect(outcomes[4]?.notes).toMatchObject([{ kind: "expiry-clamped" }]);
    expect(await redis.exists("members", "sketch")).toBe(0);
  });

  it("holds collections of several chunks", async () => {
    const many = Array.from({ length: 2_500 }, (_, i) => `m${i}`);
    const records = [
      collectionRecord(
        "list",
        "list",
        many.map((one) => [one]),
      ),
      collectionRecord(
        "set",
        "set",
        many.map((one) => [one]),
      ),
      collectionRecord(
        "hash",
        "hash",
        many.map((one) => [one, one]),
      ),
      membersRecord("hll", many),
      streamRecord(
        "stream",
        many.map((one, i) => [`${i + 1}-0`, "f", one]),
      ),
    ];
    for (const mode of ["replace", "merge"] as const) {
      const outcomes = await run(records, { mode });
      expect(outcomes).toEqual([
        "restored",
        "restored",
        "restored",
        "restored",
        mode === "merge" ? "skipped-existing/already-equal" : "restored",
      ]);
      expect(await redis.llen("list")).toBe(2_500);
      expect(await redis.scard("set")).toBe(2_500);
      expect(await redis.hlen("hash")).toBe(2_500);
      expect(await redis.xlen("stream")).toBe(2_500);
      expect(await redis.pfcount("hll")).toBe(2_500);
    }
  });

  it("holds a list over the size that it can rename", async () => {
    const items = Array.from({ length: 101_000 }, (_, i) => [`i${i}`]);
    expect(await run([collectionRecord("list", "long", items, Date.now() + 600_000)])).toEqual(["restored"]);
    expect(await redis.llen("long")).toBe(101_000);
    expect(await redis.pttl("long")).toBeGreaterThan(0);
  }, 60_000);
});
