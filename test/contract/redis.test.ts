/** Every cell of the modes table, on a real Redis. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RedisRecord } from "../../src/model/record.js";
import type { ModeName } from "../../src/modes/mode.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { collectionRecord, membersRecord, sketchRecord, streamRecord, stringRecord } from "../support/redis-records.js";
import { onlooker, type RestoreOptions, remapMemory, restore, words } from "../support/redis-restore.js";

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

/** All keys: nothing temporary may be left. */
const keys = async () => (await redis.keys("*")).sort();

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
    other: () => redis.set("k", "other"),
    held: () => redis.get("k"),
    value: "dump",
    merged: "dump",
  },
  {
    type: "hash",
    record: (at) => collectionRecord("hash", "k", [["a", "1"]], at),
    other: () => redis.hset("k", { a: "0", z: "26" }),
    held: () => redis.hgetall("k"),
    value: { a: "1" },
    merged: { a: "1", z: "26" },
  },
  {
    type: "set",
    record: (at) => collectionRecord("set", "k", [["a"], ["b"]], at),
    other: () => redis.sadd("k", "z"),
    held: async () => (await redis.smembers("k")).sort(),
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
    other: () => redis.zadd("k", 9, "a", 7, "z"),
    held: () => redis.zrange("k", 0, "-1", "WITHSCORES"),
    value: ["a", "1.5", "b", "inf"],
    merged: ["a", "1.5", "z", "7", "b", "inf"],
  },
  {
    type: "list",
    record: (at) => collectionRecord("list", "k", [["b"], ["a"], ["b"]], at),
    other: () => redis.rpush("k", "z"),
    held: () => redis.lrange("k", 0, -1),
    value: ["b", "a", "b"],
    merged: ["b", "a", "b"],
  },
  {
    type: "HyperLogLog",
    record: (at) => membersRecord("k", ["a", "b"], at),
    other: () => redis.pfadd("k", "z"),
    held: () => redis.pfcount("k"),
    value: 2,
    merged: 3,
  },
];

