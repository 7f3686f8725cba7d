/** Batches of records whose content is in memory, on a real Redis behind a proxy: written all at once, answered for one by one. */
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { RedisRecord } from "../../src/model/record.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { fakeClock } from "../support/fake-clock.js";
import { expectFullIsKnown } from "../support/full-redis.js";
import { inMemory } from "../support/plain-records.js";
import { useProxiedRedis } from "../support/proxied-redis.js";
import type { RedisProxy } from "../support/redis-proxy.js";
import { collectionRecord, databaseScope, streamRecord, stringRecord } from "../support/redis-records.js";
import { onlooker, replayerFor, restore, words } from "../support/redis-restore.js";

let server: RunningServer;
let proxy: RedisProxy;
let redis: Redis;

useProxiedRedis((started) => {
  ({ server, proxy, redis } = started);
});

const later = Date.now() + 3_600_000;

/** One of each kind, half of them with an expiry, and some more. */
async function everyKind(): Promise<RedisRecord[]> {
  const strings = await Promise.all([
    inMemory(stringRecord("s", "v")),
    inMemory(stringRecord("s timed", Buffer.from([0, 13, 10, 255]), later)),
    inMemory(stringRecord("s large", "x".repeat(100_000))),
    inMemory(stringRecord("", "")),
  ]);
  const collections = await Promise.all([
    inMemory(
      collectionRecord(
        "hash",
        "h",
        [
          ["a", "1"],
          ["b", ""],
        ],
        later,
      ),
    ),
    inMemory(collectionRecord("list", "l", [["x"], ["y"], ["x"]])),
    inMemory(collectionRecord("set", "t", [["m"], ["n"]], later)),
    inMemory(
      collectionRecord("zset", "z", [
        ["1.5", "m"],
        ["-inf", "n"],
      ]),
    ),
  ]);
  const streams = await Promise.all([
    inMemory(
      streamRecord(
        "x",
        [
          ["1-1", "f", "v", "f", "w"],
          ["2-0", "g", ""],
        ],
        { lastId: "9-9", expireAtMs: later },
      ),
    ),
    inMemory(streamRecord("y", [["5-0", "f", "v"]])),
  ]);
  return [...strings, ...collections, ...streams];
}

async function expectEveryKind(): Promise<void> {
  expect((await redis.keys("*")).sort()).toEqual(["", "h", "l", "s", "s large", "s timed", "t", "x", "y", "z"]);
  expect(await redis.get("s")).toBe("v");
  expect(await redis.getBuffer("s timed")).toEqual(Buffer.from([0, 13, 10, 255]));
  expect(await redis.get("s large")).toBe("x".repeat(100_000));
  expect(await redis.hgetall("h")).toEqual({ a: "1", b: "" });
  expect(await redis.lrange("l", 0, -1)).toEqual(["x", "y", "x"]);
  expect((await redis.smembers("t")).sort()).toEqual(["m", "n"]);
  expect(await redis.call("ZRANGE", "z", "0", "-1", "WITHSCORES")).toEqual(["n", "-inf", "m", "1.5"]);
  expect(await redis.xrange("x", "-", "+")).toEqual([
    ["1-1", ["f", "v", "f", "w"]],
    ["2-0", ["g", ""]],
  ]);
  expect(((await redis.xinfo("STREAM", "x")) as string[]).includes("9-9")).toBe(true);
  for (const key of ["s timed", "h", "t", "x"]) expect(await redis.pexpiretime(key)).toBe(later);
  for (const key of ["s", "l", "z", "y"]) expect(await redis.pttl(key)).toBe(-1);
}

const restored = (count: number): string[] => Array.from({ length: count }, () => "restored");

it("every kind is restored as it was, in place of whatever stood under its key", async () => {
  for (const key of ["s", "h", "x"]) await redis.rpush(key, "old");
  await redis.rpush("l", "old");
  await redis.set("y", "old", "EX", 100);
  expect(words(await restore(proxy.url, await everyKind()))).toEqual(restored(10));
  await expectEveryKind();
});

