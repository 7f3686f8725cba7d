/** Builds a case's dump, runs the command line on it, and looks at all that the four servers hold. */
import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";

import { DeleteBucketCommand, DeleteObjectCommand, ListBucketsCommand, type S3Client } from "@aws-sdk/client-s3";
import { Redis } from "ioredis";

import { type DumpDescription, temporaryDump } from "../dump-builder.js";
import { dynamoDb } from "../dynamodb-records.js";
import { CLI_ENVIRONMENT, type FourServers } from "../four-servers.js";
import type { Difference } from "../readback/state.js";
import { verifyDynamoDb } from "../readback/verify-dynamodb.js";
import { verifyRedis } from "../readback/verify-redis.js";
import { s3State, verifyS3 } from "../readback/verify-s3.js";
import { verifySqs } from "../readback/verify-sqs.js";
import { type CliResult, runCli } from "../run-cli.js";
import { plainClient } from "../s3-records.js";
import { Queues } from "../sqs-queues.js";
import { expectedOf, type Holding } from "./holdings.js";

/** What no output may hold: it would steer a terminal or reorder a line. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const TRACE = /\n\s+at .*[:(]|node:internal|please report/u;

/** Everything in an output that must not be there, whatever the dump holds. */
export function blemishes({ stdout, stderr }: CliResult): string[] {
  const text = stdout + stderr;
  const steering = [...text.matchAll(STEERING)].filter(([char]) => char !== "\n").map(([char]) => JSON.stringify(char));
  return [...new Set(steering), ...(TRACE.exec(text) ?? [])];
}

/** Node's own cannot remove paths that are longer than the system takes; another program for each case takes longer. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => execFileSync("rm", ["-rf", path]));
}

export class Laboratory {
  readonly #servers: FourServers;
  readonly #redis: Redis;
  readonly #s3: S3Client;
  readonly #queues: Queues;

  constructor(servers: FourServers) {
    this.#servers = servers;
    this.#redis = new Redis(servers.redis.endpoint, { protocol: 2 });
    this.#s3 = plainClient(servers.s3);
    this.#queues = new Queues(servers.sqs);
  }

  close(): void {
    this.#redis.disconnect();
    this.#s3.destroy();
    this.#queues.destroy();
  }

  /** Builds the dump, gives it to `use`, and removes it and what `damage` put beside it as `<dump>-outside`. */
  async with<T>(
    dump: DumpDescription,
    damage: ((root: string) => void | Promise<void>) | undefined,
    use: (path: string) => Promise<T>,
  ): Promise<T> {
    const { path } = await temporaryDump(dump);
    try {
      await damage?.(path);
      return await use(path);
    } finally {
      for (const each of [path, `${path}-outside`]) await remove(each);
    }
  }

  verify(path: string, ...more: string[]): Promise<CliResult> {
    return runCli(["verify", path, "--progress", "none", ...more]);
  }

  apply(path: string, ...more: string[]): Promise<CliResult> {
    return runCli(["apply", path, ...this.applyOptions, ...more], CLI_ENVIRONMENT);
  }

  get applyOptions(): readonly string[] {
    return [...this.#servers.options, "--progress", "none"];
  }

  /** What a refused dump left: databases, tables, buckets and queues that hold or could hold a record. Wipes it. */
  async traces(): Promise<string[]> {
    const [keyspace, tables, buckets, queues] = await Promise.all([
      this.#redis.info("keyspace"),
      dynamoDb(this.#servers.dynamodb.endpoint, "ListTables", {}),
      this.#s3.send(new ListBucketsCommand({})),
      this.#queues.names(),
    ]);
    const found = [
      ...(keyspace.match(/^db\d+:keys=\d+/gmu) ?? []),
      ...(tables.get("TableNames") as string[]).map((name) => `table ${name}`),
      ...(buckets.Buckets ?? []).map(({ Name }) => `bucket ${Name}`),
      ...queues.map((name) => `queue ${name}`),
    ];
    if (found.length > 0) await this.wipe();
    return found;
  }

  /** How the servers differ from just these. Takes all messages out of their queues. */
  async differences(holdings: readonly Holding[]): Promise<Difference[]> {
    const { redis, dynamodb, s3, sqs } = this.#servers;
    const expected = expectedOf(holdings);
    const found = await Promise.all([
      verifyRedis(expected, redis.endpoint),
      verifyDynamoDb(expected, dynamodb.endpoint),
      verifyS3(expected, s3),
      verifySqs(expected, sqs),
    ]);
    // Only messages are compared in queues.
    return found.flat().filter(({ facet }) => facet !== "ContentBasedDeduplication");
  }

  /** Empties all four. */
  async wipe(): Promise<void> {
    await Promise.all([this.#redis.flushall(), this.#wipeDynamoDb(), this.#wipeS3(), this.#wipeSqs()]);
  }

  async #wipeDynamoDb(): Promise<void> {
    const { endpoint } = this.#servers.dynamodb;
    const names = (await dynamoDb(endpoint, "ListTables", {})).get("TableNames");
    for (const TableName of names as string[]) await dynamoDb(endpoint, "DeleteTable", { TableName });
  }

  async #wipeS3(): Promise<void> {
    for (const record of [...(await s3State(this.#servers.s3)).keys()].reverse()) {
      const [, Bucket = "", ...key] = record.split(" ");
      const Key = key.join(" ");
      if (Key === "") await this.#s3.send(new DeleteBucketCommand({ Bucket }));
      else await this.#s3.send(new DeleteObjectCommand({ Bucket, Key }));
    }
  }

  async #wipeSqs(): Promise<void> {
    for (const name of await this.#queues.names()) await this.#queues.deleteQueue(name);
  }
}