describe.each(SAMPLES)("a $type", ({ type, record, other, held, value, merged }) => {
  const later = () => Date.now() + 100_000;
  const wrongType = () => (type === "set" ? redis.rpush("k", "x") : redis.sadd("k", "x"));

  it.each(["none", "replace", "merge", "skip-existing"] as const)(
    "is written where there is none (%s)",
    async (mode) => {
      expect(await run([record()], { mode })).toEqual(["restored"]);
      expect(await held()).toEqual(value);
      expect(await redis.pttl("k")).toBe(-1);
      expect(await keys()).toEqual(["k"]);
    },
  );

  it.each(["none", "merge", "skip-existing"] as const)("gets its expiry with its value (%s)", async (mode) => {
    const at = later();
    expect(await run([record(at)], { mode })).toEqual(["restored"]);
    expect(await held()).toEqual(value);
    expect(await redis.pexpiretime("k")).toBe(at);
  });

  it("takes the place of another value when put, whose expiry goes", async () => {
    await other();
    await redis.pexpire("k", 50_000);
    expect(await run([record()], { mode: "replace" })).toEqual(["restored"]);
    expect(await held()).toEqual(value);
    expect(await redis.pttl("k")).toBe(-1);
  });

  it("takes the place of another type when put", async () => {
    await wrongType();
    expect(await run([record()], { mode: "replace" })).toEqual(["restored"]);
    expect(await held()).toEqual(value);
  });

  it("is merged into what is there", async () => {
    await other();
    expect(await run([record()], { mode: "merge" })).toEqual(["restored"]);
    expect(await held()).toEqual(merged);
    expect(await keys()).toEqual(["k"]);
  });

  it("gives what it is merged into its expiry", async () => {
    await other();
    const at = later();
    await run([record(at)], { mode: "merge" });
    expect(await redis.pexpiretime("k")).toBe(at);
  });

  it("is rejected by a merge into another type, which stays", async () => {
    await wrongType();
    expect(await run([record()], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
    expect(await redis.type("k")).toBe(type === "set" ? "list" : "set");
  });

  it("leaves what is there under skip-existing, with its expiry", async () => {
    await other();
    await redis.pexpire("k", 50_000);
    const before = await held();
    expect(await run([record(later())], { mode: "skip-existing" })).toEqual(["skipped-existing/exists"]);
    expect(await held()).toEqual(before);
    expect(await redis.pttl("k")).toBeLessThanOrEqual(50_000);
  });

  it("leaves another type under skip-existing", async () => {
    await wrongType();
    const [word] = await run([record()], { mode: "skip-existing" });
    expect(word).toMatch(/^skipped-existing\//);
    expect(await redis.type("k")).toBe(type === "set" ? "list" : "set");
  });

  it.each(["none", "replace", "merge", "skip-existing"] as const)("is not written once expired (%s)", async (mode) => {
    expect(await run([record(Date.now() - 1)], { mode })).toEqual(["skipped-expired/expired"]);
    expect(await keys()).toEqual([]);
  });

  it.each(["replace", "merge"] as const)("preserved with a past time ends without the key (%s)", async (mode) => {
    await other();
    expect(await run([record(1_000)], { mode, ttl: "preserve" })).toEqual(["restored"]);
    expect(await keys()).toEqual([]);
    expect(await run([record(0)], { mode, ttl: "preserve" })).toEqual(["restored"]);
    expect(await keys()).toEqual([]);
  });

  it("preserved with a past time leaves an existing key under skip-existing", async () => {
    await other();
    const before = await held();
    expect(await run([record(1_000)], { mode: "skip-existing", ttl: "preserve" })).toEqual(["skipped-existing/exists"]);
    expect(await held()).toEqual(before);
  });

  it("persisted has no expiry", async () => {
    expect(await run([record(later())], { ttl: "persist" })).toEqual(["restored"]);
    expect(await redis.pttl("k")).toBe(-1);
  });

  it("persisted into what is there takes its expiry away", async () => {
    await other();
    await redis.pexpire("k", 50_000);
    await run([record(later())], { mode: "merge", ttl: "persist" });
    expect(await redis.pttl("k")).toBe(-1);
  });

  it("rebased has the time left that it had when the dump was taken", async () => {
    const dumpTakenAt = Date.now() - 1_000_000;
    expect(await run([record(dumpTakenAt + 60_000)], { ttl: "rebase", dumpTakenAt })).toEqual(["restored"]);
    expect(await redis.pttl("k")).toBeGreaterThan(50_000);
    expect(await redis.pttl("k")).toBeLessThanOrEqual(60_000);
  });

  it("keeps the latest time there is", async () => {
    const at = 2n ** 63n - 1n;
    const [outcome] = await restore(server.endpoint, [{ ...record(), expireAtMs: at }]);
    expect(outcome?.kind).toBe("restored");
    expect(await redis.call("PEXPIRETIME", "k")).toBeGreaterThan(9e18);
  });
});

it.each(["hash", "set", "zset"] as const)("a merged %s without expiry keeps the target's", async (type) => {
  const record = collectionRecord(type, "k", [type === "set" ? ["a"] : ["1", "a"]]);
  await run([record]);
  await redis.pexpire("k", 50_000);
  expect(await run([record], { mode: "merge" })).toEqual(["restored"]);
  expect(await redis.pttl("k")).toBeGreaterThan(0);
});

it("a merged string without expiry takes the target's away", async () => {
  await redis.set("k", "other", "PX", 50_000);
  await run([stringRecord("k", "dump")], { mode: "merge" });
  expect(await redis.pttl("k")).toBe(-1);
});

describe("lists under merge strategies", () => {
  const record = (at?: number) => collectionRecord("list", "k", [["a"], ["b"]], at);

  it("append puts items behind what is there, and the marker goes", async () => {
    await redis.rpush("k", "z");
    expect(await run([record()], { mode: "merge", strategies: { list: "append" } })).toEqual(["restored"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["z", "a", "b"]);
    expect(await keys()).toEqual(["k"]);
  });

  it("append creates the list where there is none, with its expiry", async () => {
    const at = Date.now() + 100_000;
    expect(await run([record(at)], { mode: "merge", strategies: { list: "append" } })).toEqual(["restored"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["a", "b"]);
    expect(await redis.pexpiretime("k")).toBe(at);
  });

  it("append rejects another type", async () => {
    await redis.set("k", "x");
    expect(await run([record()], { mode: "merge", strategies: { list: "append" } })).toEqual(["rejected/wrong-type"]);
    expect(await redis.get("k")).toBe("x");
  });

  it("reject refuses a list that is there and writes one that is not", async () => {
    const strategies = { list: "reject" } as const;
    expect(await run([record()], { mode: "merge", strategies })).toEqual(["restored"]);
    await redis.rpush("k", "z");
    expect(await run([record()], { mode: "merge", strategies })).toEqual(["rejected/exists"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["a", "b", "z"]);
  });
});

describe("empty collections", () => {
  const MODES: readonly ModeName[] = ["none", "replace", "merge", "skip-existing"];
  it.each(MODES)("are skipped and destroy nothing (%s)", async (mode) => {
    await redis.rpush("list", "x");
    const records = (["hash", "list", "set", "zset"] as const).map((type) => collectionRecord(type, type, []));
    expect(await run(records, { mode })).toEqual(Array.from({ length: 4 }, () => "skipped-empty/empty-collection"));
    expect(await keys()).toEqual(["list"]);
  });

  it("a HyperLogLog without members exists", async () => {
    expect(await run([membersRecord("k", [])])).toEqual(["restored"]);
    expect(await redis.exists("k")).toBe(1);
    expect(await redis.pfcount("k")).toBe(0);
  });
});

describe("sketches", () => {
  const sketch = async () => {
    await redis.pfadd("source", "a", "b", "c");
    const bytes = await redis.getBuffer("source");
    await redis.del("source");
    if (bytes === null) throw new Error("no sketch");
    return bytes;
  };

  it.each(["none", "replace", "merge", "skip-existing"] as const)("are kept byte for byte (%s)", async (mode) => {
    const bytes = await sketch();
    expect(await run([sketchRecord("k", bytes, Date.now() + 90_000)], { mode })).toEqual(["restored"]);
    expect(await redis.pfcount("k")).toBe(3);
    expect((await redis.getBuffer("k"))?.subarray(16)).toEqual(bytes.subarray(16));
    expect(await redis.pttl("k")).toBeGreaterThan(0);
    expect(await keys()).toEqual(["k"]);
  });

  it("are united with what is there in merge", async () => {
    const bytes = await sketch();
    await redis.pfadd("k", "z");
    expect(await run([sketchRecord("k", bytes)], { mode: "merge" })).toEqual(["restored"]);
    expect(await redis.pfcount("k")).toBe(4);
    expect(await keys()).toEqual(["k"]);
  });

  it("leave a string alone in merge", async () => {
    const bytes = await sketch();
    await redis.set("k", "text");
    expect(await run([sketchRecord("k", bytes)], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
    expect(await redis.get("k")).toBe("text");
    expect(await keys()).toEqual(["k"]);
  });

  it.each(["HYLL", "HYLLgarbage that is none", `HYLL${"x".repeat(100_000)}`])(
    "that are none are rejected",
    async (text) => {
      await redis.set("k", "kept");
      expect(await run([sketchRecord("k", text)], { mode: "replace" })).toEqual(["rejected/invalid-sketch"]);
      expect(await redis.get("k")).toBe("kept");
      expect(await keys()).toEqual(["k"]);
    },
  );
});

describe("streams", () => {
  const entries = [
    ["5-1", "b", "2", "a", "1", "b", "3"],
    ["5-2", "a", Buffer.from([255, 0, 10])],
    ["18446744073709551615-0", "last", "ms"],
  ] as const;
  const record = (at?: number) => streamRecord("k", entries, at === undefined ? {} : { expireAtMs: at });
  const held = async () =>
    ((await redis.xrangeBuffer("k", "-", "+")) as unknown as [Buffer, Buffer[]][]).map(([id, fields]) => [
      id.toString(),
      ...fields.map((field) => (field.equals(Buffer.from([255, 0, 10])) ? "binary" : field.toString())),
    ]);
  const whole = [
    ["5-1", "b", "2", "a", "1", "b", "3"],
    ["5-2", "a", "binary"],
    ["18446744073709551615-0", "last", "ms"],
  ];
  const lastId = async (): Promise<unknown> => {
    const info = (await redis.call("XINFO", "STREAM", "k")) as unknown[];
    return info[info.indexOf("last-generated-id") + 1];
  };

  it.each(["none", "replace", "merge", "skip-existing"] as const)(
    "keep ids, order and repeated names (%s)",
    async (mode) => {
      const at = Date.now() + 90_000;
      const [outcome] = await restore(server.endpoint, [record(at)], { mode });
      expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 3, skippedExisting: 0, rejected: 0 } });
      expect(await held()).toEqual(whole);
      expect(await redis.pexpiretime("k")).toBe(at);
      expect(await keys()).toEqual(["k"]);
    },
  );

  it.each(["none", "merge", "skip-existing"] as const)("that are empty exist with their last id (%s)", async (mode) => {
    expect(await run([streamRecord("k", [], { lastId: "77-3" })], { mode })).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(0);
    expect(await redis.type("k")).toBe("stream");
    expect(await lastId()).toBe("77-3");
  });

  it("that are empty and without a known last id exist and take any id", async () => {
    expect(await run([streamRecord("k", [])])).toEqual(["restored"]);
    expect(await lastId()).toBe("0-0");
    expect(await redis.xadd("k", "0-1", "a", "b")).toBe("0-1");
    expect(await redis.call("XINFO", "GROUPS", "k")).toEqual([]);
  });

  it("keep a last id above the top entry", async () => {
    const [outcome] = await restore(server.endpoint, [streamRecord("k", [["1-1", "a", "b"]], { lastId: "9-9" })]);
    expect(outcome).toMatchObject({ kind: "restored" });
    expect(outcome?.notes ?? []).toEqual([]);
    await expect(redis.xadd("k", "9-9", "a", "b")).rejects.toThrow(/equal or smaller/);
  });

  it("with unreadable entries are rejected, the others written", async () => {
    const [outcome] = await restore(server.endpoint, [streamRecord("k", [["1-1", "a", "b"]], { faulty: ["2-2"] })]);
    expect(outcome).toMatchObject({
      kind: "rejected",
      entries: { restored: 1, rejected: 1, refused: [{ id: "2-2", reason: "malformed-json" }] },
    });
    expect(await redis.xlen("k")).toBe(1);
  });

  it("with an entry that the target refuses are rejected, the others written", async () => {
    const [outcome] = await restore(server.endpoint, [
      streamRecord("k", [
        ["0-0", "a", "b"],
        ["2-2", "a", "b"],
        ["2-1", "a", "b"],
      ]),
    ]);
    expect(outcome).toMatchObject({ kind: "rejected", reason: "id-below-top", entries: { restored: 1, rejected: 2 } });
    expect(await redis.xlen("k")).toBe(1);
  });

  it("take the place of anything in replace", async () => {
    await redis.set("k", "x");
    expect(await run([record()], { mode: "replace" })).toEqual(["restored"]);
    expect(await held()).toEqual(whole);
  });

  it("take entries of more fields than a script can", async () => {
    const fields = Array.from({ length: 12_000 }, (_, i) => `f${i}`);
    expect(
      await run([
        streamRecord("k", [
          ["1-1", "a", "b"],
          ["1-2", ...fields],
          ["1-3", "a", "b"],
        ]),
      ]),
    ).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(3);
  });

  describe("under merge", () => {
    it("are skipped where the target has exactly their entries", async () => {
      await run([record()]);
      expect(await run([record()], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
    });

    it("get the dump's expiry and last id where the target has exactly their entries", async () => {
      const expireAtMs = BigInt(Date.now() + 3_600_000);
      const dumped = { ...record(), expireAtMs, lastId: "18446744073709551615-9" };
      await run([record()]);
      await redis.pexpire("k", 60_000);
      expect(await run([dumped], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
      expect(BigInt((await redis.call("PEXPIRETIME", "k")) as number)).toBe(expireAtMs);
      expect(await lastId()).toBe("18446744073709551615-9");
    });

    it("never lower the last id that the target has", async () => {
      await run([record()]);
      await redis.call("XSETID", "k", "18446744073709551615-9");
      const lower = { ...record(), lastId: "18446744073709551615-5" };
      expect(await run([lower], { mode: "merge" })).toEqual(["skipped-existing/already-equal"]);
      expect(await lastId()).toBe("18446744073709551615-9");
    });

    it("are rejected by another stream that is not empty", async () => {
      await redis.xadd("k", "1-1", "x", "y");
      expect(await run([record()], { mode: "merge" })).toEqual(["rejected/exists"]);
      expect(await redis.xlen("k")).toBe(1);
    });

    it("are rejected by one with a differing entry under the same id", async () => {
      await run([record()]);
      const changed = streamRecord("k", [...entries.slice(0, 2), ["18446744073709551615-0", "last", "MS"]]);
      expect(await run([changed], { mode: "merge" })).toEqual(["rejected/exists"]);
    });

    it("are rejected by another type", async () => {
      await redis.set("k", "x");
      expect(await run([record()], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
    });

    it("go into an empty stream, whose group stays", async () => {
      await redis.xgroup("CREATE", "k", "readers", "0", "MKSTREAM");
      expect(await run([record()], { mode: "merge" })).toEqual(["restored"]);
      expect(await held()).toEqual(whole);
      expect(await redis.call("XINFO", "GROUPS", "k")).toHaveLength(1);
    });

    it("are refused entry by entry by an empty stream that is ahead", async () => {
      await redis.xadd("k", "MAXLEN", 0, "5-1", "x", "y");
      expect(await run([record()], { mode: "merge" })).toEqual(["rejected/id-below-top"]);
      expect(await redis.xlen("k")).toBe(2);
    });
  });

  describe("under auto-id", () => {
    const auto = { mode: "merge", strategies: { stream: "auto-id" } } as const;

    it("go behind what is there under new ids, which are handed on", async () => {
      await redis.xadd("k", "1-1", "x", "y");
      const remaps = remapMemory();
      const small = streamRecord("k", [
        ["5-1", "a", "1", "a", "2"],
        ["5-2", "b", "3"],
      ]);
      const [outcome] = await restore(server.endpoint, [small], { ...auto, target: { remaps } });
      expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 2 } });
      const now = await held();
      expect(now.map(([, ...fields]) => fields)).toEqual([
        ["x", "y"],
        ["a", "1", "a", "2"],
        ["b", "3"],
      ]);
      expect(remaps.lines).toEqual([
        { original_id: "5-1", new_id: now[1]?.[0] },
        { original_id: "5-2", new_id: now[2]?.[0] },
      ]);
      expect(remaps.closed).toBe(1);
      expect(await keys()).toEqual(["k"]);
    });

    it("keep their own ids where the target has no such stream", async () => {
      const remaps = remapMemory();
      expect(await run([record()], { ...auto, target: { remaps } })).toEqual(["restored"]);
      expect(await held()).toEqual(whole);
      expect(remaps.lines).toEqual([]);
      expect(await keys()).toEqual(["k"]);
    });

    it("are rejected by another type", async () => {
      await redis.set("k", "x");
      expect(await run([record()], auto)).toEqual(["rejected/wrong-type"]);
    });
  });

  describe("under skip-existing", () => {
    const skip = { mode: "skip-existing" } as const;

    it("count entries that are there, add those above, and leave the expiry", async () => {
      await redis.xadd("k", "5-1", "b", "2", "a", "1", "b", "3");
      const [outcome] = await restore(server.endpoint, [record(Date.now() + 90_000)], skip);
      expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 2, skippedExisting: 1, rejected: 0 } });
      expect(await held()).toEqual(whole);
      expect(await redis.pttl("k")).toBe(-1);
    });

    it("are skipped when every entry is there", async () => {
      await run([record()]);
      await redis.pexpire("k", 50_000);
      const [outcome] = await restore(server.endpoint, [record()], skip);
      expect(outcome).toMatchObject({ kind: "skipped-existing", entries: { restored: 0, skippedExisting: 3 } });
      expect(await redis.pttl("k")).toBeGreaterThan(0);
    });

    it("reject an id at or below the top that is not there, and one with other fields", async () => {
      await redis.xadd("k", "5-1", "other", "fields");
      await redis.xadd("k", "5-9", "top", "entry");
      const [outcome] = await restore(server.endpoint, [record()], skip);
      expect(outcome).toMatchObject({
        kind: "rejected",
        reason: "id-below-top",
        entries: { restored: 1, rejected: 2, refused: [{ id: "5-1" }, { id: "5-2" }] },
      });
      expect((await held()).map(([id]) => id)).toEqual(["5-1", "5-9", "18446744073709551615-0"]);
    });

    it("reject entries below the last id of an emptied stream", async () => {
      await redis.xadd("k", "MAXLEN", 0, "5-1", "x", "y");
      const [outcome] = await restore(server.endpoint, [record()], skip);
      expect(outcome).toMatchObject({
        kind: "rejected",
        entries: { restored: 2, rejected: 1, refused: [{ id: "5-1" }] },
      });
    });

    it("leave another type", async () => {
      await redis.set("k", "x");
      expect(await run([record()], skip)).toEqual(["skipped-existing/wrong-type"]);
      expect(await redis.get("k")).toBe("x");
    });
  });
});
