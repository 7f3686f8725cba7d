import { describe, expect, it } from "vitest";
import type {
  CollectionRecord,
  DumpRecord,
  HyperLogLogRecord,
  StreamRecord,
  UnjudgedCollection,
} from "../../../src/model/record.js";
import type { DatabaseScope } from "../../../src/model/scope.js";
import { eachOf } from "../../../src/support/breathing.js";
import { type DumpFile, fallbackOf, segmentOf } from "../../support/dump-builder.js";
import { collect, EVERYTHING, faultOf, readRecords, withBuilt, withDump } from "../../support/read-dump.js";

type Files = { readonly [path: string]: DumpFile };

/** Reads database 0 with `files` in it. `use` runs while the dump is open. */
function readDatabase<T>(
  files: Files,
  use: (records: DumpRecord[], warnings: readonly string[]) => T | Promise<T>,
): Promise<T> {
  const inDatabase = Object.fromEntries(Object.entries(files).map(([path, file]) => [`redis/db_0/${path}`, file]));
  return withBuilt({ files: { "redis/db_0": null, ...inDatabase } }, (path) =>
    withDump(path, async (dump) => {
      await dump.check();
      const [scope] = await dump.scopes(EVERYTHING);
      if (scope === undefined) throw new Error("no database");
      return await use(await collect(readRecords(dump, scope)), scope.warnings);
    }),
  );
}

/** What became of one file: its record's kind, or the reason it is rejected for. */
async function fateOf(path: string, content: DumpFile): Promise<string> {
  return readDatabase({ [path]: content }, ([record]) =>
    record?.kind === "faulty" ? record.reason : (record?.kind ?? "none"),
  );
}

async function elementsOf(path: string, content: DumpFile): Promise<string[][]> {
  return readDatabase({ [path]: content }, async ([record]) => {
    const chunks = await collect((record as CollectionRecord).elements());
    expect(chunks.flat()).toHaveLength((record as CollectionRecord).count);
    return chunks.flat().map((element) => element.map((bytes) => bytes.toString("latin1")));
  });
}

async function streamOf(
  content: DumpFile,
): Promise<{ record: StreamRecord; entries: { id: string; fields: string[] }[] }> {
  return readDatabase({ "streams/s.jsonl": content }, async ([record]) => {
    if (record?.kind !== "stream") throw new Error(`not a stream: ${JSON.stringify(record?.kind)}`);
    const entries = (await collect(record.entries())).flat();
    return { record, entries: entries.map(({ id, fields }) => ({ id, fields: fields.map(String) })) };
  });
}

