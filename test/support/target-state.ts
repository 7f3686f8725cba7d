/** Plain clients on the four servers: what stands there before a restore, and all that stands there after it. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Redis } from "ioredis";

import { attributeOf, dynamoDb, itemsOf } from "./dynamodb-records.js";
import type { FourServers } from "./four-servers.js";
import { plainClient } from "./s3-records.js";
import { Queues } from "./sqs-queues.js";

export class TargetState {
  readonly queues: Queues;
  readonly s3: S3Client;
  readonly #servers: FourServers;
  readonly #databases = new Map<number, Redis>();

  constructor(servers: FourServers) {
    this.#servers = servers;
    this.queues = new Queues(servers.sqs);
    this.s3 = plainClient(servers.s3);
  }

  redis(database = 0): Redis {
    const known = this.#databases.get(database);
    const client =
      known ?? new Redis(this.#servers.redis.endpoint, { db: database, protocol: 2, replyMapping: "legacy" });
    this.#databases.set(database, client);
    return client;
  }

  /** A table with the hash key `pk` (S), unless told otherwise. */
  async createTable(name: string, key = { name: "pk", type: "S" }): Promise<void> {
    await dynamoDb(this.#servers.dynamodb.endpoint, "CreateTable", {
      TableName: name,
      KeySchema: [{ AttributeName: key.name, KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: key.name, AttributeType: key.type }],
      BillingMode: "PAY_PER_REQUEST",
    });
  }

  async putItem(table: string, item: object): Promise<void> {
    await dynamoDb(this.#servers.dynamodb.endpoint, "PutItem", { TableName: table, Item: item });
  }

  /** Values of `v` by `pk`. */
  async items(table: string): Promise<Record<string, unknown>> {
    const items = await itemsOf(this.#servers.dynamodb.endpoint, table);
    return Object.fromEntries(items.map((item) => [String(attributeOf(item, "pk")), attributeOf(item, "v")]));
  }

  async attributeNames(table: string, pk: string): Promise<string[]> {
    const items = await itemsOf(this.#servers.dynamodb.endpoint, table);
    const found = items.find((item) => attributeOf(item, "pk") === pk);
    return [...(found?.keys() ?? [])].sort();
  }

  async tables(): Promise<unknown> {
    return (await dynamoDb(this.#servers.dynamodb.endpoint, "ListTables", {})).get("TableNames");
  }

  async createBucket(name: string, objects: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.s3.send(new CreateBucketCommand({ Bucket: name }));
    for (const [Key, Body] of Object.entries(objects)) {
      await this.s3.send(new PutObjectCommand({ Bucket: name, Key, Body }));
    }
  }

  /** Bodies by key. */
  async objects(bucket: string): Promise<Record<string, string>> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const found: Record<string, string> = {};
    for (const { Key = "" } of Contents) {
      const answer = await this.s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      found[Key] = (await answer.Body?.transformToString()) ?? "";
    }
    return found;
  }

  /** Everything in a database, by key. */
  async keys(database = 0): Promise<Record<string, unknown>> {
    const redis = this.redis(database);
    const found: Record<string, unknown> = {};
    for (const key of (await redis.keys("*")).sort()) found[key] = await plainValue(redis, key);
    return found;
  }

  close(): void {
    this.queues.destroy();
    this.s3.destroy();
    for (const client of this.#databases.values()) client.disconnect();
  }
}

/** A value as plain data; a HyperLogLog as its count. */
async function plainValue(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "hash":
      return await redis.hgetall(key);
    case "set":
      return (await redis.smembers(key)).sort();
    case "zset":
      return await redis.zrange(key, 0, "-1", "WITHSCORES");
    case "list":
      return await redis.lrange(key, 0, -1);
    case "stream":
      return await redis.xrange(key, "-", "+");
    default: {
      const value = (await redis.get(key)) ?? "";
      return value.startsWith("HYLL") ? await redis.pfcount(key) : value;
    }
  }
}
