/** DynamoDB's documented limits of tables: what is refused before the first write, the server refuses as well. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TableIndex, TableSchema } from "../../src/model/scope.js";
import { Calls, UNPACED } from "../../src/replayers/calls.js";
import { classifyError } from "../../src/replayers/dynamodb/classify-error.js";
import { createClient } from "../../src/replayers/dynamodb/client.js";
import { accountOf } from "../../src/replayers/dynamodb/probe.js";
import { createDynamoDbReplayer } from "../../src/replayers/dynamodb/replayer.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import { startDynamoDbLocal } from "../../testcontainers/dynamodb-local.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { dynamoDb, tableScope } from "../support/dynamodb-records.js";
import { fakeClock } from "../support/fake-clock.js";
import { contextFor } from "../support/replayer-context.js";
import { type ScriptedProxy, startScriptedProxy, type Verdict } from "../support/scripted-proxy.js";

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

function newReplayer(): Replayer<"dynamodb"> {
  const credentials = server.credentials ?? { accessKeyId: "local", secretAccessKey: "local" };
  const replayer = createDynamoDbReplayer({ endpoint: { url: server.endpoint }, credentials }, contextFor("put"));
  open.push(replayer);
  return replayer;
}

async function* none() {}

const composite = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "S" } } as const;

function names(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

function local(name: string, index: Partial<TableIndex> = {}): TableIndex {
  const key = { hash: { name: "pk", type: "S" }, range: { name: `${name}-key`, type: "S" } } as const;
  return { name, key, projection: { type: "KEYS_ONLY" }, ...index };
}

function global(name: string, index: Partial<TableIndex> = {}): TableIndex {
  return { name, key: { hash: { name: "g", type: "S" } }, projection: { type: "KEYS_ONLY" }, ...index };
}

function projecting(count: number): Partial<TableIndex> {
  return { projection: { type: "INCLUDE", nonKeyAttributes: names(count, "a") } };
}

const FAULTY: readonly (readonly [what: string, schema: Partial<TableSchema>, why: RegExp])[] = [
  ["an index name of two letters", { globalIndexes: [global("ab")] }, /no name for an index/],
  [
    "two indexes of one name",
    { key: composite, globalIndexes: [global("abc")], localIndexes: [local("abc")] },
    /two of/,
  ],
  ["six local indexes", { key: composite, localIndexes: names(6, "index-").map((n) => local(n)) }, /6 local indexes/],
  ["21 global indexes", { globalIndexes: names(21, "index-").map((n) => global(n)) }, /21 global indexes/],
  ["a local index of a table without range key", { localIndexes: [local("local")] }, /needs a table with a range key/],
  [
    "a local index of another hash key",
    { key: composite, localIndexes: [local("local", { key: { ...composite, hash: { name: "other", type: "S" } } })] },
    /another hash key/,
  ],
  [
    "an attribute of two types",
    { key: composite, globalIndexes: [global("abc", { key: { hash: { name: "sk", type: "N" } } })] },
    /of type S and of type N/,
  ],
  [
    "101 projected attributes of all indexes",
    { globalIndexes: [...names(5, "index-").map((n) => global(n, projecting(20))), global("index-5", projecting(1))] },
    /project 101 attributes/,
  ],
  ["one attribute for both parts of a key", { key: { hash: composite.hash, range: composite.hash } }, /both parts/],
];

describe("a schema that cannot be made", () => {
  it.each(FAULTY)("is refused before a table is deleted, as by the server: %s", async (_what, schema, why) => {
    const scope = tableScope(`limits.${process.pid}-${++tables}`, schema);
    const replayer = newReplayer();
    const state = await replayer.inspect(scope, none);
    expect(state.unmakeable?.why).toMatch(why);
    expect(state.unmakeable?.hint).toContain("reseal");
    await expect(replayer.create(scope)).rejects.toMatchObject({ reason: "table-not-created" });
  });

  it("is one beyond the limits: at them the table is made", async () => {
    const scope = tableScope(`limits.${process.pid}-${++tables}`, {
      key: composite,
      localIndexes: names(5, "local-").map((n) => local(n, projecting(18))),
      globalIndexes: [global("abc", projecting(10))],
    });
    const replayer = newReplayer();
    expect((await replayer.inspect(scope, none)).unmakeable).toBeUndefined();
    expect(await replayer.create(scope)).toEqual({ warnings: [] });
  });
});

it("a table that is protected against deletion is refused before anything is written", async () => {
  const scope = tableScope(`limits.${process.pid}-${++tables}`);
  await newReplayer().create(scope);
  await dynamoDb(server.endpoint, "UpdateTable", { TableName: scope.target, DeletionProtectionEnabled: true });
  expect((await newReplayer().inspect(scope, none)).unmakeable).toMatchObject({
    why: "the table is protected against deletion",
    hint: expect.stringContaining("--mode merge"),
  });
});

describe("what AWS answers and DynamoDB Local does not", () => {
  let proxy: ScriptedProxy;
  beforeEach(async () => {
    proxy = await startScriptedProxy(server.endpoint);
  });
  afterEach(() => proxy.stop());

  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const answer = (value: object): Verdict => ({ status: 200, body: JSON.stringify(value) });

  it("names the account in a table's ARN, the first that is listed", async () => {
    const client = createClient({ endpoint: { url: proxy.endpoint }, credentials });
    const classify = (error: unknown, operation: string) =>
      classifyError(error, operation, { adapter: "dynamodb", endpoint: proxy.endpoint });
    const clock = fakeClock();
    const init = { adapter: "dynamodb", endpoint: proxy.endpoint, clock, maxRetryTimeMs: 0, pacer: UNPACED, classify };
    const listed = (...names: string[]) =>
      accountOf(client, new Calls(init), {
        status: 200,
        headers: {},
        body: Buffer.from(JSON.stringify({ TableNames: names })),
      });
    proxy.follow(() => answer({ Table: { TableArn: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders" } }));
    expect(await listed("orders")).toBe("account 123456789012");
    expect(await listed()).toBeUndefined();
    proxy.follow(() => ({ status: 400, body: '{"__type":"AccessDeniedException","message":"no"}' }));
    expect(await listed("orders")).toBeUndefined();
    client.destroy();
  });

  it("has point-in-time recovery, which a replace loses", async () => {
    const scope = tableScope(`limits.${process.pid}-${++tables}`);
    await newReplayer().create(scope);
    proxy.follow(({ operation }) =>
      operation === "DescribeContinuousBackups"
        ? answer({
            ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "ENABLED" } },
          })
        : "pass",
    );
    const replayer = createDynamoDbReplayer({ endpoint: { url: proxy.endpoint }, credentials }, contextFor("put"));
    open.push(replayer);
    expect((await replayer.inspect(scope, none)).warnings).toEqual([
      "a replace makes the table anew and loses its point-in-time recovery",
    ]);
  });
});
