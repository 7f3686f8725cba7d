import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/model/policy.js";
import type { TableIndex, TableScope } from "../../src/model/scope.js";
import { createDynamoDbReplayer } from "../../src/replayers/dynamodb/replayer.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import { startDynamoDbLocal } from "../../testcontainers/dynamodb-local.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { dynamoDb, itemRecords, keysOf, tableScope } from "../support/dynamodb-records.js";
import { contextFor } from "../support/replayer-context.js";

let server: RunningServer;
const open: Replayer<"dynamodb">[] = [];
let tables = 0;

beforeAll(async () => {
  server = await startDynamoDbLocal();
}, 300_000);
afterAll(() => server?.stop());
afterEach(async () => {
  for (const replayer of open.splice(0)) await replayer.close();
});

function replayerFor(action: WriteAction = "put", endpoint = server.endpoint): Replayer<"dynamodb"> {
  const credentials = server.credentials ?? { accessKeyId: "local", secretAccessKey: "local" };
  const replayer = createDynamoDbReplayer({ endpoint: { url: endpoint }, credentials }, contextFor(action));
  open.push(replayer);
  return replayer;
}

function uniqueName(): string {
  return `tables.${process.pid}-${++tables}`;
}

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

function indexedScope(name = uniqueName()): TableScope {
  const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
  return tableScope(name, { key, globalIndexes: [byStatus], localIndexes: [byDay] });
}

async function inspect(scope: TableScope, action: WriteAction = "put") {
  return await replayerFor(action).inspect(scope, none);
}

describe("probe", () => {
  it("names the server and takes large batches from it", async () => {
    const capabilities = await replayerFor().probe();
    expect(capabilities).toMatchObject({ server: "DynamoDB Local", canCount: true, fallbacks: [] });
    expect(capabilities.batch.records).toBe(25);
    expect(capabilities.batch.bytes).toBeGreaterThan(15_000_000);
  });

  it("refuses an endpoint where nothing listens", async () => {
    await expect(replayerFor("put", "http://127.0.0.1:9").probe()).rejects.toMatchObject({
      code: "TARGET_UNREACHABLE",
    });
  }, 30_000);
});

