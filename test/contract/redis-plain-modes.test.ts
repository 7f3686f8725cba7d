/** Records whose content is in memory, in modes that ask what stands under a key: on a real Redis behind a proxy. */
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/model/outcome.js";
import type { CollectionRecord, StreamRecord, StringRecord } from "../../src/model/record.js";
import { WriteStopped } from "../../src/replayers/replayer.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { fakeClock } from "../support/fake-clock.js";
import { expectFullIsKnown } from "../support/full-redis.js";
import { inMemory } from "../support/plain-records.js";
import { useOwnRedis, useProxiedRedis } from "../support/proxied-redis.js";
import type { RedisProxy } from "../support/redis-proxy.js";
import { collectionRecord, databaseScope, streamRecord, stringRecord } from "../support/redis-records.js";
import { type RestoreOptions, replayerFor, restore, words } from "../support/redis-restore.js";

type PlainRecord = StringRecord | CollectionRecord | StreamRecord;

let server: RunningServer;
let proxy: RedisProxy;
let redis: Redis;

useProxiedRedis((started) => {
  ({ server, proxy, redis } = started);
});

const later = Date.now() + 3_600_000;
const heldUntil = later + 1_000_000;

const all = async (records: readonly PlainRecord[]): Promise<PlainRecord[]> => await Promise.all(records.map(inMemory));

/** What stands under a key before. */
type Held =
  | "nothing"
  | "the same"
  | "other"
  | "other for a time"
  | "another type"
  | "another type for a time"
  | "empty";

interface Sample {
  readonly type: string;
  readonly record: (key: string, at?: number) => PlainRecord;
  readonly same: (key: string) => Promise<unknown>;
  readonly other: (key: string) => Promise<unknown>;
  readonly empty?: (key: string) => Promise<unknown>;
}

const entries = [
  ["1-1", "f", "v", "f", "w"],
  ["2-0", "g", ""],
] as const;
const addEntries = async (key: string): Promise<void> => {
  for (const [id, ...fields] of entries) await redis.xadd(key, id, ...fields);
};
const streams = {
  same: addEntries,
  other: (key: string) => redis.xadd(key, "1-1", "other", "entry"),
  empty: (key: string) => redis.xadd(key, "MAXLEN", "0", "1-0", "a", "b"),
};

const SAMPLES: readonly Sample[] = [
  {
    type: "string",
    record: (key, at) => stringRecord(key, "dump", at),
    same: (key) => redis.set(key, "dump"),
    other: (key) => redis.set(key, "other"),
  },
  {
    type: "hash",
    record: (key, at) => collectionRecord("hash", key, Object.entries({ a: "1", b: "" }), at),
    same: (key) => redis.hset(key, { a: "1", b: "" }),
    other: (key) => redis.hset(key, { a: "0", z: "26" }),
  },
  {
    type: "list",
    record: (key, at) => collectionRecord("list", key, [["b"], ["a"], ["b"]], at),
    same: (key) => redis.rpush(key, "b", "a", "b"),
    other: (key) => redis.rpush(key, "z"),
  },
  {
    type: "set",
    record: (key, at) => collectionRecord("set", key, [["a"], ["b"]], at),
    same: (key) => redis.sadd(key, "a", "b"),
    other: (key) => redis.sadd(key, "z"),
  },
  {
    type: "zset",
    record: (key, at) => collectionRecord("zset", key, Object.entries({ "1.5": "a", "-inf": "b" }), at),
    same: (key) => redis.zadd(key, "1.5", "a", "-inf", "b"),
    other: (key) => redis.zadd(key, 9, "a", 7, "z"),
  },
  { type: "zset at fault", ...zsetAtFault() },
  {
    type: "stream",
    record: (key, at) => streamRecord(key, entries, at === undefined ? {} : { expireAtMs: at }),
    ...streams,
  },
  {
    type: "stream with a last id",
    record: (key, at) => streamRecord(key, entries, { lastId: "9-9", ...(at === undefined ? {} : { expireAtMs: at }) }),
    ...streams,
  },
  {
    type: "stream of one entry",
    record: (key, at) => streamRecord(key, entries.slice(0, 1), at === undefined ? {} : { expireAtMs: at }),
    ...streams,
  },
  {
    type: "stream at fault",
    record: (key, at) => streamRecord(key, [...entries].reverse(), at === undefined ? {} : { expireAtMs: at }),
    ...streams,
  },
];