describe("a database", () => {
  it("is a scope even when its directory is empty", async () => {
    await readDatabase({}, (records) => expect(records).toEqual([]));
  });

  it("yields keys as bytes, in the order of their paths", async () => {
    const files = {
      "strings/%FF%00.bin": "binary",
      "strings/.bin": "empty key",
      "sets/a%2Fb.json": { members: ["x"] },
      "zsets/z.json": { members: [] },
    };
    await readDatabase(files, (records) => {
      expect(records.map((record) => record.displayKey)).toEqual(["a/b", "base64:_wA", "", "z"]);
      expect(records[1]).toMatchObject({ key: Buffer.from([0xff, 0]), kind: "string" });
    });
  });

  it("knows keys whose names fall back through KEYMAP, where the last line of a name wins", async () => {
    const { segment, line } = fallbackOf("k".repeat(300));
    const files = { "KEYMAP.jsonl": [line, line], [`strings/${segment}.bin`]: "v" };
    await readDatabase(files, ([record]) => expect(record?.displayKey).toBe("k".repeat(300)));
  });

  it.each([
    ["a fallback name without a line", { [`strings/${fallbackOf("x").segment}.bin`]: "v" }, "NAME_INVALID"],
    ["lower-case hex", { "strings/a%2fb.bin": "v" }, "NAME_INVALID"],
    ["an unescaped byte", { "strings/a b.bin": "v" }, "NAME_INVALID"],
    ["a tilde", { "strings/~.bin": "v" }, "NAME_INVALID"],
    ["a needless escape", { "strings/%41.bin": "v" }, "NAME_INVALID"],
    ["another ending", { "strings/a.json": "v" }, "NAME_INVALID"],
    ["a folder in a folder", { "strings/a/b.bin": "v" }, "NAME_INVALID"],
    ["a binary form", { "strings/b64.QUJD.bin": "v" }, "NAME_INVALID"],
    ["a too long name", { [`strings/${"x".repeat(241)}.bin`]: "v" }, "NAME_INVALID"],
    [
      "a KEYMAP line that is not its name's",
      { "KEYMAP.jsonl": [{ ...fallbackOf("x").line, original: "eQ" }] },
      "KEYMAP_INVALID",
    ],
    [
      "a KEYMAP line of an unknown kind",
      { "KEYMAP.jsonl": [{ ...fallbackOf("x").line, kind: "other" }] },
      "KEYMAP_INVALID",
    ],
    ["a KEYMAP line without original", { "KEYMAP.jsonl": [{ encoded: "x", kind: "sha-fallback" }] }, "KEYMAP_INVALID"],
    ["a KEYMAP line that is null", { "KEYMAP.jsonl": [{ ...fallbackOf("x").line, original: null }] }, "KEYMAP_INVALID"],
    ["a malformed expiry line", { "strings_ttl.jsonl": ["{"] }, "TTL_INVALID"],
    ["a fraction as expiry", { "strings_ttl.jsonl": ['{"key":"a","expire_at_ms":1.5}'] }, "TTL_INVALID"],
    [
      "a key with two expiries",
      {
        "hll_ttl.jsonl": [
          { key: "a", expire_at_ms: 1 },
          { key: "a", expire_at_ms: 2 },
        ],
      },
      "TTL_INVALID",
    ],
  ] as const)("is refused with %s", async (_what, files, code) => {
    const inDatabase = Object.fromEntries(Object.entries(files).map(([path, file]) => [`redis/db_0/${path}`, file]));
    expect((await faultOf({ files: inDatabase })).code).toBe(code);
  });

  it("rejects a key that stands under a second type, and keeps the first", async () => {
    const files = { "hashes/k.json": { fields: { a: "1" } }, "strings/k.bin": "v", "zsets/k.json": { members: [] } };
    await readDatabase(files, (records) => {
      expect(records.map((record) => (record.kind === "faulty" ? record.reason : record.kind))).toEqual([
        "collection",
        "duplicate-record",
        "duplicate-record",
      ]);
    });
  });

  it("rejects a key that stands under a plain and a fallback name", async () => {
    const { segment, line } = fallbackOf("zz");
    const files = { "KEYMAP.jsonl": [line], [`strings/${segment}.bin`]: "v", [`strings/${segmentOf("zz")}.bin`]: "v" };
    await readDatabase(files, (records) => {
      expect(records.map((record) => record.kind).sort()).toEqual(["faulty", "string"]);
    });
  });

  it("gives strings and HyperLogLogs the times of their own files", async () => {
    const members = Buffer.from([0, 0x52, 0x53, 1]);
    const files = {
      "strings/a.bin": "v",
      "strings/b%3Ac.bin": "v",
      "hll/a2.bin": members,
      "strings_ttl.jsonl": [
        { key: "b%3Ac", expire_at_ms: 9223372036854775807n },
        { key: "b%3Ac", expire_at_ms: 9223372036854775807n },
      ],
      "hll_ttl.jsonl": [{ key: "a2", expire_at_ms: -5 }],
    };
    await readDatabase(files, (records, warnings) => {
      const times = records.map((record) => ("expireAtMs" in record ? record.expireAtMs : undefined));
      expect(times).toEqual([-5n, undefined, 9223372036854775807n]);
      expect(warnings).toEqual([]);
    });
  });

  it("warns of expiry lines without a key and of files it does not know", async () => {
    const files = {
      "strings_ttl.jsonl": [{ key: "gone", expire_at_ms: 1 }],
      "json/doc.json": "{}",
      "strings/a.bin": "",
    };
    await readDatabase(files, (records, warnings) => {
      expect(records).toHaveLength(1);
      expect(warnings).toHaveLength(2);
      expect(warnings.join()).toMatch(/1 line without a key.*json\/doc\.json/s);
    });
  });
});

