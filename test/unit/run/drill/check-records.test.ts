import { expect, it } from "vitest";
import type { Comparison } from "../../../../src/replayers/verifier.js";
import type { PlacedAssertion } from "../../../../src/run/drill/assertion-schema.js";
import { checkData } from "../../../../src/run/drill/check-records.js";
import type { Report } from "../../../../src/run/report.js";
import { FakeVerifier } from "../../../support/fake-verifier.js";
import { runInMemory } from "../../../support/prepared-run.js";
import { itemRecord, tableScope } from "../../../support/records.js";

const ASSERTION = { kind: "record", scope: "dynamodb:orders", key: "a", type: "item", line: 1, number: 1 };

/** What is found of the assertion where the target compares so. */
async function finding(comparison: Comparison): Promise<string | undefined> {
  const { run, replayers } = runInMemory({ scopes: [{ scope: tableScope(), records: [itemRecord("a")] }] });
  Object.assign(replayers.get("dynamodb") ?? {}, { verifier: new FakeVerifier({ compare: () => comparison }) });
  const connected = { ...run, found: run.scopes.map(({ scope }) => scope) };
  const found = await checkData([ASSERTION as PlacedAssertion], { scopes: [] } as unknown as Report, connected);
  expect([...found.keys()]).toEqual([1]);
  return found.get(1);
}

it("holds where the target has the record as the dump does", async () => {
  expect(await finding({ differences: [] })).toBeUndefined();
});

it.each([
  [{ differences: [{ kind: "value", detail: "another number" }] }, /does not hold it as the dump does: another number/],
  [{ differences: [], expired: true }, /its time is past/],
  [{ differences: [], unproven: ["no digest is told"] }, /is not known: no digest is told/],
] as const)("does not hold where the target answers %j", async (comparison, reason) => {
  expect(await finding(comparison as Comparison)).toMatch(reason);
});
