/** Every cell of the modes table. */
import { describe, expect, it } from "vitest";
import type { RedisRecord } from "../../../src/model/record.js";
import type { ModeName } from "../../../src/modes/mode.js";
import { collectionRecord, membersRecord, sketchRecord, stringRecord } from "../../support/redis-records.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

export function redisModes(server: RedisServer): void {
  const bench = new RedisBench(server);

  const SAMPLES: readonly {
    readonly type: string;
    readonly record: (expireAtMs?: number) => RedisRecord;
    /** Puts another value of the same type under the key `k`. */
    readonly other: () => Promise<unknown>;
    readonly held: () => Promise<unknown>;
    readonly value: unknown;
    readonly merged: unknown;
  }[] = [
    {
      type: "string",
      record: (at) => stringRecord("k", "dump", at),
      other: () => bench.redis.set("k", "other"),
      held: () => bench.redis.get("k"),
      value: "dump",
      merged: "dump",
    },
    {
      type: "hash",
      record: (at) => collectionRecord("hash", "k", [["a", "1"]], at),
      other: () => bench.redis.hset("k", { a: "0", z: "26" }),
      held: () => bench.redis.hgetall("k"),
      value: { a: "1" },
      merged: { a: "1", z: "26" },
    },
    {
      type: "set",
      record: (at) => collectionRecord("set", "k", [["a"], ["b"]], at),
      other: () => bench.redis.sadd("k", "z"),
      held: async () => (await bench.redis.smembers("k")).sort(),
      value: ["a", "b"],
      merged: ["a", "b", "z"],
    },
    {
      type: "zset",
      record: (at) =>
        collectionRecord(
          "zset",
          "k",
          [
            ["1.5", "a"],
            ["+inf", "b"],
          ],
          at,
        ),
      other: () => bench.redis.zadd("k", 9, "a", 7, "z"),
      held: async () => (await bench.redis.zrange("k", 0, "-1", "WITHSCORES")).map(infinityAsRedisSaysIt),
      value: ["a", "1.5", "b", "inf"],
      merged: ["a", "1.5", "z", "7", "b", "inf"],
    },
    {
      type: "list",
      record: (at) => collectionRecord("list", "k", [["b"], ["a"], ["b"]], at),
      other: () => bench.redis.rpush("k", "z"),
      held: () => bench.redis.lrange("k", 0, -1),
      value: ["b", "a", "b"],
      merged: ["b", "a", "b"],
    },
    {
      type: "HyperLogLog",
      record: (at) => membersRecord("k", ["a", "b"], at),
      other: () => bench.redis.pfadd("k", "z"),
      held: () => bench.redis.pfcount("k"),
      value: 2,
      merged: 3,
    },
  ];

  describe.each(SAMPLES)("a $type", ({ type, record, other, held, value, merged }) => {
    const later = () => Date.now() + 100_000;
    const wrongType = () => (type === "set" ? bench.redis.rpush("k", "x") : bench.redis.sadd("k", "x"));

    it.each(["none", "replace", "merge", "skip-existing"] as const)(
      "is written where there is none (%s)",
      async (mode) => {
        expect(await bench.run([record()], { mode })).toEqual(["restored"]);
        expect(await held()).toEqual(value);
        expect(await bench.redis.pttl("k")).toBe(-1);
        expect(await bench.keys()).toEqual(["k"]);
      },
    );

    it.each(["none", "merge", "skip-existing"] as const)("gets its expiry with its value (%s)", async (mode) => {
      const at = later();
      expect(await bench.run([record(at)], { mode })).toEqual(["restored"]);
      expect(await held()).toEqual(value);
      await bench.expectExpiry("k", at);
    });

    it("takes the place of another value when put, whose expiry goes", async () => {
      await other();
      await bench.redis.pexpire("k", 50_000);
      expect(await bench.run([record()], { mode: "replace" })).toEqual(["restored"]);
      expect(await held()).toEqual(value);
      expect(await bench.redis.pttl("k")).toBe(-1);
    });

    it("takes the place of another type when put", async () => {
      await wrongType();
      expect(await bench.run([record()], { mode: "replace" })).toEqual(["restored"]);
      expect(await held()).toEqual(value);
    });

    it("is merged into what is there", async () => {
      await other();
      expect(await bench.run([record()], { mode: "merge" })).toEqual(["restored"]);
      expect(await held()).toEqual(merged);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("gives what it is merged into its expiry", async () => {
      await other();
      const at = later();
      await bench.run([record(at)], { mode: "merge" });
      await bench.expectExpiry("k", at);
    });

    it("is rejected by a merge into another type, which stays", async () => {
      await wrongType();
      expect(await bench.run([record()], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
      expect(await bench.redis.type("k")).toBe(type === "set" ? "list" : "set");
    });

    it("leaves what is there under skip-existing, with its expiry", async () => {
      await other();
      await bench.redis.pexpire("k", 50_000);
      const before = await held();
      expect(await bench.run([record(later())], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
      expect(await held()).toEqual(before);
      expect(await bench.redis.pttl("k")).toBeLessThanOrEqual(50_000);
    });

    it("leaves another type under skip-existing", async () => {
      await wrongType();
      const [word] = await bench.run([record()], { mode: "skip-existing" });
      expect(word).toMatch(/^skipped-existing\//);
      expect(await bench.redis.type("k")).toBe(type === "set" ? "list" : "set");
    });

    it.each(["none", "replace", "merge", "skip-existing"] as const)(
      "is not written once expired (%s)",
      async (mode) => {
        expect(await bench.run([record(Date.now() - 1)], { mode })).toEqual(["skipped-expired/expired"]);
        expect(await bench.keys()).toEqual([]);
      },
    );

    it.each(["replace", "merge"] as const)("preserved with a past time ends without the key (%s)", async (mode) => {
      await other();
      expect(await bench.run([record(1_000)], { mode, ttl: "preserve" })).toEqual(["restored"]);
      expect(await bench.keys()).toEqual([]);
      expect(await bench.run([record(0)], { mode, ttl: "preserve" })).toEqual(["restored"]);
      expect(await bench.keys()).toEqual([]);
    });

    it("preserved with a past time leaves an existing key under skip-existing", async () => {
      await other();
      const before = await held();
      expect(await bench.run([record(1_000)], { mode: "skip-existing", ttl: "preserve" })).toEqual([
        "skipped-existing/exists",
      ]);
      expect(await held()).toEqual(before);
    });

    it("persisted has no expiry", async () => {
      expect(await bench.run([record(later())], { ttl: "persist" })).toEqual(["restored"]);
      expect(await bench.redis.pttl("k")).toBe(-1);
    });

    it("persisted into what is there takes its expiry away", async () => {
      await other();
      await bench.redis.pexpire("k", 50_000);
      await bench.run([record(later())], { mode: "merge", ttl: "persist" });
      expect(await bench.redis.pttl("k")).toBe(-1);
    });

    it("rebased has the time left that it had when the dump was taken", async () => {
      const dumpTakenAt = Date.now() - 1_000_000;
      expect(await bench.run([record(dumpTakenAt + 60_000)], { ttl: "rebase", dumpTakenAt })).toEqual(["restored"]);
      expect(await bench.redis.pttl("k")).toBeGreaterThan(50_000);
      expect(await bench.redis.pttl("k")).toBeLessThanOrEqual(60_000);
    });

    it("keeps the latest time there is", async () => {
      const at = 2n ** 63n - 1n;
      const [outcome] = await bench.restore([{ ...record(), expireAtMs: at }]);
      expect(outcome?.kind).toBe("restored");
      expect(await bench.view.expiryOf("k")).toBeGreaterThan(9e18);
    });
  });

  it.each(["hash", "set", "zset"] as const)("a merged %s without expiry keeps the target's", async (type) => {
    const record = collectionRecord(type, "k", [type === "set" ? ["a"] : ["1", "a"]]);
    await bench.run([record]);
    await bench.redis.pexpire("k", 50_000);
    expect(await bench.run([record], { mode: "merge" })).toEqual(["restored"]);
    expect(await bench.redis.pttl("k")).toBeGreaterThan(0);
  });

  it("a merged string without expiry takes the target's away", async () => {
    await bench.redis.set("k", "other", "PX", 50_000);
    await bench.run([stringRecord("k", "dump")], { mode: "merge" });
    expect(await bench.redis.pttl("k")).toBe(-1);
  });

  describe("lists under merge strategies", () => {
    const record = (at?: number) => collectionRecord("list", "k", [["a"], ["b"]], at);

    it("append puts items behind what is there, and the marker goes", async () => {
      await bench.redis.rpush("k", "z");
      expect(await bench.run([record()], { mode: "merge", strategies: { list: "append" } })).toEqual(["restored"]);
      expect(await bench.redis.lrange("k", 0, -1)).toEqual(["z", "a", "b"]);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("append creates the list where there is none, with its expiry", async () => {
      const at = Date.now() + 100_000;
      expect(await bench.run([record(at)], { mode: "merge", strategies: { list: "append" } })).toEqual(["restored"]);
      expect(await bench.redis.lrange("k", 0, -1)).toEqual(["a", "b"]);
      await bench.expectExpiry("k", at);
    });

    it("append rejects another type", async () => {
      await bench.redis.set("k", "x");
      expect(await bench.run([record()], { mode: "merge", strategies: { list: "append" } })).toEqual([
        "rejected/wrong-type",
      ]);
      expect(await bench.redis.get("k")).toBe("x");
    });

    it("reject refuses a list that is there and writes one that is not", async () => {
      const strategies = { list: "reject" } as const;
      expect(await bench.run([record()], { mode: "merge", strategies })).toEqual(["restored"]);
      await bench.redis.rpush("k", "z");
      expect(await bench.run([record()], { mode: "merge", strategies })).toEqual(["rejected/exists"]);
      expect(await bench.redis.lrange("k", 0, -1)).toEqual(["a", "b", "z"]);
    });
  });

  describe("empty collections", () => {
    const MODES: readonly ModeName[] = ["none", "replace", "merge", "skip-existing"];
    it.each(MODES)("are skipped and destroy nothing (%s)", async (mode) => {
      await bench.redis.rpush("list", "x");
      const records = (["hash", "list", "set", "zset"] as const).map((type) => collectionRecord(type, type, []));
      expect(await bench.run(records, { mode })).toEqual(
        Array.from({ length: 4 }, () => "skipped-empty/empty-collection"),
      );
      expect(await bench.keys()).toEqual(["list"]);
    });

    it("a HyperLogLog without members exists", async () => {
      expect(await bench.run([membersRecord("k", [])])).toEqual(["restored"]);
      expect(await bench.redis.exists("k")).toBe(1);
      expect(await bench.redis.pfcount("k")).toBe(0);
    });
  });

  describe("sketches", () => {
    const sketch = async () => {
      await bench.redis.pfadd("source", "a", "b", "c");
      const bytes = await bench.redis.getBuffer("source");
      await bench.redis.del("source");
      if (bytes === null) throw new Error("no sketch");
      return bytes;
    };

    it.each(["none", "replace", "merge", "skip-existing"] as const)("are kept byte for byte (%s)", async (mode) => {
      const bytes = await sketch();
      expect(await bench.run([sketchRecord("k", bytes, Date.now() + 90_000)], { mode })).toEqual(["restored"]);
      expect(await bench.redis.pfcount("k")).toBe(3);
      expect((await bench.redis.getBuffer("k"))?.subarray(16)).toEqual(bytes.subarray(16));
      expect(await bench.redis.pttl("k")).toBeGreaterThan(0);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("are united with what is there in merge", async () => {
      const bytes = await sketch();
      await bench.redis.pfadd("k", "z");
      expect(await bench.run([sketchRecord("k", bytes)], { mode: "merge" })).toEqual(["restored"]);
      expect(await bench.redis.pfcount("k")).toBe(4);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("leave a string alone in merge", async () => {
      const bytes = await sketch();
      await bench.redis.set("k", "text");
      expect(await bench.run([sketchRecord("k", bytes)], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
      expect(await bench.redis.get("k")).toBe("text");
      expect(await bench.keys()).toEqual(["k"]);
    });

    it.each(["HYLL", "HYLLgarbage that is none", `HYLL${"x".repeat(100_000)}`])(
      "that are none are rejected",
      async (text) => {
        await bench.redis.set("k", "kept");
        expect(await bench.run([sketchRecord("k", text)], { mode: "replace" })).toEqual(["rejected/invalid-sketch"]);
        expect(await bench.redis.get("k")).toBe("kept");
        expect(await bench.keys()).toEqual(["k"]);
      },
    );
  });
}

/** There are several spellings of the same score. */
function infinityAsRedisSaysIt(score: string): string {
  return /^\+?inf$/i.test(score) ? "inf" : score;
}