describe("collections", () => {
  it("reads a hash in both shapes, in the text's order, with binary values", async () => {
    const shipped = {
      fields: [
        { name: "b", value: { base64: "_w" } },
        { name: { base64: "AA" }, value: "" },
      ],
    };
    expect(await elementsOf("hashes/h.json", shipped)).toEqual([
      ["b", "\xff"],
      ["\0", ""],
    ]);
    const design = '{"fields":{"10":"ten","9":"nine","__proto__":{"base64":"_w"},"":""},"format_version":1}';
    expect(await elementsOf("hashes/h.json", design)).toEqual([
      ["10", "ten"],
      ["9", "nine"],
      ["__proto__", "\xff"],
      ["", ""],
    ]);
  });

  it("keeps a list's order and repetitions", async () => {
    expect(await elementsOf("lists/l.json", { items: ["b", "a", "b", ""] })).toEqual([["b"], ["a"], ["b"], [""]]);
  });

  it("keeps the digits of scores", async () => {
    const text =
      '{"members":[{"member":"a","score":100.0},{"member":"b","score":-0},{"member":"c","score":5e-324},{"member":"d","score":"inf"},{"member":"e","score":"-inf"},{"member":"f","score":0.10000000000000001},{"member":"g","score":1152921504606847000},{"member":"h","score":-9007199254740992}]}';
    expect((await elementsOf("zsets/z.json", text)).map(([score]) => score)).toEqual([
      "100.0",
      "-0",
      "5e-324",
      "+inf",
      "-inf",
      "0.10000000000000001",
      "1152921504606847000",
      "-9007199254740992",
    ]);
  });

  it("knows the expiry wherever it stands", async () => {
    const at = (text: string) => readDatabase({ "sets/s.json": text }, ([record]) => record);
    expect(await at('{"expire_at_ms":7,"members":["a"]}')).toMatchObject({ expireAtMs: 7n });
    expect(await at('{"members":["a"],"expire_at_ms":-1}')).toMatchObject({ expireAtMs: -1n });
    expect(await at('{"members":["a"],"expire_at_ms":null}')).not.toHaveProperty("expireAtMs");
  });

  it("yields an empty collection with count 0", async () => {
    await readDatabase({ "lists/l.json": { items: [] } }, ([record]) =>
      expect(record).toMatchObject({ kind: "collection", count: 0 }),
    );
    await readDatabase({ "lists/l.json": '{"items":null}' }, ([record]) => expect(record).toMatchObject({ count: 0 }));
  });

  it("in large files are not judged for who writes them, all others as for everybody", async () => {
    const [few, space] = ['"members":["a","b"]', " ".repeat(1024 * 1024)];
    const files = {
      "redis/db_0/sets/cut.json": `{${few}${space}`,
      "redis/db_0/sets/large.json": `{${few},${space}"expire_at_ms": 7 }\n`,
      "redis/db_0/sets/small.json": `{${few},"expire_at_ms":7}`,
      "redis/db_0/strings/text.bin": `${space}x`,
      "redis/db_0/zsets/odd.json": '{"members":null}',
    };
    await withBuilt({ files }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes(EVERYTHING);
        const reader = dump.reader(scope as DatabaseScope);
        const judged = await collect(eachOf(reader.batches()));
        const [cut, large, ...others] = await collect(eachOf(reader.batchesToWrite?.() ?? reader.batches()));
        expect(others.map(({ kind, displayKey }) => `${kind} ${displayKey}`)).toEqual([
          "collection small",
          "string text",
          "collection odd",
        ]);
        expect(await collect(readRecords(dump, scope as DatabaseScope, large?.after))).toHaveLength(3);
        expect(cut).toMatchObject({
          kind: "unjudged",
          type: "set",
          key: Buffer.from("cut"),
          bytes: few.length + 1 + space.length,
        });
        expect(cut).toMatchObject({ expirySign: undefined });
        expect(large).toMatchObject({ kind: "unjudged", expirySign: 7n });
        const [unsound, sound] = [cut, large] as UnjudgedCollection[];
        expect(await unsound?.judged()).toEqual(judged[0]);
        const chunks = await collect((sound as UnjudgedCollection).packedChunks());
        expect(chunks.flatMap(({ ranges }) => [...ranges])).toHaveLength(4);
        expect(await sound?.judged()).toMatchObject({ kind: "collection", count: 2, bytes: 2, expireAtMs: 7n });
        expect(sound?.bytes).toBe(2);
      }),
    );
  });

  it("cuts chunks of at most 1,000 elements and about 1 MiB", async () => {
    const sizes = (items: string[]) =>
      readDatabase({ "lists/l.json": { items } }, async ([record]) => {
        const chunks = await collect((record as CollectionRecord).elements());
        return chunks.map((chunk) => chunk.length);
      });
    expect(await sizes(Array.from({ length: 2500 }, String))).toEqual([1000, 1000, 500]);
    expect(await sizes(Array.from({ length: 5 }, () => "x".repeat(400_000)))).toEqual([2, 2, 1]);
  });

  it.each([
    [
      "a field twice",
      "hashes/k.json",
      {
        fields: [
          { name: "a", value: "1" },
          { name: "a", value: "2" },
        ],
      },
      "duplicate-element",
    ],
    ["a name twice", "hashes/k.json", '{"fields":{"a":"1","\\u0061":"2"}}', "duplicate-element"],
    ["a member twice", "sets/k.json", { members: ["a", { base64: "YQ" }] }, "duplicate-element"],
    [
      "a scored member twice",
      "zsets/k.json",
      {
        members: [
          { member: "a", score: 1 },
          { member: "a", score: 2 },
        ],
      },
      "duplicate-element",
    ],
    ["a container twice", "sets/k.json", '{"members":["a"],"members":["b"]}', "duplicate-key"],
    ["another member twice", "sets/k.json", '{"x":1,"members":["a"],"x":2}', "duplicate-key"],
    ["no container", "sets/k.json", { items: ["a"] }, "malformed-record"],
    ["a number as element", "sets/k.json", { members: [1] }, "malformed-record"],
    ["padded base64", "sets/k.json", { members: [{ base64: "YQ==" }] }, "malformed-record"],
    ["base64 beside others", "sets/k.json", { members: [{ base64: "YQ", x: 1 }] }, "malformed-record"],
    ["an object for a list", "lists/k.json", { items: { a: "1" } }, "malformed-record"],
    ["a score in text", "zsets/k.json", { members: [{ member: "a", score: "1" }] }, "malformed-record"],
    ["a score beyond doubles", "zsets/k.json", '{"members":[{"member":"a","score":1e400}]}', "score-out-of-range"],
    [
      "a score between doubles",
      "zsets/k.json",
      '{"members":[{"member":"a","score":9007199254740993}]}',
      "score-out-of-range",
    ],
    ["a score below doubles", "zsets/k.json", '{"members":[{"member":"a","score":1e-400}]}', "score-out-of-range"],
    ["a newer format", "sets/k.json", { format_version: 2, members: ["a"] }, "malformed-record"],
    ["a fraction as expiry", "sets/k.json", '{"members":["a"],"expire_at_ms":1.5}', "malformed-record"],
    [
      "an expiry above 2^63-1",
      "sets/k.json",
      '{"members":["a"],"expire_at_ms":9223372036854775808}',
      "malformed-record",
    ],
    ["text behind it", "sets/k.json", '{"members":["a"]} x', "malformed-json"],
    ["no end", "sets/k.json", '{"members":["a"', "malformed-json"],
    ["a trailing comma", "sets/k.json", '{"members":["a",]}', "malformed-json"],
    ["a byte order mark", "sets/k.json", '\ufeff{"members":["a"]}', "byte-order-mark"],
    ["bad UTF-8", "sets/k.json", Buffer.from('{"members":["\xff"]}', "latin1"), "bad-utf8"],
    ["a lone surrogate", "sets/k.json", '{"members":["\\ud800"]}', "lone-surrogate"],
    ["too deep nesting", "sets/k.json", `{"members":[${"[".repeat(500)}${"]".repeat(500)}]}`, "too-deep"],
    ["nothing in it", "sets/k.json", "", "malformed-json"],
  ] as const)("rejects one with %s", async (_what, path, content, reason) => {
    expect(await fateOf(path, content)).toBe(reason);
  });

  it("takes a score in the shortest digits of its double, on whichever side of it they are, and in all of them", async () => {
    // Each of these names the double 855025634172068.25.
    for (const score of ["855025634172068.2", "855025634172068.3", "855025634172068.25", "8.550256341720682e14"]) {
      expect(await fateOf("zsets/k.json", `{"members":[{"member":"a","score":${score}}]}`), score).toBe("collection");
    }
    expect(await fateOf("zsets/k.json", '{"members":[{"member":"a","score":855025634172068.26}]}')).toBe(
      "score-out-of-range",
    );
  });
});

