import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import type { TableIndex, TableSchema } from "../../../../src/model/scope.js";
import { createTableInput, indexDifferences, keyDifference } from "../../../../src/replayers/dynamodb/table-schema.js";

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

describe("CreateTable", () => {
  it("defines each attribute that a key uses, once", () => {
    const input = createTableInput("t", { ...plain, globalIndexes: [index] });
    expect(input.AttributeDefinitions?.map(({ AttributeName }) => AttributeName)).toEqual(["pk", "sk", "status"]);
  });

  it("names hash before range and leaves indexes out where there are none", () => {
    const input = createTableInput("t", plain);
    expect(input.KeySchema?.map(({ KeyType }) => KeyType)).toEqual(["HASH", "RANGE"]);
    expect(input).not.toHaveProperty("GlobalSecondaryIndexes");
    expect(input).not.toHaveProperty("LocalSecondaryIndexes");
  });

  it("is on demand without throughput", () => {
    const input = createTableInput("t", { ...plain, globalIndexes: [{ ...index, throughput: { read: 1, write: 1 } }] });
    expect(input).toMatchObject({ BillingMode: "PAY_PER_REQUEST" });
    expect(input).not.toHaveProperty("ProvisionedThroughput");
    expect(input.GlobalSecondaryIndexes?.[0]).not.toHaveProperty("ProvisionedThroughput");
  });

  it("with throughput gives every global index its own or the table's", () => {
    const own = { ...index, name: "own", throughput: { read: 1, write: 2 } };
    const input = createTableInput("t", { ...plain, globalIndexes: [index, own], throughput: { read: 5, write: 6 } });
    expect(input).toMatchObject({
      BillingMode: "PROVISIONED",
      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 },
      GlobalSecondaryIndexes: [
        { ProvisionedThroughput: { ReadCapacityUnits: 5 } },
        { ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 2 } },
      ],
    });
  });

  it("gives an index that includes nothing the name that targets take for it", () => {
    const empty = { ...index, projection: { type: "INCLUDE" } } as const;
    const input = createTableInput("t", { ...plain, globalIndexes: [empty] });
    expect(input.GlobalSecondaryIndexes?.[0]?.Projection).toEqual({ ProjectionType: "KEYS_ONLY" });
  });
});

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
