/** Comparing, listing, mending and deleting through a proxy that lacks, refuses, throttles, forgets and cuts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TableIndex, TableSchema, TableScope } from "../../src/model/scope.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import type { Comparing, HeldKey, Verifier } from "../../src/replayers/verifier.js";
import { dynamoDb, itemRecords, keysOf, tableScope } from "../support/dynamodb-records.js";
import { briskClock, fakeClock } from "../support/fake-clock.js";
import {
  type ProxiedRequest,
  type Script,
  type ScriptedProxy,
  startScriptedProxy,
  type Verdict,
} from "../support/scripted-proxy.js";
import { dynamoDbBench } from "../support/servers/dynamodb-bench.js";

const EXACTLY: Comparing = { allowMore: false, toleranceMs: 0, download: false, messages: "no" };

const bench = dynamoDbBench();
let proxy: ScriptedProxy;

beforeAll(async () => {
  proxy = await startScriptedProxy(bench.endpoint);
});
afterAll(() => proxy?.stop());

function replayer(clock = fakeClock()): Required<Replayer<"dynamodb">> {
  const context = { clock, maxRetryTimeMs: 60_000 };
  return bench.replayerFor("put-if-absent", { endpoint: proxy.endpoint, context }) as Required<Replayer<"dynamodb">>;
}

function verifier(clock = fakeClock()): Required<Verifier<"dynamodb">> {
  return replayer(clock).verifier as Required<Verifier<"dynamodb">>;
}

async function newTable(schema: Partial<TableSchema> = {}, ...items: readonly string[]): Promise<TableScope> {
  const scope = tableScope(bench.uniqueName(), schema);
  proxy.follow(() => "pass");
  await bench.replayerFor("put").create(scope);
  await bench.replayerFor("put").write(scope, itemRecords(scope, ...items));
  return scope;
}

const numbered = (count: number, v = "same") =>
  Array.from({ length: count }, (_, i) => `{"pk":{"S":"${i}"},"v":{"S":"${v}"}}`);

function refusal(type: string, message = type, status = 400): Verdict {
  return { status, body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }) };
}

/** What the comparison of each of these finds first. */
async function kinds(scope: TableScope, items: readonly string[], by = verifier()): Promise<string[]> {
  const comparisons = await by.compare(scope, itemRecords(scope, ...items), EXACTLY);
  return comparisons.map(({ differences: [first], unproven }) => unproven?.join() ?? first?.kind ?? "equal");
}

async function held(scope: TableScope): Promise<HeldKey[]> {
  const pages = verifier().held(scope);
  if (typeof pages === "string") throw new Error(pages);
  const keys: HeldKey[] = [];
  for await (const page of pages) keys.push(...page);
  return keys;
}

const operations = () => proxy.requests.map(({ operation }) => operation);

interface KeysAndAttributes {
  Keys: { pk: { S: string } }[];
}

/** The keys that a BatchGetItem asks for, without a parser in between. */
function keysIn(request: ProxiedRequest): { table: string; asked: KeysAndAttributes } {
  const [[table, asked] = ["", {}]] = Object.entries(JSON.parse(request.body.toString()).RequestItems);
  return { table, asked: asked as KeysAndAttributes };
}

/** Answers the first keys and leaves the others unprocessed. */
async function leaveUnprocessed(request: ProxiedRequest, answered: number, padding = 0): Promise<Verdict> {
  const { table, asked } = keysIn(request);
  const [now, later] = [asked.Keys.slice(0, answered), asked.Keys.slice(answered)];
  const items: object[] = [];
  for (const Key of now) {
    const answer = await fetchItem(table, Key);
    if (answer !== undefined) items.push(answer);
  }
  const unprocessed = later.length === 0 ? {} : { [table]: { ...asked, Keys: later } };
  const body = JSON.stringify({ Responses: { [table]: items }, UnprocessedKeys: unprocessed });
  return { status: 200, body: `${body}${" ".repeat(padding)}` };
}

async function fetchItem(table: string, key: object): Promise<object | undefined> {
  const answer = await dynamoDb(bench.endpoint, "GetItem", { TableName: table, Key: key });
  const item = answer.get("Item");
  if (!(item instanceof Map)) return undefined;
  return Object.fromEntries([...item].map(([name, value]) => [name, Object.fromEntries(value as Map<string, string>)]));
}

