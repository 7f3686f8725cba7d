/** Redis keys as a transform sees them: a collection whole, within the budget. The way back is `rebuilt-keys.ts`. */
import type { CollectionRecord, HyperLogLogRecord, RedisRecord, StreamRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import type { MemoryBudget } from "./limits.js";
import type { PlainField, PlainKey } from "./plain-records.js";

interface PlainBase {
  readonly adapter: "redis";
  readonly scope: string;
  key: Buffer;
  expireAtMs?: bigint;
}

/** @throws LimitError, and what reading the record's file throws */
export async function plainKey(record: RedisRecord, scope: DatabaseScope, budget: MemoryBudget): Promise<PlainKey> {
  const { expireAtMs } = record;
  const base: PlainBase = {
    adapter: "redis",
    scope: scope.name,
    key: Buffer.from(record.key),
    ...(expireAtMs === undefined ? {} : { expireAtMs }),
  };
  switch (record.kind) {
    case "string":
      budget.take(record.value.size);
      return { ...base, kind: "string", value: await record.value.buffer() };
    case "collection":
      return await plainCollection(record, base, budget);
    case "stream":
      return { ...base, kind: "stream", entries: await plainEntries(record, budget) };
    case "hll":
      return { ...base, kind: "hll", ...(await plainHyperLogLog(record, budget)) };
  }
}

async function plainCollection(record: CollectionRecord, base: PlainBase, budget: MemoryBudget): Promise<PlainKey> {
  // Before any of it is read.
  budget.take(0, record.count);
  const elements: (readonly Buffer[])[] = [];
  for await (const chunk of record.elements()) {
    for (const element of chunk) budget.take(bytesOf(element), 0);
    elements.push(...chunk);
  }
  const first = ([one = NOTHING]: readonly Buffer[]) => one;
  switch (record.type) {
    case "hash":
      return { ...base, kind: "hash", fields: pairsOf(elements.flat()) };
    case "list":
      return { ...base, kind: "list", items: elements.map(first) };
    case "set":
      return { ...base, kind: "set", members: elements.map(first) };
    case "zset":
      return {
        ...base,
        kind: "zset",
        members: elements.map(([score = NOTHING, member = NOTHING]) => ({ score: score.toString(), member })),
      };
  }
}

async function plainEntries(record: StreamRecord, budget: MemoryBudget) {
  const entries: { id: string; fields: PlainField[] }[] = [];
  for await (const chunk of record.entries()) {
    for (const { id, fields } of chunk) {
      budget.take(bytesOf(fields), 1 + fields.length);
      entries.push({ id, fields: pairsOf(fields) });
    }
  }
  return entries;
}

async function plainHyperLogLog({ content }: HyperLogLogRecord, budget: MemoryBudget) {
  if (content.form === "sketch") {
    budget.take(content.value.size);
    return { sketch: await content.value.buffer() };
  }
  budget.take(0, content.count);
  const members: Buffer[] = [];
  for await (const chunk of content.members()) {
    budget.take(bytesOf(chunk), 0);
    // Cut out of a block of the file.
    members.push(...chunk.map((member) => Buffer.from(member)));
  }
  return { members };
}

const NOTHING = Buffer.alloc(0);

function pairsOf(parts: readonly Buffer[]): PlainField[] {
  const pairs: PlainField[] = [];
  for (let i = 0; i < parts.length; i += 2) pairs.push({ name: parts[i] ?? NOTHING, value: parts[i + 1] ?? NOTHING });
  return pairs;
}

function bytesOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
