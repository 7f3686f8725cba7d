/**
 * A plan's numbers are those of the report of the restore that follows: over all four adapters, for every mode and
 * strategy, on targets that hold a bit of everything already. The whole matrix is in `test/long/plan-matrix.test.ts`.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Plan } from "../../src/run/plan/plan-schema.js";
import { s3Object, tableSchema, temporaryDump } from "../support/dump-builder.js";
import { dynamoDb } from "../support/dynamodb-records.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { freshDump } from "../support/fresh-dump.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { PlanProof, printed, VARIANTS } from "../support/plan-proof.js";
import { randomDump } from "../support/random-dump/dump.js";
import { runCli } from "../support/run-cli.js";
import { TargetState } from "../support/target-state.js";

let servers: FourServers;
let proof: PlanProof;
let target: TargetState;

beforeAll(async () => {
  servers = await startFourServers();
  proof = new PlanProof(servers);
  target = new TargetState(servers);
}, 600_000);
afterAll(async () => {
  target?.close();
  await servers?.stop();
});

describe("a plan's numbers are the report's", () => {
  /** Every other one; all of them are in the long test. */
  const some = VARIANTS.filter((_, i) => i % 2 === 1);

  it.each(some.map((variant) => [variant.join(" "), variant] as const))(
    "%s",
    async (_name, variant) => {
      const property = fc.asyncProperty(randomDump(Date.now()), fc.integer(), async (source, seed) => {
        const dump = await temporaryDump(source.description);
        // To make a dump smaller would take minutes: it is kept instead, and named.
        await proof.holds(dump.path, variant, seed);
        await dump.remove();
      });
      await fc.assert(property, { ...fuzz(1 / 300), endOnFailure: true });
    },
    fuzzTimeout(120_000),
  );

  it.each(["merge", "skip-existing"])(
    "of a dump with every kind of record too: --mode %s",
    async (mode) => {
      const dump = await freshDump("gallery");
      await proof.holds(dump.path, ["--mode", mode], 1);
      await dump.remove();
    },
    240_000,
  );
});

describe("what a replace deletes", () => {
  it("is counted, and what it loses beside records is named: in the plan, and before anybody is asked", async () => {
    const { endpoint } = servers.dynamodb;
    await target.createTable("losing");
    await target.putItem("losing", { pk: { S: "stranger" } });
    await dynamoDb(endpoint, "UpdateTimeToLive", {
      TableName: "losing",
      TimeToLiveSpecification: { Enabled: true, AttributeName: "gone" },
    });
    const dump = await temporaryDump({
      files: {
        "dynamodb/losing/_schema.json": tableSchema("losing", { name: "pk", type: "S" }),
        "dynamodb/losing/items/a.json": { pk: { S: "a" } },
      },
    });
    const argv = [dump.path, ...servers.options, "--mode", "replace"];
    const plan = await printed<Plan>("plan", ...argv);
    expect(plan.scopes).toMatchObject([
      { decision: "empty", holds: { value: 1, exact: false }, losses: ["its time to live setting"] },
    ]);
    const asked = await runCli(["apply", ...argv], CLI_ENVIRONMENT);
    expect(asked.status).toBe(5);
    expect(asked.stderr).toMatch(/dynamodb:losing +about 1 record; and, not brought back: its time to live setting/);
    expect(Object.keys(await target.items("losing"))).toEqual(["stranger"]);
    await dump.remove();
  });
});

it("conflicts are counted by reason, with the first of them as samples", async () => {
  await target.createBucket("meeting", Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`k${i}`, "theirs"])));
  const objects = Array.from({ length: 13 }, (_, i) => s3Object(`s3/meeting/k${i}`, "ours"));
  const dump = await temporaryDump({
    files: Object.assign({ "s3/meeting/_bucket.json": { name: "meeting" } }, ...objects),
  });
  const argv = [dump.path, ...servers.options, "--mode", "skip-existing"];
  const { scopes } = await printed<Plan>("plan", ...argv);
  expect(scopes[0]).toMatchObject({ toWrite: { records: 1, bytes: 4 }, outcomes: { "skipped-existing": 12 } });
  expect(scopes[0]?.conflicts).toMatchObject({ count: 12, reasons: { "skipped-existing/exists": 12 } });
  expect(scopes[0]?.conflicts.samples).toHaveLength(10);
  expect(scopes[0]?.conflicts.samples).toContainEqual({
    ...{ key: "k0", path: "s3/meeting/k0", outcome: "skipped-existing", reason: "exists" },
  });
  const { stdout } = await runCli(["plan", ...argv], CLI_ENVIRONMENT);
  expect(stdout).toMatch(/s3:meeting: 12 records\n +skipped-existing +exists +k\d+ +s3\/meeting\/k\d+\n/);
  await dump.remove();
});
