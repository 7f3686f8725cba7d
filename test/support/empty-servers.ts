/** Takes everything away that servers hold: they are as after their start. For servers that nobody else uses. */
import { DeleteTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { DeleteBucketCommand, DeleteObjectCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { DeleteQueueCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Redis } from "ioredis";

import type { FourServers } from "./four-servers.js";
import type { State } from "./readback/state.js";
import { listedKeys, plainClient, type Server } from "./readback/verify-s3.js";

/** `objects`: those that the server may hold without listing them, by their names in the proof. */
export async function emptyServers({ redis, dynamodb, s3, sqs }: FourServers, objects: State): Promise<void> {
  const client = new Redis(redis.endpoint, { protocol: 2 });
  await client.flushall();
  client.disconnect();
  await emptyAwsServers({ dynamodb, s3, sqs }, objects);
}

export interface AwsServers {
  readonly dynamodb: Server;
  readonly s3: Server;
  readonly sqs: Server;
}

/** All tables, buckets and queues. */
export async function emptyAwsServers({ dynamodb, s3, sqs }: AwsServers, objects: State): Promise<void> {
  await Promise.all([emptyDynamoDb(dynamodb), emptyS3(s3, objects), emptySqs(sqs)]);
}

async function emptyDynamoDb(server: Server): Promise<void> {
  const client = new DynamoDBClient(settings(server));
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  for (const TableName of TableNames) await client.send(new DeleteTableCommand({ TableName }));
  client.destroy();
}

async function emptyS3(server: Server, objects: State): Promise<void> {
  const client = plainClient(server);
  for (const { Name: Bucket = "" } of (await client.send(new ListBucketsCommand({}))).Buckets ?? []) {
    const prefix = `s3 ${Bucket} `;
    const known = [...objects.keys()].filter((record) => record.startsWith(prefix));
    const keys = new Set([
      ...known.map((record) => record.slice(prefix.length)),
      ...(await listedKeys(client, Bucket)),
    ]);
    // One at a time: DeleteObjects names keys in XML, which some cannot be written in.
    for (const Key of [...keys].sort().reverse()) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    await client.send(new DeleteBucketCommand({ Bucket }));
  }
  client.destroy();
}

async function emptySqs(server: Server): Promise<void> {
  const client = new SQSClient({ ...settings(server), useQueueUrlAsEndpoint: false });
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  for (const url of QueueUrls) {
    const QueueUrl = new URL(new URL(url).pathname, server.endpoint).href;
    await client.send(new DeleteQueueCommand({ QueueUrl }));
  }
  client.destroy();
}

function settings({ endpoint, credentials }: Server) {
  return { endpoint, region: "us-east-1", ...(credentials === undefined ? {} : { credentials }) };
}
