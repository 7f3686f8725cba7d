/** Records written over large collections: nothing of what stood there may be left, under the key or behind it. */
import { describe, expect, it } from "vitest";

import type { RedisRecord } from "../../../src/model/record.js";
import { collectionRecord, streamRecord, stringRecord } from "../../support/redis-records.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

const MEMBERS = 5_000;
const members = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

export function redisReplacing(server: RedisServer): void {
  const bench = new RedisBench(server);

  const ADD = {
    hash: (some: readonly string[]) => bench.redis.hset("k", ...some.flatMap((one) => [one, "old"])),
    set: (some: readonly string[]) => bench.redis.sadd("k", ...some),
    zset: (some: readonly string[]) => bench.redis.zadd("k", ...some.flatMap((one) => ["1", one])),
  };
  type Large = keyof typeof ADD;
  const LARGE = ["hash", "set", "zset"] as const;

  async function putOld(type: Large): Promise<void> {
    const all = members("old", MEMBERS);
    for (let from = 0; from < all.length; from += 500) await ADD[type](all.slice(from, from + 500));
    await bench.redis.pexpire("k", 500_000);
  }

  const READ: Readonly<Record<string, () => Promise<string[]>>> = {
    hash: async () => Object.keys(await bench.redis.hgetall("k")).sort(),
    set: async () => (await bench.redis.smembers("k")).sort(),
    zset: async () => (await bench.redis.zrange("k", 0, "-1")).sort(),
    list: () => bench.redis.lrange("k", 0, -1),
    string: async () => [(await bench.redis.get("k")) ?? ""],
    stream: async () => (await bench.redis.xrange("k", "-", "+")).map(([id]) => id),
  };

  const few = ["a", "b"];
  const many = members("new", 2_500).sort();
  const RECORDS: readonly (readonly [what: string, record: (at?: number) => RedisRecord, holds: string[]])[] = [
    ["hash", (at) => collectionRecord("hash", "k", pairs(few), at), few],
    ["hash of several chunks", (at) => collectionRecord("hash", "k", pairs(many), at), many],
    ["set", (at) => collectionRecord("set", "k", singles(few), at), few],
    ["set of several chunks", (at) => collectionRecord("set", "k", singles(many), at), many],
    ["zset", (at) => collectionRecord("zset", "k", scored(few), at), few],
    ["zset of several chunks", (at) => collectionRecord("zset", "k", scored(many), at), many],
    ["list", (at) => collectionRecord("list", "k", singles(few), at), few],
    ["string", (at) => stringRecord("k", "dump", at), ["dump"]],
    ["stream", (at) => streamRecord("k", [["5-1", "a", "1"]], at === undefined ? {} : { expireAtMs: at }), ["5-1"]],
  ];

  describe.each(LARGE)("a large %s", (large) => {
    it.each(RECORDS)("gives way to a %s", async (what, record, holds) => {
      await putOld(large);
      expect(await bench.run([record()], { mode: "replace" })).toEqual(["restored"]);
      const type = what.split(" ")[0] ?? "";
      expect(await bench.redis.type("k")).toBe(type);
      expect(await READ[type]?.()).toEqual(holds);
      expect(await bench.redis.pttl("k")).toBe(-1);
      expect(await bench.keys()).toEqual(["k"]);
      await bench.redis.del("k");
      if (holds.length <= 1_000) expect(await bench.keys(), "what was hidden behind it").toEqual([]);
    });

    it.each(["replace", "merge"] as const)("is gone where the record's time is past (%s)", async (mode) => {
      const takenAt = Date.now() - 100_000;
      for (const [, record] of RECORDS.filter(([what]) => what.startsWith(large))) {
        await putOld(large);
        const options = { mode, ttl: "preserve", dumpTakenAt: takenAt } as const;
        expect(await bench.run([record(takenAt + 1)], options)).toEqual(["restored"]);
        expect(await bench.keys()).toEqual([]);
      }
    });
  });
}

const singles = (all: readonly string[]): string[][] => all.map((one) => [one]);
const pairs = (all: readonly string[]): string[][] => all.map((one) => [one, "new"]);
const scored = (all: readonly string[]): string[][] => all.map((one) => ["2", one]);