function zsetAtFault(): Omit<Sample, "type"> {
  return {
    record: (key, at) => collectionRecord("zset", key, [["no score", "m"]], at),
    same: (key) => redis.zadd(key, 1, "m"),
    other: (key) => redis.zadd(key, 7, "z"),
  };
}

const HELD: readonly Held[] = [
  "nothing",
  "the same",
  "other",
  "other for a time",
  "another type",
  "another type for a time",
  "empty",
];

const CASES = SAMPLES.flatMap((sample) =>
  HELD.filter((held) => held !== "empty" || sample.empty !== undefined).flatMap((held) =>
    [undefined, later, 1_000].map((at) => ({ sample, held, at, key: `${sample.type}, ${held}, ${at ?? "for good"}` })),
  ),
);

async function hold({ sample, held, key }: (typeof CASES)[number]): Promise<void> {
  if (held === "nothing") return;
  if (held === "the same") await sample.same(key);
  else if (held.startsWith("other")) await sample.other(key);
  else if (held === "empty") await sample.empty?.(key);
  else if (sample.type === "set") await redis.rpush(key, "x");
  else await redis.sadd(key, "x");
  if (held.endsWith("for a time")) await redis.pexpireat(key, heldUntil);
}

/** Everything that the server holds. */
async function snapshot(): Promise<unknown[]> {
  const keys = (await redis.keys("*")).sort();
  return await Promise.all(keys.map(async (key) => [key, await expiryOf(key), await contentUnder(key)]));
}

/** What the server takes over from one key to another may be some milliseconds beside. */
async function expiryOf(key: string): Promise<number> {
  const at = await redis.pexpiretime(key);
  return Math.abs(at - heldUntil) < 1_000 ? heldUntil : at;
}

async function contentUnder(key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "string":
      return await redis.get(key);
    case "hash":
      return await redis.hgetall(key);
    case "list":
      return await redis.lrange(key, 0, -1);
    case "set":
      return new Set(await redis.smembers(key));
    case "zset":
      return await redis.zrange(key, 0, "-1", "WITHSCORES");
    default: {
      const info = (await redis.xinfo("STREAM", key)) as unknown[];
      return [await redis.xrange(key, "-", "+"), info[info.indexOf("last-generated-id") + 1]];
    }
  }
}

async function ended(records: readonly PlainRecord[], options: RestoreOptions): Promise<[Outcome[], unknown[]]> {
  await redis.flushall();
  for (const each of CASES) await hold(each);
  return [await restore(server.endpoint, records, options), await snapshot()];
}

describe.each([
  { mode: "merge" },
  { mode: "merge", strategies: { list: "reject" } },
  { mode: "merge", strategies: { list: "append", stream: "auto-id" } },
  { mode: "skip-existing" },
] satisfies RestoreOptions[])("$mode $strategies", (options) => {
  it.each(["skip-expired", "preserve", "persist"] as const)(
    "ends in each case as where each is written with care (%s)",
    async (ttl) => {
      const records = CASES.map(({ sample, key, at }) => sample.record(key, at));
      const with_ = { ...options, ttl, dumpTakenAt: 0 };
      const isAppended = "strategies" in options && "stream" in options.strategies;
      const [careful, held] = await ended(records, with_);
      const [outcomes, holds] = await ended(await all(records), with_);
      expect(words(outcomes).map((word, i) => [CASES[i]?.key, word])).toEqual(
        words(careful).map((word, i) => [CASES[i]?.key, word]),
      );
      expect(outcomes).toEqual(careful);
      // New ids are the server's own.
      if (!isAppended) expect(holds).toEqual(held);
    },
  );
});

