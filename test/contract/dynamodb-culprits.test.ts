/** Batches in which any number of items at any places are at fault: each is found, and every other one is written. */
import fc from "fast-check";
import { expect, it } from "vitest";

import { attributeOf, dynamoDb, itemRecords, tableScope } from "../support/dynamodb-records.js";
import { dynamoDbBench } from "../support/servers/dynamodb-bench.js";

const bench = dynamoDbBench();

/** Of a key; well formed, refused by the server and, the first one apart, by nobody before it. */
const CULPRITS: readonly (readonly [reason: string, attributes: string])[] = [
  ["empty-set", '"set":{"SS":[]}'],
  ["number-out-of-range", `"n":{"N":"${"1".repeat(39)}"}`],
  ["invalid-number", '"n":{"N":"none"}'],
  ["duplicate-in-set", '"set":{"SS":["a","a"]}'],
  ["item-too-large", `"v":{"S":"${"x".repeat(410_000)}"}`],
];
const SOUND = ['"v":{"S":""}', `"v":{"S":"${"x".repeat(300_000)}"}`, '"n":{"N":"1.50"}'];

/** A number in other words. */
const SPELLINGS: readonly ((n: number) => string)[] = [String, (n) => `${n}.0`, (n) => `${n}e0`, (n) => `${n * 10}e-1`];

interface Drawn {
  readonly reason: string | undefined;
  readonly attributes: string;
  readonly spelling: (n: number) => string;
  /** The key of the item before it, in another spelling perhaps. */
  readonly again: boolean;
}

const culprit = fc.constantFrom(...CULPRITS).map(([reason, attributes]) => ({ reason, attributes }));
const sound = fc
  .constantFrom(0, 0, 0, 0, 0, 1, 2, 2)
  .map((which) => ({ reason: undefined, attributes: SOUND[which] ?? "" }));
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    what: fc.oneof({ weight: 1, arbitrary: culprit }, { weight: 9, arbitrary: sound }),
    spelling: fc.constantFrom(...SPELLINGS),
    again: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  .map(({ what, spelling, again }) => ({ ...what, spelling, again }));

/** Keys with the number of the last sound item under each, read page by page. */
async function held(table: string): Promise<Map<unknown, unknown>> {
  const found = new Map<unknown, unknown>();
  let start: unknown;
  do {
    const answer = await dynamoDb(bench.endpoint, "Scan", {
      TableName: table,
      ConsistentRead: true,
      ProjectionExpression: "pk, i",
      ...(start instanceof Map ? { ExclusiveStartKey: { pk: { N: attributeOf(start as never, "pk") } } } : {}),
    });
    for (const item of answer.get("Items") as Map<string, never>[]) {
      found.set(Number(attributeOf(item, "pk")), Number(attributeOf(item, "i")));
    }
    start = answer.get("LastEvaluatedKey");
  } while (start !== undefined);
  return found;
}

it("each of hundreds of items ends as it would alone, and a key met twice holds its last sound item", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(drawn, { minLength: 150, maxLength: 300 }), async (all) => {
      const scope = tableScope(bench.uniqueName(), { key: { hash: { name: "pk", type: "N" } } });
      const replayer = bench.replayerFor("put");
      await replayer.create(scope);
      const expected = new Map<unknown, unknown>();
      let key = 0;
      const texts = all.map(({ reason, attributes, spelling, again }, i) => {
        if (!again) key++;
        if (reason === undefined) expected.set(key, i);
        return `{"pk":{"N":"${spelling(key)}"},"i":{"N":"${i}"},${attributes}}`;
      });
      const outcomes = await replayer.write(scope, itemRecords(scope, ...texts));
      expect(outcomes.map((outcome) => ("reason" in outcome ? outcome.reason : undefined))).toEqual(
        all.map(({ reason }) => reason),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        all.map(({ reason }) => (reason === undefined ? "restored" : "rejected")),
      );
      expect(await held(scope.target)).toEqual(expected);
    }),
    // Fewer items would be hundreds of tables later.
    { numRuns: 4, endOnFailure: true },
  );
}, 120_000);
