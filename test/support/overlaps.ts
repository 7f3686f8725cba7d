/**
 * Makes servers that hold a dump's records hold some of them otherwise: other values, other types, other expiries, some
 * more and some less of them. What a second restore then meets is a bit of everything.
 */
import {
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Redis } from "ioredis";

import type { FourServers } from "./four-servers.js";
import { listedKeys } from "./readback/verify-s3.js";
import { plainClient } from "./s3-records.js";
import { Queues } from "./sqs-queues.js";

/** Answers a number from 0 up to `below`, another one at each call, the same ones for the same seed. */
export type Dice = (below: number) => number;

export function dice(seed: number): Dice {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export async function disturb(servers: FourServers, roll: Dice): Promise<void> {
  await disturbRedis(servers.redis.endpoint, roll);
  await disturbDynamoDb(servers.dynamodb, roll);
  await disturbS3(servers.s3, roll);
  await disturbSqs(servers.sqs, roll);
}

async function disturbRedis(endpoint: string, roll: Dice): Promise<void> {
  for (let db = 0; db < 16; db++) {
    const redis = new Redis(endpoint, { db, protocol: 2 });
    const keys = (await redis.keysBuffer("*")).sort(Buffer.compare);
    for (const key of keys) await disturbKey(redis, key, roll);
    if (keys.length > 0) await redis.set("a key that no dump holds", "theirs");
    redis.disconnect();
  }
}

async function disturbKey(redis: Redis, key: Buffer, roll: Dice): Promise<void> {
  const type = await redis.type(key);
  switch (roll(6)) {
    case 0:
      await redis.del(key);
      break;
    case 1:
      await redis.del(key);
      await (type === "string" ? redis.sadd(key, "theirs") : redis.set(key, "theirs"));
      break;
    case 2:
      await (roll(2) === 0 ? redis.pexpire(key, 500_000_000) : redis.persist(key));
      break;
    case 3:
      await alterValue(redis, key, { type, roll });
      break;
    default: // It stays as it is.
  }
}

async function alterValue(redis: Redis, key: Buffer, { type, roll }: { type: string; roll: Dice }): Promise<void> {
  switch (type) {
    case "string":
      // What is appended to a sketch damages it, and how far adding to it then comes is left to chance.
      await ((await redis.getrange(key, 0, 3)) === "HYLL" ? redis.pfadd(key, "theirs") : redis.append(key, "theirs"));
      break;
    case "hash":
      await redis.hset(key, "theirs", "1");
      break;
    case "list":
      await (roll(2) === 0 ? redis.rpush(key, "theirs") : redis.rpop(key));
      break;
    case "set":
      await (roll(2) === 0 ? redis.sadd(key, "theirs") : redis.spop(key));
      break;
    case "zset":
      await (roll(2) === 0 ? redis.zadd(key, 1, "theirs") : redis.zpopmin(key));
      break;
    case "stream":
      await alterStream(redis, key, roll);
      break;
    default: // Nothing else is in a dump.
  }
}

async function alterStream(redis: Redis, key: Buffer, roll: Dice): Promise<void> {
  const entries = await redis.xrange(key, "-", "+");
  const id = entries[roll(Math.max(1, entries.length))]?.[0];
  switch (roll(3)) {
    case 0:
      await redis.xadd(key, "*", "theirs", "1").catch(() => undefined);
      break;
    case 1:
      if (id !== undefined) await redis.xdel(key, id);
      break;
    default:
      // As empty as a stream can be.
      await redis.xtrim(key, "MAXLEN", 0);
  }
}

async function disturbDynamoDb({ endpoint, credentials }: FourServers["dynamodb"], roll: Dice): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: "us-east-1", ...(credentials && { credentials }) });
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  for (const TableName of TableNames.sort()) {
    if (roll(6) === 0) {
      await client.send(new DeleteTableCommand({ TableName }));
      continue;
    }
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    const names = (Table?.KeySchema ?? []).map(({ AttributeName = "" }) => AttributeName);
    const { Items = [] } = await client.send(new ScanCommand({ TableName }));
    for (const item of Items) {
      const Key = Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
      const what = roll(4);
      const Item = { ...Key, theirs: { S: "1" } };
      // A key that the client cannot write stays as it is.
      if (what === 0) await client.send(new DeleteItemCommand({ TableName, Key })).catch(() => undefined);
      if (what === 1) await client.send(new PutItemCommand({ TableName, Item })).catch(() => undefined);
    }
  }
  client.destroy();
}

async function disturbS3(server: FourServers["s3"], roll: Dice): Promise<void> {
  const client = plainClient(server);
  const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
  for (const { Name: Bucket = "" } of Buckets) {
    for (const Key of (await listedKeys(client, Bucket)).sort()) {
      const at = { Bucket, Key };
      const what = roll(5);
      if (what === 0) await client.send(new DeleteObjectCommand(at));
      if (what === 1) await client.send(new PutObjectCommand({ ...at, Body: "theirs" }));
      if (what === 2)
        await client.send(new PutObjectCommand({ ...at, Body: Buffer.alloc(0), ContentType: "text/theirs" }));
    }
  }
  client.destroy();
}

/**
 * FIFO queues are made anew: one that was there would remember the deduplication ids of the last five minutes, which no
 * queue tells and no plan can know.
 */
async function disturbSqs(server: FourServers["sqs"], roll: Dice): Promise<void> {
  const queues = new Queues(server);
  for (const name of await queues.names()) {
    const what = roll(4);
    const isFifo = name.endsWith(".fifo");
    const attributes = await queues.attributes(name);
    if (isFifo || what === 0) await queues.deleteQueue(name);
    else if (what === 1) await queues.drain(name);
    if (!isFifo || what === 0) continue;
    await queues.create(name, {
      ContentBasedDeduplication: attributes["ContentBasedDeduplication"] ?? "false",
      DelaySeconds: attributes["DelaySeconds"] ?? "0",
    });
    const ids = { MessageGroupId: "theirs", MessageDeduplicationId: "theirs" };
    if (what > 1) await queues.send(name, "theirs", ids);
  }
  queues.destroy();
}
