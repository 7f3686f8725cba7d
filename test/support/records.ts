/** Scopes and records that hold no more than a test of the engine needs. */
import type { FaultyRecord, ItemRecord } from "../../src/model/record.js";
import type { DatabaseScope, QueueScope, TableScope } from "../../src/model/scope.js";

export function tableScope(name = "orders", target = name): TableScope {
  return {
    adapter: "dynamodb",
    name,
    target,
    path: `dynamodb/${name}`,
    warnings: [],
    schema: { key: { hash: { name: "id", type: "S" } }, globalIndexes: [], localIndexes: [] },
  };
}

export function databaseScope(database = 0): DatabaseScope {
  const name = `db_${database}`;
  return {
    adapter: "redis",
    name,
    target: name,
    path: `redis/${name}`,
    warnings: [],
    database,
    targetDatabase: database,
  };
}

export function queueScope(name = "jobs"): QueueScope {
  const settings = { fifo: false, contentBasedDeduplication: false, delaySeconds: 0, receiveMessageWaitSeconds: 0 };
  return { adapter: "sqs", name, target: name, path: `sqs/${name}`, warnings: [], settings };
}

export interface RecordParts {
  readonly lane?: string;
  readonly bytes?: number;
  readonly line?: number;
}

export function itemRecord(key: string, { lane, bytes = 10, line = 1 }: RecordParts = {}): ItemRecord {
  const path = "dynamodb/orders/items/data-00.jsonl";
  return {
    kind: "item",
    place: { path, line },
    after: { path, line },
    displayKey: key,
    bytes,
    ...(lane === undefined ? {} : { lane }),
    text: Buffer.from("{}"),
    keyText: { hash: Buffer.from(`{"S":"${key}"}`) },
  };
}

export function faultyRecord(displayKey: string, parts: Partial<FaultyRecord> = {}): FaultyRecord {
  const path = "dynamodb/orders/items/data-00.jsonl";
  return {
    kind: "faulty",
    place: { path, line: 1 },
    after: { path, line: 1 },
    displayKey,
    bytes: 10,
    outcome: "rejected",
    reason: "malformed-json",
    detail: "a value was expected at byte 3",
    ...parts,
  };
}
