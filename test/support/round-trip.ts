/**
 * The end-to-end proof of one dump, the same for every dump: restored into empty servers it is exactly there; a second
 * run does in each mode what the mode promises. What the servers hold is read by the proof's own means.
 */
import { DeleteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startElasticMq } from "../../testcontainers/elasticmq.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "./four-servers.js";
import { type FreshDump, freshDump } from "./fresh-dump.js";
import { ForgottenFiles } from "./open-files.js";
import { type Expected, expectedFrom, totalCount } from "./readback/expected.js";
import { elasticMqExceptions } from "./readback/known-exceptions.js";
import type { Difference, Exception } from "./readback/state.js";
import { verifyDynamoDb } from "./readback/verify-dynamodb.js";
import { verifyRedis } from "./readback/verify-redis.js";
import { verifyS3 } from "./readback/verify-s3.js";
import { queueDepths, verifyQueueAttributes, verifySqs } from "./readback/verify-sqs.js";
import { runCliWithReport } from "./run-cli.js";

export interface RoundTrip {
  readonly fixture: "gallery" | "design";
  /** Redis records whose time was past when the dump was taken. */
  readonly expired: readonly string[];
  /** Things of the dump that the tests damage on the target: one of each kind to lose and one to differ. */
  readonly damage: {
    readonly database: number;
    readonly lostKey: string;
    readonly changedKey: string;
    readonly lostItem: { readonly table: string; readonly key: Record<string, { S: string }> };
    readonly lostObject: { readonly bucket: string; readonly key: string };
    readonly changedObject: { readonly bucket: string; readonly key: string };
    readonly queue: string;
  };
}

/** A suite of one file: starts servers of its own. */
export function provesRoundTrip(trip: RoundTrip): void {
  let servers: FourServers;
  let ownQueues: RunningServer;
  let dump: FreshDump;
  let expected: Expected;
  let forgotten: ForgottenFiles;
  let total: number;
  let queueExceptions: readonly Exception[];
  const expired: readonly Exception[] = trip.expired.map((record) => ({ record, reason: "its time is past" }));

  beforeAll(async () => {
    dump = await freshDump(trip.fixture);
    forgotten = new ForgottenFiles(dump.path);
    expected = expectedFrom(dump.path);
    total = totalCount(expected);
    queueExceptions = elasticMqExceptions(expected);
    servers = await startFourServers();
    ownQueues = await startElasticMq();
  }, 600_000);

  afterAll(async () => {
    forgotten?.stop();
    await Promise.all([servers?.stop(), ownQueues?.stop(), dump?.remove()]);
  });

  const apply = async (...more: string[]) => {
    const argv = ["apply", dump.path, ...servers.options, "--progress", "none", ...more];
    const result = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(await forgotten.found()).toEqual([]);
    return result;
  };

  /** All that can be looked at without taking it away. */
  const differences = async (): Promise<Difference[]> => [
    ...(await verifyRedis(expected, servers.redis.endpoint, expired)),
    ...(await verifyDynamoDb(expected, servers.dynamodb.endpoint)),
    ...(await verifyS3(expected, servers.s3)),
    ...(await verifyQueueAttributes(expected, servers.sqs, queueExceptions)),
  ];

  const depths = async () => Object.fromEntries(await queueDepths(servers.sqs));
  const depthsOfDump = (copies: number) =>
    Object.fromEntries(expected.sqs.map(({ name, messages }) => [name, messages.length * copies]));

  describe(`the ${trip.fixture} dump`, () => {
    it("is on empty targets exactly as it is in the dump, and every record is accounted for", async () => {
      const { status, stderr, report } = await apply();
      expect(status, stderr).toBe(0);
      expect(await differences()).toEqual([]);
      expect(await depths()).toEqual(depthsOfDump(1));
      expect(report?.recordsRead).toBe(total);
      expect(report?.totals).toEqual({
        restored: total - expired.length,
        "skipped-existing": 0,
        "skipped-expired": expired.length,
        "skipped-empty": 0,
        rejected: 0,
        failed: 0,
        ambiguous: 0,
      });
      const read = report?.scopes.map((scope) => [`${scope.adapter}:${scope.scope}`, scope.recordsRead]);
      expect(new Map(read as [string, number][])).toEqual(expected.counts);
    }, 300_000);

    it("has its messages whole: bodies, attributes, ids, order within groups", async () => {
      const options = ["--adapter", "sqs", "--sqs-endpoint", ownQueues.endpoint, "--progress", "none"];
      const { status, stderr } = await runCliWithReport(["apply", dump.path, ...options], CLI_ENVIRONMENT);
      expect(status, stderr).toBe(0);
      expect(await verifySqs(expected, ownQueues, { exceptions: queueExceptions, deduplicationIds: true })).toEqual([]);
    }, 300_000);

    it("loses no message to deduplication ids that the queue saw minutes ago", async () => {
      const options = ["--adapter", "sqs", "--sqs-endpoint", ownQueues.endpoint, "--progress", "none"];
      const { status, stderr } = await runCliWithReport(["apply", dump.path, ...options], CLI_ENVIRONMENT);
      expect(status, stderr).toBe(0);
      expect(await verifySqs(expected, ownQueues, { exceptions: queueExceptions })).toEqual([]);
    }, 300_000);

    it("is refused without a mode where its scopes hold records, and nothing changes", async () => {
      const { status, stderr, report } = await apply();
      expect(status, stderr).toBe(5);
      expect(stderr).toContain("--mode");
      expect(report).toBeUndefined();
      expect(await differences()).toEqual([]);
      expect(await depths()).toEqual(depthsOfDump(1));
    }, 300_000);

    it("skips with skip-existing all that is there, and whole queues", async () => {
      const { status, stderr, report } = await apply("--mode", "skip-existing");
      expect(status, stderr).toBe(0);
      expect(report?.totals).toMatchObject({
        restored: 0,
        "skipped-existing": total - expired.length,
        "skipped-expired": expired.length,
      });
      expect(await differences()).toEqual([]);
      expect(await depths()).toEqual(depthsOfDump(1));
    }, 300_000);

    it("writes with skip-existing just what is missing, and leaves what differs untouched", async () => {
      await damage(servers, trip);
      const { status, stderr, report } = await apply("--mode", "skip-existing");
      expect(status, stderr).toBe(0);
      expect(report?.totals["restored"]).toBe(3);
      const left = await differences();
      const { database, changedKey, changedObject } = trip.damage;
      const [key, object] = [`redis db_${database} "${changedKey}"`, `s3 ${changedObject.bucket} ${changedObject.key}`];
      expect(new Set(left.map(({ record }) => record))).toEqual(new Set([key, object]));
      expect(left).toContainEqual({ record: key, facet: "type", expected: "string", actual: "list" });
    }, 300_000);

    it("wins with merge over what differs, keeps what it does not name, and appends to queues", async () => {
      await damage(servers, trip);
      await mendType(servers, trip);
      await addStrangers(servers, trip);
      const { status, stderr, report } = await apply("--mode", "merge");
      expect(status, stderr).toBe(0);
      expect(report?.recordsRead).toBe(total);
      const strangers = (await differences()).map(({ record, actual }) => [record, actual]);
      const { database, lostObject } = trip.damage;
      expect(strangers).toEqual([
        [`redis db_${database} "stranger"`, "(present)"],
        [`s3 ${lostObject.bucket} stranger`, "(present)"],
      ]);
      const { queue } = trip.damage;
      const doubled = depthsOfDump(2);
      expect(await depths()).toEqual({ ...doubled, [queue]: (doubled[queue] ?? 0) + 1 });
    }, 300_000);

    it("asks with replace before it deletes", async () => {
      const { status, stderr } = await apply("--mode", "replace");
      expect(status, stderr).toBe(5);
      expect(stderr).toContain("--yes");
      expect(await differences()).toHaveLength(2);
    }, 300_000);

    it("is with replace all that its scopes hold, message by message", async () => {
      await damage(servers, trip);
      const { status, stderr, report } = await apply("--mode", "replace", "--yes", "--purge-wait", "0s");
      expect(status, stderr).toBe(0);
      expect(report?.totals).toMatchObject({
        restored: total - expired.length,
        "skipped-expired": expired.length,
      });
      expect(await differences()).toEqual([]);
      expect(await verifySqs(expected, servers.sqs, { exceptions: queueExceptions })).toEqual([]);
    }, 300_000);
  });
}