describe("a target without BatchGetItem", () => {
  it.each([
    ["does not know it", refusal("ValidationException", "unsupported operation")],
    ["has no such operation", refusal("UnknownOperationException")],
    ["does not allow it", refusal("AccessDeniedException", "not authorized")],
  ])("that %s is asked for each item, and never for a batch again", async (_what, verdict) => {
    const scope = await newTable({}, ...numbered(6).slice(1));
    proxy.follow(({ operation }) => (operation === "BatchGetItem" ? verdict : "pass"));
    const by = verifier();
    for (const _ of [1, 2]) {
      const found = await kinds(scope, ['{"pk":{"S":"1"},"v":{"S":"other"}}', ...numbered(6)], by);
      expect(found).toEqual(["value", "missing", "equal", "equal", "equal", "equal", "equal"]);
    }
    expect(operations().filter((name) => name === "BatchGetItem")).toHaveLength(1);
    expect(operations().filter((name) => name === "GetItem")).toHaveLength(12);
  });

  it("that refuses one of a batch only is asked for a batch again", async () => {
    const scope = await newTable({}, ...numbered(3));
    proxy.follow(() => "pass");
    const by = verifier();
    const refused = [...numbered(3), '{"pk":{"S":""}}'];
    for (const _ of [1, 2]) {
      expect(await kinds(scope, refused, by)).toEqual(["equal", "equal", "equal", "missing"]);
    }
    expect(operations().filter((name) => name === "BatchGetItem")).toHaveLength(2);
  });
});

it("a table that has another key, or that is gone, is asked once for a batch", async () => {
  const other = await newTable({ key: { hash: { name: "id", type: "S" } } });
  for (const scope of [tableScope(other.name), tableScope(bench.uniqueName())]) {
    proxy.follow(() => "pass");
    expect(await kinds(scope, numbered(3))).toEqual(["missing", "missing", "missing"]);
    expect(operations()).toEqual(["BatchGetItem"]);
  }
});

describe("unprocessed keys", () => {
  it("are asked for again after a pause, and only those", async () => {
    const scope = await newTable({}, ...numbered(25).slice(1));
    proxy.follow((request) => (request.operation === "BatchGetItem" ? leaveUnprocessed(request, 10) : "pass"));
    const by = replayer();
    const found = await kinds(scope, numbered(25), by.verifier as Required<Verifier<"dynamodb">>);
    expect(found).toEqual(numbered(25).map((_, i) => (i === 0 ? "missing" : "equal")));
    expect(proxy.requests.map((request) => keysIn(request).asked.Keys.length)).toEqual([25, 15, 5]);
    expect(by.stats.throttled).toBe(2);
  });

  it("are asked for at once where an answer was as large as answers get", async () => {
    const scope = await newTable({}, ...numbered(5));
    proxy.follow((request) =>
      request.operation === "BatchGetItem" ? leaveUnprocessed(request, 2, 1_000_000) : "pass",
    );
    const by = replayer();
    const found = await kinds(scope, numbered(5), by.verifier as Required<Verifier<"dynamodb">>);
    expect(found).toEqual(numbered(5).map(() => "equal"));
    expect(by.stats).toMatchObject({ requests: 3, throttled: 0, retries: 0 });
  });

  it("that stay so are asked for one by one", async () => {
    const scope = await newTable({}, ...numbered(4).slice(1));
    proxy.follow((request) => (request.operation === "BatchGetItem" ? leaveUnprocessed(request, 0) : "pass"));
    expect(await kinds(scope, numbered(4))).toEqual(["missing", "equal", "equal", "equal"]);
    expect(operations().filter((name) => name === "GetItem")).toHaveLength(4);
  });

  it("that cannot be told are all those that were not answered", async () => {
    const scope = await newTable({}, ...numbered(4));
    proxy.follow(async (request) => {
      if (request.before > 0) return "pass";
      const answer = await leaveUnprocessed(request, 2);
      if (typeof answer === "string") return answer;
      return { ...answer, body: answer.body.replace(/"Keys":\[.*\]/, '"Keys":[{"other":{"S":"a"}}]') };
    });
    expect(await kinds(scope, numbered(4))).toEqual(["equal", "equal", "equal", "equal"]);
    expect(proxy.requests.map((request) => keysIn(request).asked.Keys.length)).toEqual([4, 2]);
  });
});

