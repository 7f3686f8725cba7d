/** A job that was killed and is taken up by another process: each record is on the target once, and counts as ours. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { RedisRecord } from "../../src/model/record.js";
import { temporaryKey } from "../../src/replayers/redis/own-keys.js";
import { WriteStopped } from "../../src/replayers/replayer.js";
import { startRedis } from "../../testcontainers/redis.js";
import type { RunningServer } from "../../testcontainers/server.js";
import {
  collectionRecord,
  contentOf,
  databaseScope,
  membersRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { onlooker, type RestoreOptions, remapMemory, replayerFor, words } from "../support/redis-restore.js";

const JOB = "00000000000000aa";
const AT = 1_700_000_000_000;

let server: RunningServer;
let redis: ReturnType<typeof onlooker>;

beforeAll(async () => {
  server = await startRedis();
  redis = onlooker(server.endpoint);
}, 300_000);

afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

beforeEach(() => redis.flushall());

/** As a process writes them that was killed before it could say so. */
async function killed(records: readonly RedisRecord[], options: RestoreOptions): Promise<void> {
  const replayer = replayerFor(server.endpoint, { ...options, jobId: JOB });
  await replayer.write(databaseScope(), records);
  await replayer.close();
}

/** As the next process writes what the killed one had announced. */
async function resumed(records: readonly RedisRecord[], options: RestoreOptions): Promise<string[]> {
  const replayer = replayerFor(server.endpoint, { ...options, jobId: JOB });
  try {
    const again = records.map((record) => Object.assign(record, { announcedAt: AT }));
    return words(await replayer.write(databaseScope(), again));
  } finally {
    await replayer.close();
  }
}

const many = (count: number) => Array.from({ length: count }, (_, i) => [`${i}`]);
const pairs = (count: number) => Array.from({ length: count }, (_, i) => [`${i}`, `v${i}`]);

const RECORDS: readonly (readonly [string, () => RedisRecord])[] = [
  ["string", () => stringRecord("k", "v")],
  ["large string", () => stringRecord("k", Buffer.alloc(5 * 1024 * 1024, "x"))],
  ["small list", () => collectionRecord("list", "k", many(3))],
  ["large list", () => collectionRecord("list", "k", many(2_500))],
  ["hash", () => collectionRecord("hash", "k", pairs(2_500))],
  ["set", () => collectionRecord("set", "k", many(2_500))],
  [
    "zset",
    () =>
      collectionRecord(
        "zset",
        "k",
        pairs(3).map(([score = "", member = ""]) => [score, member]),
      ),
  ],
  ["stream", () => streamRecord("k", [["1-1", "f", "a"] as const, ["2-1", "f", "b"] as const])],
  ["HyperLogLog", () => membersRecord("k", ["a", "b", "c"])],
];

describe("skip-existing", () => {
  it.each(RECORDS)("counts a %s that the killed process had written as restored", async (_, record) => {
    await killed([record()], { mode: "skip-existing" });
    const [word] = await resumed([record()], { mode: "skip-existing" });
    expect(word).toMatch(/^restored/);
    expect(await redis.keys("*")).toEqual(["k"]);
  });

  it.each(RECORDS)("writes a %s that the killed process did not get to", async (_, record) => {
    expect(await resumed([record()], { mode: "skip-existing" })).toEqual(["restored"]);
  });

  it.each(RECORDS)("leaves somebody else's key alone where a %s was to go", async (_, record) => {
    await redis.geoadd("k", 1, 2, "theirs");
    expect((await resumed([record()], { mode: "skip-existing" }))[0]).toMatch(/^skipped-existing/);
    expect(await redis.zcard("k")).toBe(1);
  });

  it("counts what was there and never announced as there", async () => {
    await killed([stringRecord("k", "v")], { mode: "skip-existing" });
    const replayer = replayerFor(server.endpoint, { mode: "skip-existing", jobId: JOB });
    expect(words(await replayer.write(databaseScope(), [stringRecord("k", "v")]))).toEqual(["skipped-existing/exists"]);
    await replayer.close();
  });

  it("goes on with a stream of which the killed process had added a part to an empty one", async () => {
    const entries = [["5-1", "f", "a"] as const, ["6-1", "f", "b"] as const];
    await redis.xadd("k", "5-1", "f", "a");
    expect(await resumed([streamRecord("k", entries)], { mode: "skip-existing" })).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(2);
  });
});

