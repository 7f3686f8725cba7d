/**
 * The fixture dumps, restored into an elastickv in every mode and read back. The project cannot start one: it takes the
 * endpoints that the environment names, deletes everything that they hold, and is skipped where one is missing.
 *
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_REDIS_URL            redis://host:port
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_DYNAMODB_ENDPOINT    http://host:port, and so the next two
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_S3_ENDPOINT
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_SQS_ENDPOINT
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_ACCESS_KEY_ID        where S3 or SQS want another pair than the tests' own
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_SECRET_ACCESS_KEY
 *
 * Its Redis port cannot be listed: there the comparison goes from the dump to the target only.
 */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import { temporaryDump } from "../support/dump-builder.js";
import { emptyAwsServers } from "../support/empty-servers.js";
import { type FreshDump, freshDump } from "../support/fresh-dump.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { randomDump } from "../support/random-dump/dump.js";
import { type Expected, expectedFrom } from "../support/readback/expected.js";
import type { Difference, Exception } from "../support/readback/state.js";
import { verifyDynamoDb } from "../support/readback/verify-dynamodb.js";
import { clearElastickvRedis, verifyElastickvRedis } from "../support/readback/verify-elastickv-redis.js";
import { plainClient, verifyS3 } from "../support/readback/verify-s3.js";
import { queueDepths, verifyQueueAttributes, verifySqs } from "../support/readback/verify-sqs.js";
import { runCliWithReport } from "../support/run-cli.js";

const named = (name: string) => process.env[`ELASTICKV_RESTORE_TEST_ELASTICKV_${name}`] ?? "";

const credentials = {
  accessKeyId: named("ACCESS_KEY_ID") || LOCAL_CREDENTIALS.accessKeyId,
  secretAccessKey: named("SECRET_ACCESS_KEY") || LOCAL_CREDENTIALS.secretAccessKey,
};
const redisUrl = named("REDIS_URL");
const dynamodb = { endpoint: named("DYNAMODB_ENDPOINT"), credentials };
const s3 = { endpoint: named("S3_ENDPOINT"), credentials, isElastickv: true };
const sqs = { endpoint: named("SQS_ENDPOINT"), credentials };
const isNamed = [redisUrl, dynamodb.endpoint, s3.endpoint, sqs.endpoint].every((endpoint) => endpoint !== "");

const options = [
  ...["--redis-url", redisUrl, "--dynamodb-endpoint", dynamodb.endpoint],
  ...["--s3-endpoint", s3.endpoint, "--sqs-endpoint", sqs.endpoint],
];
const environment = {
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_REGION: "us-east-1",
};

const REPLACE = ["--mode", "replace", "--yes", "--purge-wait", "0s"];

interface Trip {
  readonly fixture: "gallery" | "design";
  /** What has to be chosen for elastickv. */
  readonly selection: readonly string[];
  /** Keys that are past when the dump is restored. */
  readonly expired: readonly string[];
  /** What elastickv cannot hold, each of which is rejected. */
  readonly rejected: readonly Exception[];
  /** What it holds all but a detail, each with the word under which it is listed. */
  readonly nearMisses: readonly Exception[];
  /** Objects without a content type, of which it says its own default. */
  readonly untyped: readonly string[];
}

const TRIPS: readonly Trip[] = [
  { fixture: "gallery", selection: [], expired: ["hash:past", "ttl-past"], rejected: [], nearMisses: [], untyped: [] },
  {
    fixture: "design",
    selection: ["--adapter", "dynamodb,s3,redis,sqs", "--scope", "redis=db_0"],
    expired: ["past"],
    rejected: ["dense", "uniques"].map((key) => ({
      record: `redis db_0 "${key}"`,
      reason: "it keeps members, and would take a sketch for a string",
    })),
    nearMisses: [{ record: 'redis db_0 "audit"', facet: "last id", reason: "last-id-not-restored" }],
    untyped: ["s3 exports one-part.bin"],
  },
];