describe("an answer", () => {
  it("that is lost is asked for again", async () => {
    const scope = await newTable({}, ...numbered(3));
    proxy.follow(({ before }) => (before === 0 ? "lose-answer" : "pass"));
    expect(await kinds(scope, numbered(3))).toEqual(["equal", "equal", "equal"]);
    expect((await held(scope)).length).toBe(3);
  });

  it.each([
    ["nothing at all", ""],
    ["no object", "[]"],
    ["a name twice", '{"Item":{"pk":{"S":"1"},"pk":{"S":"1"}}}'],
  ])("of %s to the read of an item leaves that item unproven", async (_what, body) => {
    const scope = await newTable({}, ...numbered(3));
    proxy.follow((request) => {
      if (request.operation === "BatchGetItem") return refusal("ValidationException", "unsupported operation");
      return request.body.includes('{"S":"1"}') ? { status: 200, body } : "pass";
    });
    const [first, second, third] = await kinds(scope, numbered(3));
    expect([first, third]).toEqual(["equal", "equal"]);
    expect(second).toMatch(/^the item cannot be read: the answer to GetItem/);
  });

  it("with an item that nobody asked for does not stand for one that was", async () => {
    const scope = await newTable({}, ...numbered(2));
    proxy.follow(({ operation }) => {
      const body = JSON.stringify({ Responses: { [scope.target]: [{ other: { S: "1" } }] } });
      return operation === "BatchGetItem" ? { status: 200, body } : "pass";
    });
    expect(await kinds(scope, numbered(2))).toEqual(["equal", "equal"]);
  });

  it("that fails for one item alone leaves that item unproven", async () => {
    const scope = await newTable({}, ...numbered(9));
    proxy.follow((request) =>
      request.body.includes('"S":"3"') ? refusal("InternalServerError", "broken", 500) : "pass",
    );
    const found = await kinds(scope, numbered(9));
    expect(found.filter((kind) => kind === "equal")).toHaveLength(8);
    expect(found[3]).toMatch(/^the item cannot be read: .*broken/);
  });

  it("that fails for every item ends the comparison, even if it passed at first", async () => {
    const scope = await newTable({}, ...numbered(9));
    let passed = 0;
    proxy.follow(({ operation, body }) =>
      operation === "GetItem" && !body.includes('"S":"0"') && ++passed <= 3
        ? "pass"
        : refusal("InternalServerError", "broken", 500),
    );
    await expect(kinds(scope, numbered(9))).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it("that never comes ends the comparison", async () => {
    const scope = await newTable({}, ...numbered(2));
    proxy.follow(() => "cut");
    await expect(kinds(scope, numbered(2))).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });
});

describe("a listing", () => {
  it("that begins a page again ends, instead of going on for ever", async () => {
    const scope = await newTable({}, ...numbered(3));
    const page = { Items: [{ pk: { S: "1" } }], LastEvaluatedKey: { pk: { S: "1" } } };
    proxy.follow(({ operation }) => (operation === "Scan" ? { status: 200, body: JSON.stringify(page) } : "pass"));
    await expect(held(scope)).rejects.toMatchObject({ code: "CALL_FAILED", reason: "unexpected-answer" });
  });

  it("goes on behind an empty page", async () => {
    const scope = await newTable({}, ...numbered(3));
    const empty = { Items: [], LastEvaluatedKey: { pk: { S: "none" } } };
    proxy.follow(({ operation, before, body }) => {
      if (operation !== "Scan") return "pass";
      if (before === 0) return { status: 200, body: JSON.stringify(empty) };
      expect(JSON.parse(body.toString())).toMatchObject({ ExclusiveStartKey: { pk: { S: "none" } } });
      return { status: 200, body: JSON.stringify({ Items: [{ pk: { S: "1" } }] }) };
    });
    expect((await held(scope)).map(({ displayKey }) => displayKey)).toEqual(["1"]);
  });

  it("asks for the key's attributes only", async () => {
    const scope = await newTable({}, ...numbered(3));
    proxy.follow(() => "pass");
    await held(scope);
    const [scan] = proxy.requests.filter(({ operation }) => operation === "Scan");
    expect(JSON.parse(scan?.body.toString() ?? "")).toMatchObject({
      ConsistentRead: true,
      ProjectionExpression: "#k0",
      ExpressionAttributeNames: { "#k0": "pk" },
    });
  });
});

describe("deletions", () => {
  it("that were left undone are sent again, and only those", async () => {
    const scope = await newTable({}, ...numbered(25));
    const counts: number[] = [];
    const script: Script = async ({ operation, body }) => {
      if (operation !== "BatchWriteItem") return "pass";
      const { [scope.target]: deletes } = JSON.parse(body.toString()).RequestItems;
      counts.push(deletes.length);
      const [now, later] = [deletes.slice(0, 10), deletes.slice(10)];
      await dynamoDb(bench.endpoint, "BatchWriteItem", { RequestItems: { [scope.target]: now } });
      return { status: 200, body: JSON.stringify({ UnprocessedItems: later.length ? { [scope.target]: later } : {} }) };
    };
    const keys = (await held(scope)).map(({ key }) => key);
    proxy.follow(script);
    await verifier().deleteKeys(scope, keys);
    expect(counts).toEqual([25, 15, 5]);
    expect(await keysOf(bench.endpoint, scope.target)).toEqual([]);
  });

  it("whose answers are lost are repeated, and a table that is gone needs none", async () => {
    const scope = await newTable({}, ...numbered(3));
    const keys = (await held(scope)).map(({ key }) => key);
    proxy.follow(({ before }) => (before === 0 ? "lose-answer" : "pass"));
    await verifier().deleteKeys(scope, keys);
    expect(await keysOf(bench.endpoint, scope.target)).toEqual([]);
    await verifier().deleteKeys(tableScope(bench.uniqueName()), keys);
  });
});

describe("mending", () => {
  const byG: TableIndex = { name: "by_g", key: { hash: { name: "g", type: "S" } }, projection: { type: "ALL" } };

  it("that loses an answer finds the index made", async () => {
    const scope = await newTable();
    proxy.follow(({ operation, before }) => (operation === "UpdateTable" && before === 0 ? "lose-answer" : "pass"));
    const own = tableScope(scope.name, { globalIndexes: [byG] });
    expect(await verifier(briskClock()).mend(own)).toEqual([]);
    expect((await verifier().settings(own, EXACTLY)).differences).toEqual([]);
  });

  it("that loses answers makes an index anew that differs", async () => {
    const now: TableIndex = { ...byG, projection: { type: "KEYS_ONLY" } };
    const scope = await newTable({ globalIndexes: [now] });
    proxy.follow(({ operation, before }) => (operation === "UpdateTable" && before % 2 === 0 ? "lose-answer" : "pass"));
    const own = tableScope(scope.name, { globalIndexes: [byG] });
    expect(await verifier(briskClock()).mend(own)).toEqual([]);
    expect((await verifier().settings(own, EXACTLY)).differences).toEqual([]);
    expect(operations().filter((name) => name === "UpdateTable")).toHaveLength(4);
  });

  it("that only deletes an index says so", async () => {
    const now: TableIndex = { ...byG, projection: { type: "KEYS_ONLY" } };
    const scope = await newTable({ globalIndexes: [now] });
    const own = tableScope(scope.name, { globalIndexes: [byG] });
    proxy.follow(({ operation, before }) =>
      operation === "UpdateTable" && before === 1 ? refusal("ValidationException", "no more") : "pass",
    );
    expect(await verifier(briskClock()).mend(own)).toEqual([
      expect.stringMatching(/KEYS_ONLY.*: it was deleted to be made anew, and then: .*no more/),
    ]);
    proxy.follow(({ operation }) => (operation === "UpdateTable" ? refusal("AccessDeniedException", "no") : "pass"));
    expect(await verifier(briskClock()).mend(own)).toEqual([
      expect.stringMatching(/^the global index "by_g" is missing: the credentials may not change a table/),
    ]);
    proxy.follow(() => "pass");
    expect(await verifier(briskClock()).mend(own)).toEqual([]);
  });

  it("that the target does not know is told, and the next index is tried all the same", async () => {
    const scope = await newTable();
    const own = tableScope(scope.name, { globalIndexes: [byG, { ...byG, name: "by_too" }] });
    proxy.follow(({ operation, before }) =>
      operation === "UpdateTable" && before === 0 ? refusal("ValidationException", "unsupported operation") : "pass",
    );
    expect(await verifier(briskClock()).mend(own)).toEqual([
      expect.stringMatching(/^the global index "by_g" is missing: the target cannot change the indexes/),
    ]);
    const left = (await verifier().settings(own, EXACTLY)).differences.map(({ at }) => at);
    expect(left).toEqual(["global index by_g"]);
  });

  it("waits until the index answers, and tells one that does not in time", async () => {
    const scope = await newTable();
    const own = tableScope(scope.name, { globalIndexes: [byG] });
    const described = (status: string) => ({
      TableName: scope.target,
      TableStatus: "ACTIVE",
      AttributeDefinitions: ["pk", "g"].map((name) => ({ AttributeName: name, AttributeType: "S" })),
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by_g",
          IndexStatus: status,
          KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    });
    let state: string | undefined;
    proxy.follow(({ operation }) => {
      if (operation === "UpdateTable") state = "CREATING";
      else if (operation === "DescribeTable" && state !== undefined) {
        return { status: 200, body: JSON.stringify({ Table: described(state) }) };
      }
      return operation === "UpdateTable" ? { status: 200, body: "{}" } : "pass";
    });
    expect(await verifier().mend(own)).toEqual([
      expect.stringMatching(/^the global index "by_g" is missing: it is under way, and was not done in time$/),
    ]);
    expect(await verifier().settings(own, EXACTLY)).toEqual({
      exists: true,
      differences: [],
      unproven: ["the global index by_g is still being built: whether it finds all items is not known"],
    });
    state = "DELETING";
    expect((await verifier().settings(own, EXACTLY)).differences.map(({ at }) => at)).toEqual(["global index by_g"]);
  });
});

describe("what emptying takes away", () => {
  it("is asked of every operation that tells of it", async () => {
    const scope = await newTable();
    const answers: Readonly<Record<string, object>> = {
      DescribeContinuousBackups: {
        ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "ENABLED" } },
      },
      DescribeKinesisStreamingDestination: { KinesisDataStreamDestinations: [{ DestinationStatus: "ACTIVE" }] },
      ListTagsOfResource: { Tags: [{ Key: "team", Value: "shop" }] },
      GetResourcePolicy: { Policy: "{}" },
    };
    proxy.follow(({ operation }) => {
      const answer = answers[operation];
      return answer === undefined ? "pass" : { status: 200, body: JSON.stringify(answer) };
    });
    expect(await replayer().losses(scope)).toEqual([
      "its point-in-time recovery",
      "its stream to Kinesis",
      "its tags",
      "its resource policy",
    ]);
  });

  it("is nothing where nobody tells", async () => {
    const scope = await newTable();
    proxy.follow(({ operation }) =>
      operation === "DescribeTable" ? "pass" : refusal("AccessDeniedException", "not authorized"),
    );
    expect(await replayer().losses(scope)).toEqual([]);
  });
});

