/** Tables: what is found, made, kept and emptied. */
import { describe, expect, it } from "vitest";
import type { WriteAction } from "../../../src/model/policy.js";
import type { TableIndex, TableScope } from "../../../src/model/scope.js";
import { dynamoDb, itemRecords, keysOf, tableScope } from "../../support/dynamodb-records.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { dynamoDbBench } from "../../support/servers/dynamodb-bench.js";

export function dynamoDbTables(server: ContractServer): void {
  const bench = dynamoDbBench(server);

  async function* none() {}

  const byStatus: TableIndex = {
    name: "by_status",
    key: { hash: { name: "status", type: "S" }, range: { name: "total", type: "N" } },
    projection: { type: "INCLUDE", nonKeyAttributes: ["note"] },
  };
  const byDay: TableIndex = {
    name: "by_day",
    key: { hash: { name: "pk", type: "S" }, range: { name: "day", type: "S" } },
    projection: { type: "ALL" },
  };

  function indexedScope(name = bench.uniqueName()): TableScope {
    const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
    return tableScope(name, { key, globalIndexes: [byStatus], localIndexes: [byDay] });
  }

  async function inspect(scope: TableScope, action: WriteAction = "put") {
    return await bench.replayerFor(action).inspect(scope, none);
  }

  describe("probe", () => {
    it("names the server and takes large batches from it", async () => {
      const capabilities = await bench.replayerFor("put").probe();
      expect(capabilities).toMatchObject({ server: "DynamoDB Local", canCount: true, fallbacks: [] });
      expect(capabilities.batch).toMatchObject({ records: 100, perRequest: 25 });
      expect(capabilities.batch.bytes).toBeGreaterThan(15_000_000);
    });

    it("refuses an endpoint where nothing listens", async () => {
      await expect(bench.replayerFor("put", { endpoint: "http://127.0.0.1:9" }).probe()).rejects.toMatchObject({
        code: "TARGET_UNREACHABLE",
      });
    }, 30_000);
  });

  describe("inspect", () => {
    it("finds no table", async () => {
      expect(await inspect(tableScope(bench.uniqueName()))).toEqual({ presence: "absent", warnings: [] });
    });

    it("finds an empty table", async () => {
      const scope = indexedScope();
      await bench.replayerFor("put").create(scope);
      expect(await inspect(scope)).toEqual({ presence: "empty", count: { value: 0, exact: true }, warnings: [] });
    });

    it("finds records and counts them", async () => {
      const scope = tableScope(bench.uniqueName());
      await bench.replayerFor("put").create(scope);
      await bench.replayerFor("put").write(scope, itemRecords(scope, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}'));
      expect(await inspect(scope)).toMatchObject({ presence: "holds-records", count: { value: 2 } });
    });

    it("calls a table with another key incompatible", async () => {
      const scope = indexedScope();
      await bench.replayerFor("put").create(scope);
      const other = tableScope(scope.name, { key: { hash: { name: "pk", type: "N" } } });
      const state = await inspect(other);
      expect(state.incompatible).toBe("the table's key is pk (S), sk (N), the dump's is pk (N)");
    });

    it("tells other indexes from another key", async () => {
      const scope = indexedScope();
      await bench.replayerFor("put").create(scope);
      const changed = { ...byStatus, projection: { type: "KEYS_ONLY" } } as const;
      const other = tableScope(scope.name, { ...scope.schema, globalIndexes: [changed], localIndexes: [] });
      const state = await inspect(other);
      expect(state.incompatible).toBeUndefined();
      expect(state.differs).toContain(
        'the global index "by_status" has key status (S), total (N) and projects INCLUDE (note)',
      );
      expect(state.differs).toContain('the local index "by_day" is not in the dump');
      expect((await bench.replayerFor("put").keep(other, state)).warnings).toEqual([`kept as it is: ${state.differs}`]);
    });

    it("says what a replace would lose", async () => {
      const name = bench.uniqueName();
      await dynamoDb(bench.endpoint, "CreateTable", {
        TableName: name,
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
        DeletionProtectionEnabled: true,
        StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
      });
      const ttl = { TableName: name, TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true } };
      await dynamoDb(bench.endpoint, "UpdateTimeToLive", ttl);
      expect((await inspect(tableScope(name))).warnings).toEqual([
        "a replace makes the table anew and loses its stream, its time to live setting",
        "the table is protected against deletion: a replace will be refused",
      ]);
    });

    it.each(["ab", "a b", "x".repeat(256), "arn:aws:dynamodb:us-east-1:123456789012:table/orders"])(
      "refuses the name %s before anything is written, and names the way out",
      async (name) => {
        const refused = await inspect(tableScope(name)).catch((error: unknown) => error);
        expect(refused).toMatchObject({ code: "TARGET_SCOPE_IMPOSSIBLE" });
        expect(refused).toHaveProperty("hint", expect.stringContaining("--rename dynamodb:"));
      },
    );
  });

  describe("create", () => {
    it("makes the table with its indexes, which answer queries", async () => {
      const scope = indexedScope();
      expect(await bench.replayerFor("put").create(scope)).toEqual({ warnings: [] });
      const [item] = itemRecords(
        scope,
        '{"pk":{"S":"a"},"sk":{"N":"1"},"status":{"S":"paid"},"total":{"N":"5"},"day":{"S":"monday"},"note":{"S":"n"}}',
      );
      await bench.replayerFor("put").write(scope, item === undefined ? [] : [item]);
      expect(await keysOf(bench.endpoint, scope.name, "by_status")).toEqual(["a"]);
      expect(await keysOf(bench.endpoint, scope.name, "by_day")).toEqual(["a"]);
    });

    it("uses throughput where the dump has some", async () => {
      const throughput = { read: 7, write: 3 };
      const scope = { ...indexedScope(), schema: { ...indexedScope().schema, throughput } };
      await bench.replayerFor("put").create(scope);
      const table = (await dynamoDb(bench.endpoint, "DescribeTable", { TableName: scope.name })).get("Table");
      expect(table).toBeInstanceOf(Map);
      const units = table instanceof Map ? table.get("ProvisionedThroughput") : undefined;
      expect(
        units instanceof Map ? [units.get("ReadCapacityUnits"), units.get("WriteCapacityUnits")] : [],
      ).toMatchObject([{ text: "7" }, { text: "3" }]);
    });

    it("may run twice and takes a table that fits", async () => {
      const scope = indexedScope();
      await Promise.all([bench.replayerFor("put").create(scope), bench.replayerFor("put").create(scope)]);
      expect(await bench.replayerFor("put").create(scope)).toEqual({ warnings: [] });
    });

    it("refuses a table of another key that came in between", async () => {
      const name = bench.uniqueName();
      await bench.replayerFor("put").create(indexedScope(name));
      await expect(bench.replayerFor("put").create(tableScope(name))).rejects.toMatchObject({
        code: "TARGET_SCHEMA_DIFFERS",
      });
    });

    it("says why the target refuses a table", async () => {
      const many = Array.from({ length: 21 }, (_, i) => ({ ...byStatus, name: `index_${i}` }));
      const refused = bench.replayerFor("put").create(tableScope(bench.uniqueName(), { globalIndexes: many }));
      await expect(refused).rejects.toMatchObject({ reason: "table-not-created", retry: "no" });
      await expect(refused).rejects.toThrow(/could not be created: .*(index|Index)/);
    });
  });

  describe("empty", () => {
    it("leaves an empty table with the dump's key and indexes", async () => {
      const name = bench.uniqueName();
      const before = tableScope(name);
      await bench.replayerFor("put").create(before);
      await bench.replayerFor("put").write(before, itemRecords(before, '{"pk":{"S":"old"}}'));
      await bench.replayerFor("put").empty(indexedScope(name));
      expect(await inspect(indexedScope(name))).toEqual({
        presence: "empty",
        count: { value: 0, exact: true },
        warnings: [],
      });
    });

    it("makes a table that is gone by now", async () => {
      const scope = indexedScope();
      await bench.replayerFor("put").empty(scope);
      expect(await inspect(scope)).toMatchObject({ presence: "empty" });
    });

    it("refuses a table that is protected against deletion, and leaves it", async () => {
      const scope = tableScope(bench.uniqueName());
      await bench.replayerFor("put").create(scope);
      await bench.replayerFor("put").write(scope, itemRecords(scope, '{"pk":{"S":"kept"}}'));
      await dynamoDb(bench.endpoint, "UpdateTable", { TableName: scope.name, DeletionProtectionEnabled: true });
      await expect(bench.replayerFor("put").empty(scope)).rejects.toMatchObject({
        code: "TARGET_UNFIT",
        message: `the table ${scope.name} is protected against deletion`,
      });
      expect(await keysOf(bench.endpoint, scope.name)).toEqual(["kept"]);
    });
  });
}
