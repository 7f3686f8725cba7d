/** A job that was killed and is taken up by another process: every item is there once and counts as ours. */
import { describe, expect, it } from "vitest";

import type { ItemRecord } from "../../src/model/record.js";
import { WriteStopped } from "../../src/replayers/replayer.js";
import { attributeOf, dynamoDb, itemRecords, itemsOf, tableScope } from "../support/dynamodb-records.js";
import { settleTurns } from "../support/fake-replayer.js";
import { startScriptedProxy } from "../support/scripted-proxy.js";
import { dynamoDbBench } from "../support/servers/dynamodb-bench.js";

const bench = dynamoDbBench();

const AT = 1_700_000_000_000;
const announced = (records: readonly ItemRecord[]) =>
  records.map((record) => Object.assign(record, { announcedAt: AT }));

async function newTable() {
  const scope = tableScope(bench.uniqueName());
  await bench.replayerFor("put").create(scope);
  return scope;
}

const mine = '{"pk":{"S":"a"},"n":{"N":"1.0"}}';

describe("under skip-existing", () => {
  it("an item that the killed process put is restored, numbers written otherwise included", async () => {
    const scope = await newTable();
    await bench.replayerFor("put-if-absent").write(scope, itemRecords(scope, mine));
    const again = announced(itemRecords(scope, mine, '{"pk":{"S":"b"},"n":{"N":"2"}}'));
    const outcomes = await bench.replayerFor("put-if-absent").write(scope, again);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["restored", "restored"]);
    expect(await itemsOf(bench.endpoint, scope.target)).toHaveLength(2);
  });

  it("another item under the key stays, and is skipped", async () => {
    const scope = await newTable();
    const theirs = { TableName: scope.target, Item: { pk: { S: "a" }, n: { N: "7" } } };
    await dynamoDb(bench.endpoint, "PutItem", theirs);
    const outcomes = await bench.replayerFor("put-if-absent").write(scope, announced(itemRecords(scope, mine)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["skipped-existing"]);
    const [item] = await itemsOf(bench.endpoint, scope.target);
    expect(item === undefined ? undefined : attributeOf(item, "n")).toBe("7");
  });

  it("an equal item that was never announced is somebody else's", async () => {
    const scope = await newTable();
    await bench.replayerFor("put-if-absent").write(scope, itemRecords(scope, mine));
    const outcomes = await bench.replayerFor("put-if-absent").write(scope, itemRecords(scope, mine));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["skipped-existing"]);
  });
});

it("an outage in the middle of a batch tells which items are there", async () => {
  const scope = await newTable();
  const proxy = await startScriptedProxy(bench.endpoint);
  try {
    let batches = 0;
    proxy.follow(() => (batches++ < 1 ? "pass" : "cut"));
    const replayer = bench.replayerFor("put", { endpoint: proxy.endpoint, context: { maxRetryTimeMs: 200 } });
    const texts = Array.from({ length: 30 }, (_, i) => `{"pk":{"S":"${i}"}}`);
    const thrown: unknown = await replayer.write(scope, itemRecords(scope, ...texts)).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(WriteStopped);
    const { ends, cause } = thrown as WriteStopped;
    expect(cause).toMatchObject({ code: "OUTAGE" });
    expect(ends.map((end) => (typeof end === "object" ? end.kind : end))).toEqual([
      ...Array.from({ length: 25 }, () => "restored"),
      ...Array.from({ length: 5 }, () => "unknown"),
    ]);
  } finally {
    await proxy.stop();
  }
});

it("writes that are under way go on when the run is to stop, and new tables are not begun", async () => {
  const scope = await newTable();
  const [stop, giveUp] = [new AbortController(), new AbortController()];
  const context = { signal: stop.signal, writeSignal: giveUp.signal };
  const replayer = bench.replayerFor("put", { context });
  stop.abort();
  await settleTurns();
  expect(await replayer.write(scope, itemRecords(scope, mine))).toEqual([{ kind: "restored" }]);
  await expect(replayer.create(tableScope(bench.uniqueName()))).rejects.toMatchObject({ code: "INTERRUPTED" });
  giveUp.abort();
  await expect(replayer.write(scope, itemRecords(scope, mine))).rejects.toMatchObject({ code: "INTERRUPTED" });
});