describe("foreseeing", () => {
  it("asks for keys alone, a hundred at once", async () => {
    const scope = await newTable({}, ...numbered(30));
    proxy.follow(() => "pass");
    const outcomes = await replayer().foresee(scope, itemRecords(scope, ...numbered(150, "other")), "keep");
    expect(outcomes.filter(({ kind }) => kind === "skipped-existing")).toHaveLength(30);
    expect(proxy.requests.map((request) => keysIn(request).asked)).toEqual([
      expect.objectContaining({ ConsistentRead: true, ProjectionExpression: "#k0" }),
      expect.objectContaining({ ConsistentRead: true, ProjectionExpression: "#k0" }),
    ]);
    expect(proxy.requests.map((request) => keysIn(request).asked.Keys.length)).toEqual([100, 50]);
  });

  it("says of an item that cannot be read that it fails", async () => {
    const scope = await newTable({}, ...numbered(2));
    proxy.follow((request) => (request.body.includes('"S":"1"') ? { status: 200, body: "" } : "pass"));
    const outcomes = await replayer().foresee(scope, itemRecords(scope, ...numbered(2)), "keep");
    expect(outcomes).toMatchObject([{ kind: "skipped-existing" }, { kind: "failed", reason: "unexpected-answer" }]);
  });
});
