/** What is foreseen of a write is what the write then answers; and what a table loses, and how one is removed. */
import { describe, expect, it } from "vitest";
import type { WriteAction } from "../../../src/model/policy.js";
import type { TableScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import { dynamoDb, itemRecords, itemsOf, keysOf, tableScope } from "../../support/dynamodb-records.js";
import type { ContractServer } from "../../support/servers/contract-server.js";
import { dynamoDbBench } from "../../support/servers/dynamodb-bench.js";

type Takeover = "create" | "empty" | "keep";

const ACTIONS = ["put", "overwrite", "put-if-absent"] as const;
const CASES = ACTIONS.flatMap((action) => (["create", "empty", "keep"] as const).map((takeover) => [action, takeover]));

export function dynamoDbForesee(server: ContractServer): void {
  const bench = dynamoDbBench(server);

  function replayerFor(action: WriteAction): Required<Replayer<"dynamodb">> {
    return bench.replayerFor(action) as Required<Replayer<"dynamodb">>;
  }

  const item = (n: number | string, v: string) => `{"pk":{"N":"${n}"},"v":{"S":"${v}"}}`;

  /** Half of the numbered items, every fourth as the dump has it, and one that the dump lacks. */
  async function overlapping(scope: TableScope): Promise<void> {
    const replayer = replayerFor("put");
    await replayer.create(scope);
    const there = Array.from({ length: 60 }, (_, i) => (i % 4 === 0 ? item(i, "ours") : item(`${i}.0`, "theirs")));
    const half = [...there.filter((_, i) => i % 2 === 0), item(-1, "theirs")];
    for (let at = 0; at < half.length; at += 20) {
      await replayer.write(scope, itemRecords(scope, ...half.slice(at, at + 20)));
    }
  }

  const NUMBERED = Array.from({ length: 60 }, (_, i) => item(i, "ours"));
  /** What is decided before anything is sent, beside a record that only looks so. */
  const ODD = [
    '{"pk":{"N":"100"},"v":{"NS":[]}}',
    `{"pk":{"N":"101"},"v":{"S":"${"x".repeat(1024 * 1024)}"}}`,
    `{"pk":{"N":"102"},${" ".repeat(1_200_000)}"v":{"S":"x"}}`,
    '{"pk":{"N":"4"},"v":{"BS":[]}}',
    item("103", "first"),
    item("103.0", "second"),
    item("6e0", "again"),
  ];

  async function prepared(takeover: Takeover): Promise<TableScope> {
    const scope = tableScope(bench.uniqueName(), { key: { hash: { name: "pk", type: "N" } } });
    if (takeover !== "create") await overlapping(scope);
    return scope;
  }

  it.each(CASES as [WriteAction, Takeover][])(
    "%s into what is to be %sd: written as foreseen",
    async (action, takeover) => {
      const scope = await prepared(takeover);
      const before = takeover === "create" ? [] : await itemsOf(bench.endpoint, scope.target);
      const replayer = replayerFor(action);
      const records = itemRecords(scope, ...NUMBERED, ...ODD);
      const foreseen = await replayer.foresee(scope, records, takeover);
      if (takeover === "create") await replayer.create(scope);
      else expect(await itemsOf(bench.endpoint, scope.target)).toEqual(before);
      if (takeover === "empty") await replayer.empty(scope);
      expect(await replayer.write(scope, records)).toEqual(foreseen);
      const skipped = foreseen.filter(({ kind }) => kind === "skipped-existing").length;
      const rejected = foreseen.filter(({ kind }) => kind === "rejected").length;
      expect({ skipped, rejected }).toEqual({
        skipped: action !== "put-if-absent" ? 0 : takeover === "keep" ? 30 + 2 : 2,
        rejected: 3,
      });
    },
  );

  it("foresees under which keys no item can stand", async () => {
    const scope = tableScope(bench.uniqueName());
    const replayer = replayerFor("put-if-absent");
    await replayer.create(scope);
    const texts = ['{"pk":{"S":""}}', '{"pk":{"S":"a"}}', `{"pk":{"S":"${"k".repeat(2049)}"}}`];
    const foreseen = await replayer.foresee(scope, itemRecords(scope, ...texts), "keep");
    const written = await replayer.write(scope, itemRecords(scope, ...texts));
    const plain = (outcomes: typeof written) => outcomes.map(({ kind, reason }) => `${kind} ${reason}`);
    expect(plain(foreseen)).toEqual(plain(written));
  });

  it("foresees that nothing can be written into a table that is gone", async () => {
    const scope = tableScope(bench.uniqueName());
    const records = itemRecords(scope, '{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}');
    const replayer = replayerFor("put-if-absent");
    const foreseen = await replayer.foresee(scope, records, "keep");
    expect(foreseen.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
      "failed table-not-found",
      "failed table-not-found",
    ]);
  });

  describe("what emptying a table takes away", () => {
    it("is nothing of a plain table, and nothing where there is none", async () => {
      const scope = tableScope(bench.uniqueName());
      expect(await replayerFor("put").losses(scope)).toEqual([]);
      await replayerFor("put").create(scope);
      expect(await replayerFor("put").losses(scope)).toEqual([]);
    });

    it("is every setting of the table that its dump does not bring back", async () => {
      const name = bench.uniqueName();
      const index = {
        IndexName: "by_g",
        KeySchema: [{ AttributeName: "g", KeyType: "HASH" }],
        Projection: { ProjectionType: "ALL" },
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
      };
      await dynamoDb(bench.endpoint, "CreateTable", {
        TableName: name,
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "g", AttributeType: "S" },
        ],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
        ProvisionedThroughput: { ReadCapacityUnits: 7, WriteCapacityUnits: 3 },
        GlobalSecondaryIndexes: [index],
        DeletionProtectionEnabled: true,
        StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
      });
      const ttl = { TableName: name, TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true } };
      await dynamoDb(bench.endpoint, "UpdateTimeToLive", ttl);
      expect(await replayerFor("put").losses(tableScope(name))).toEqual([
        "its stream",
        "its time to live setting",
        "its protection against deletion",
        "its global index by_g",
        "its provisioned throughput (7 reads and 3 writes a second)",
      ]);
    });
  });

  describe("removing a table", () => {
    it("takes it away with its items, as often as is asked, and no other", async () => {
      const [scope, other] = [tableScope(bench.uniqueName()), tableScope(bench.uniqueName())];
      const replayer = replayerFor("put");
      for (const each of [scope, other]) {
        await replayer.create(each);
        await replayer.write(each, itemRecords(each, '{"pk":{"S":"a"}}'));
      }
      for (const _ of [1, 2]) await replayer.remove(scope);
      expect(await replayer.inspect(scope, async function* () {})).toMatchObject({ presence: "absent" });
      expect(await keysOf(bench.endpoint, other.target)).toEqual(["a"]);
    });

    it("refuses what is no table's name here", async () => {
      const arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders";
      await expect(replayerFor("put").remove(tableScope(arn))).rejects.toMatchObject({
        code: "TARGET_SCOPE_IMPOSSIBLE",
      });
    });
  });
}