describe("streams", () => {
  it("reads both shapes of fields; names may repeat in the shipped one", async () => {
    const { record, entries } = await streamOf([
      {
        id: "1-1",
        fields: [
          { name: "a", value: "1" },
          { name: "a", value: "2" },
        ],
      },
      { id: "2-0", fields: { b: "3" } },
    ]);
    expect(entries).toEqual([
      { id: "1-1", fields: ["a", "1", "a", "2"] },
      { id: "2-0", fields: ["b", "3"] },
    ]);
    expect(record).toMatchObject({ count: 2, topId: "2-0", lastId: "2-0", faultyEntries: [] });
    expect(record).not.toHaveProperty("notes");
  });

  it.each([
    ["0", "0", "0", "null"],
    ["1", "5", "0", "0"],
    ["1", "999999999999999999", "12", "4102444800000"],
    ["3", "1000000000000000000", "0", "null"],
    ["01", "5", "0", "null"],
    ["1", "5", "0", "9223372036854775808"],
  ])("reads a meta line (%s, %s, %s, %s) alike with and without space in it", async (length, ms, seq, expiry) => {
    const line = `{"_meta":true,"length":${length},"last_ms":${ms},"last_seq":${seq},"expire_at_ms":${expiry}}`;
    const told = async (text: string) => {
      const { count, lastId, topId, expireAtMs, notes } = (await streamOf([text])).record;
      return { count, lastId, topId, expireAtMs, notes };
    };
    const [plain, spaced] = await Promise.all([
      told(line).catch(String),
      told(line.replaceAll(":", ": ")).catch(String),
    ]);
    expect(plain).toEqual(spaced);
  });

  it("takes the higher of the meta line's and the last entry's id", async () => {
    const entry = { id: "5-0", fields: { a: "1" } };
    const above = await streamOf([
      { _meta: true, length: 1, last_ms: 18446744073709551615n, last_seq: 3, expire_at_ms: 8 },
      entry,
    ]);
    expect(above.record).toMatchObject({ lastId: "18446744073709551615-3", topId: "5-0", expireAtMs: 8n });
    expect(above.record).not.toHaveProperty("notes");
    const below = await streamOf([entry, { _meta: true, length: 1, last_ms: 1, last_seq: 0 }]);
    expect(below.record).toMatchObject({ lastId: "5-0", notes: [{ kind: "stale-meta" }] });
    const miscounted = await streamOf([entry, { _meta: true, length: 7, last_ms: 5, last_seq: 0 }]);
    expect(miscounted.record).toMatchObject({ count: 1, notes: [{ kind: "stale-meta" }] });
  });

  it("may be empty and know its last id, or know nothing", async () => {
    expect((await streamOf([{ _meta: true, length: 0, last_ms: 7, last_seq: 7 }])).record).toMatchObject({
      count: 0,
      lastId: "7-7",
    });
    const nothing = (await streamOf("")).record;
    expect(nothing.count).toBe(0);
    expect(nothing).not.toHaveProperty("lastId");
  });

  it("lists entries that cannot be read and keeps the others", async () => {
    const { record, entries } = await streamOf([
      { id: "2-0", fields: { a: "1" } },
      { id: "1-0", fields: { a: "1" } },
      { id: "2-0", fields: { a: "1" } },
      { id: "3-0", fields: [] },
      "nonsense",
      '{"id":"4-0","fields":{"a":"1","a":"2"}}',
      { id: "18446744073709551616-0", fields: { a: "1" } },
      { id: "05-0", fields: { a: "1" } },
      { id: "6", fields: { a: "1" } },
      { id: "7-0", fields: { a: "1" } },
    ]);
    expect(entries.map(({ id }) => id)).toEqual(["2-0", "7-0"]);
    expect(record.count).toBe(2);
    expect(record.faultyEntries.map(({ id, reason, place }) => [id, reason, place.line])).toEqual([
      ["1-0", "id-not-ascending", 2],
      ["2-0", "id-not-ascending", 3],
      ["3-0", "no-fields", 4],
      ["unknown", "malformed-json", 5],
      ["unknown", "duplicate-key", 6],
      ["18446744073709551616-0", "invalid-id", 7],
      ["05-0", "invalid-id", 8],
      ["6", "invalid-id", 9],
    ]);
  });

  it("refuses the id 0-0", async () => {
    const { record } = await streamOf([{ id: "0-0", fields: { a: "1" } }]);
    expect(record.faultyEntries).toMatchObject([{ id: "0-0", reason: "invalid-id" }]);
  });

  it.each([
    ["a meta line of a newer format", [{ _meta: true, format_version: 2 }]],
    ["an expiry that is no integer", ['{"_meta":true,"expire_at_ms":1e3}']],
    ["a last id beyond 64 bits", ['{"_meta":true,"last_ms":18446744073709551616}']],
    ["two meta lines", [{ _meta: true }, { _meta: true }]],
  ])("is rejected whole for %s", async (_what, content) => {
    expect(await fateOf("streams/s.jsonl", content)).toBe("malformed-record");
  });
});