/** A record of each type, every second with an expiry. */
const ONES = SAMPLES.filter(({ type }) => !type.endsWith("at fault"));
const ONE_OF_EACH = ONES.flatMap(({ type, record }) => [record(`${type},`), record(`${type} timed,`, later)]);
const NAMES = ONE_OF_EACH.map(({ displayKey }) => displayKey);

/** One of each way in which a record is written. */
const STRUCK = ["string timed,", "hash,", "hash timed,", "list,", "zset timed,", "stream,"];

async function holdEach(held: Exclude<Held, "empty">): Promise<void> {
  for (const sample of ONES) {
    for (const key of [`${sample.type},`, `${sample.type} timed,`]) await hold({ sample, held, at: undefined, key });
  }
}

describe.each(["merge", "skip-existing"] as const)("%s", (mode) => {
  describe.each(["cut", "lose-answer"] as const)("%s", (fault) => {
    it.each(STRUCK)("at the key “%s” writes every record once, which is told", async (name) => {
      await restore(server.endpoint, await all(ONE_OF_EACH), { mode });
      const expected = await snapshot();
      await redis.flushall();
      const before = proxy.faults;
      proxy.order(name, fault);
      const outcomes = await restore(proxy.url, await all(ONE_OF_EACH), { mode });
      expect(proxy.faults).toBe(before + 1);
      expect(outcomes.map(({ kind }) => kind)).toEqual(NAMES.map(() => "restored"));
      expect(outcomes.slice(-2)).toEqual(
        Array.from({ length: 2 }, () => ({
          kind: "restored",
          entries: { restored: 1, skippedExisting: 0, rejected: 0 },
        })),
      );
      expect(await snapshot()).toEqual(expected);
    });

    it.each(STRUCK)("at the key “%s” takes nothing of others for its own", async (name) => {
      await holdEach("other for a time");
      const plain = words(await restore(server.endpoint, await all(ONE_OF_EACH), { mode }));
      const expected = await snapshot();
      await redis.flushall();
      await holdEach("other for a time");
      proxy.order(name, fault);
      expect(words(await restore(proxy.url, await all(ONE_OF_EACH), { mode }))).toEqual(plain);
      expect(await snapshot()).toEqual(expected);
    });
  });

  it("keeps keys of any type apart from those of other types", async () => {
    await holdEach("another type for a time");
    const before = await snapshot();
    const outcomes = words(await restore(proxy.url, await all(ONE_OF_EACH), { mode }));
    const word = mode === "merge" ? "rejected/wrong-type" : /^skipped-existing\//;
    for (const each of outcomes) expect(each).toMatch(word);
    expect(await snapshot()).toEqual(before);
  });

  it("asks for many records in few calls", async () => {
    const records = await all(
      Array.from({ length: 300 }, (_, i) => collectionRecord("list", `l${i}`, [["a"], [`${i}`]], later)),
    );
    const calls = async (): Promise<number> =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? "0");
    const replayer = replayerFor(server.endpoint, { mode });
    await replayer.probe();
    const before = await calls();
    expect(words(await replayer.write(databaseScope(), records))).toEqual(records.map(() => "restored"));
    await replayer.close();
    expect((await calls()) - before).toBe(5);
    expect(await redis.lrange("l299", 0, -1)).toEqual(["a", "299"]);
    expect(await redis.pexpiretime("l299")).toBe(later);
  });

  it("leaves records that an earlier process had announced to those who look first", async () => {
    const records = await all(ONE_OF_EACH);
    await restore(server.endpoint, records, { mode });
    const expected = await snapshot();
    const outcomes = await restore(
      server.endpoint,
      records.map((record) => ({ ...record, announcedAt: 1 })),
      { mode },
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(NAMES.map(() => "restored"));
    expect(await snapshot()).toEqual(expected);
  });
});

