import { describe, expect, it } from "vitest";
import type { TableIndex, TableSchema } from "../../../../src/model/scope.js";
import { createTableInput } from "../../../../src/replayers/dynamodb/table-schema.js";

const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
const index: TableIndex = {
  name: "by_status",
  key: { hash: { name: "status", type: "S" }, range: { name: "pk", type: "S" } },
  projection: { type: "INCLUDE", nonKeyAttributes: ["b", "a"] },
};
const plain: TableSchema = { key, globalIndexes: [], localIndexes: [] };

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
