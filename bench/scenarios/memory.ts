/** Restores that are far larger than memory. The tool alone: what counts is that all arrives, within the limit of memory. */
import type { Scenario } from "../scenario.js";
import { dynamoDbSmallItems } from "../shapes/dynamodb.js";
import { redisHash, redisList, redisStrings } from "../shapes/redis.js";
import { s3SparseObject } from "../shapes/s3.js";
import { sqsFifo, sqsLarge } from "../shapes/sqs.js";
import { restoreScenario } from "./restore.js";

export const MEMORY: readonly Scenario[] = [
  {
    name: "memory/redis-list",
    title: "Redis list, elements in one file",
    size: 10_000_000,
    shape: redisList,
  },
  {
    name: "memory/redis-hash",
    title: "Redis hash, fields in one file",
    size: 5_000_000,
    shape: redisHash,
  },
  {
    name: "memory/redis-keys",
    title: "Redis strings, each with an expiry",
    size: 1_000_000,
    shape: redisStrings({ expireEvery: 1, chars: 12 }),
  },
  {
    name: "memory/sqs-large",
    title: "standard queue, messages of 200 kB",
    size: 25_000,
    shape: sqsLarge,
  },
  {
    name: "memory/sqs-fifo",
    title: "FIFO queue, small messages with ids of their own",
    size: 1_000_000,
    shape: sqsFifo(1_000),
  },
  {
    name: "memory/s3-object",
    title: "S3 object, bytes",
    size: 20_000_000_000,
    shape: s3SparseObject,
  },
  {
    name: "memory/dynamodb-items",
    title: "DynamoDB items in one file",
    size: 1_000_000,
    shape: dynamoDbSmallItems,
  },
].map((each) => restoreScenario({ ...each, mostRounds: 1 }));
