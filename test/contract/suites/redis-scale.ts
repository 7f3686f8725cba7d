/** Several chunks, binary keys, two databases, replacing, asking what is there. */
import { describe, expect, it } from "vitest";
import type { RedisRecord } from "../../../src/model/record.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  streamRecord,
  stringRecord,
} from "../../support/redis-records.js";
import { notebookInMemory, words } from "../../support/redis-restore.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

export function redisScale(server: RedisServer): void {
  const bench = new RedisBench(server);

  const MODES = ["none", "replace", "merge", "skip-existing"] as const;

  async function setAll(...names: string[]): Promise<void> {
    for (const name of names) await bench.redis.set(name, "old");
  }

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
      await bench.redis.llen("list"),
      await bench.redis.scard("set"),
      await bench.redis.hlen("hash"),
      await bench.redis.zcard("zset"),
      await bench.redis.xlen("stream"),
    ];

    it.each(MODES)("arrive whole, with their expiry, and leave nothing temporary (%s)", async (mode) => {
      const at = Date.now() + 500_000;
      expect(await bench.run(records(at), { mode })).toEqual(names.map(() => "restored"));
      expect(await counts()).toEqual([3_300, 3_300, 3_300, 3_300, 3_300]);
      expect(await bench.redis.lrange("list", 0, -1)).toEqual(many);
      expect(await bench.redis.zrange("zset", 0, "-1")).toEqual(many);
      for (const name of names) await bench.expectExpiry(name, at);
      expect(await bench.keys()).toEqual(names);
    });

    it("replace values of another type", async () => {
      for (const name of names) await bench.redis.set(name, "old");
      expect(await bench.run(records(), { mode: "replace" })).toEqual(names.map(() => "restored"));
      expect(await counts()).toEqual([3_300, 3_300, 3_300, 3_300, 3_300]);
      for (const name of names) expect(await bench.redis.pttl(name), name).toBe(-1);
    });

    it("merge into what is there, which gets the dump's expiry", async () => {
      await bench.redis.hset("hash", "z", "26");
      await bench.redis.sadd("set", "z");
      await bench.redis.zadd("zset", -1, "z");
      await bench.redis.rpush("list", "z");
      await bench.redis.pfadd("hll", "z");
      const at = Date.now() + 500_000;
      const outcomes = await bench.run(records(at).slice(0, 5), { mode: "merge" });
      expect(outcomes).toEqual(Array.from({ length: 5 }, () => "restored"));
      expect((await counts()).slice(0, 4)).toEqual([3_300, 3_301, 3_301, 3_301]);
      for (const name of names.slice(0, 4)) await bench.expectExpiry(name, at);
      expect(await bench.keys()).toEqual(["hash", "hll", "list", "set", "zset"]);
    });

    it("merged without expiry keep the target's", async () => {
      await bench.redis.hset("hash", "z", "26");
      await bench.redis.pexpire("hash", 100_000);
      await bench.run(records().slice(2, 3), { mode: "merge" });
      expect(await bench.redis.pttl("hash")).toBeGreaterThan(0);
      expect(await bench.redis.hlen("hash")).toBe(3_301);
    });

    it("merged while the key vanishes are built anew and never half", async () => {
      await bench.redis.sadd("set", "z");
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
            if (!vanished) await bench.redis.del("set");
            vanished = true;
          }
        },
      };
      expect(await bench.run([vanishing], { mode: "merge" })).toEqual(["restored"]);
      expect(await bench.redis.scard("set")).toBe(3_300);
    });

    it("added to a stream that vanishes meanwhile are built anew and never half", async () => {
      await bench.redis.xadd("stream", "0-1", "old", "entry");
      const record = vanishingStream();
      const [outcome] = await bench.restore([record], { mode: "skip-existing" });
      expect(outcome).toMatchObject({ kind: "restored", entries: { restored: 3_300, skippedExisting: 0 } });
      expect(await bench.redis.xlen("stream")).toBe(3_300);
    });

    it("appended to a stream with an expiry that vanishes meanwhile fail instead of coming back half", async () => {
      await bench.redis.xadd("stream", "0-1", "old", "entry");
      await bench.redis.pexpire("stream", 100_000);
      const options = { mode: "merge", strategies: { stream: "auto-id" } } as const;
      expect(await bench.run([vanishingStream()], options)).toEqual(["failed/gone"]);
      expect(await bench.keys()).toEqual([]);
    });

    it("appended to a list that is consumed meanwhile go on", async () => {
      await bench.redis.rpush("list", "old");
      const record = collectionRecord(
        "list",
        "list",
        many.map((one) => [one]),
      );
      const consumed = { ...record, elements: () => whileDeleting("list", record.elements()) };
      const options = { mode: "merge", strategies: { list: "append" } } as const;
      expect(await bench.run([consumed], options)).toEqual(["restored"]);
      expect(await bench.redis.llen("list")).toBe(2_300);
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
        if (first) await bench.redis.del(key);
        first = false;
      }
    }

    it("leave what is there under skip-existing and reject it under merge when it is of another type", async () => {
      for (const name of names) await bench.redis.set(name, "old");
      const skipped = await bench.run(records().slice(0, 4), { mode: "skip-existing" });
      expect(skipped).toEqual(Array.from({ length: 4 }, () => "skipped-existing/wrong-type"));
      expect(await bench.run(records(), { mode: "merge" })).toEqual(names.map(() => "rejected/wrong-type"));
      for (const name of names) expect(await bench.redis.get(name)).toBe("old");
      expect(await bench.keys()).toEqual(names);
    });

    it("preserved with a past time end without the key", async () => {
      for (const record of records()) await bench.run([record]);
      expect(await bench.run(records(1_000), { mode: "replace", ttl: "preserve" })).toEqual(
        names.map(() => "restored"),
      );
      expect(await bench.keys()).toEqual([]);
    });

    it("appended twice by one job are there once", async () => {
      await bench.redis.rpush("list", "first");
      const options = { mode: "merge", strategies: { list: "append" } } as const;
      const replayer = bench.replayerFor(options);
      const record = records()[0] as RedisRecord;
      expect(words(await replayer.write(databaseScope(), [record]))).toEqual(["restored"]);
      expect(words(await replayer.write(databaseScope(), [record]))).toEqual(["restored"]);
      await replayer.finish(databaseScope());
      await replayer.close();
      expect(await bench.redis.llen("list")).toBe(3_301);
      expect(await bench.keys()).toEqual(["list"]);
    });

    it("overwrite what a killed run of the same job left under the temporary key", async () => {
      const jobId = "00000000000000ff";
      const broken = { ...(records()[0] as RedisRecord), elements: () => stopAfterFirst() } as RedisRecord;
      const replayer = bench.replayerFor({ jobId });
      const writing = replayer.write(databaseScope(), [broken]);
      await expect.poll(() => bench.keys()).toHaveLength(1);
      await replayer.close();
      release();
      await writing.catch(() => undefined);
      expect(await bench.keys()).toHaveLength(1);
      expect(await bench.run(records().slice(0, 1), { jobId })).toEqual(["restored"]);
      expect(await bench.keys()).toEqual(["list"]);
      expect(await bench.redis.llen("list")).toBe(3_300);
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
      const outcomes = await bench.run([
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
      ]);
      expect(outcomes).toEqual(Array.from({ length: 7 }, () => "restored"));
      expect(await bench.redis.getBuffer(at("s"))).toEqual(value);
      expect((await bench.redis.getBuffer(at("b")))?.equals(big)).toBe(true);
      expect(await bench.redis.get("")).toBe("");
      expect(await bench.redis.hgetBuffer(at("h"), value)).toEqual(value);
      expect(await bench.redis.sismember(at("u"), value)).toBe(1);
      expect(Number(await bench.redis.zscore(at("z"), value))).toBe(-0.1);
      expect(await bench.redis.lindexBuffer(at("l"), 0)).toEqual(value);
      expect((await bench.keys()).length).toBe(7);
    });
  });

  describe("strings of many megabytes", () => {
    const value = Buffer.alloc(9 * 1024 * 1024, "abcdefghij");

    it.each(MODES)("arrive whole with their expiry (%s)", async (mode) => {
      const at = Date.now() + 500_000;
      expect(await bench.run([stringRecord("k", value, at)], { mode })).toEqual(["restored"]);
      expect((await bench.redis.getBuffer("k"))?.equals(value)).toBe(true);
      await bench.expectExpiry("k", at);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("follow the mode where something stands under the key", async () => {
      await bench.redis.rpush("k", "x");
      expect(await bench.run([stringRecord("k", value)], { mode: "merge" })).toEqual(["rejected/wrong-type"]);
      expect((await bench.run([stringRecord("k", value)], { mode: "skip-existing" }))[0]).toMatch(
        /^skipped-existing\//,
      );
      expect(await bench.redis.type("k")).toBe("list");
      expect(await bench.run([stringRecord("k", value)], { mode: "replace" })).toEqual(["restored"]);
      expect((await bench.redis.getBuffer("k"))?.length).toBe(value.length);
      expect(await bench.keys()).toEqual(["k"]);
    });

    it("over the server's limit are rejected and stop nothing", async () => {
      await bench.redis.config("SET", "proto-max-bulk-len", 6 * 1024 * 1024);
      try {
        const outcomes = await bench.run([stringRecord("k", value), stringRecord("fine", "v")]);
        expect(outcomes).toEqual(["rejected/value-too-large", "restored"]);
        expect(await bench.keys()).toEqual(["fine"]);
      } finally {
        await bench.redis.config("SET", "proto-max-bulk-len", 512 * 1024 * 1024);
      }
    });
  });

  describe("databases", () => {
    it("are kept apart", async () => {
      const replayer = bench.replayerFor();
      for (const [number, value] of [
        [0, "zero"],
        [3, "three"],
      ] as const) {
        expect(words(await replayer.write(databaseScope(number), [stringRecord("k", value)]))).toEqual(["restored"]);
      }
      await replayer.close();
      const third = bench.onlooker(3);
      expect([await bench.redis.get("k"), await third.get("k")]).toEqual(["zero", "three"]);
      third.disconnect();
    });

    it("are written under their target's number", async () => {
      await bench.restore([stringRecord("k", "v")], { scope: databaseScope(0, 5) });
      const fifth = bench.onlooker(5);
      expect(await fifth.get("k")).toBe("v");
      expect((await bench.keys()).length).toBe(0);
      fifth.disconnect();
    });

    it("that the server has not are impossible, with the rename that helps", async () => {
      const replayer = bench.replayerFor();
      const inspecting = replayer.inspect(databaseScope(99), async function* () {});
      await expect(inspecting).rejects.toMatchObject({
        code: "TARGET_SCOPE_IMPOSSIBLE",
        hint: expect.stringContaining("--rename redis:99=0") as string,
      });
      await replayer.close();
    });

    it("are counted exactly", async () => {
      const replayer = bench.replayerFor();
      expect(await replayer.probe()).toMatchObject({
        canCount: true,
        fallbacks: [],
        server: expect.stringMatching(/^(Redis|Valkey) \d/) as string,
      });
      const none = async function* () {};
      expect(await replayer.inspect(databaseScope(), none)).toMatchObject({ presence: "empty", count: { value: 0 } });
      await setAll("a", "b");
      const state = await replayer.inspect(databaseScope(), none);
      expect(state).toMatchObject({ presence: "holds-records", count: { value: 2, exact: true } });
      expect((await replayer.inspect(databaseScope(7), none)).presence).toBe("empty");
      await replayer.close();
    });
  });

  describe("replacing", () => {
    it("by flush empties the one database", async () => {
      await bench.redis.set("a", "1");
      await bench.restore([stringRecord("b", "2")], { scope: databaseScope(1) });
      const replayer = bench.replayerFor({ mode: "replace" });
      await replayer.empty(databaseScope());
      await replayer.close();
      expect((await bench.keys()).length).toBe(0);
      const first = bench.onlooker(1);
      expect(await first.dbsize()).toBe(1);
      first.disconnect();
    });

    it("per key deletes at the end what the dump lacks, expired and empty ones too, and spares what is told", async () => {
      await setAll("written", "foreign", "expired", "faulty", "not-selected");
      await bench.redis.rpush("empty", "x");
      for (let i = 0; i < 2_500; i++) bench.redis.set(`foreign-${i}`, "x").catch(() => undefined);
      const selects = (key: string) => key !== "not-selected";
      const target = { replaceStrategy: "per-key", selects } as const;
      const replayer = bench.replayerFor({ mode: "replace", target });
      const scope = databaseScope();
      await replayer.empty(scope);
      expect((await bench.keys()).length).toBe(2_506);
      await replayer.write(scope, [
        stringRecord("written", "new"),
        stringRecord("expired", "x", 1_000),
        collectionRecord("list", "empty", []),
      ]);
      await replayer.spare?.(scope, Buffer.from("faulty"));
      expect(await bench.redis.exists("foreign")).toBe(1);
      expect((await replayer.finish(scope)).warnings).toEqual([]);
      await replayer.close();
      expect(await bench.keys()).toEqual(["faulty", "not-selected", "written"]);
      expect(await bench.redis.get("written")).toBe("new");
    });

    it("per key deletes nothing and says so where a key of the dump cannot be known", async () => {
      await bench.redis.set("perhaps-the-dumps", "x");
      const replayer = bench.replayerFor({ mode: "replace", target: { replaceStrategy: "per-key" } });
      const scope = databaseScope();
      await replayer.empty(scope);
      await replayer.write(scope, [stringRecord("k", "v")]);
      await replayer.spare?.(scope, undefined);
      expect((await replayer.finish(scope)).warnings).toEqual([expect.stringMatching(/not deleted/)]);
      await replayer.close();
      expect(await bench.keys()).toEqual(["k", "perhaps-the-dumps"]);
    });

    it("per key taken up again half-way spares what was written and spared before, and deletes the rest", async () => {
      await setAll("foreign", "faulty", "expired");
      const notebook = notebookInMemory();
      const options = { mode: "replace", target: { replaceStrategy: "per-key" }, notebook } as const;
      const scope = databaseScope();
      const records = [
        stringRecord("before", "v"),
        collectionRecord("set", "empty", []),
        stringRecord("expired", "x", 1_000),
        stringRecord("after", "v"),
      ];
      const killed = bench.replayerFor(options);
      await killed.empty(scope);
      await killed.spare?.(scope, Buffer.from("faulty"));
      await killed.write(scope, records.slice(0, 3));
      await killed.close();
      const resumed = bench.replayerFor(options);
      await resumed.inspect(scope, () => streamOf(records));
      await resumed.reopen?.(scope, "empty");
      await resumed.write(scope, records.slice(3));
      expect((await resumed.finish(scope)).warnings).toEqual([]);
      await resumed.close();
      expect(await bench.keys()).toEqual(["after", "before", "faulty"]);
    });
  });

  it("a batch of mixed records answers in its order and takes few requests", async () => {
    const records = Array.from({ length: 500 }, (_, i) =>
      i % 2 === 0 ? stringRecord(`s${i}`, "v") : collectionRecord("hash", `h${i}`, [["a", String(i)]]),
    );
    const replayer = bench.replayerFor();
    const outcomes = await replayer.write(databaseScope(), [...records, stringRecord("gone", "x", 1)]);
    await replayer.close();
    expect(words(outcomes)).toEqual([...records.map(() => "restored"), "skipped-expired/expired"]);
    expect((await bench.keys()).length).toBe(500);
    expect(replayer.stats.requests).toBeLessThan(60);
  });

  it("a refused record leaves the others of its batch alone", async () => {
    await bench.redis.set("bad", "kept");
    const outcomes = await bench.run(
      [
        collectionRecord("set", "a", [["x"]]),
        collectionRecord("zset", "bad", [["1e999", "m"]]),
        collectionRecord("set", "b", [["x"]]),
      ],
      { mode: "replace" },
    );
    expect(outcomes).toEqual(["restored", "rejected/invalid-score", "restored"]);
    expect(await bench.keys()).toEqual(["a", "b", "bad"]);
    expect(await bench.redis.get("bad")).toBe("kept");
  });
}

async function* streamOf<T>(records: readonly T[]): AsyncGenerator<T> {
  yield* records;
}
