/** What a real server answers when a proxy in front of it throttles, leaves items undone and loses answers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/model/policy.js";
import type { TableScope } from "../../src/model/scope.js";
import { type Replayer, WriteStopped } from "../../src/replayers/replayer.js";
import { attributeOf, dynamoDb, itemRecords, itemsOf, keysOf, tableScope } from "../support/dynamodb-records.js";
import { fakeClock } from "../support/fake-clock.js";
import {
  type ProxiedRequest,
  type ScriptedProxy,
  startScriptedProxy,
  type Verdict,
} from "../support/scripted-proxy.js";
import { dynamoDbBench } from "../support/servers/dynamodb-bench.js";

const bench = dynamoDbBench();
let proxy: ScriptedProxy;

beforeAll(async () => {
  proxy = await startScriptedProxy(bench.endpoint);
});
afterAll(() => proxy?.stop());

function replayerFor(action: WriteAction, maxRetryTimeMs = 60_000): Replayer<"dynamodb"> {
  return bench.replayerFor(action, { endpoint: proxy.endpoint, context: { clock: fakeClock(), maxRetryTimeMs } });
}

async function newTable(): Promise<TableScope> {
  const scope = tableScope(bench.uniqueName());
  proxy.follow(() => "pass");
  await replayerFor("put").create(scope);
  return scope;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `{"pk":{"S":"${i}"},"n":{"N":"${i}"}}`);
}

function error(status: number, type: string, message = type): Verdict {
  return { status, body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }) };
}

/** The requests of a BatchWriteItem, without a parser in between. */
function putRequests(request: ProxiedRequest): {
  table: string;
  puts: { PutRequest: { Item: { n: { N: string } } } }[];
} {
  const [[table, puts] = ["", []]] = Object.entries(JSON.parse(request.body.toString()).RequestItems);
  return { table, puts: puts as never };
}

/** Writes the items before `kept` and says of the others that they were left undone. */
async function leaveUndone(request: ProxiedRequest, kept: number, rewritten = (n: string) => n): Promise<Verdict> {
  const { table, puts } = putRequests(request);
  const undone = puts.slice(kept);
  if (kept > 0) await dynamoDb(bench.endpoint, "BatchWriteItem", { RequestItems: { [table]: puts.slice(0, kept) } });
  for (const { PutRequest } of undone) PutRequest.Item.n.N = rewritten(PutRequest.Item.n.N);
  return { status: 200, body: JSON.stringify({ UnprocessedItems: undone.length === 0 ? {} : { [table]: undone } }) };
}

/** What ended a write of which some records are known all the same. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof WriteStopped ? thrown.cause : thrown;
}

const itemCounts = () =>
  proxy.requests.filter((r) => r.operation === "BatchWriteItem").map((r) => putRequests(r).puts.length);

describe("a batch of several requests", () => {
  /** Answers each request after a while; how many were there at once. */
  function mostUnderWay(): { readonly most: () => number } {
    let underWay = 0;
    let most = 0;
    proxy.follow(async (): Promise<Verdict> => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 100));
      underWay--;
      return "pass";
    });
    return { most: () => most };
  }

  it("has them under way at once", async () => {
    const scope = await newTable();
    const { most } = mostUnderWay();
    await replayerFor("put").write(scope, itemRecords(scope, ...numbered(90)));
    expect([itemCounts(), most()]).toEqual([[25, 25, 25, 15], 4]);
    expect(await keysOf(bench.endpoint, scope.target)).toHaveLength(90);
  });

  it("has them under way one after another where a key stands in it twice: the last one is there", async () => {
    const scope = await newTable();
    const { most } = mostUnderWay();
    const again = '{"pk":{"S":"0"},"n":{"N":"77"}}';
    await replayerFor("put").write(scope, itemRecords(scope, ...numbered(30), again));
    expect([itemCounts(), most()]).toEqual([[25, 6], 1]);
    const items = await itemsOf(bench.endpoint, scope.target);
    expect(items.flatMap((item) => (attributeOf(item, "pk") === "0" ? [attributeOf(item, "n")] : []))).toEqual(["77"]);
  });

  it("says of each record how it stands when one of them ends the run", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.before === 1 ? error(400, "AccessDeniedException", "not authorized to perform") : "pass",
    );
    const thrown = await replayerFor("put")
      .write(scope, itemRecords(scope, ...numbered(100)))
      .catch((each: unknown) => each);
    expect(thrown).toBeInstanceOf(WriteStopped);
    const { ends } = thrown as WriteStopped;
    expect(ends.slice(0, 25)).toEqual(numbered(25).map(() => ({ kind: "restored" })));
    expect(ends.slice(25, 50)).toEqual(numbered(25).map(() => "unknown"));
    const held = await keysOf(bench.endpoint, scope.target);
    expect(held).toHaveLength(ends.filter((end) => end !== "unknown").length);
  });
});

