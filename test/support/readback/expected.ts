/**
 * What a dump says that a target has to hold after a restore, read from the dump by this proof's own means: small,
 * slow, everything in memory. Knows both shapes of the format.
 */
import { expectedTables } from "./expected-dynamodb.js";
import { type ExpectedRedis, expectedDatabases } from "./expected-redis.js";
import { expectedBuckets } from "./expected-s3.js";
import { type ExpectedQueue, expectedQueues } from "./expected-sqs.js";
import type { State } from "./state.js";

export interface Expected {
  readonly dynamodb: State;
  readonly s3: State;
  readonly redis: ExpectedRedis;
  readonly sqs: readonly ExpectedQueue[];
  /** Records by scope, `redis:db_0`. Expired, empty and impossible ones are counted too. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Reads the whole dump. @throws Error when it is not as the format says; this reader forgives nothing */
export function expectedFrom(dump: string): Expected {
  const counts = new Map<string, number>();
  const dynamodb = expectedTables(dump, counts);
  const s3 = expectedBuckets(dump, counts);
  const redis = expectedDatabases(dump, counts);
  const sqs = expectedQueues(dump, counts);
  return { dynamodb, s3, redis, sqs, counts };
}

export function totalCount(expected: Expected): number {
  return [...expected.counts.values()].reduce((sum, count) => sum + count, 0);
}
