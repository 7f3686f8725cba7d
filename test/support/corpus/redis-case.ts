/** Cases of keys in database 0: each has a key of its own, which is its name. */

import { type DumpFile, segmentOf } from "../dump-builder.js";
import type { RecordCase } from "./case.js";
import type { Holding } from "./holdings.js";

const FILES = {
  hash: ["hashes", ".json"],
  list: ["lists", ".json"],
  set: ["sets", ".json"],
  zset: ["zsets", ".json"],
  stream: ["streams", ".jsonl"],
  string: ["strings", ".bin"],
  hll: ["hll", ".bin"],
} as const;

type Type = keyof typeof FILES;

export const pathOf = (type: Type, key: string | Buffer) =>
  `redis/db_0/${FILES[type][0]}/${segmentOf(key)}${FILES[type][1]}`;

/** A key of its own for each case: its name. */
export function rejected(
  type: Type,
  name: string,
  content: DumpFile,
  reason: string,
  holds: readonly Holding[] = [],
): RecordCase {
  const path = pathOf(type, `${type}: ${name}`);
  return { name: `${type}: ${name}`, files: { [path]: content }, ends: [{ path, outcome: "rejected", reason }], holds };
}

export function restored(type: Type, name: string, content: DumpFile, holding: Holding, note?: string): RecordCase {
  const path = pathOf(type, name);
  const ends = note === undefined ? [] : [{ path, outcome: "restored" as const, reason: note }];
  return { name: `${type}: ${name}`, files: { [path]: content }, ends, holds: [holding] };
}

export function skipped(
  type: Type,
  name: string,
  content: DumpFile,
  outcome: "skipped-empty" | "skipped-expired",
): RecordCase {
  const path = pathOf(type, `${type}: ${name}`);
  return { name: `${type}: ${name}`, files: { [path]: content }, ends: [{ path, outcome }] };
}

/** What is not UTF-8, and how a dump writes it. */
export const RAW = Buffer.from([0xff, 0xfe]);
export const B64 = { base64: RAW.toString("base64url") };

export const v1 = (fields: Readonly<Record<string, unknown>>) => ({ format_version: 1, expire_at_ms: null, ...fields });
