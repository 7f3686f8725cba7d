import { describe, expect, it } from "vitest";
import type { CollectionRecord, RedisRecord, StreamRecord } from "../../../../src/model/record.js";
import type {
  PlainHash,
  PlainHyperLogLog,
  PlainKey,
  PlainList,
  PlainSet,
  PlainSortedSet,
  PlainStream,
  PlainString,
} from "../../../../src/run/transform/plain-records.js";
import { transformRecord } from "../../../../src/run/transform/transform.js";
import {
  collectionRecord,
  databaseScope,
  membersRecord,
  sketchRecord,
  streamRecord,
  stringRecord,
} from "../../../support/redis-records.js";
import { detailOf, returning } from "../../../support/transforms.js";

async function made<T extends PlainKey>(record: RedisRecord, change: (given: T) => unknown, limitBytes?: number) {
  const transform = {
    name: "t",
    digest: "d",
    call: returning<T>(change),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
  return await transformRecord(record, { scope: databaseScope(), transform });
}

async function rebuilt<T extends PlainKey>(record: RedisRecord, change: (given: T) => unknown): Promise<RedisRecord> {
  const answer = await made(record, change);
  if (!("record" in answer)) throw new Error(detailOf(answer));
  return answer.record as RedisRecord;
}

const elementsOf = async (record: RedisRecord): Promise<string[][]> => {
  const all: string[][] = [];
  for await (const chunk of (record as CollectionRecord).elements()) {
    all.push(...chunk.map((element) => element.map(String)));
  }
  return all;
};

const same = (given: PlainKey) => given;

describe("a string", () => {
  it("comes with key, value and expiry as bytes and a bigint, and all of them may change", async () => {
    const record = await rebuilt<PlainString>(stringRecord("user:1", "secret", 99n), (given) => {
      expect(given).toEqual({
        ...{ adapter: "redis", scope: "db_0", kind: "string" },
        ...{ key: Buffer.from("user:1"), value: Buffer.from("secret"), expireAtMs: 99n },
      });
      return { ...given, key: "user:2", value: Uint8Array.of(0, 255), expireAtMs: 100 };
    });
    expect(record).toMatchObject({ key: Buffer.from("user:2"), displayKey: "user:2", bytes: 2, expireAtMs: 100n });
    if (record.kind === "string") expect(await record.value.buffer()).toEqual(Buffer.from([0, 255]));
    expect.assertions(3);
  });

  it("loses its expiry where it is deleted", async () => {
    const record = await rebuilt<PlainString>(stringRecord("k", "v", 99n), ({ expireAtMs: _, ...rest }) => rest);
    expect("expireAtMs" in record).toBe(false);
  });

  it("that comes back as it was stays on disk", async () => {
    const from = stringRecord("k", "v");
    expect(await rebuilt<PlainString>(from, same)).toHaveProperty("value", from.value);
    expect(await rebuilt<PlainString>(from, (given) => ({ ...given, value: "w" }))).toMatchObject({
      value: { size: 1 },
    });
  });

  it("is not changed by what becomes of the returned buffer later", async () => {
    const buffer = Buffer.from("first");
    const record = await rebuilt<PlainString>(stringRecord("k", "v"), (given) => ({ ...given, value: buffer }));
    buffer.fill("x");
    if (record.kind === "string") expect(String(await record.value.buffer())).toBe("first");
    expect.assertions(1);
  });

  it("above the limit is rejected and the function not called", async () => {
    const never = () => {
      throw new Error("called");
    };
    expect(await made(stringRecord("k", "x".repeat(2000)), never, 1000)).toMatchObject({
      ...{ kind: "faulty", outcome: "rejected", reason: "limit-exceeded" },
      detail: expect.stringMatching(/1000 bytes of --transform-limit/) as unknown,
    });
  });

  it.each<[string, (given: PlainString) => unknown, RegExp]>([
    ["whose value is a number", (given) => ({ ...given, value: 5 }), /value is neither a Buffer nor a string/],
    ["without a value", ({ value: _, ...given }) => given, /value is neither/],
    ["whose key is an object", (given) => ({ ...given, key: {} }), /key is neither/],
    ["with an expiry of text", (given) => ({ ...given, expireAtMs: "5" }), /expireAtMs is neither/],
    ["with an expiry of no whole number", (given) => ({ ...given, expireAtMs: 1.5 }), /expireAtMs is neither/],
    ["with an expiry beyond 64 bits", (given) => ({ ...given, expireAtMs: 2n ** 63n }), /above 2\^63-1/],
    ["of another database", (given) => ({ ...given, scope: "db_1" }), /scope has to stay "db_0"/],
    ["that became a hash", (given) => ({ ...given, kind: "hash", fields: [] }), /kind has to stay "string"/],
  ])("%s is rejected", async (_what, change, detail) => {
    expect(detailOf(await made(stringRecord("k", "v"), change))).toMatch(detail);
  });
});

describe("a collection", () => {
  it("comes whole and comes back as it was", async () => {
    const hash = collectionRecord(
      "hash",
      "h",
      [
        ["a", "1"],
        ["b", "2"],
      ],
      5n,
    );
    expect(await elementsOf(await rebuilt(hash, same))).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    const list = collectionRecord("list", "l", [["x"], ["x"]]);
    expect(await elementsOf(await rebuilt(list, same))).toEqual([["x"], ["x"]]);
    const set = collectionRecord("set", "s", [["x"], ["y"]]);
    expect(await elementsOf(await rebuilt(set, same))).toEqual([["x"], ["y"]]);
    const zset = collectionRecord("zset", "z", [
      ["1.10", "a"],
      ["-inf", "b"],
      ["12345678901234567890", "c"],
    ]);
    expect(await elementsOf(await rebuilt(zset, same))).toEqual(await elementsOf(zset));
  });

  it("may lose, gain and change elements", async () => {
    const record = await rebuilt<PlainHash>(
      collectionRecord("hash", "h", [
        ["a", "1"],
        ["b", "2"],
      ]),
      (given) => {
        given.fields = given.fields.filter(({ name }) => String(name) !== "a");
        for (const field of given.fields) field.value = Buffer.from("masked");
        return { ...given, fields: [...given.fields, { name: "c", value: "3" }] };
      },
    );
    expect(record).toMatchObject({ count: 2, bytes: 1 + 6 + 1 + 1 });
    expect(await elementsOf(record)).toEqual([
      ["b", "masked"],
      ["c", "3"],
    ]);
  });

  it("is read in chunks that a command takes, as often as need be", async () => {
    const items = Array.from({ length: 2500 }, (_, i) => [`i${i}`]);
    const record = await rebuilt<PlainList>(collectionRecord("list", "l", items), same);
    for (const _time of ["first", "second"]) {
      const sizes: number[] = [];
      for await (const chunk of (record as CollectionRecord).elements()) sizes.push(chunk.length);
      expect(sizes).toEqual([1000, 1000, 500]);
    }
  });

  it("of no elements is empty, and of two parts each is cut between them", async () => {
    const empty = await rebuilt<PlainList>(collectionRecord("list", "l", [["a"]]), (given) => ({
      ...given,
      items: [],
    }));
    expect([empty, await elementsOf(empty)]).toMatchObject([{ count: 0, bytes: 0 }, []]);
    const fields = Array.from({ length: 1500 }, (_, i) => [`n${i}`, i % 3 === 0 ? "" : `value ${i}`]);
    const hash = collectionRecord("hash", "h", fields);
    expect(await elementsOf(await rebuilt<PlainHash>(hash, same))).toEqual(fields);
  });

  it("takes scores as numbers and infinities", async () => {
    const record = await rebuilt<PlainSortedSet>(collectionRecord("zset", "z", [["1", "a"]]), (given) => ({
      ...given,
      members: [1.5, Infinity, -Infinity, 1e21, "+inf"].map((score, i) => ({ score, member: `m${i}` })),
    }));
    expect((await elementsOf(record)).map(([score]) => score)).toEqual(["1.5", "+inf", "-inf", "1e+21", "+inf"]);
  });

  it.each<[string, RedisRecord, (given: never) => unknown, RegExp]>([
    [
      "whose members become one",
      collectionRecord("set", "s", [["a"], ["b"]]),
      (given: PlainSet) => ({ ...given, members: given.members.map(() => "x") }),
      /members\[1\] equals one before it/,
    ],
    [
      "whose fields become one",
      collectionRecord("hash", "h", [["a", "1"]]),
      (given: PlainHash) => ({ ...given, fields: [...given.fields, ...given.fields] }),
      /fields\[1\] equals/,
    ],
    [
      "whose scored members become one",
      collectionRecord("zset", "z", [["1", "a"]]),
      (given: PlainSortedSet) => ({
        ...given,
        members: [
          { score: 1, member: "a" },
          { score: 2, member: "a" },
        ],
      }),
      /members\[1\] equals/,
    ],
    [
      "with a score of no number",
      collectionRecord("zset", "z", [["1", "a"]]),
      (given: PlainSortedSet) => ({ ...given, members: [{ score: NaN, member: "a" }] }),
      /score is no score/,
    ],
    [
      "with a score beyond a double",
      collectionRecord("zset", "z", [["1", "a"]]),
      (given: PlainSortedSet) => ({ ...given, members: [{ score: "1e999", member: "a" }] }),
      /score is no score/,
    ],
    [
      "with an element of no bytes",
      collectionRecord("list", "l", [["a"]]),
      (given: PlainList) => ({ ...given, items: [null] }),
      /items\[0\] is neither/,
    ],
    [
      "with a field of another shape",
      collectionRecord("hash", "h", [["a", "1"]]),
      (given: PlainHash) => ({ ...given, fields: [["a", "1"]] }),
      /fields\[0\] is not a plain object/,
    ],
    [
      "that is no array",
      collectionRecord("list", "l", [["a"]]),
      (given: PlainList) => ({ ...given, items: new Set() }),
      /items is not an array/,
    ],
  ])("%s is rejected", async (_what, record, change, detail) => {
    expect(detailOf(await made(record, change))).toMatch(detail);
  });

  it("of more elements than fit is rejected before it is read", async () => {
    const many = {
      ...collectionRecord("set", "s", []),
      count: 1000,
      elements: () => {
        throw new Error("read");
      },
    };
    expect(await made(many, same, 10_000)).toMatchObject({ kind: "faulty", reason: "limit-exceeded" });
  });
});

describe("a stream", () => {
  const record = () =>
    streamRecord(
      "s",
      [
        ["1-1", "f", "a", "f", "b"],
        ["2-0", "g", "c"],
      ],
      { lastId: "9-0", faulty: ["1-5"] },
    );
  const entriesOf = async (stream: RedisRecord) => {
    const all: unknown[] = [];
    for await (const chunk of (stream as StreamRecord).entries()) {
      all.push(...chunk.map(({ id, fields }) => [id, ...fields.map(String)]));
    }
    return all;
  };

  it("comes with ids and fields in order, and keeps its last id and its faulty entries", async () => {
    const answer = await rebuilt<PlainStream>(record(), same);
    expect(await entriesOf(answer)).toEqual([
      ["1-1", "f", "a", "f", "b"],
      ["2-0", "g", "c"],
    ]);
    expect(answer).toMatchObject({ count: 2, lastId: "9-0", topId: "2-0", faultyEntries: [{ id: "1-5" }] });
  });

  it("may lose entries and get later ones", async () => {
    const answer = await rebuilt<PlainStream>(record(), (given) => ({
      ...given,
      entries: [...given.entries.slice(1), { id: "10-0", fields: [{ name: "n", value: "v" }] }],
    }));
    expect(await entriesOf(answer)).toEqual([
      ["2-0", "g", "c"],
      ["10-0", "n", "v"],
    ]);
    expect(answer).toMatchObject({ count: 2, lastId: "10-0", topId: "10-0" });
    expect(await rebuilt<PlainStream>(record(), (given) => ({ ...given, entries: [] }))).toMatchObject({
      count: 0,
      lastId: "9-0",
    });
  });

  it.each<[string, (given: PlainStream) => unknown, RegExp]>([
    [
      "whose ids do not rise",
      (given) => ({ ...given, entries: [...given.entries].reverse() }),
      /entries\[1\]\.id does not rise/,
    ],
    [
      "with an id of no two numbers",
      (given) => ({ ...given, entries: [{ id: "1", fields: [] }] }),
      /not two 64-bit numbers/,
    ],
    ["with the id 0-0", (given) => ({ ...given, entries: [{ id: "0-0", fields: [] }] }), /does not rise/],
    [
      "with an entry of no fields",
      (given) => ({ ...given, entries: [{ id: "1-1", fields: [] }] }),
      /entries\[0\] has no fields/,
    ],
  ])("%s is rejected", async (_what, change, detail) => {
    expect(await made(record(), change)).toMatchObject({ kind: "faulty", reason: "transform-failed" });
    expect(detailOf(await made(record(), change))).toMatch(detail);
  });
});

describe("what a transform returned larger than its limit", () => {
  it.each([
    [stringRecord("k", "v"), { value: "x".repeat(5000) }],
    [collectionRecord("set", "k", [["a"]]), { members: Array.from({ length: 100 }, (_, i) => `m${i}`) }],
    [membersRecord("k", ["a"]), { members: Array.from({ length: 100 }, (_, i) => `m${i}`) }],
    [
      streamRecord("k", [["1-1", "f", "a"]]),
      { entries: [{ id: "1-1", fields: [{ name: "f", value: "x".repeat(5000) }] }] },
    ],
  ])("is rejected", async (record, content) => {
    const answer = await made(record, (given) => ({ ...given, ...content }), 4000);
    expect(answer).toMatchObject({ kind: "faulty", outcome: "rejected", reason: "limit-exceeded" });
  });
});

describe("a HyperLogLog", () => {
  it("comes as members or as a sketch, and stays of its form", async () => {
    const members = await rebuilt<PlainHyperLogLog>(membersRecord("m", ["a", "b"]), (given) => {
      expect(given).toMatchObject({ members: [Buffer.from("a"), Buffer.from("b")] });
      return { ...given, members: ["c"] };
    });
    expect(members).toMatchObject({ kind: "hll", bytes: 1, content: { form: "members", count: 1 } });
    const sketch = await rebuilt<PlainHyperLogLog>(sketchRecord("k", "HYLL…"), same);
    expect(sketch).toMatchObject({ kind: "hll", content: { form: "sketch" } });
    const other = await made<PlainHyperLogLog>(sketchRecord("k", "HYLL…"), ({ sketch: _, ...given }) => ({
      ...given,
      members: ["a"],
    }));
    expect(detailOf(other)).toMatch(/member "members", which its kind does not have/);
  });
});