describe("unprocessed items", () => {
  it("are sent again, and only those", async () => {
    const scope = await newTable();
    proxy.follow((request) => (request.operation === "BatchWriteItem" ? leaveUndone(request, 10) : "pass"));
    const replayer = replayerFor("put");
    const outcomes = await replayer.write(scope, itemRecords(scope, ...numbered(25)));
    expect(outcomes).toEqual(numbered(25).map(() => ({ kind: "restored" })));
    expect(itemCounts()).toEqual([25, 15, 5]);
    expect(replayer.stats.throttled).toBe(2);
    expect(await keysOf(bench.endpoint, scope.target)).toHaveLength(25);
  });

  it("are known by their keys when the server writes numbers its own way", async () => {
    const scope = tableScope(bench.uniqueName(), { key: { hash: { name: "n", type: "N" } } });
    proxy.follow(() => "pass");
    await replayerFor("put").create(scope);
    proxy.follow((request) =>
      request.operation === "BatchWriteItem" ? leaveUndone(request, 2, (n) => `${n}.000`) : "pass",
    );
    await replayerFor("put").write(scope, itemRecords(scope, ...numbered(5)));
    expect(itemCounts()).toEqual([5, 3, 1]);
    expect((await itemsOf(bench.endpoint, scope.target)).length).toBe(5);
  });

  it("that cannot be told are all sent again", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.operation === "BatchWriteItem" && request.before === 0
        ? {
            status: 200,
            body: JSON.stringify({ UnprocessedItems: { [scope.target]: [{ PutRequest: { Item: {} } }] } }),
          }
        : "pass",
    );
    const outcomes = await replayerFor("put").write(scope, itemRecords(scope, ...numbered(4)));
    expect(outcomes).toEqual(numbered(4).map(() => ({ kind: "restored" })));
    expect(itemCounts()).toEqual([4, 4]);
  });

  it("that never move are put one by one, so that the one at fault is found", async () => {
    const scope = await newTable();
    proxy.follow(async (request) => {
      if (request.operation === "BatchWriteItem") return await leaveUndone(request, 0);
      const isBad = request.operation === "PutItem" && request.body.includes('"S":"2"');
      return isBad ? error(400, "ValidationException", "unsupported key attribute type") : "pass";
    });
    const outcomes = await replayerFor("put").write(scope, itemRecords(scope, ...numbered(5)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["restored", "restored", "rejected", "restored", "restored"]);
    expect(await keysOf(bench.endpoint, scope.target)).toEqual(["0", "1", "3", "4"]);
    expect(itemCounts().length).toBeLessThanOrEqual(5);
  });
});