describe.skipIf(!isNamed).each(TRIPS)("the $fixture dump on elastickv", (trip) => {
  const { selection, rejected, nearMisses } = trip;
  const status = rejected.length === 0 ? 0 : 3;
  const untyped = trip.untyped.map((record) => ({ record, facet: "content_type", reason: "its server's default" }));
  const expired = trip.expired.map((key) => ({ record: `redis db_0 "${key}"`, reason: "its time is past" }));
  let dump: FreshDump;
  let expected: Expected;
  let total: number;

  beforeAll(async () => {
    dump = await freshDump(trip.fixture);
    expected = expectedFrom(dump.path);
    const counts = [...expected.counts].filter(([scope]) => !scope.startsWith("redis:") || scope === "redis:db_0");
    total = counts.reduce((sum, [, count]) => sum + count, 0);
    await emptyAwsServers({ dynamodb, s3, sqs }, expected.s3);
    await clearElastickvRedis(expected.redis, redisUrl);
  }, 120_000);

  afterAll(async () => {
    await dump?.remove();
  });

  const apply = (...more: string[]) =>
    runCliWithReport(["apply", dump.path, ...options, ...selection, "--progress", "none", ...more], environment);

  const differences = async (): Promise<Difference[]> => [
    ...(await verifyElastickvRedis(expected.redis, redisUrl, [...expired, ...rejected, ...nearMisses])),
    ...(await verifyDynamoDb(expected, dynamodb.endpoint)),
    ...(await verifyS3(expected, s3, untyped)),
    ...(await verifyQueueAttributes(expected, sqs)),
  ];
  const depths = async () => Object.fromEntries(await queueDepths(sqs));
  const depthsOfDump = (copies: number) =>
    Object.fromEntries(expected.sqs.map(({ name, messages }) => [name, messages.length * copies]));
  const messages = () => expected.sqs.reduce((sum, queue) => sum + queue.messages.length, 0);

  it("is exactly as it is in the dump, messages and their ids included", async () => {
    const run = await apply();
    expect(run.status, run.stderr).toBe(status);
    expect(run.report?.recordsRead).toBe(total);
    expect(run.report?.totals).toMatchObject({
      restored: total - expired.length - rejected.length,
      "skipped-expired": expired.length,
      rejected: rejected.length,
    });
    const listed = run.report?.listed.filter(({ adapter }) => adapter === "redis") ?? [];
    const noted = listed.flatMap(({ key, notes = [] }) => notes.map(({ kind }) => `${kind} redis db_0 "${key}"`));
    expect(noted).toEqual(nearMisses.map(({ record, reason }) => `${reason} ${record}`));
    expect(await differences()).toEqual([]);
    expect(await depths()).toEqual(depthsOfDump(1));
    expect(await verifySqs(expected, sqs, { deduplicationIds: true })).toEqual([]);
  }, 120_000);

  it("is refused without a mode, and nothing changes", async () => {
    const { status, stderr } = await apply();
    expect(status, stderr).toBe(5);
    expect(stderr).toContain("--mode");
    expect(await differences()).toEqual([]);
  }, 120_000);

  it("is skipped with skip-existing but for the messages, which were taken", async () => {
    const run = await apply("--mode", "skip-existing");
    expect(run.status, run.stderr).toBe(status);
    expect(run.report?.totals).toMatchObject({ restored: messages(), rejected: rejected.length });
    expect(await differences()).toEqual([]);
    expect(await depths()).toEqual(depthsOfDump(1));
  }, 120_000);

  it("changes nothing with merge and is appended to its queues", async () => {
    const run = await apply("--mode", "merge");
    expect(run.status, run.stderr).toBe(status);
    expect(await differences()).toEqual([]);
    expect(await depths()).toEqual(depthsOfDump(2));
  }, 120_000);

  it("is with replace all that can be found, message by message", async () => {
    await addStrangers();
    expect(await differences()).toHaveLength(1);
    const run = await apply(...REPLACE);
    expect(run.status, run.stderr).toBe(status);
    expect(await differences()).toEqual([]);
    expect(await strangerKey()).toBeNull();
    expect(await verifySqs(expected, sqs)).toEqual([]);
  }, 120_000);

  async function addStrangers(): Promise<void> {
    await withRedis((client) => client.set("stranger", "1"));
    const client = plainClient(s3);
    const bucket = [...expected.s3.keys()][0]?.split(" ")[1];
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: "stranger", Body: "1" }));
    client.destroy();
  }
});

describe.skipIf(!isNamed)("elastickv", () => {
  it("refuses databases that it would merge into the first, before anything is written", async () => {
    const dump = await freshDump("design");
    const { status, stderr } = await runCliWithReport(["apply", dump.path, ...options], environment);
    await dump.remove();
    expect(status, stderr).toBe(5);
    expect(stderr).toContain("--rename redis:3=0");
  }, 120_000);

  it("holds dumps at random exactly, in every mode", { timeout: fuzzTimeout(240_000) }, async () => {
    const property = fc.asyncProperty(randomDump(Date.now(), { isForElastickv: true }), async (source) => {
      const dump = await temporaryDump(source.description);
      try {
        await holdsInEveryMode(dump.path, source.absent);
      } catch (error) {
        throw new Error(`of the dump in ${dump.path}`, { cause: error });
      }
      await dump.remove();
    });
    await fc.assert(property, { ...fuzz(1 / 30), endOnFailure: true });
  });

  it("answers at every port after all of it", async () => {
    expect(await withRedis((client) => client.ping())).toBe("PONG");
    await emptyAwsServers({ dynamodb, s3, sqs }, new Map());
    expect(await queueDepths(sqs)).toEqual(new Map());
  }, 120_000);
});

async function holdsInEveryMode(path: string, absent: readonly Exception[]): Promise<void> {
  const expected = expectedFrom(path);
  await emptyAwsServers({ dynamodb, s3, sqs }, new Map());
  await clearElastickvRedis(expected.redis, redisUrl);
  const untyped = [...expected.s3].filter(([, facets]) => "body" in facets && !("content_type" in facets));
  const exceptions = untyped.map(([record]) => ({ record, facet: "content_type", reason: "its server's default" }));
  for (const mode of [[], ["--mode", "merge"], ["--mode", "skip-existing"], REPLACE]) {
    const argv = ["apply", path, ...options, "--progress", "none", ...mode];
    const { status, stderr, report } = await runCliWithReport(argv, environment);
    expect(status, `${mode.join(" ")}: ${stderr}\n${JSON.stringify(report?.listed)}`).toBe(0);
    expect(await verifyElastickvRedis(expected.redis, redisUrl, absent)).toEqual([]);
    expect(await verifyDynamoDb(expected, dynamodb.endpoint)).toEqual([]);
    expect(await verifyS3(expected, s3, exceptions)).toEqual([]);
    expect(await verifySqs(expected, sqs, { deduplicationIds: mode.length === 0 })).toEqual([]);
  }
}

function strangerKey(): Promise<string | null> {
  return withRedis((client) => client.get("stranger"));
}

async function withRedis<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redisUrl, { protocol: 2 });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
