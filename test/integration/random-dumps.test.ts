/**
 * Dumps that nobody thought of, restored into the four servers and compared both ways; then restored again in each mode.
 * How many: see `test/support/fuzz.ts`. A failure prints its seed, and leaves the dump where its message says.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { temporaryDump } from "../support/dump-builder.js";
import { emptyServers } from "../support/empty-servers.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { type RandomDump, randomDump } from "../support/random-dump/dump.js";
import { type Expected, expectedFrom, totalCount } from "../support/readback/expected.js";
import { elasticMqExceptions } from "../support/readback/known-exceptions.js";
import type { Difference, State } from "../support/readback/state.js";
import { verifyDynamoDb } from "../support/readback/verify-dynamodb.js";
import { verifyRedis } from "../support/readback/verify-redis.js";
import { verifyS3 } from "../support/readback/verify-s3.js";
import { queueDepths, verifySqs } from "../support/readback/verify-sqs.js";
import { runCliWithReport } from "../support/run-cli.js";

let servers: FourServers;
/** Objects of the dump before. */
let held: State = new Map();

beforeAll(async () => {
  servers = await startFourServers();
}, 600_000);
afterAll(async () => {
  await servers?.stop();
});

describe("dumps at random", () => {
  it(
    "are restored exactly; merge and skip-existing then change nothing, and replace restores exactly again",
    async () => {
      const property = fc.asyncProperty(randomDump(Date.now()), async (source) => {
        const dump = await temporaryDump(source.description);
        try {
          await provesModes(dump.path, source);
        } catch (error) {
          throw new Error(`of the dump in ${dump.path}`, { cause: error });
        }
        await dump.remove();
      });
      // To make a dump smaller would take minutes: it is kept instead.
      await fc.assert(property, { ...fuzz(1 / 30), endOnFailure: true });
    },
    fuzzTimeout(240_000),
  );
});

async function provesModes(path: string, { absent }: RandomDump): Promise<void> {
  const expected = expectedFrom(path);
  const total = totalCount(expected);
  await emptyServers(servers, held);
  held = expected.s3;
  const apply = async (...more: string[]) => {
    const argv = ["apply", path, ...servers.options, "--progress", "none", ...more];
    const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(status, `${more.join(" ")}: ${stderr}\n${JSON.stringify(report?.listed, undefined, 1)}`).toBe(0);
    expect(report?.recordsRead).toBe(total);
    return report?.totals;
  };
  const differences = async (): Promise<Difference[]> => [
    ...(await verifyRedis(expected, servers.redis.endpoint, absent)),
    ...(await verifyDynamoDb(expected, servers.dynamodb.endpoint)),
    ...(await verifyS3(expected, servers.s3)),
  ];
  const exceptions = elasticMqExceptions(expected);
  const count = (outcome: string) => absent.filter((each) => each.outcome === outcome).length;
  const skipped = { "skipped-expired": count("skipped-expired"), "skipped-empty": count("skipped-empty") };

  expect(await apply()).toMatchObject({ ...skipped, restored: total - absent.length, rejected: 0 });
  expect(await differences()).toEqual([]);
  expect(await verifySqs(expected, servers.sqs, { exceptions, deduplicationIds: true })).toEqual([]);

  expect(await apply("--mode", "merge")).toMatchObject(skipped);
  expect(await differences()).toEqual([]);
  expect(await depths()).toEqual(depthsOf(expected));

  expect(await apply("--mode", "skip-existing")).toMatchObject({ ...skipped, restored: 0 });
  expect(await differences()).toEqual([]);
  expect(await depths()).toEqual(depthsOf(expected));

  const replaced = await apply("--mode", "replace", "--yes", "--purge-wait", "0s");
  expect(replaced).toMatchObject({ ...skipped, restored: total - absent.length });
  expect(await differences()).toEqual([]);
  expect(await verifySqs(expected, servers.sqs, { exceptions })).toEqual([]);
}

async function depths(): Promise<Record<string, number>> {
  return Object.fromEntries(await queueDepths(servers.sqs));
}

function depthsOf({ sqs }: Expected): Record<string, number> {
  return Object.fromEntries(sqs.map(({ name, messages }) => [name, messages.length]));
}