describe("merge", () => {
  it.each(RECORDS)("of a %s is the same once and twice", async (_, record) => {
    await killed([record()], { mode: "merge" });
    expect((await resumed([record()], { mode: "merge" }))[0]).toMatch(/^restored/);
    const held = { list: "LLEN", hash: "HLEN", set: "SCARD", zset: "ZCARD", stream: "XLEN" } as const;
    const type = (await redis.type("k")) as keyof typeof held;
    const one = record();
    const count = "count" in one ? one.count : undefined;
    expect(type in held ? await redis.call(held[type], "k") : count).toBe(count);
    expect(await redis.keys("*")).toEqual(["k"]);
  });

  it("goes on with a stream of which the killed process had added a part to an empty one", async () => {
    await redis.xgroup("CREATE", "k", "g", "0", "MKSTREAM");
    await redis.xadd("k", "5-1", "f", "a");
    const record = streamRecord("k", [["5-1", "f", "a"] as const, ["6-1", "f", "b"] as const]);
    expect(await resumed([record], { mode: "merge" })).toEqual(["restored"]);
    expect(await redis.xlen("k")).toBe(2);
  });

  it("rejects a stream with other entries, announced or not", async () => {
    await redis.xadd("k", "9-1", "f", "theirs");
    const record = streamRecord("k", [["5-1", "f", "a"] as const]);
    expect((await resumed([record], { mode: "merge" }))[0]).toMatch(/^rejected/);
  });

  it("appends a list once, however often it is taken up", async () => {
    await redis.rpush("k", "old");
    const options = { mode: "merge", strategies: { list: "append" } } as const;
    const record = () => collectionRecord("list", "k", many(2_500));
    await killed([record()], options);
    for (let turn = 0; turn < 2; turn++) expect(await resumed([record()], options)).toEqual(["restored"]);
    expect(await redis.lrange("k", 0, -1)).toEqual(["old", ...many(2_500).flat()]);
  });

  it("appends a stream under new ids once, and tells the same new ids again", async () => {
    await redis.xadd("k", "99-1", "f", "theirs");
    const record = () => streamRecord("k", [["1-1", "f", "a"] as const, ["2-1", "f", "b"] as const]);
    const [first, second] = [remapMemory(), remapMemory()];
    const options = (remaps: typeof first) =>
      ({ mode: "merge", strategies: { stream: "auto-id" }, target: { remaps } }) as const;
    await killed([record()], options(first));
    expect((await resumed([record()], options(second)))[0]).toMatch(/^restored/);
    expect(await redis.xlen("k")).toBe(3);
    expect(second.lines).toEqual(first.lines);
  });
});

describe("what a killed process had begun", () => {
  it.each(["none", "merge", "skip-existing"] as const)("beside a key goes (%s)", async (mode) => {
    const record = collectionRecord("set", "k", many(2_500));
    await redis.sadd(temporaryKey(JOB, record.key), "half");
    expect(await resumed([record], { mode })).toEqual(["restored"]);
    expect([await redis.keys("*"), await redis.scard("k")]).toEqual([["k"], 2_500]);
  });

  it("goes also where somebody else took the key", async () => {
    const record = collectionRecord("set", "k", many(2_500));
    await redis.sadd(temporaryKey(JOB, record.key), "half");
    await redis.set("k", "theirs");
    expect((await resumed([record], { mode: "skip-existing" }))[0]).toMatch(/^skipped-existing/);
    expect(await redis.keys("*")).toEqual(["k"]);
  });

  it.each(["none", "merge", "skip-existing"] as const)(
    "goes also where the record expired meanwhile (%s)",
    async (mode) => {
      const record = collectionRecord("set", "k", many(2_500), 1_000);
      await redis.sadd(temporaryKey(JOB, record.key), "half");
      expect(await resumed([record], { mode })).toEqual(["skipped-expired/expired"]);
      expect(await redis.keys("*")).toEqual([]);
    },
  );

  it("goes when the job is let go of: beside the records under way, and with it what no record is needed for", async () => {
    const record = collectionRecord("set", "k", many(2_500));
    const options = { mode: "merge", strategies: { list: "append" } } as const;
    await killed([collectionRecord("list", "l", many(3))], options);
    expect(await redis.keys("elastickv-restore:*")).toHaveLength(1);
    await redis.del("l");
    await redis.sadd(temporaryKey(JOB, record.key), "half");
    const replayer = replayerFor(server.endpoint, { ...options, jobId: JOB });
    await replayer.discard?.(databaseScope(), record);
    expect(await redis.keys("*")).toEqual([expect.stringMatching(/:markers:/)]);
    expect(await replayer.abandon?.(databaseScope())).toEqual({ warnings: [] });
    await replayer.close();
    expect(await redis.keys("*")).toEqual([]);
  });
});

it("an outage in the middle of a batch tells which records ended, and which were never sent", async () => {
  const own = await startRedis();
  const client = onlooker(own.endpoint);
  const replayer = replayerFor(own.endpoint, { maxRetryTimeMs: 300 });
  await replayer.probe();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    while ((await client.exists("first")) === 0) await new Promise((resolve) => setImmediate(resolve));
    client.disconnect();
    await own.stop();
  };
  /** Read only once the server is gone. */
  const late = (key: string): RedisRecord => {
    const value = contentOf("v");
    const buffer = async () => {
      stopped ??= stop();
      await stopped;
      return await value.buffer();
    };
    return stringRecord(key, { ...value, buffer });
  };
  const records = [stringRecord("first", "v"), ...Array.from({ length: 300 }, (_, i) => late(`k${i}`))];
  const thrown: unknown = await replayer.write(databaseScope(), records).catch((error: unknown) => error);
  await replayer.close();
  expect(thrown).toBeInstanceOf(WriteStopped);
  const { ends, cause } = thrown as WriteStopped;
  expect(cause).toMatchObject({ code: "OUTAGE" });
  expect([ends.length, ends[0], ends[1], ends.at(-1)]).toEqual([301, { kind: "restored" }, "unknown", "not-sent"]);
});
