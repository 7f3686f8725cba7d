import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import type { TableIndex, TableSchema } from "../../../../src/model/scope.js";
import { indexDifferences, keyDifference } from "../../../../src/replayers/dynamodb/schema-differences.js";
import { createTableInput } from "../../../../src/replayers/dynamodb/table-schema.js";

const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
const index: TableIndex = {
  name: "by_status",
  key: { hash: { name: "status", type: "S" }, range: { name: "pk", type: "S" } },
  projection: { type: "INCLUDE", nonKeyAttributes: ["b", "a"] },
};
const plain: TableSchema = { key, globalIndexes: [], localIndexes: [] };

/** What a target would describe after creating this schema. */
function described(schema: TableSchema): TableDescription {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, LocalSecondaryIndexes } = createTableInput(
    "t",
    schema,
  );
  const indexes = { GlobalSecondaryIndexes, LocalSecondaryIndexes };
  return { AttributeDefinitions, KeySchema, ...indexes } as TableDescription;
}

describe("a table fits", () => {
  it("when it was made from the same schema", () => {
    const schema = { ...plain, globalIndexes: [index] };
    expect(keyDifference(schema, described(schema))).toBeUndefined();
    expect(indexDifferences(schema, described(schema))).toEqual([]);
  });

  it("when key parts and projected attributes only stand in another order", () => {
    const schema = { ...plain, globalIndexes: [index] };
    const table = described(schema);
    table.KeySchema?.reverse();
    table.GlobalSecondaryIndexes?.[0]?.Projection?.NonKeyAttributes?.reverse();
    expect(keyDifference(schema, table)).toBeUndefined();
    expect(indexDifferences(schema, table)).toEqual([]);
  });

  it("when the empty INCLUDE is described as such or as KEYS_ONLY", () => {
    const schema = { ...plain, globalIndexes: [{ ...index, projection: { type: "INCLUDE" } as const }] };
    expect(indexDifferences(schema, described(schema))).toEqual([]);
    const table = described(schema);
    const [found] = table.GlobalSecondaryIndexes ?? [];
    if (found !== undefined) found.Projection = { ProjectionType: "INCLUDE" };
    expect(indexDifferences(schema, table)).toEqual([]);
  });
});

describe("a table does not fit", () => {
  it.each([
    ["another name", { key: { ...key, hash: { name: "id", type: "S" } } }],
    ["another type", { key: { ...key, range: { name: "sk", type: "S" } } }],
    ["no range key", { key: { hash: key.hash } }],
  ] as const)("with %s in its key", (_what, other) => {
    expect(keyDifference(plain, described({ ...plain, ...other }))).toMatch(
      /^the table's key is .*, the dump's is pk \(S\), sk \(N\)$/,
    );
  });

  it("is said for each index", () => {
    const wanted = { ...plain, globalIndexes: [index, { ...index, name: "missing" }] };
    const found = {
      ...plain,
      globalIndexes: [{ ...index, projection: { type: "ALL" } as const }],
      localIndexes: [{ ...index, name: "extra" }],
    };
    expect(indexDifferences(wanted, described(found))).toEqual([
      'the global index "by_status" has key status (S), pk (S) and projects ALL, the dump\'s has key status (S), pk (S) and projects INCLUDE (a, b)',
      'the global index "missing" is missing',
      'the local index "extra" is not in the dump',
    ]);
  });

  it("is said in printable text", () => {
    const schema = { ...plain, key: { hash: { name: "a\u202eb", type: "S" } } } as const;
    expect(keyDifference(schema, described(plain))).toContain("a\\u{202e}b (S)");
  });
});
