/** What only elastickv's Redis port is asked, beside the contract: how it is known, and what it cannot hold. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { CollectionRecord } from "../../src/model/record.js";
import type { ModeName } from "../../src/modes/mode.js";
import { systemClock } from "../../src/support/clock.js";
import { MemoryNotebook } from "../support/memory-notebook.js";
import { type RedisProxy, startRedisProxy } from "../support/redis-proxy.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../support/redis-records.js";
import { replayerFor, words } from "../support/redis-restore.js";
import { elastickvRedis } from "../support/servers/redis.js";
import { RedisBench } from "../support/servers/redis-bench.js";

describe.skipIf(elastickvRedis.missing !== undefined)("elastickv", () => {
  const bench = new RedisBench(elastickvRedis);

  it("is recognised and never listed", async () => {
    const replayer = bench.replayerFor();
    expect(await replayer.probe()).toMatchObject({ server: "elastickv", canCount: false });
    const own = async function* () {
      yield stringRecord("a", "x");
      yield stringRecord("text", "x");
    };
    expect(await replayer.inspect(databaseScope(), own)).toMatchObject({ presence: "empty" });
    await bench.redis.set("text", "x");
    expect(await replayer.inspect(databaseScope(), own)).toMatchObject({ presence: "holds-records" });
  });

  it("says that FLUSHDB leaves streams, and deletes those whose names the dump holds", async () => {
    await bench.redis.xadd("stream", "1-1", "a", "b");
    await bench.redis.xadd("foreign", "1-1", "a", "b");
    await bench.redis.set("text", "gone");
    const replayer = bench.replayerFor({ mode: "replace" });
    expect((await replayer.empty(databaseScope())).warnings).toEqual([expect.stringMatching(/streams/)]);
    const outcomes = await replayer.write(databaseScope(), [stringRecord("stream", "x", 1_000)]);
    expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
    expect(await bench.keys()).toEqual(["foreign"]);
  });

  it("rejects what it cannot hold and names the rest", async () => {
    const outcomes = await bench.restore([
      sketchRecord("hll", "HYLL"),
      membersRecord("bad", ["a", Buffer.from([255])]),
      streamRecord("mixed", [
        ["1-1", "a", Buffer.from([255])],
        ["1-2", "a", "b"],
      ]),
      streamRecord("ahead", [["1-1", "a", "b"]], { lastId: "9-9" }),
      stringRecord("k", "x", 2n ** 62n),
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
    expect(await bench.keys()).toEqual(["ahead", "k", "mixed"]);
  });

  describe("what a killed process had begun in place", () => {
    const JOB = "00000000000000aa";
    const later = () => Date.now() + 600_000;
    const record = () => membersRecord("hll", ["a", "b"], later());
    let proxy: RedisProxy;

    beforeAll(async () => {
      proxy = await startRedisProxy(bench.endpoint);
    });
    afterAll(async () => {
      await proxy?.stop();
    });

    /** The target is out of reach behind the first chunk: its expiry is not set. */
    async function killed(mode: ModeName): Promise<MemoryNotebook> {
      const notebook = new MemoryNotebook();
      proxy.order("EXPIRE", "cut", Number.POSITIVE_INFINITY);
      const replayer = replayerFor(proxy.url, { mode, notebook, jobId: JOB, maxRetryTimeMs: 0 });
      await expect(replayer.write(databaseScope(), [record()])).rejects.toThrow();
      await replayer.close();
      expect(await bench.redis.pttl("hll")).toBe(-1);
      return new MemoryNotebook(notebook.pages);
    }

    it.each(["none", "replace", "merge", "skip-existing"] as const)(
      "goes where the record expired meanwhile (%s)",
      async (mode) => {
        const notebook = await killed(mode);
        const clock = { ...systemClock, now: () => later() + 1 };
        const replayer = bench.replayerFor({ mode, notebook, jobId: JOB, clock });
        const outcomes = await replayer.write(databaseScope(), [{ ...record(), announcedAt: Date.now() }]);
        expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
        expect(await bench.keys()).toEqual([]);
        expect(notebook.pages).toEqual(new Map());
      },
    );

    it.each(["none", "replace", "merge", "skip-existing"] as const)(
      "is restored when it is resumed (%s)",
      async (mode) => {
        const notebook = await killed(mode);
        const replayer = bench.replayerFor({ mode, notebook, jobId: JOB });
        const outcomes = await replayer.write(databaseScope(), [{ ...record(), announcedAt: Date.now() }]);
        expect(words(outcomes)).toEqual(["restored"]);
        expect(await bench.redis.pfcount("hll")).toBe(2);
        expect(await bench.redis.pttl("hll")).toBeGreaterThan(0);
        expect(notebook.pages).toEqual(new Map());
      },
    );

    it("goes when the job is let go of, but for what stood there before and was merged into", async () => {
      const replayer = bench.replayerFor({ mode: "merge", notebook: await killed("merge"), jobId: JOB });
      await replayer.discard?.(databaseScope(), record());
      expect(await bench.keys()).toEqual([]);
      await bench.redis.pfadd("hll", "theirs");
      const merging = bench.replayerFor({ mode: "merge", notebook: await killed("merge"), jobId: JOB });
      await merging.discard?.(databaseScope(), record());
      expect(await bench.redis.pfcount("hll")).toBe(3);
    });
  });

  describe("a set over that size whose time comes while it is written in place", () => {
    const SIZE = 101_000;
    const element = (_: unknown, i: number): Buffer[] => [Buffer.from(`i${i}`)];

    /** In two chunks. */
    function slow(expireAt: number, between: () => Promise<void>): CollectionRecord {
      const members = Array.from({ length: SIZE }, element);
      const elements = async function* () {
        yield members.slice(0, 1_000);
        await between();
        yield members.slice(1_000);
      };
      return { ...collectionRecord("set", "set", [], expireAt), count: SIZE, elements };
    }

    it("is gone where it had its expiry, and does not come back without one", async () => {
      const isGone = async () =>
        await expect.poll(() => bench.redis.exists("set"), { timeout: 20_000, interval: 20 }).toBe(0);
      const outcomes = await bench.restore([slow(Date.now() + 1_000, isGone)]);
      expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
      expect(await bench.keys()).toEqual([]);
    }, 60_000);

    it("is taken away where it had none yet", async () => {
      const expireAt = Date.now() + 600_000;
      let isPast = false;
      const clock = { ...systemClock, now: () => (isPast ? expireAt + 1 : Date.now()) };
      const record = slow(expireAt, () => Promise.resolve());
      const elements = () => {
        isPast = true;
        return record.elements();
      };
      const outcomes = await bench.replayerFor({ clock }).write(databaseScope(), [{ ...record, elements }]);
      expect(words(outcomes)).toEqual(["skipped-expired/expired"]);
      expect(await bench.keys()).toEqual([]);
    }, 60_000);
  });

  it("holds a list over the size that it can rename", async () => {
    const items = Array.from({ length: 101_000 }, (_, i) => [`i${i}`]);
    expect(await bench.run([collectionRecord("list", "list", items, Date.now() + 600_000)])).toEqual(["restored"]);
    expect(await bench.redis.llen("list")).toBe(101_000);
    expect(await bench.redis.pttl("list")).toBeGreaterThan(0);
  }, 60_000);
});
