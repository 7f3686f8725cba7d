import { describe, expect, it } from "vitest";
import type { TableIndex, TableSchema } from "../../../../src/model/scope.js";
import { quotaWarning, schemaFault } from "../../../../src/replayers/dynamodb/schema-limits.js";

const key = { hash: { name: "pk", type: "S" } } as const;

function indexed(indexes: number, projected: number): TableSchema {
  const nonKeyAttributes = Array.from({ length: projected }, (_, i) => `a${i}`);
  const globalIndexes = Array.from(
    { length: indexes },
    (_, i): TableIndex => ({ name: `index-${i}`, key, projection: { type: "INCLUDE", nonKeyAttributes } }),
  );
  return { key, globalIndexes, localIndexes: [] };
}

describe("on the AWS service", () => {
  it("more global indexes than the default quota are warned of, for the quota can be raised", () => {
    expect(schemaFault(indexed(21, 0), true)).toBeUndefined();
    expect(quotaWarning(indexed(21, 0))).toContain("21 global indexes, DynamoDB takes 20 unless the account's quota");
    expect(quotaWarning(indexed(20, 0))).toBeUndefined();
  });

  it("an index projects 20 attributes", () => {
    expect(schemaFault(indexed(1, 21), true)).toContain("projects 21 attributes, DynamoDB takes 20");
    expect(schemaFault(indexed(5, 20), true)).toBeUndefined();
  });
});

it("a key attribute's name has 255 bytes in UTF-8", () => {
  const named = (name: string) =>
    ({ key: { hash: { name, type: "S" } }, globalIndexes: [], localIndexes: [] }) as const;
  expect(schemaFault(named("ü".repeat(128)), true)).toContain("256 bytes");
  expect(schemaFault(named("x".repeat(255)), true)).toBeUndefined();
});
