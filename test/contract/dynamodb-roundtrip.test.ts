/** Tables that nobody thought of: what was written compares as equal, is listed whole, and is foreseen to be there. */
import fc from "fast-check";
import { expect, it } from "vitest";

import type { ItemRecord } from "../../src/model/record.js";
import type { TableScope } from "../../src/model/scope.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import type { Comparing, Verifier } from "../../src/replayers/verifier.js";
import { systemClock } from "../../src/support/clock.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { tables } from "../support/random-dump/dynamodb.js";
import { readWhole, withBuilt } from "../support/read-dump.js";
import { dynamoDbBench } from "../support/servers/dynamodb-bench.js";

const bench = dynamoDbBench();
const EXACTLY: Comparing = { allowMore: false, toleranceMs: 0, download: false, messages: "no" };

it(
  "whatever a table holds is equal after it was written, and differs where one item is gone",
  async () => {
    const drawn = tables({ shape: "shipped", nowMs: systemClock.now(), isForElastickv: false });
    const property = fc.asyncProperty(drawn, async ({ files }) => {
      await withBuilt({ files }, async (path) => {
        const { scopes, records } = await readWhole(path);
        for (const scope of scopes) {
          if (scope.adapter !== "dynamodb") continue;
          const items = records.get(`dynamodb:${scope.name}`) ?? [];
          await proves(
            { ...scope, target: bench.uniqueName() },
            items.filter((record): record is ItemRecord => record.kind === "item"),
          );
        }
      });
    });
    await fc.assert(property, fuzz(1 / 20));
  },
  fuzzTimeout(60_000),
);

async function proves(scope: TableScope, items: readonly ItemRecord[]): Promise<void> {
  const replayer = bench.replayerFor("put-if-absent") as Required<Replayer<"dynamodb">>;
  const verifier = replayer.verifier as Required<Verifier<"dynamodb">>;
  await replayer.create(scope);
  expect(await replayer.foresee(scope, items, "keep")).toEqual(items.map(() => ({ kind: "restored" })));
  expect(await replayer.write(scope, items)).toEqual(items.map(() => ({ kind: "restored" })));

  expect(await verifier.settings(scope, EXACTLY)).toEqual({ exists: true, differences: [], unproven: [] });
  expect(await verifier.compare(scope, items, EXACTLY)).toEqual(items.map(() => ({ differences: [] })));
  const skipped = items.map(() => ({ kind: "skipped-existing", reason: "exists" }));
  expect(await replayer.foresee(scope, items, "keep")).toEqual(skipped);

  const keys = items.map((item) => verifier.keyOf(scope, item));
  expect(await listed(verifier, scope)).toEqual(keys.map(String).sort());
  await verifier.deleteKeys(scope, keys.slice(0, 1));
  const left = await verifier.compare(scope, items, EXACTLY);
  expect(left.map(({ differences: [first] }) => first?.kind)).toEqual(
    items.map((_, i) => (i === 0 ? "missing" : undefined)),
  );
  await replayer.remove(scope);
}

async function listed(verifier: Required<Verifier<"dynamodb">>, scope: TableScope): Promise<string[]> {
  const pages = verifier.held(scope);
  if (typeof pages === "string") throw new Error(pages);
  const keys: string[] = [];
  for await (const page of pages) keys.push(...page.map(({ key }) => key.toString()));
  return keys.sort();
}
