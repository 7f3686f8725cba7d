/** Every TTL policy for the shapes that are not written in one call, and sketches against what stands there. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RedisRecord } from "../../../src/model/record.js";
import {
  collectionRecord,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../../support/redis-records.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

export function redisExpiry(server: RedisServer): void {
  const bench = new RedisBench(server);

  const MODES = ["none", "replace", "merge", "skip-existing"] as const;

  /** The bytes of a HyperLogLog of these members. */
  async function sketchOf(...members: string[]): Promise<Buffer> {
    await bench.redis.pfadd("source", ...members);
    const bytes = await bench.redis.getBuffer("source");
    await bench.redis.del("source");
    // A server that does not show its sketches takes none either, whatever they hold.
    return bytes ?? Buffer.from("HYLL");
  }

  let sketch: Buffer;

  beforeAll(async () => {
    sketch = await sketchOf("a", "b", "c");
  });

  const many = Array.from({ length: 1_100 }, (_, i) => `m${i}`);
  const oneByOne = many.map((one) => [one]);
  const expiring = (expireAtMs: number | undefined) => (expireAtMs === undefined ? {} : { expireAtMs });

  const SHAPES: readonly (readonly [shape: string, record: (at?: number) => RedisRecord])[] = [
    ["a stream", (at) => streamRecord("k", [["5-1", "a", "1"]], expiring(at))],
    ["an empty stream", (at) => streamRecord("k", [], { ...expiring(at), lastId: "5-1" })],
    [
      "a stream of several chunks",
      (at) =>
        streamRecord(
          "k",
          many.map((one, i) => [`${i + 1}-0`, "f", one]),
          expiring(at),
        ),
    ],
    ["a sketch", (at) => sketchRecord("k", sketch, at)],
    ["a HyperLogLog of several chunks", (at) => membersRecord("k", many, at)],
    ["a list of several chunks", (at) => collectionRecord("list", "k", oneByOne, at)],
    ["a set of several chunks", (at) => collectionRecord("set", "k", oneByOne, at)],
    ["a string of several megabytes", (at) => stringRecord("k", Buffer.alloc(5 * 1024 * 1024, "x"), at)],
  ];

  describe.each(SHAPES)("%s", (_shape, record) => {
    const dumpTakenAt = Date.now() - 1_000_000;
    /** Past now, alive when the dump was taken. */
    const between = dumpTakenAt + 60_000;

    it.each(MODES)("is not written once expired (%s)", async (mode) => {
      expect(await bench.run([record(Date.now() - 1)], { mode })).toEqual(["skipped-expired/expired"]);
      expect(await bench.keys()).toEqual([]);
    });

    it.each(MODES)("preserved has its own time (%s)", async (mode) => {
      const at = Date.now() + 500_000;
      expect(await bench.run([record(at)], { mode, ttl: "preserve" })).toEqual(["restored"]);
      await bench.expectExpiry("k", at);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it.each(MODES)("preserved with a past time is gone at once (%s)", async (mode) => {
      expect(await bench.run([record(between)], { mode, ttl: "preserve", dumpTakenAt })).toEqual(["restored"]);
      expect(await bench.keys()).toEqual([]);
    });

    it.each(MODES)("rebased has the time left that it had when the dump was taken (%s)", async (mode) => {
      const startedAt = Date.now();
      expect(await bench.run([record(between)], { mode, ttl: "rebase", dumpTakenAt })).toEqual(["restored"]);
      const tolerance = bench.view.expiryToleranceMs;
      expect(await bench.view.expiryOf("k")).toBeGreaterThanOrEqual(startedAt + 60_000 - tolerance);
      expect(await bench.view.expiryOf("k")).toBeLessThanOrEqual(Date.now() + 60_000 + tolerance);
    });

    it.each(MODES)("persisted has no expiry (%s)", async (mode) => {
      expect(await bench.run([record(between)], { mode, ttl: "persist", dumpTakenAt })).toEqual(["restored"]);
      expect(await bench.redis.pttl("k")).toBe(-1);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it.each(["rebase", "persist"] as const)("that was past when the dump was taken stays so under %s", async (ttl) => {
      expect(await bench.run([record(dumpTakenAt - 1)], { ttl, dumpTakenAt })).toEqual(["skipped-expired/expired"]);
      expect(await bench.keys()).toEqual([]);
    });
  });

  describe("a sketch", () => {
    const held = async () => (await bench.redis.getBuffer("k"))?.subarray(16);

    it("takes the place of another sketch and of another type in replace, whose expiry goes", async () => {
      for (const before of [() => bench.redis.pfadd("k", "z"), () => bench.redis.sadd("k", "z")]) {
        await bench.redis.del("k");
        await before();
        await bench.redis.pexpire("k", 50_000);
        expect(await bench.run([sketchRecord("k", sketch)], { mode: "replace" })).toEqual(["restored"]);
        expect(await held()).toEqual(sketch.subarray(16));
        expect(await bench.redis.pttl("k")).toBe(-1);
      }
    });

    it("leaves what is there under skip-existing, of its own type or another, with its expiry", async () => {
      await bench.redis.pfadd("k", "z");
      await bench.redis.pexpire("k", 50_000);
      const record = sketchRecord("k", sketch, Date.now() + 900_000);
      expect(await bench.run([record], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
      expect(await bench.redis.pfcount("k")).toBe(1);
      expect(await bench.redis.pttl("k")).toBeLessThanOrEqual(50_000);
      await bench.redis.del("k");
      await bench.redis.sadd("k", "z");
      expect(await bench.run([record], { mode: "skip-existing" })).toEqual(["skipped-existing/wrong-type"]);
      expect(await bench.redis.smembers("k")).toEqual(["z"]);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("is rejected by a merge into another type, which stays", async () => {
      await bench.redis.sadd("k", "z");
      expect(await bench.run([sketchRecord("k", sketch)], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
      expect(await bench.redis.smembers("k")).toEqual(["z"]);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("gives what it is merged into its expiry, and keeps the target's when it has none", async () => {
      await bench.redis.pfadd("k", "z");
      await bench.redis.pexpire("k", 50_000);
      await bench.run([sketchRecord("k", sketch)], { mode: "merge" });
      expect(await bench.redis.pttl("k")).toBeGreaterThan(0);
      const at = Date.now() + 900_000;
      await bench.run([sketchRecord("k", sketch, at)], { mode: "merge" });
      await bench.expectExpiry("k", at);
      await bench.run([sketchRecord("k", sketch, at)], { mode: "merge", ttl: "persist" });
      expect(await bench.redis.pttl("k")).toBe(-1);
      expect(await bench.redis.pfcount("k")).toBe(4);
    });
  });

  describe("merged without an expiry into a key that has one", () => {
    it.each([
      ["a HyperLogLog keeps it", () => bench.redis.pfadd("k", "z"), membersRecord("k", ["a"]), {}],
      ["a list that is appended to keeps it", () => bench.redis.rpush("k", "z"), list(), { list: "append" }],
      [
        "a stream that is appended to keeps it",
        () => bench.redis.xadd("k", "1-1", "a", "b"),
        stream(),
        { stream: "auto-id" },
      ],
    ] as const)("%s", async (_what, before, record, strategies) => {
      await before();
      await bench.redis.pexpire("k", 50_000);
      expect(await bench.run([record], { mode: "merge", strategies })).toEqual(["restored"]);
      expect(await bench.redis.pttl("k")).toBeGreaterThan(0);
    });

    it.each([
      ["a list that is replaced whole keeps it", list()],
      ["so does a list of several chunks", collectionRecord("list", "k", oneByOne)],
    ] as const)("%s", async (_what, record) => {
      await bench.redis.rpush("k", "z");
      const at = Date.now() + 50_000;
      await bench.redis.pexpire("k", 50_000);
      expect(await bench.run([record], { mode: "merge" })).toEqual(["restored"]);
      expect(Math.abs((await bench.view.expiryOf("k")) - at)).toBeLessThan(1_000 + bench.view.expiryToleranceMs);
      expect(await bench.redis.lindex("k", 0)).not.toBe("z");
    });

    it("a string loses it, also one that is sent in pieces", async () => {
      for (const value of ["dump", Buffer.alloc(5 * 1024 * 1024, "x")]) {
        await bench.redis.set("k", "other", "PX", 50_000);
        expect(await bench.run([stringRecord("k", value)], { mode: "merge" })).toEqual(["restored"]);
        expect(await bench.redis.pttl("k")).toBe(-1);
      }
    });
  });

  describe("appending", () => {
    it.each([
      ["a list", () => bench.redis.rpush("k", "z"), list, { list: "append" }],
      ["a stream", () => bench.redis.xadd("k", "1-1", "a", "b"), stream, { stream: "auto-id" }],
    ] as const)("gives %s the dump's expiry, or none under persist", async (_what, before, record, strategies) => {
      await before();
      await bench.redis.pexpire("k", 50_000);
      const at = Date.now() + 900_000;
      await bench.run([record(at)], { mode: "merge", strategies });
      await bench.expectExpiry("k", at);
      await bench.run([record(at)], { mode: "merge", strategies, ttl: "persist" });
      expect(await bench.redis.pttl("k")).toBe(-1);
    });

    it.each(["append", "reject"] as const)("a list strategy of %s leaves another type alone", async (strategy) => {
      await bench.redis.set("k", "x");
      expect(await bench.run([list()], { mode: "merge", strategies: { list: strategy } })).toEqual([
        "rejected/wrong-type",
      ]);
      expect(await bench.redis.get("k")).toBe("x");
    });
  });

  function list(at?: number): RedisRecord {
    return collectionRecord("list", "k", [["a"], ["b"]], at);
  }

  function stream(at?: number): RedisRecord {
    return streamRecord("k", [["5-1", "a", "1"]], expiring(at));
  }
}
