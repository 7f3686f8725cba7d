import { describe, expect, it } from "vitest";
import type { DumpRecord } from "../../../src/model/record.js";
import type { TableScope } from "../../../src/model/scope.js";
import { type DumpFile, tableSchema } from "../../support/dump-builder.js";
import { collect, EVERYTHING, faultOf, readRecords, withBuilt, withDump } from "../../support/read-dump.js";

const RANGED = {
  ...tableSchema("t"),
  primary_key: { hash_key: { name: "id", type: "S" }, range_key: { name: "n", type: "N" } },
};

function readTable(
  files: { readonly [path: string]: DumpFile },
  schema: DumpFile = tableSchema("t"),
): Promise<{ scope: TableScope; records: DumpRecord[] }> {
  const inTable = Object.fromEntries(Object.entries(files).map(([path, file]) => [`dynamodb/t/items/${path}`, file]));
  return withBuilt({ files: { "dynamodb/t/_schema.json": schema, ...inTable } }, (path) =>
    withDump(path, async (dump) => {
      await dump.check();
      const [scope] = await dump.scopes(EVERYTHING);
      if (scope?.adapter !== "dynamodb") throw new Error("no table");
      return { scope, records: await collect(readRecords(dump, scope)) };
    }),
  );
}

const item = (id: string, rest = {}) => ({ id: { S: id }, ...rest });

describe("items", () => {
  it("keep their own text, byte for byte, and know their key's", async () => {
    const text = ' {"__proto__":{"S":"x"},  "id":{"S":"\\u0061"},"n":{"N":"1.0"}}\n';
    const { records } = await readTable({ "a/1.json": text }, RANGED);
    expect(records).toMatchObject([{ kind: "item", displayKey: "a / 1.0" }]);
    if (records[0]?.kind !== "item") throw new Error("no item");
    expect(records[0].text.toString()).toBe(text.trim());
    expect(records[0].keyText.hash.toString()).toBe('{"S":"\\u0061"}');
    expect(records[0].keyText.range?.toString()).toBe('{"N":"1.0"}');
  });

  it("stand in files of their own and in lines, side by side", async () => {
    const { records } = await readTable({ "data-00001.jsonl": [item("a"), item("b")], "c.json": item("c") });
    expect(records.map(({ displayKey, place }) => [displayKey, place.line])).toEqual([
      ["c", undefined],
      ["a", 1],
      ["b", 2],
    ]);
  });

  it("have the key that their body says, whatever the file is called", async () => {
    const { records } = await readTable({ "x.json": item("y") });
    expect(records).toMatchObject([{ displayKey: "y" }]);
  });

  it("may be called data.jsonl.json and stand in a folder that ends in .jsonl", async () => {
    expect((await readTable({ "data.jsonl.json": item("a") })).records).toHaveLength(1);
    const ranged = await readTable({ "a.jsonl/1.json": item("a.jsonl", { n: { N: "1" } }) }, RANGED);
    expect(ranged.records).toMatchObject([{ kind: "item" }]);
  });

  it("with a key that was there before are rejected: 1, 1.0 and 1e0 are one number", async () => {
    const lines = ["1", "1.0", "1e0", "01", "10e-1", "2"].map((n) => item("a", { n: { N: n } }));
    const { records } = await readTable({ "data-1.jsonl": lines }, RANGED);
    expect(records.map((record) => (record.kind === "faulty" ? record.reason : "item"))).toEqual([
      "item",
      "duplicate-record",
      "duplicate-record",
      "duplicate-record",
      "duplicate-record",
      "item",
    ]);
  });

  it("take the 32 levels that DynamoDB takes", async () => {
    let value: object = { S: "deep" };
    for (let level = 0; level < 32; level++) value = level % 2 === 0 ? { M: { a: value } } : { L: [value] };
    expect((await readTable({ "a.json": item("a", { value }) })).records).toMatchObject([{ kind: "item" }]);
  });

  it.each([
    ["no key", { other: { S: "x" } }, "missing-key"],
    ["a key of another type", { id: { N: "1" } }, "wrong-key-type"],
    ["an attribute of two types", item("a", { x: { S: "1", N: "1" } }), "invalid-item"],
    ["an attribute of an unknown type", item("a", { x: { X: "1" } }), "invalid-item"],
    ["a number that is no text", item("a", { x: { N: 1 } }), "malformed-record"],
    ["binary in base64url", item("a", { x: { B: "_w==" } }), "malformed-record"],
    ["an attribute twice", '{"id":{"S":"a"},"x":{"S":"1"},"x":{"S":"2"}}', "duplicate-key"],
    ["a lone surrogate", '{"id":{"S":"\\udfff"}}', "lone-surrogate"],
    ["bad UTF-8", Buffer.from('{"id":{"S":"\xc3("}}', "latin1"), "bad-utf8"],
    ["nothing in it", "", "malformed-json"],
    ["nesting without end", `{"id":{"S":"a"},"x":${'{"L":['.repeat(3000)}`, "too-deep"],
  ])("are rejected with %s, alone", async (_what, bad, reason) => {
    const { records } = await readTable({ "bad.json": bad, "good.json": item("good") });
    expect(records).toMatchObject([{ kind: "faulty", outcome: "rejected", reason }, { kind: "item" }]);
  });
});

describe("schemas", () => {
  const key = { hash: { name: "id", type: "S" } };

  it("are read in the shipped form, whose hash-only table has an empty range key", async () => {
    expect((await readTable({})).scope.schema).toEqual({ key, globalIndexes: [], localIndexes: [] });
  });

  it("are read with indexes in both forms", async () => {
    const shipped = { hash_key: { name: "x", type: "N" }, range_key: {} };
    const design = [
      { name: "x", type: "N" },
      { name: "y", type: "B" },
    ];
    const indexes = [
      { name: "one", key_schema: shipped, projection: { type: "ALL" } },
      { name: "two", key_schema: design, projection: { type: "INCLUDE", non_key_attributes: ["z"] } },
    ];
    const { scope } = await readTable({}, { ...tableSchema("t"), global_secondary_indexes: indexes });
    expect(scope.schema.globalIndexes).toEqual([
      { name: "one", key: { hash: { name: "x", type: "N" } }, projection: { type: "ALL" } },
      {
        name: "two",
        key: { hash: { name: "x", type: "N" }, range: { name: "y", type: "B" } },
        projection: { type: "INCLUDE", nonKeyAttributes: ["z"] },
      },
    ]);
  });

  it.each([false, true])("are read in DescribeTable's form (wrapped: %s)", async (isWrapped) => {
    const table = {
      TableName: "t",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 },
      StreamSpecification: { StreamEnabled: true },
    };
    const { scope } = await readTable({}, isWrapped ? { Table: table } : table);
    expect(scope.schema).toMatchObject({ key, throughput: { read: 5, write: 6 } });
    expect(scope.warnings.join()).toMatch(/StreamSpecification/);
  });

  it.each([
    ["no hash key", { ...tableSchema("t"), primary_key: {} }],
    ["a key of type BOOL", tableSchema("t", { name: "id", type: "BOOL" })],
    [
      "an unknown projection",
      {
        ...tableSchema("t"),
        global_secondary_indexes: [{ name: "x", key_schema: [{ name: "x", type: "S" }], projection: { type: "SOME" } }],
      },
    ],
    ["a list for an object", []],
  ])("are refused with %s", async (_what, schema) => {
    expect((await faultOf({ files: { "dynamodb/t/_schema.json": JSON.stringify(schema) } })).code).toBe(
      "SCHEMA_INVALID",
    );
  });
});
