/** Every measurement there is, in the order in which they run. */
import { dynamoDbItems } from "./memory/dynamodb.js";
import { redisHash, redisKeys, redisList } from "./memory/redis.js";
import { s3Object } from "./memory/s3.js";
import { sqsFifo, sqsLarge } from "./memory/sqs.js";
import type { Scenario } from "./scenario.js";

export const SCENARIOS: readonly Scenario[] = [
  redisList,
  redisHash,
  redisKeys,
  sqsLarge,
  sqsFifo,
  s3Object,
  dynamoDbItems,
];

/** Those of a group (`memory`), or the one of that name (`memory/redis-list`). */
export function scenariosNamed(name: string): readonly Scenario[] {
  return SCENARIOS.filter((scenario) => scenario.name === name || scenario.name.startsWith(`${name}/`));
}
