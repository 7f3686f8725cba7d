/** Whole dumps at random: every adapter, every type of record, either shape. All of it within the limits of its service. */
import fc from "fast-check";

import type { DumpDescription } from "../dump-builder.js";
import { tables } from "./dynamodb.js";
import { type DumpPart, joined, type Shape } from "./parts.js";
import { databases } from "./redis.js";
import { buckets } from "./s3.js";
import { queues } from "./sqs.js";

export interface RandomDump {
  readonly description: DumpDescription;
  readonly absent: DumpPart["absent"];
  /** For messages: the dump itself is too long for one. */
  readonly [fc.toStringMethod]: () => string;
}

/** Taken at `nowMs`, about which its expiry times lie. */
export function randomDump(
  nowMs: number,
  { isForElastickv = false }: { readonly isForElastickv?: boolean } = {},
): fc.Arbitrary<RandomDump> {
  return fc.constantFrom<Shape>("shipped", "design").chain((shape) => {
    const kind = { shape, nowMs, isForElastickv };
    return fc
      .tuple(databases(kind), tables(kind), buckets(kind), queues(kind))
      .map(joined)
      .map(({ files, absent }) => ({
        description: { manifest: manifestOf(shape, nowMs), adapters: ADAPTERS, files },
        absent,
        [fc.toStringMethod]: () => `a dump of ${Object.keys(files).length} files in the ${shape} shape`,
      }));
  });
}

const ADAPTERS = { dynamodb: {}, s3: {}, redis: {}, sqs: {} };

function manifestOf(shape: Shape, nowMs: number): { [field: string]: unknown } {
  const wall_time_iso = new Date(nowMs).toISOString();
  if (shape === "design") return { wall_time_iso };
  const source = { fsm_path: "0000000000000001.fsm", fsm_crc32c: "00000000" };
  return { wall_time_iso, phase: "phase0-snapshot-decode", live: undefined, source, last_commit_ts: 2n ** 60n + 1n };
}