describe("throttling", () => {
  it("is waited out", async () => {
    const scope = await newTable();
    proxy.follow((request) => (request.before < 3 ? error(400, "ProvisionedThroughputExceededException") : "pass"));
    const replayer = replayerFor("put");
    const outcomes = await replayer.write(scope, itemRecords(scope, ...numbered(5)));
    expect(outcomes).toEqual(numbered(5).map(() => ({ kind: "restored" })));
    expect(replayer.stats).toMatchObject({ requests: 4, retries: 3, throttled: 3 });
  });

  it("that never ends is an outage", async () => {
    const scope = await newTable();
    proxy.follow((request) => (request.operation === "DescribeTable" ? "pass" : error(400, "ThrottlingException")));
    const written = replayerFor("put", 1_000).write(scope, itemRecords(scope, ...numbered(3)));
    await expect(written).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it("of one item while others pass fails that item", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.body.includes('"S":"3"') && request.operation !== "DescribeTable"
        ? error(400, "ThrottlingException")
        : "pass",
    );
    const outcomes = await replayerFor("put-if-absent").write(scope, itemRecords(scope, ...numbered(25)));
    expect(outcomes.filter(({ kind }) => kind !== "restored")).toMatchObject([{ kind: "failed", reason: "throttled" }]);
  });
});

describe("a lost answer", () => {
  it("to a batch does no harm: puts are repeated", async () => {
    const scope = await newTable();
    proxy.follow((request) => (request.before === 0 ? "lose-answer" : "pass"));
    const outcomes = await replayerFor("put").write(scope, itemRecords(scope, ...numbered(5)));
    expect(outcomes).toEqual(numbered(5).map(() => ({ kind: "restored" })));
  });

  it("to a conditional put is restored when the item found is ours", async () => {
    const scope = await newTable();
    proxy.follow((request) => (request.operation === "PutItem" && request.before === 0 ? "lose-answer" : "pass"));
    const text =
      '{"pk":{"S":"a"},"n":{"N":"1.50"},"s":{"NS":["3","1.0"]},"b":{"BS":["AA==","/w=="]},"__proto__":{"S":"p"}}';
    expect(await replayerFor("put-if-absent").write(scope, itemRecords(scope, text))).toEqual([{ kind: "restored" }]);
    expect(proxy.requests.map(({ operation }) => operation)).toEqual(["PutItem", "PutItem", "GetItem"]);
  });

  it("to a conditional put is skipped-existing when another item stands there", async () => {
    const scope = await newTable();
    await replayerFor("put").write(scope, itemRecords(scope, '{"pk":{"S":"a"},"n":{"N":"2"}}'));
    proxy.follow((request) => (request.operation === "PutItem" && request.before === 0 ? "lose-answer" : "pass"));
    const outcomes = await replayerFor("put-if-absent").write(
      scope,
      itemRecords(scope, '{"pk":{"S":"a"},"n":{"N":"1"}}'),
    );
    expect(outcomes).toEqual([{ kind: "skipped-existing", reason: "exists" }]);
    const [item] = await itemsOf(bench.endpoint, scope.target);
    expect(attributeOf(item, "n")).toBe("2");
  });

  it("to a conditional put stays ambiguous when the item cannot be read back", async () => {
    const scope = await newTable();
    proxy.follow((request) => {
      if (request.operation === "GetItem") return error(400, "ValidationException");
      return request.operation === "PutItem" && request.before === 0 ? "lose-answer" : "pass";
    });
    const outcomes = await replayerFor("put-if-absent").write(scope, itemRecords(scope, '{"pk":{"S":"a"}}'));
    expect(outcomes).toMatchObject([{ kind: "ambiguous", reason: "reply-lost" }]);
  });

  it("is not suspected where the target only put the request off", async () => {
    const scope = await newTable();
    await replayerFor("put").write(scope, itemRecords(scope, '{"pk":{"S":"a"}}'));
    proxy.follow((request) => (request.before === 0 ? error(400, "ThrottlingException") : "pass"));
    const outcomes = await replayerFor("put-if-absent").write(scope, itemRecords(scope, '{"pk":{"S":"a"}}'));
    expect(outcomes).toEqual([{ kind: "skipped-existing", reason: "exists" }]);
  });
});

