/** A handful of the gallery's records, read back from each server with its own client. */
import { createHash } from "node:crypto";

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";

import { LOCAL_CREDENTIALS, type RunningServer, type ServerName } from "../testcontainers/recipe.js";

type Say = (line: string) => void;

const SHOWN = { members: 5, messages: 10 };
const DAY_MS = 86_400_000;

const SHOW: Readonly<Record<ServerName, (server: RunningServer, say: Say) => Promise<void>>> = {
  redis: showRedis,
  "dynamodb-local": showDynamoDb,
  minio: showS3,
  elasticmq: showSqs,
};

/** Says a line or a few for each record. Throws when one of them is not there. */
export async function show(server: RunningServer, say: Say): Promise<void> {
  await SHOW[server.name](server, say);
}

async function showRedis({ endpoint }: RunningServer, say: Say): Promise<void> {
  const client = new Redis(endpoint, { protocol: 2, maxRetriesPerRequest: 1 });
  try {
    const [value, ttl] = [found(await client.get("user:0"), "the key user:0"), await client.pttl("user:0")];
    say(`Redis string  user:0 = ${JSON.stringify(value)}, expires in ${(ttl / DAY_MS).toFixed(1)} days`);
    const scores = await client.zrange("zset", "0", "-1", "WITHSCORES");
    say("Redis zset    zset, in the order of its scores:");
    for (let i = 0; i < scores.length; i += 2) say(`                ${scores[i + 1]?.padEnd(24)} ${scores[i]}`);
    say("Redis stream  stream, with the ids it had:");
    for (const [id, fields] of await client.xrange("stream", "-", "+"))
      say(`                ${id} ${fields.join(" ")}`);
  } finally {
    client.disconnect();
  }
}

async function showDynamoDb(server: RunningServer, say: Say): Promise<void> {
  const client = new DynamoDBClient(clientOptions(server));
  try {
    const key = { customer_id: { S: "cust-1" }, order_ts: { S: "2023-11-15T03:13:20.000Z" } };
    const { Item } = await client.send(new GetItemCommand({ TableName: "orders", Key: key }));
    say("\nDynamoDB item of the table orders:");
    for (const [name, value] of Object.entries(found(Item, "the item cust-1")).sort()) {
      say(`                ${name.padEnd(12)} ${JSON.stringify(value, printable)}`);
    }
  } finally {
    client.destroy();
  }
}

async function showS3(server: RunningServer, say: Say): Promise<void> {
  const client = new S3Client({ ...clientOptions(server), forcePathStyle: true });
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket: "photos", Key: "2026/1/img_1.jpg" }));
    const body = found(await answer.Body?.transformToByteArray(), "the object's body");
    say("\nS3 object     photos/2026/1/img_1.jpg");
    say(`                ${body.length} bytes, ${answer.ContentType}, ETag ${answer.ETag}`);
    say(`                MD5 of what came back: ${createHash("md5").update(body).digest("hex")}`);
    say(`                metadata ${JSON.stringify(answer.Metadata)}`);
  } finally {
    client.destroy();
  }
}

async function showSqs(server: RunningServer, say: Say): Promise<void> {
  const client = new SQSClient({ ...clientOptions(server), useQueueUrlAsEndpoint: false });
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: "orders-events.fifo" }));
    const { Messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: SHOWN.messages,
        MessageSystemAttributeNames: ["MessageGroupId", "MessageDeduplicationId"],
      }),
    );
    say("\nSQS FIFO      orders-events.fifo, its first messages, group by group in the order they were sent:");
    for (const message of found(Messages, "messages of orders-events.fifo").sort(byGroup)) {
      say(
        `                ${groupOf(message)} ${message.Attributes?.MessageDeduplicationId} ${JSON.stringify(message.Body)}`,
      );
    }
  } finally {
    client.destroy();
  }
}

/** Stable: within a group, messages stay as they came. */
function byGroup(one: Message, other: Message): number {
  return groupOf(one) < groupOf(other) ? -1 : groupOf(one) > groupOf(other) ? 1 : 0;
}

function groupOf(message: Message): string {
  return message.Attributes?.MessageGroupId ?? "";
}

function clientOptions({ endpoint, credentials = LOCAL_CREDENTIALS }: RunningServer) {
  return { endpoint, credentials, region: "us-east-1" };
}

function printable(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `base64:${Buffer.from(value).toString("base64")}` : value;
}

function found<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`${what} is not there`);
  return value;
}