describe("HyperLogLogs", () => {
  const MAGIC = Buffer.from([0, 0x52, 0x53, 1]);
  const member = (bytes: Buffer) => Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);

  it("reads elastickv's member set, whatever bytes the members are", async () => {
    const file = Buffer.concat([MAGIC, member(Buffer.from([0xff])), member(Buffer.alloc(0)), member(Buffer.from("c"))]);
    await readDatabase({ "hll/h.bin": file }, async ([record]) => {
      const { content } = record as HyperLogLogRecord;
      if (content.form !== "members") throw new Error("a sketch");
      expect(content.count).toBe(3);
      expect((await collect(content.members())).flat().map((bytes) => bytes.toString("hex"))).toEqual(["ff", "", "63"]);
    });
  });

  it("hands a real sketch on as it is", async () => {
    await readDatabase({ "hll/h.bin": "HYLL\x01and more" }, async ([record]) => {
      const { content } = record as HyperLogLogRecord;
      if (content.form !== "sketch") throw new Error("no sketch");
      expect((await content.value.buffer()).toString()).toBe("HYLL\x01and more");
    });
  });

  it("steps over fields of a newer minor version", async () => {
    const file = Buffer.concat([MAGIC, Buffer.from([0x10, 0x96, 0x01, 0x1a, 0x01, 0x78]), member(Buffer.from("a"))]);
    await readDatabase({ "hll/h.bin": file }, ([record]) => expect(record).toMatchObject({ content: { count: 1 } }));
  });

  it.each([
    ["another magic", Buffer.from("abcdef"), "unknown-hll"],
    ["nothing in it", Buffer.alloc(0), "unknown-hll"],
    ["a cut member", Buffer.concat([MAGIC, Buffer.from([0x0a, 5, 1])]), "malformed-hll"],
    ["a cut length", Buffer.concat([MAGIC, Buffer.from([0x0a])]), "malformed-hll"],
    ["members of another type", Buffer.concat([MAGIC, Buffer.from([0x08, 5])]), "malformed-hll"],
    [
      "a length of gigabytes",
      Buffer.concat([MAGIC, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f])]),
      "limit-exceeded",
    ],
  ])("rejects one with %s", async (_what, file, reason) => {
    expect(await fateOf("hll/h.bin", file)).toBe(reason);
  });
});