it("a small collection needs neither a script nor a temporary key", async () => {
  const before = /cmdstat_eval:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? "0";
  const records = await Promise.all(
    Array.from({ length: 300 }, (_, i) => inMemory(collectionRecord("list", `l${i}`, [["a"], [`${i}`]]))),
  );
  const replayer = replayerFor(server.endpoint);
  await replayer.probe();
  const probed = /cmdstat_eval:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? before;
  expect(words(await replayer.write(databaseScope(), records))).toEqual(restored(300));
  await replayer.close();
  expect(/cmdstat_eval:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? before).toBe(probed);
  expect(await redis.lrange("l299", 0, -1)).toEqual(["a", "299"]);
});

describe.each(["cut", "lose-answer"] as const)("%s", (fault) => {
  it.each(["s timed", "MULTI", "RPUSH", "XADD", "EXEC"])(
    "at %s in the middle of a batch doubles and loses nothing",
    async (text) => {
      const before = proxy.faults;
      proxy.order(text, fault);
      expect(words(await restore(proxy.url, await everyKind()))).toEqual(restored(10));
      expect(proxy.faults).toBe(before + 1);
      await expectEveryKind();
    },
  );
});

it("what the server refuses is told of its own record, and the others of its transaction are written", async () => {
  const batch = [
    await inMemory(collectionRecord("hash", "before", [["a", "1"]])),
    await inMemory(collectionRecord("zset", "refused", [["no score", "m"]])),
    await inMemory(collectionRecord("list", "behind", [["a"]])),
    await inMemory(
      streamRecord("falling", [
        ["2-0", "f", "v"],
        ["1-0", "f", "v"],
      ]),
    ),
    await inMemory(stringRecord("s", "v")),
  ];
  const outcomes = await restore(proxy.url, batch);
  expect(words(outcomes)).toEqual([
    "restored",
    "rejected/invalid-score",
    "restored",
    "rejected/id-below-top",
    "restored",
  ]);
  expect(outcomes[3]?.entries).toMatchObject({ restored: 1, rejected: 1 });
  expect(await redis.exists("before", "behind", "falling", "s")).toBe(4);
  expect(await redis.exists("refused")).toBe(0);
});

it("a record that expires while its batch waits is skipped as expired", async () => {
  const clock = fakeClock();
  const records = [await inMemory(stringRecord("s", "v", clock.now() - 1)), await inMemory(stringRecord("k", "v"))];
  expect(words(await restore(proxy.url, records, { clock }))).toEqual(["skipped-expired/expired", "restored"]);
});

it("a record that an earlier process had announced is looked at before it is written", async () => {
  await redis.set("s", "other");
  const record = { ...(await inMemory(stringRecord("s", "v"))), announcedAt: 1 };
  expect(words(await restore(proxy.url, [record]))).toEqual(["restored"]);
  expect(await redis.get("s")).toBe("v");
});

it("modes that ask what stands under a key ask also for content in memory", async () => {
  await redis.set("s", "other");
  await redis.hset("h", "z", "9");
  const outcomes = words(await restore(proxy.url, await everyKind(), { mode: "skip-existing" }));
  expect(outcomes.filter((word) => word === "skipped-existing/exists")).toHaveLength(2);
  expect(await redis.get("s")).toBe("other");
  expect(await redis.hgetall("h")).toEqual({ z: "9" });
});

it("a user without transactions has collections restored by scripts", async () => {
  await redis.call("ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@all", "-multi", "-exec");
  const url = server.endpoint.replace("://", "://plain:secret@");
  expect(words(await restore(url, await everyKind()))).toEqual(restored(10));
  await expectEveryKind();
});

it("a server that is full in the middle of a batch ends the run, and what it took is known", async () => {
  const own = await startRedis();
  const admin = onlooker(own.endpoint);
  try {
    const strings = Array.from({ length: 200 }, (_, i) => inMemory(stringRecord(`k${i}`, "x".repeat(50_000))));
    await expectFullIsKnown({ url: own.endpoint, admin }, await Promise.all(strings));
  } finally {
    admin.disconnect();
    await own.stop();
  }
});
