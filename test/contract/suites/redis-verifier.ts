/** Compares what was restored with the dump: every kind of damage is found at its place, and nothing else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RestoreError } from "../../../src/errors/restore-error.js";
import type { RedisRecord } from "../../../src/model/record.js";
import { REGISTERS, raiseOf, registersOf } from "../../../src/replayers/redis/hyperloglog.js";
import type { Comparing, Comparison, HeldKey, Verifier } from "../../../src/replayers/verifier.js";
import { freshDump } from "../../support/fresh-dump.js";
import { fuzz } from "../../support/fuzz.js";
import { collect, EVERYTHING, readRecords, withDump } from "../../support/read-dump.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../../support/redis-records.js";
import type { RestoreOptions } from "../../support/redis-restore.js";
import type { RedisServer } from "../../support/servers/redis.js";
import { RedisBench } from "../../support/servers/redis-bench.js";

const HOW: Comparing = { allowMore: false, toleranceMs: 200, download: false, messages: "no" };
const MORE: Comparing = { ...HOW, allowMore: true };
const AT = Date.now() + 3_600_000;
/** What elastickv does not tell. */
const UNTOLD = /^the target (?:tells how many members|takes no expiry so far ahead|does not tell a stream's last id)/;
const BYTES = Buffer.from([255, 0, 13, 10]);

export function redisVerifier(server: RedisServer): void {
  const bench = new RedisBench(server);

  async function verifierOf(options: RestoreOptions = {}): Promise<Verifier<"redis">> {
    const replayer = bench.replayerFor(options);
    await replayer.probe();
    if (replayer.verifier === undefined) throw new Error("there is no verifier");
    return replayer.verifier;
  }

  async function compare(
    records: readonly RedisRecord[],
    how: Comparing = HOW,
    options: RestoreOptions = {},
  ): Promise<readonly Comparison[]> {
    return (await (await verifierOf(options)).compare?.(databaseScope(), records, how)) ?? [];
  }

  /** As `kind at`, or `kind`; and what could not be told. */
  async function found(records: readonly RedisRecord[], how?: Comparing, options?: RestoreOptions): Promise<string[]> {
    return (await compare(records, how, options)).flatMap(({ differences, unproven = [] }) => [
      ...differences.map(({ kind, at }) => (at === undefined ? kind : `${kind} ${at}`)),
      ...unproven.filter((sentence) => !UNTOLD.test(sentence)),
    ]);
  }

  async function heldKeys(): Promise<string[]> {
    const held = (await verifierOf()).held?.(databaseScope());
    if (held === undefined || typeof held === "string") throw new Error(held ?? "there is no listing");
    const keys: HeldKey[] = [];
    for await (const page of held) keys.push(...page);
    return keys.map(({ displayKey }) => displayKey).sort();
  }

  const records = (): RedisRecord[] => [
    stringRecord("string", "some bytes"),
    stringRecord("text", "for an hour", AT),
    collectionRecord("hash", "hash", [
      ["name", "alice"],
      [BYTES, BYTES],
    ]),
    collectionRecord("list", "list", [["a"], ["b"], ["b"], ["c"], ["d"]]),
    collectionRecord("set", "set", [["a"], ["b"], [BYTES]]),
    collectionRecord("zset", "zset", [
      ["0.1", "a"],
      ["+inf", "b"],
      ["-inf", "c"],
      ["-0", "d"],
      ["1E+2", BYTES],
    ]),
    streamRecord("stream", [
      ["5-1", "b", "2", "a", "1", "b", "3"],
      ["5-2", "a", "1"],
      ["7-0", "z", "1"],
    ]),
    membersRecord("hll", ["a", "b", "c"]),
  ];

  it("finds nothing where everything was restored", async () => {
    await bench.run(records());
    expect(await found(records())).toEqual([]);
  });

  describe("damage", () => {
    const { redis } = { redis: () => bench.redis };
    const damages: readonly (readonly [what: string, damage: () => Promise<unknown>, found: readonly string[]])[] = [
      ["a key that is gone", () => redis().del("string"), ["missing"]],
      ["a string with another byte", () => redis().set("string", "some bites"), ["value byte 6"]],
      ["a longer string", () => redis().set("string", "some bytes more"), ["value"]],
      ["a shorter string", () => redis().set("string", "some"), ["value"]],
      ["an empty string", () => redis().set("string", ""), ["value"]],
      [
        "another type",
        () =>
          redis()
            .del("string")
            .then(() => redis().rpush("string", "some bytes")),
        ["type"],
      ],
      ["a string where a list was", () => redis().set("list", "a"), ["type"]],
      ["an expiry one second early", () => redis().pexpire("text", AT - Date.now() - 1_000), ["expiry"]],
      ["an expiry one second late", () => redis().pexpire("text", AT - Date.now() + 1_000), ["expiry"]],
      ["an expiry that was lost", () => redis().set("text", "for an hour"), ["expiry"]],
      ["an expiry that was added", () => redis().pexpire("hash", 60_000), ["expiry"]],
      ["a field with another value", () => redis().hset("hash", "name", "bob"), ['value field "name"']],
      ["a field that is gone", () => redis().hdel("hash", "name"), ['missing-part field "name"']],
      [
        "a field that is no text with another value",
        () => redis().hset("hash", BYTES, "x"),
        [`value field "base64:${BYTES.toString("base64url")}"`],
      ],
      ["a field too many", () => redis().hset("hash", "more", ""), ['extra-part field "more"']],
      [
        "a field in place of another",
        () =>
          redis()
            .hdel("hash", "name")
            .then(() => redis().hset("hash", "NAME", "alice")),
        ['missing-part field "name"', 'extra-part field "NAME"'],
      ],
      ["another element", () => redis().lset("list", 3, "C"), ["value index 3"]],
      ["an element too many at the end", () => redis().rpush("list", "e"), ["extra-part index 5"]],
      ["an element too many at the start", () => redis().lpush("list", "z"), ["extra-part index 0"]],
      [
        "an element twice",
        () =>
          redis()
            .del("list")
            .then(() => redis().rpush("list", "a", "b", "b", "b", "c", "d")),
        ["extra-part index 3"],
      ],
      ["a first element that is gone", () => redis().lpop("list"), ["missing-part index 0"]],
      ["a last element that is gone", () => redis().rpop("list"), ["missing-part index 4"]],
      ["one of two equal elements that is gone", () => redis().lrem("list", 1, "b"), ["missing-part index 2"]],
      [
        "elements in another order",
        () =>
          redis()
            .del("list")
            .then(() => redis().rpush("list", "a", "b", "b", "d", "c")),
        ["order index 3"],
      ],
      [
        "elements in another order, one of them twice",
        () =>
          redis()
            .del("list")
            .then(() => redis().rpush("list", "a", "b", "b", "d", "d")),
        ["value index 3"],
      ],
      [
        "other elements and one too many",
        () =>
          redis()
            .del("list")
            .then(() => redis().rpush("list", "A", "b", "b", "c", "D", "e")),
        ["value index 0", "value index 4", "extra-part index 5"],
      ],
      ["a member that is gone", () => redis().srem("set", "a"), ['missing-part member "a"']],
      ["a member too many", () => redis().sadd("set", "z"), ['extra-part member "z"']],
      ["another score", () => redis().zadd("zset", "0.10000000000000002", "a"), ['score member "a"']],
      ["a score in place of an infinite one", () => redis().zadd("zset", "1e308", "b"), ['score member "b"']],
      ["an infinity of the other sign", () => redis().zadd("zset", "inf", "c"), ['score member "c"']],
      ["a scored member that is gone", () => redis().zrem("zset", "a"), ['missing-part member "a"']],
      ["a scored member too many", () => redis().zadd("zset", 1, "z"), ['extra-part member "z"']],
      ["an entry too many", () => redis().xadd("stream", "9-9", "more", "1"), ["extra-part entry 9-9"]],
      [
        "an entry between others",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["5-2", "a", "1"],
            ["6-0", "x", "y"],
            ["7-0", "z", "1"],
          ]),
        ["extra-part entry 6-0"],
      ],
      [
        "an entry that is gone",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["7-0", "z", "1"],
          ]),
        ["missing-part entry 5-2"],
      ],
      [
        "an entry with another value",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["5-2", "a", "2"],
            ["7-0", "z", "1"],
          ]),
        ["value entry 5-2"],
      ],
      [
        "an entry with a field too many",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["5-2", "a", "1", "b", "2"],
            ["7-0", "z", "1"],
          ]),
        ["value entry 5-2"],
      ],
      [
        "an entry whose fields stand in another order",
        () =>
          restream([
            ["5-1", "a", "1", "b", "2", "b", "3"],
            ["5-2", "a", "1"],
            ["7-0", "z", "1"],
          ]),
        ["order entry 5-1"],
      ],
      [
        "an entry under another id",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["5-3", "a", "1"],
            ["7-0", "z", "1"],
          ]),
        ["missing-part entry 5-2", "extra-part entry 5-3"].sort(),
      ],
      [
        "a last entry under another id",
        () =>
          restream([
            ["5-1", "b", "2", "a", "1", "b", "3"],
            ["5-2", "a", "1"],
            ["8-0", "z", "1"],
          ]),
        ["missing-part entry 7-0", "extra-part entry 8-0"],
      ],
      ["a last id above the dump's", () => redis().call("XSETID", "stream", "8-0"), ["last-id"]],
      ["a hyperloglog with a member more", () => redis().pfadd("hll", "d"), ["extra-part"]],
      [
        "a hyperloglog with a member less",
        () =>
          redis()
            .del("hll")
            .then(() => redis().pfadd("hll", "a", "c")),
        [`missing-part member "b"`],
      ],
      [
        "a string in place of a hyperloglog",
        () =>
          redis()
            .del("hll")
            .then(() => redis().set("hll", "abc")),
        ["type"],
      ],
    ];

    async function restream(entries: readonly (readonly string[])[]): Promise<void> {
      await bench.redis.del("stream");
      for (const [id = "", ...fields] of entries) await bench.redis.xadd("stream", id, ...fields);
    }

    it.each(damages)("%s is found at its place, and nothing else", async (_, damage, expected) => {
      await bench.run(records());
      await damage();
      expect((await found(records())).sort()).toEqual([...expected].sort());
    });
  });

  it("gives every record its own comparison, in order", async () => {
    await bench.run(records());
    for (const key of ["string", "set"]) await bench.redis.del(key);
    const counts = (await compare(records())).map(({ differences }) => differences.length);
    expect(counts).toEqual([1, 0, 0, 0, 1, 0, 0, 0]);
  });

  it("asks for many small keys in a few requests", async () => {
    const many = Array.from({ length: 60 }, (_, i) => [
      stringRecord(`s${i}`, "v", AT),
      collectionRecord("hash", `h${i}`, [["f", "v"]]),
      collectionRecord("zset", `z${i}`, [["1", "a"]]),
      streamRecord(`x${i}`, [["1-1", "f", "v"]]),
    ]).flat();
    await bench.run(many);
    const replayer = bench.replayerFor();
    await replayer.probe();
    const before = replayer.stats.requests;
    await replayer.verifier?.compare?.(databaseScope(), many, HOW);
    expect(replayer.stats.requests - before).toBeLessThan(15);
  });

  describe("keys that the dump lacks", () => {
    it("are listed with the others, one that the product left too", async () => {
      await bench.run(records());
      await bench.redis.set("more", "x");
      await bench.redis.set("elastickv-restore:00000000000000aa:x:{0}", "left");
      const names = ["elastickv-restore:00000000000000aa:x:{0}", "hash", "hll", "list", "more", "set"];
      expect(await heldKeys()).toEqual([...names, "stream", "string", "text", "zset"]);
    });

    it("are listed by the thousands", async () => {
      const many = Array.from({ length: 1_500 }, (_, i) => stringRecord(`key-${i}`, "v"));
      await bench.run(many);
      expect(new Set(await heldKeys()).size).toBe(1_500);
    });

    it("are deleted when that is asked for", async () => {
      await bench.run(records());
      const verifier = await verifierOf();
      for (let turn = 0; turn < 2; turn++) {
        await verifier.deleteKeys?.(databaseScope(), [
          Buffer.from("hash"),
          Buffer.from("list"),
          Buffer.from("no-such"),
        ]);
      }
      expect(await bench.keys()).toEqual(["hll", "set", "stream", "string", "text", "zset"]);
    });

    it("are known by their bytes", async () => {
      expect((await verifierOf()).keyOf?.(databaseScope(), stringRecord(BYTES, "x"))).toEqual(BYTES);
    });
  });

  it("has a scope without settings", async () => {
    expect(await (await verifierOf()).settings(databaseScope(), HOW)).toEqual({
      exists: true,
      differences: [],
      unproven: [],
    });
  });

  describe("what was merged into what is there", () => {
    it("may hold more, in collections without places", async () => {
      await bench.redis.hset("hash", "more", "1");
      await bench.redis.sadd("set", "more");
      await bench.redis.zadd("zset", 1, "more");
      await bench.redis.pfadd("hll", "more");
      await bench.run(records(), { mode: "merge" });
      expect(await found(records(), MORE)).toEqual([]);
      await bench.redis.hset("hash", "name", "bob");
      await bench.redis.srem("set", "a");
      await bench.redis.rpush("list", "more");
      expect(await found(records(), MORE)).toEqual([
        'value field "name"',
        "extra-part index 5",
        'missing-part member "a"',
      ]);
    });

    it("may hold a stream's entries before those of the dump, and behind them", async () => {
      const record = records()[6] as RedisRecord;
      await bench.redis.xadd("stream", "1-1", "x", "y");
      await bench.run([record], { mode: "skip-existing" });
      await bench.redis.xadd("stream", "9-9", "x", "y");
      expect(await found([record], MORE, { mode: "skip-existing" })).toEqual([]);
      expect(await found([record])).toEqual(["extra-part entry 1-1", "extra-part entry 9-9"]);
      await bench.redis.xdel("stream", "5-2");
      expect(await found([record], MORE, { mode: "skip-existing" })).toEqual(["missing-part entry 5-2"]);
    });

    it("keeps an expiry that the dump lacks, and has the dump's where there is one", async () => {
      await bench.redis.hset("hash", "more", "1");
      await bench.redis.pexpire("hash", 60_000);
      await bench.run(records(), { mode: "merge" });
      expect(await found(records(), MORE)).toEqual([]);
      await bench.redis.pexpire("text", 60_000);
      expect(await found(records(), MORE)).toEqual(["expiry"]);
    });

    it("holds an appended list behind what was there", async () => {
      await bench.redis.rpush("list", "x", "y");
      const options = { mode: "merge", strategies: { list: "append" } } as const;
      await bench.run([records()[3] as RedisRecord], options);
      expect(await found([records()[3] as RedisRecord], MORE, options)).toEqual([]);
      await bench.redis.lset("list", 2, "A");
      expect(await found([records()[3] as RedisRecord], MORE, options)).toEqual(["value index 0"]);
    });

    it("cannot be told of entries that got new ids", async () => {
      await bench.redis.xadd("stream", "99-1", "x", "y");
      const options = { mode: "merge", strategies: { stream: "auto-id" } } as const;
      const record = records()[6] as RedisRecord;
      await bench.run([record], options);
      expect(await compare([record], MORE, options)).toMatchObject([
        { differences: [], unproven: [expect.stringMatching(/other ids/)] },
      ]);
    });
  });

  describe("time", () => {
    it("that is past and took the key is no difference", async () => {
      expect(await compare([stringRecord("k", "v", Date.now() - 1_000)])).toEqual([{ differences: [], expired: true }]);
    });

    it("that passes while keys are read is no difference", async () => {
      const record = (at: number) =>
        collectionRecord(
          "hash",
          "k",
          Array.from({ length: 2_500 }, (_, i) => [`f${i}`, "v"]),
          at,
        );
      const at = Date.now() + 600_000;
      await bench.run([record(at)]);
      const { elements } = record(at);
      let isGone = false;
      const vanishing = {
        ...record(at),
        elements: async function* () {
          for await (const chunk of elements()) {
            yield chunk;
            await bench.redis.del("k");
            isGone = true;
          }
        },
      };
      const late = { now: () => (isGone ? at + 1 : at - 60_000), monotonic: () => 0, sleep: () => Promise.resolve() };
      expect(await compare([vanishing], HOW, { clock: late })).toEqual([{ differences: [], expired: true }]);
    });

    it("that is past and did not take the key is a difference", async () => {
      await bench.redis.set("k", "v");
      expect(await found([stringRecord("k", "v", Date.now() - 60_000)])).toEqual(["expiry"]);
    });

    it("that was set anew is compared with what was set", async () => {
      const record = stringRecord("k", "v", AT);
      await bench.run([record], { ttl: "persist" });
      expect(await found([record], HOW, { ttl: "persist" })).toEqual([]);
      expect(await found([record])).toEqual(["expiry"]);
    });

    it.each([2n ** 62n, 2n ** 63n - 1n, 9_007_199_254_740_993n])(
      "of some centuries is no difference (%d)",
      async (at) => {
        const record = stringRecord("k", "v", at);
        await bench.run([record]);
        expect(await found([record], { ...HOW, toleranceMs: 0 })).toEqual([]);
      },
    );
  });

  it("takes a collection that no server can hold for what it is", async () => {
    const empty = collectionRecord("set", "k", []);
    expect(await compare([empty])).toEqual([{ differences: [] }]);
    await bench.redis.sadd("k", "x");
    expect(await found([empty])).toEqual(["type"]);
    expect(await found([empty], MORE)).toEqual([]);
  });

  describe("large records", () => {
    const many = Array.from({ length: 3_300 }, (_, i) => `m${i}`);
    const large = (): RedisRecord[] => [
      collectionRecord(
        "hash",
        "hash",
        many.map((one) => [one, `${one} value`]),
      ),
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
        "zset",
        "zset",
        many.map((one, i) => [String(i), one]),
      ),
      streamRecord(
        "stream",
        many.map((one, i) => [`${i + 1}-0`, "f", one]),
      ),
      membersRecord("hll", many),
    ];

    it("are found as they were restored", async () => {
      await bench.run(large());
      expect(await found(large())).toEqual([]);
    });

    it("are searched for what differs in them", async () => {
      await bench.run(large());
      await bench.redis.hset("hash", "m2222", "x");
      await bench.redis.hset("hash", "more", "x");
      await bench.redis.lset("list", 2_222, "x");
      await bench.redis.srem("set", "m2222");
      await bench.redis.zadd("zset", 1, "m2222");
      await bench.redis.xadd("stream", "9999-0", "a", "b");
      expect(await found(large())).toEqual([
        'value field "m2222"',
        'extra-part field "more"',
        "value index 2222",
        'missing-part member "m2222"',
        'score member "m2222"',
        "extra-part entry 9999-0",
      ]);
    });

    it("are searched for what stands between", async () => {
      const entry = (i: number): [string, string, string] => [`${i + 1}-0`, "f", `m${i}`];
      const dumped = many.map((_, i) => entry(i));
      const [more, less] = [
        [...dumped.slice(0, 500), ["500-7", "f", "x"] as const, ["500-8", "f", "x"] as const, ...dumped.slice(500)],
        dumped.filter((_, i) => i !== 1_500),
      ];
      await bench.run([
        streamRecord("stream", more),
        collectionRecord(
          "list",
          "list",
          less.map(([id]) => [id]),
        ),
      ]);
      const list = collectionRecord(
        "list",
        "list",
        dumped.map(([id]) => [id]),
      );
      expect(await found([streamRecord("stream", dumped), list])).toEqual([
        "extra-part entry 500-7",
        "extra-part entry 500-8",
        "missing-part index 1500",
      ]);
    });

    it("have their differences counted, and the first of them listed", async () => {
      await bench.run(large());
      for (const key of ["hash", "list", "set", "zset", "stream"]) {
        // elastickv takes a large one away in several steps.
        while ((await bench.redis.exists(key)) > 0) await bench.redis.del(key);
      }
      await bench.redis.hset("hash", "m0", "m0 value");
      await bench.redis.rpush("list", ...many.map((one) => `${one} other`));
      await bench.redis.sadd("set", ...many, ...many.map((one) => `${one} more`));
      await bench.redis.zadd("zset", ...many.flatMap((one) => [7.5, one]));
      for (let from = 0; from < many.length; from += 500) {
        const pipeline = bench.redis.pipeline();
        for (const [i] of many.slice(from, from + 500).entries())
          pipeline.xadd("stream", `${from + i + 1}-1`, "f", "x");
        await pipeline.exec();
      }
      const comparisons = await compare(large());
      expect(comparisons.map(({ differenceCount }) => differenceCount)).toEqual([
        3_299,
        3_300,
        3_300,
        3_300,
        6_600,
        undefined,
      ]);
      expect(comparisons.slice(0, 5).map(({ differences }) => differences.length)).toEqual([100, 100, 100, 100, 100]);
    });
  });

  it("reads a string of many megabytes in parts", async () => {
    const value = Buffer.alloc(9 * 1024 * 1024, "abcdefghij");
    await bench.run([stringRecord("k", value)]);
    expect(await found([stringRecord("k", value)])).toEqual([]);
    const other = Buffer.from(value);
    other[8_500_000] = 0;
    expect(await found([stringRecord("k", other)])).toEqual(["value byte 8500000"]);
  }, 120_000);

  it("leaves a record unproven whose reading fails, and compares the others", async () => {
    await bench.run(records());
    const broken = {
      ...collectionRecord("hash", "hash", [["name", "alice"]]),
      elements: () => {
        throw new RestoreError("CHANGED_AFTER_CHECK", "the file is another one now");
      },
    };
    expect(await found([broken, stringRecord("string", "other")])).toEqual([
      "it could not be compared: the file is another one now",
      "value",
    ]);
  });

  describe("whatever they hold", () => {
    const few = (all: readonly string[], maxLength: number) => fc.array(fc.constantFrom(...all), { maxLength });
    const small = few(["a", "b", "c"], 6);
    const distinct = <T>(items: readonly T[], nameOf: (item: T) => string): T[] => [
      ...new Map(items.map((item) => [nameOf(item), item])).values(),
    ];
    const named = (score: string, member: string): [string, string] => [score, member];
    const pairs = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2", "inf")), {
      maxLength: 4,
    });
    const entries = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 9 }), few(["a", "b"], 4)), {
        selector: ([id]) => id,
        maxLength: 5,
      })
      .map((all) =>
        [...all]
          .sort(([one], [other]) => one - other)
          .map(([id, fields]): [string, ...string[]] => [`${id}-0`, "f", "v", ...fields, ...fields]),
      );

    /** Of two values of one type, whether they are one value to the server, and a record of each. */
    const kinds: Record<string, fc.Arbitrary<readonly [one: RedisRecord, other: RedisRecord, isSame: boolean]>> = {
      list: twice(
        small,
        (items) =>
          collectionRecord(
            "list",
            "k",
            items.map((item) => [item]),
          ),
        String,
      ),
      set: twice(
        small.map((items) => distinct(items, String).sort()),
        (items) =>
          collectionRecord(
            "set",
            "k",
            items.map((item) => [item]),
          ),
        String,
      ),
      hash: twice(
        pairs.map((all) => distinct(all, ([name]) => name).sort()),
        (all) => collectionRecord("hash", "k", all),
        String,
      ),
      zset: twice(
        pairs.map((all) => distinct(all, ([name]) => name).sort()),
        (all) =>
          collectionRecord(
            "zset",
            "k",
            all.map(([member, score]) => named(score, member)),
          ),
        String,
      ),
      stream: twice(
        entries,
        (all) => streamRecord("k", all, { lastId: "9-9" }),
        (all) => JSON.stringify(all),
      ),
      string: twice(
        few(["a", "b"], 3).map((parts) => parts.join("")),
        (text) => stringRecord("k", text),
        String,
      ),
    };

    function twice<T>(value: fc.Arbitrary<T>, make: (value: T) => RedisRecord, textOf: (value: T) => string) {
      return fc
        .tuple(value, fc.option(value, { nil: undefined }))
        .map(([one, other = one]) => [make(one), make(other), textOf(one) === textOf(other)] as const);
    }

    it.each(Object.entries(kinds))(
      "a %s differs exactly where it is another",
      async (_, pair) => {
        const replayer = bench.replayerFor({ mode: "replace" });
        await replayer.probe();
        await fc.assert(
          fc.asyncProperty(pair, async ([held, dumped, isSame]) => {
            await bench.redis.del("k");
            await replayer.write(databaseScope(), [held]);
            const [comparison] = (await replayer.verifier?.compare?.(databaseScope(), [dumped], HOW)) ?? [];
            expect(comparison?.differences.length === 0).toBe(isSame);
          }),
          fuzz(0.1),
        );
      },
      120_000,
    );

    const bytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array));

    it("is found as it was restored", async () => {
      const names = fc.uniqueArray(bytes, { selector: (name) => name.toString("hex"), maxLength: 40 });
      const scores = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(-0, 0.1, 5e-324, 1.7976931348623157e308));
      const asRecords = fc.tuple(
        names,
        fc.array(bytes, { maxLength: 40 }),
        fc.array(scores, { minLength: 40, maxLength: 40 }),
      );
      const replayer = bench.replayerFor({ mode: "replace" });
      await replayer.probe();
      await fc.assert(
        fc.asyncProperty(asRecords, async ([members, items, scored]) => {
          const score = (i: number): string => String(scored[i] ?? 0).replace("Infinity", "inf");
          const restored = [
            stringRecord("k", Buffer.concat(items), AT),
            collectionRecord(
              "hash",
              "hash",
              members.map((name, i) => [name, items[i] ?? name]),
              AT,
            ),
            collectionRecord(
              "list",
              "list",
              items.map((item) => [item]),
            ),
            collectionRecord(
              "set",
              "set",
              members.map((member) => [member]),
            ),
            collectionRecord(
              "zset",
              "zset",
              members.map((member, i) => [score(i), member]),
            ),
            membersRecord(
              "hll",
              members.map((member) => member.toString("hex")),
            ),
          ];
          for (const { key } of restored) await bench.redis.del(key);
          await replayer.write(databaseScope(), restored);
          const comparisons = (await replayer.verifier?.compare?.(databaseScope(), restored, HOW)) ?? [];
          expect(comparisons.flatMap(({ differences }) => differences)).toEqual([]);
        }),
        fuzz(0.05),
      );
    }, 120_000);

    it("a hyperloglog has the registers that are computed for its members", async () => {
      const members = fc.array(
        fc.oneof(
          bytes,
          fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
        ),
        { minLength: 1, maxLength: 2_500 },
      );
      await fc.assert(
        fc.asyncProperty(members, async (all) => {
          await bench.redis.del("k");
          for (let from = 0; from < all.length; from += 500)
            await bench.redis.pfadd("k", ...all.slice(from, from + 500));
          const expected = new Uint8Array(REGISTERS);
          for (const { register, value } of all.map(raiseOf))
            expected[register] = Math.max(expected[register] ?? 0, value);
          const sketch = (await bench.redis.getBuffer("k")) ?? Buffer.alloc(0);
          expect(registersOf(sketch) ?? "no sketch").toEqual(expected);
        }),
        fuzz(0.05),
      );
    }, 120_000);
  });

  it.each(["gallery", "design"] as const)("finds nothing in the %s once it is restored", async (name) => {
    const dump = await freshDump(name);
    try {
      await withDump(dump.path, async (opened) => {
        await opened.check();
        const scopes = (await opened.scopes(EVERYTHING)).filter((scope) => scope.adapter === "redis");
        const [scope] = scopes;
        if (scope === undefined) throw new Error("the dump has no database");
        const all = (await collect(readRecords(opened, scope))).filter(isRedisRecord);
        await bench.run(all);
        expect(all.length).toBeGreaterThan(5);
        expect(await found(all)).toEqual([]);
      });
    } finally {
      await dump.remove();
    }
  });

  it("tells a sketch by its registers", async () => {
    await bench.redis.pfadd("source", "a", "b", "c");
    const sketch = await bench.redis.getBuffer("source");
    await bench.redis.del("source");
    if (sketch === null) throw new Error("no sketch");
    await bench.run([sketchRecord("k", sketch)]);
    await bench.redis.pfcount("k");
    expect(await found([sketchRecord("k", sketch)])).toEqual([]);
    await bench.redis.pfadd("k", "d");
    expect(await found([sketchRecord("k", sketch)])).toEqual(["extra-part"]);
    expect(await found([sketchRecord("k", sketch)], MORE)).toEqual([]);
    await bench.redis.del("k");
    await bench.redis.pfadd("k", "a");
    expect(await found([sketchRecord("k", sketch)], MORE)).toEqual(["missing-part"]);
  });
}

function isRedisRecord(record: { readonly kind: string }): record is RedisRecord {
  return ["string", "collection", "stream", "hll"].includes(record.kind);
}