it("a stream that stood there, found equal after a lost answer, has the dump's expiry in merge", async () => {
  await addEntries("the stream");
  await redis.pexpireat("the stream", heldUntil);
  proxy.order("the stream", "lose-answer");
  const records = await all([streamRecord("the stream", entries, { expireAtMs: later })]);
  expect((await restore(proxy.url, records, { mode: "merge" }))[0]?.kind).toBe("restored");
  expect(await redis.pexpiretime("the stream")).toBe(later);
});

it.each(["merge", "skip-existing"] as const)(
  "a clock that is behind the server's ends all alike (%s)",
  async (mode) => {
    const clock = fakeClock(Date.now() - 3_600_000);
    const records = ONES.map(({ type, record }) => record(type, Date.now() - 1_000));
    const careful = await restore(server.endpoint, records, { mode, clock });
    expect(words(careful)).toContain("skipped-expired/expired");
    expect(await restore(server.endpoint, await all(records), { mode, clock })).toEqual(careful);
    expect(await redis.keys("*")).toEqual([]);
  },
);

it("an entry with more fields than a script takes is written, and stands in no other's way", async () => {
  const fields = Array.from({ length: 9_000 }, (_, i) => `f${i}`);
  const records = await all([streamRecord("small", entries), streamRecord("wide", [["1-1", ...fields]])]);
  expect(words(await restore(proxy.url, records, { mode: "merge" }))).toEqual(["restored", "restored"]);
  expect(await redis.xrange("wide", "-", "+")).toEqual([["1-1", fields]]);
});

describe.each(["merge", "skip-existing"] as const)("a server of its own, %s", (mode) => {
  let own: RunningServer;
  let admin: Redis;

  useOwnRedis((...started) => {
    [own, admin] = started;
  });

  it("that lacks replicas for a while is waited for", async () => {
    const records = await all(ONE_OF_EACH);
    await admin.config("SET", "min-replicas-to-write", "1");
    const waiting = restore(own.endpoint, records, { mode });
    await expect.poll(async () => (await admin.info("errorstats")).includes("errorstat_NOREPLICAS")).toBe(true);
    await admin.config("SET", "min-replicas-to-write", "0");
    expect(words(await waiting)).toEqual(NAMES.map(() => "restored"));
  });

  it.each([
    ["strings", (key: string) => stringRecord(key, "x".repeat(50_000))],
    ["lists", (key: string) => collectionRecord("list", key, [["x".repeat(50_000)]], later)],
    ["streams", (key: string) => streamRecord(key, [["1-1", "f", "x".repeat(50_000)]])],
  ] as const)(
    "that is full in the middle of a batch of %s ends the run, and what it took is known",
    async (_, make) => {
      const records = await all(Array.from({ length: 200 }, (_each, i) => make(`k${i}`)));
      await expectFullIsKnown({ url: own.endpoint, admin }, records, { mode });
    },
  );

  it.each(["eval", "pexpireat", "rename", "xadd"])(
    "whose user loses the right to %s on the way leaves nothing half-way",
    async (right) => {
      await admin.call("ACL", "SETUSER", "restorer", "on", ">pw", "~*", "+@all");
      const replayer = replayerFor(own.endpoint.replace("://", "://restorer:pw@"), { mode });
      try {
        await replayer.probe();
        await admin.call("ACL", "SETUSER", "restorer", `-${right}`);
        const timed = ONES.filter(({ type }) => type !== "string").map(({ type, record }) => record(type, later));
        const stopped = replayer.write(databaseScope(), await all(timed));
        await expect(stopped).rejects.toSatisfy((error: unknown) => {
          const cause = error instanceof WriteStopped ? error.cause : error;
          return (cause as { code?: unknown }).code === "TARGET_CREDENTIALS";
        });
        for (const key of await admin.keys("*")) {
          if (!key.startsWith("elastickv-restore:")) expect(await admin.pexpiretime(key)).toBe(later);
        }
      } finally {
        await replayer.close();
      }
    },
  );
});