/** Loses a key, an item and an object; makes another key of another type and gives another object another body. */
async function damage(servers: FourServers, { damage }: RoundTrip): Promise<void> {
  await withRedis(servers, damage.database, async (client) => {
    await client.del(damage.lostKey, damage.changedKey);
    await client.rpush(damage.changedKey, "not what it was");
  });
  const dynamodb = new DynamoDBClient({ ...settings(servers.dynamodb) });
  await dynamodb.send(new DeleteItemCommand({ TableName: damage.lostItem.table, Key: damage.lostItem.key }));
  dynamodb.destroy();
  const s3 = new S3Client({ ...settings(servers.s3), forcePathStyle: true });
  const { lostObject, changedObject } = damage;
  await s3.send(new DeleteObjectCommand({ Bucket: lostObject.bucket, Key: lostObject.key }));
  await s3.send(
    new PutObjectCommand({
      Bucket: changedObject.bucket,
      Key: changedObject.key,
      Body: "other",
      ContentType: "image/jpeg",
    }),
  );
  s3.destroy();
}

/** Merge refuses another type under a key: make it one that differs in its value alone. */
async function mendType(servers: FourServers, { damage }: RoundTrip): Promise<void> {
  await withRedis(servers, damage.database, async (client) => {
    await client.set(damage.changedKey, "not what it was");
  });
}

async function addStrangers(servers: FourServers, { damage }: RoundTrip): Promise<void> {
  await withRedis(servers, damage.database, (client) => client.set("stranger", "1"));
  const s3 = new S3Client({ ...settings(servers.s3), forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket: damage.lostObject.bucket, Key: "stranger", Body: "1" }));
  s3.destroy();
  const sqs = new SQSClient({ ...settings(servers.sqs), useQueueUrlAsEndpoint: false });
  const QueueUrl = `${servers.sqs.endpoint}/000000000000/${damage.queue}`;
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "stranger", DelaySeconds: 0 }));
  sqs.destroy();
}

async function withRedis(
  servers: FourServers,
  database: number,
  use: (client: Redis) => Promise<unknown>,
): Promise<void> {
  const client = new Redis(servers.redis.endpoint, { protocol: 2, db: database });
  try {
    await use(client);
  } finally {
    client.disconnect();
  }
}

function settings(server: RunningServer) {
  return { endpoint: server.endpoint, region: "us-east-1", credentials: LOCAL_CREDENTIALS };
}
