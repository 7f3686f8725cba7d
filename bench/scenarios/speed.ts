/** Restores beside what an operator would type instead: `sha256sum -c`, then the fastest loader that there is. */

import {
  dynamoDbFloor,
  redisFloor,
  s3LargeFloor,
  sqsFifoFloor,
  sqsFloor,
  sqsUnorderedFloor,
} from "../floors/floors.js";
import { MEBIBYTE } from "../limit.js";
import { dynamoDbSdk, mcMirror, s3LibStorage, s3Sdk, s5cmd, sqsBoto3, sqsSdk } from "../peers/aws.js";
import { redisCliPipe } from "../peers/redis-cli.js";
import { watchBodies, watchCommands } from "../rate-watchers.js";
import type { Scenario } from "../scenario.js";
import { dynamoDbFiles, dynamoDbLines } from "../shapes/dynamodb.js";
import { redisCollections, redisGiants, redisStrings } from "../shapes/redis.js";
import { s3LargeObject, s3Objects, s3SmallObjects, s3Videos } from "../shapes/s3.js";
import { sqsFifo, sqsStandard } from "../shapes/sqs.js";
import { checkScenario } from "./check.js";
import { elastickvRedis } from "./elastickv.js";
import { growthScenario } from "./growth.js";
import { limiterScenario } from "./limiter.js";
import { modesScenario } from "./modes.js";
import { restoreScenario } from "./restore.js";
import { helpScenario, tenRecordsScenario } from "./startup.js";

export const SPEED: readonly Scenario[] = [
  restoreScenario({
    name: "speed/redis-strings",
    title: "Redis strings, a tenth with an expiry",
    size: 200_000,
    shape: redisStrings({ expireEvery: 10, chars: 64 }),
    peers: [redisCliPipe],
    floor: redisFloor,
    atMost: 1,
  }),
  restoreScenario({
    name: "speed/redis-giants",
    title: "a Redis list and a hash, elements of each",
    size: 1_000_000,
    shape: redisGiants,
    peers: [redisCliPipe],
    floor: redisFloor,
    atMost: 0.8,
  }),
  restoreScenario({
    name: "speed/redis-collections",
    title: "Redis hashes, lists, sets, sorted sets and streams, of each",
    size: 20_000,
    shape: redisCollections,
    peers: [redisCliPipe],
    floor: redisFloor,
    atMost: 1,
  }),
  restoreScenario({
    name: "speed/dynamodb-files",
    title: "DynamoDB items of 0.2 to 1 KB, a file each",
    size: 50_000,
    shape: dynamoDbFiles,
    peers: [dynamoDbSdk],
    floor: dynamoDbFloor,
    atMost: 0.8,
  }),
  restoreScenario({
    name: "speed/dynamodb-jsonl",
    title: "DynamoDB items of 0.2 to 1 KB, in one file",
    size: 50_000,
    shape: dynamoDbLines,
    peers: [dynamoDbSdk],
    floor: dynamoDbFloor,
    atMost: 0.8,
  }),
  restoreScenario({
    name: "speed/s3-small",
    title: "S3 objects of 4 KiB with metadata",
    size: 20_000,
    shape: s3SmallObjects,
    peers: [s5cmd, mcMirror, s3Sdk],
    atMost: 1,
  }),
  restoreScenario({
    name: "speed/s3-large",
    title: "one S3 object with metadata, bytes",
    size: 2 * 1024 * MEBIBYTE,
    shape: s3LargeObject,
    peers: [mcMirror, s3LibStorage],
    floor: s3LargeFloor,
    atMost: 0.65,
  }),
  restoreScenario({
    name: "speed/sqs-standard",
    title: "messages for a standard queue",
    size: 50_000,
    shape: sqsStandard,
    peers: [sqsSdk],
    floor: sqsFloor,
    atMost: 0.8,
  }),
  restoreScenario({
    name: "speed/sqs-unordered",
    title: "messages for a standard queue, with --unordered",
    size: 50_000,
    shape: sqsStandard,
    options: ["--unordered", "--concurrency", "sqs=16"],
    peers: [sqsSdk],
    floor: sqsUnorderedFloor,
    atMost: 0.8,
  }),
  restoreScenario({
    name: "speed/sqs-fifo",
    title: "messages for a FIFO queue, in 20 groups",
    size: 20_000,
    shape: sqsFifo(20),
    peers: [sqsBoto3, sqsSdk],
    floor: sqsFifoFloor,
    atMost: 1,
  }),
  elastickvRedis,
  checkScenario({
    name: "speed/check-small",
    title: "check of small files",
    size: 200_000,
    shape: redisStrings({ expireEvery: 10, chars: 64 }),
    atMost: 1.6,
  }),
  checkScenario({
    name: "speed/check-large",
    title: "check of files of 50 MB",
    size: 43,
    shape: s3Videos,
    atMost: 0.3,
  }),
  growthScenario({
    name: "speed/growth-redis",
    title: "Redis strings, and a tenth of them",
    size: 1_000_000,
    shape: redisStrings({ expireEvery: 10, chars: 64 }),
  }),
  growthScenario({
    name: "speed/growth-s3",
    title: "S3 objects of 4 KiB, and a tenth of them",
    size: 50_000,
    shape: s3SmallObjects,
    mostRounds: 1,
  }),
  limiterScenario({
    name: "speed/limiter-redis",
    title: "Redis strings at 5,000 a second",
    size: 50_000,
    shape: redisStrings({ expireEvery: 10, chars: 64 }),
    limit: 5_000,
    unit: "ops/s",
    watch: async ({ server }) => await watchCommands(server, "set"),
  }),
  limiterScenario({
    name: "speed/limiter-s3",
    title: "S3 objects of 64 KiB at 4 MiB a second",
    size: 640,
    shape: s3Objects({ bytes: 65_536 }),
    limit: 4 * MEBIBYTE,
    unit: "B/s",
    watch: async ({ server }) => await watchBodies(server),
  }),
  modesScenario({
    name: "speed/modes-redis-strings",
    title: "Redis strings in each mode",
    size: 200_000,
    shape: redisStrings({ expireEvery: 10, chars: 64 }),
  }),
  modesScenario({
    name: "speed/modes-redis-collections",
    title: "Redis hashes, lists, sets, sorted sets and streams, of each, in each mode",
    size: 20_000,
    shape: redisCollections,
  }),
  modesScenario({
    name: "speed/modes-dynamodb",
    title: "DynamoDB items in each mode",
    size: 20_000,
    shape: dynamoDbLines,
  }),
  modesScenario({
    name: "speed/modes-s3",
    title: "S3 objects of 4 KiB in each mode",
    size: 5_000,
    shape: s3SmallObjects,
  }),
  helpScenario,
  tenRecordsScenario,
];