describe("inspect", () => {
  it("finds no table", async () => {
    expect(await inspect(tableScope(uniqueName()))).toEqual({ presence: "absent", warnings: [] });
  });

  it("finds an empty table", async () => {
    const scope = indexedScope();
    await replayerFor().create(scope);
    expect(await inspect(scope)).toEqual({ presence: "empty", count: { value: 0, exact: true }, warnings: [] });
  });

  it("finds records and counts them", async () => {
    const scope = tableScope(uniqueName());
    await replayerFor().create(scope);
    await replayerFor().write(scope, itemRecords(scope, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}'));
    expect(await inspect(scope)).toMatchObject({ presence: "holds-records", count: { value: 2 } });
  });

  it("calls a table with another key incompatible", async () => {
    const scope = indexedScope();
    await replayerFor().create(scope);
    const other = tableScope(scope.name, { key: { hash: { name: "pk", type: "N" } } });
    const state = await inspect(other);
    expect(state.incompatible).toBe("the table's key is pk (S), sk (N), the dump's is pk (N)");
  });

  it("tells other indexes from another key", async () => {
    const scope = indexedScope();
    await replayerFor().create(scope);
    const changed = { ...byStatus, projection: { type: "KEYS_ONLY" } } as const;
    const other = tableScope(scope.name, { ...scope.schema, globalIndexes: [changed], localIndexes: [] });
    const state = await inspect(other);
    expect(state.incompatible).toBeUndefined();
    expect(state.differs).toContain(
      'the global index "by_status" has key status (S), total (N) and projects INCLUDE (note)',
    );
    expect(state.differs).toContain('the local index "by_day" is not in the dump');
    expect((await replayerFor().keep(other, state)).warnings).toEqual([`kept as it is: ${state.differs}`]);
  });

  it("says what a replace would lose", async () => {
    const name = uniqueName();
    await dynamoDb(server.endpoint, "CreateTable", {
      TableName: name,
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
      DeletionProtectionEnabled: true,
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    });
    const ttl = { TableName: name, TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true } };
    await dynamoDb(server.endpoint, "UpdateTimeToLive", ttl);
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
    expect(await replayerFor().create(scope)).toEqual({ warnings: [] });
    const [item] = itemRecords(
      scope,
      '{"pk":{"S":"a"},"sk":{"N":"1"},"status":{"S":"paid"},"total":{"N":"5"},"day":{"S":"monday"},"note":{"S":"n"}}',
    );
    await replayerFor().write(scope, item === undefined ? [] : [item]);
    expect(await keysOf(server.endpoint, scope.name, "by_status")).toEqual(["a"]);
    expect(await keysOf(server.endpoint, scope.name, "by_day")).toEqual(["a"]);
  });

  it("uses throughput where the dump has some", async () => {
    const throughput = { read: 7, write: 3 };
    const scope = { ...indexedScope(), schema: { ...indexedScope().schema, throughput } };
    await replayerFor().create(scope);
    const table = (await dynamoDb(server.endpoint, "DescribeTable", { TableName: scope.name })).get("Table");
    expect(table).toBeInstanceOf(Map);
    const units = table instanceof Map ? table.get("ProvisionedThroughput") : undefined;
    expect(units instanceof Map ? [units.get("ReadCapacityUnits"), units.get("WriteCapacityUnits")] : []).toMatchObject(
      [{ text: "7" }, { text: "3" }],
    );
  });

  it("may run twice and takes a table that fits", async () => {
    const scope = indexedScope();
    await Promise.all([replayerFor().create(scope), replayerFor().create(scope)]);
    expect(await replayerFor().create(scope)).toEqual({ warnings: [] });
  });

  it("refuses a table of another key that came in between", async () => {
    const name = uniqueName();
    await replayerFor().create(indexedScope(name));
    await expect(replayerFor().create(tableScope(name))).rejects.toMatchObject({ code: "TARGET_SCHEMA_DIFFERS" });
  });

  it("says why the target refuses a table", async () => {
    const many = Array.from({ length: 21 }, (_, i) => ({ ...byStatus, name: `index_${i}` }));
    const refused = replayerFor().create(tableScope(uniqueName(), { globalIndexes: many }));
    await expect(refused).rejects.toMatchObject({ reason: "table-not-created", retry: "no" });
    await expect(refused).rejects.toThrow(/could not be created: .*(index|Index)/);
  });
});

describe("empty", () => {
  it("leaves an empty table with the dump's key and indexes", async () => {
    const name = uniqueName();
    const before = tableScope(name);
    await replayerFor().create(before);
    await replayerFor().write(before, itemRecords(before, '{"pk":{"S":"old"}}'));
    await replayerFor().empty(indexedScope(name));
    expect(await inspect(indexedScope(name))).toEqual({
      presence: "empty",
      count: { value: 0, exact: true },
      warnings: [],
    });
  });

  it("makes a table that is gone by now", async () => {
    const scope = indexedScope();
    await replayerFor().empty(scope);
    expect(await inspect(scope)).toMatchObject({ presence: "empty" });
  });

  it("refuses a table that is protected against deletion, and leaves it", async () => {
    const scope = tableScope(uniqueName());
    await replayerFor().create(scope);
    await replayerFor().write(scope, itemRecords(scope, '{"pk":{"S":"kept"}}'));
    await dynamoDb(server.endpoint, "UpdateTable", { TableName: scope.name, DeletionProtectionEnabled: true });
    await expect(replayerFor().empty(scope)).rejects.toMatchObject({
      code: "TARGET_UNFIT",
      message: `the table ${scope.name} is protected against deletion`,
    });
    expect(await keysOf(server.endpoint, scope.name)).toEqual(["kept"]);
  });
});