describe("requests", () => {
  it("stay below what the target takes, whatever a batch holds", async () => {
    const scope = await newTable();
    const texts = Array.from({ length: 60 }, (_, i) => `{"pk":{"S":"${i}"},"v":{"S":"${"x".repeat(90_000)}"}}`);
    const outcomes = await replayerFor("put").write(scope, itemRecords(scope, ...texts));
    expect(outcomes).toEqual(texts.map(() => ({ kind: "restored" })));
    expect(itemCounts().reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(Math.max(...proxy.requests.map(({ body }) => body.length))).toBeLessThanOrEqual(1024 * 1024);
  });

  it("leave out indentation when it alone makes an item too large", async () => {
    const scope = await newTable();
    const text = `{"pk":{"S":"a  b"},${" ".repeat(1_200_000)}"v":{"S":"x \\" y"}}`;
    expect(await replayerFor("put").write(scope, itemRecords(scope, text))).toEqual([{ kind: "restored" }]);
    const puts = proxy.requests.filter(({ operation }) => operation === "PutItem");
    expect(puts.map(({ body }) => body.length < 1000)).toEqual([true]);
    const [item] = await itemsOf(bench.endpoint, scope.target);
    expect([attributeOf(item, "pk"), attributeOf(item, "v")]).toEqual(["a  b", 'x " y']);
  });

  it("of an item that is too large for the target are not sent", async () => {
    const scope = await newTable();
    proxy.follow(() => "cut");
    const text = `{"pk":{"S":"a"},"v":{"S":"${"x".repeat(1024 * 1024)}"}}`;
    for (const action of ["put", "put-if-absent"] as const) {
      const outcomes = await replayerFor(action).write(scope, itemRecords(scope, text));
      expect(outcomes).toMatchObject([{ kind: "rejected", reason: "item-too-large" }]);
    }
    expect(proxy.requests).toEqual([]);
  });

  it("of conditional puts go side by side, no more than there are connections for", async () => {
    const scope = await newTable();
    const options = { endpoint: proxy.endpoint, target: { maxSockets: 6 }, context: { concurrency: 2 } };
    const replayer = bench.replayerFor("put-if-absent", options);
    let [underWay, most] = [0, 0];
    const waiting: (() => void)[] = [];
    proxy.follow(async (): Promise<Verdict> => {
      most = Math.max(most, ++underWay);
      // Nobody goes on before three are there: with fewer side by side the write would never end.
      if (underWay === 3) for (const goOn of waiting.splice(0)) goOn();
      else await new Promise<void>((resolve) => waiting.push(resolve));
      underWay--;
      return "pass" as const;
    });
    await replayer.write(scope, itemRecords(scope, ...numbered(12)));
    expect(most).toBe(3);
  });

  it("never hold one key in two spellings", async () => {
    const scope = tableScope(bench.uniqueName(), { key: { hash: { name: "pk", type: "N" } } });
    proxy.follow(() => "pass");
    await replayerFor("put").create(scope);
    proxy.follow(() => "pass");
    const texts = ["1", "2", "1.0"].map((n) => `{"pk":{"N":"${n}"},"n":{"N":"${n}"}}`);
    await replayerFor("put").write(scope, itemRecords(scope, ...texts));
    expect(proxy.requests.map(({ operation }) => operation)).toEqual(["BatchWriteItem", "PutItem"]);
  });
});

it("an empty set is not even sent: a server that takes it can be unable to give it back", async () => {
  const scope = await newTable();
  const bad = '{"pk":{"S":"bad"},"deep":{"M":{"x":{"L":[{"SS" : [ ]}]}}}}';
  const disguised = '{"pk":{"S":"bad"},"x":{"\\u004eS":[]}}';
  const good = '{"pk":{"S":"good"},"text":{"S":"\\"SS\\":[]"},"SS":{"L":[]}}';
  for (const action of ["put", "put-if-absent"] as const) {
    const outcomes = await replayerFor(action).write(scope, itemRecords(scope, bad, good, disguised));
    expect(outcomes[0]).toMatchObject({ kind: "rejected", reason: "empty-set" });
    expect(outcomes[2]).toMatchObject({ kind: "rejected", reason: "empty-set" });
  }
  expect(await keysOf(bench.endpoint, scope.target)).toEqual(["good"]);
  expect(proxy.requests.filter((request) => request.body.includes('"bad"'))).toEqual([]);
});

describe("a server that fails", () => {
  it("for one item alone fails that item", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.body.includes('"S":"3"') && request.operation !== "DescribeTable"
        ? error(500, "InternalServerError")
        : "pass",
    );
    const outcomes = await replayerFor("put").write(scope, itemRecords(scope, ...numbered(6)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(numbered(6).map((_, i) => (i === 3 ? "failed" : "restored")));
    expect(outcomes[3]).toMatchObject({ reason: "server-error" });
  });

  it.each(["put", "put-if-absent"] as const)("for every item is an outage, %s", async (action) => {
    const scope = await newTable();
    proxy.follow((request) => (request.operation === "DescribeTable" ? "pass" : error(500, "InternalServerError")));
    const written = replayerFor(action).write(scope, itemRecords(scope, ...numbered(6)));
    await expect(written).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it.each(["put", "put-if-absent"] as const)(
    "when others are still being written is an outage all the same, %s",
    async (action) => {
      const scope = await newTable();
      let failing: (() => void) | undefined;
      const others = new Promise<void>((resolve) => {
        failing = resolve;
      });
      // The first item is under way when the server begins to fail, and is written meanwhile.
      proxy.follow(async ({ operation, body, before }) => {
        if (operation === "DescribeTable") return "pass";
        if (operation === "PutItem" && body.includes('"S":"0"') && !body.includes(" AND ")) {
          await others;
          return "pass";
        }
        if (before > 0) failing?.();
        return error(500, "InternalServerError");
      });
      const replayer = replayerFor(action);
      const [first, second] = itemRecords(scope, ...numbered(2)).map((record) => replayer.write(scope, [record]));
      await expect(second).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
      expect(await first).toEqual([{ kind: "restored" }]);
    },
  );

  it("for the last item alone fails that item, and changes none to find that out", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.body.includes('"S":"5"') && request.operation !== "DescribeTable"
        ? error(500, "InternalServerError")
        : "pass",
    );
    for (const action of ["put", "put-if-absent"] as const) {
      const outcomes = await replayerFor(action).write(scope, itemRecords(scope, ...numbered(6)));
      expect(outcomes[5]).toMatchObject({ kind: "failed", reason: "server-error" });
    }
    expect(await keysOf(bench.endpoint, scope.target)).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("for good while an item fails on and on is an outage, even if others passed at first", async () => {
    const scope = await newTable();
    let passed = 0;
    proxy.follow(({ operation, body }) => {
      if (operation === "DescribeTable") return "pass";
      if (operation === "PutItem" && !body.includes('"S":"0"') && ++passed <= 3) return "pass";
      return error(500, "InternalServerError");
    });
    const written = replayerFor("put-if-absent").write(scope, itemRecords(scope, ...numbered(20)));
    await expect(written.catch(causeOf)).resolves.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });

  it("to answer at all is an outage", async () => {
    const scope = await newTable();
    proxy.follow(() => "cut");
    const written = replayerFor("put").write(scope, itemRecords(scope, ...numbered(6)));
    await expect(written).rejects.toMatchObject({ code: "OUTAGE", retry: "fatal" });
  });
});

describe("a table", () => {
  it("whose creation's answer was lost is created once", async () => {
    const scope = tableScope(bench.uniqueName());
    proxy.follow((request) => (request.operation === "CreateTable" && request.before === 0 ? "lose-answer" : "pass"));
    expect(await replayerFor("put").create(scope)).toEqual({ warnings: [] });
  });

  it("whose deletion's answer was lost is empty afterwards", async () => {
    const scope = await newTable();
    await replayerFor("put").write(scope, itemRecords(scope, ...numbered(3)));
    proxy.follow((request) => (request.operation === "DeleteTable" && request.before === 0 ? "lose-answer" : "pass"));
    await replayerFor("put").empty(scope);
    expect(await itemsOf(bench.endpoint, scope.target)).toEqual([]);
  });

  it("that is being deleted is waited for before it is made anew", async () => {
    const scope = await newTable();
    const deleting = JSON.stringify({ Table: { TableName: scope.target, TableStatus: "DELETING" } });
    proxy.follow((request) =>
      request.operation === "DescribeTable" && request.before >= 1 && request.before < 4
        ? { status: 200, body: deleting }
        : "pass",
    );
    await replayerFor("put").empty(scope);
    const operations = proxy.requests.map(({ operation }) => operation);
    expect(operations.indexOf("CreateTable")).toBeGreaterThan(operations.indexOf("DeleteTable") + 3);
  });

  it("is ready only when its indexes are", async () => {
    const scope = tableScope(bench.uniqueName());
    const table = (IndexStatus: string) => ({
      TableName: scope.target,
      TableStatus: "ACTIVE",
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      GlobalSecondaryIndexes: [{ IndexName: "i", IndexStatus }],
    });
    proxy.follow((request) => {
      if (request.operation !== "DescribeTable" || request.before < 2) return "pass";
      return { status: 200, body: JSON.stringify({ Table: table(request.before < 5 ? "CREATING" : "ACTIVE") }) };
    });
    await replayerFor("put").create(scope);
    expect(proxy.requests.filter(({ operation }) => operation === "DescribeTable")).toHaveLength(6);
  });

  it("that is described but takes no items yet is tried again", async () => {
    const scope = await newTable();
    proxy.follow((request) =>
      request.operation === "PutItem" && request.before === 0 ? error(400, "ResourceNotFoundException") : "pass",
    );
    expect(await replayerFor("put").write(scope, itemRecords(scope, '{"pk":{"S":"a"}}'))).toEqual([
      { kind: "restored" },
    ]);
  });

  it("that takes no writes is refused", async () => {
    const scope = await newTable();
    const broken = { TableName: scope.target, TableStatus: "INACCESSIBLE_ENCRYPTION_CREDENTIALS" };
    proxy.follow(() => ({ status: 200, body: JSON.stringify({ Table: broken }) }));
    async function* none() {}
    await expect(replayerFor("put").inspect(scope, none)).rejects.toMatchObject({ code: "TARGET_UNFIT" });
  });
});

describe("the probe", () => {
  it("keeps requests below 1 MiB where a larger one is refused", async () => {
    proxy.follow((request) => (request.body.length > 1024 * 1024 ? "cut" : "pass"));
    const capabilities = await replayerFor("put").probe();
    expect(capabilities.batch.bytes).toBeLessThan(1024 * 1024);
    expect(capabilities.fallbacks).toHaveLength(1);
  });

  it("refuses a server that is not DynamoDB", async () => {
    proxy.follow(() => ({ status: 200, body: '{"ok":true}' }));
    await expect(replayerFor("put").probe()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
  });

  it("takes credentials that may not list tables", async () => {
    proxy.follow(() => error(400, "AccessDeniedException"));
    expect(await replayerFor("put").probe()).toMatchObject({ server: "a DynamoDB server that gives no name" });
  });

  it("names refused credentials", async () => {
    proxy.follow(() => error(400, "UnrecognizedClientException"));
    await expect(replayerFor("put").probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });
});
