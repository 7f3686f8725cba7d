/**
 * Compares a HyperLogLog on the target with the dump's, which no command does: Redis keeps one as a string, the same for
 * the same members in the same order but for a cached count in bytes 8 to 15 (hyperloglog.c).
 */
import type { HyperLogLogRecord, RedisRecord } from "../../model/record.js";
import type { WriteContext } from "./context.js";
import { temporaryKey } from "./own-keys.js";
import { typeOf } from "./read-back.js";
import { discard } from "./temporary.js";

/** False as well where the target cannot be asked. @throws RestoreError as `Link.request` */
export async function isSameCounter(context: WriteContext, record: RedisRecord): Promise<boolean> {
  if (record.kind !== "hll" || !context.abilities.sketches) return false;
  if ((await typeOf(context.link, record.key)) !== "string") return false;
  const held = await context.link.command("GET", [record.key]);
  return Buffer.isBuffer(held) && withoutCount(held).equals(withoutCount(await expected(context, record)));
}

async function expected(context: WriteContext, { content, key }: HyperLogLogRecord): Promise<Buffer> {
  if (content.form === "sketch") return await content.value.buffer();
  const temporary = temporaryKey(context.policy.jobId, key);
  try {
    for await (const members of content.members()) await context.link.command("PFADD", [temporary, ...members]);
    const made = await context.link.command("GET", [temporary]);
    return Buffer.isBuffer(made) ? made : Buffer.alloc(0);
  } finally {
    await discard(context, temporary);
  }
}

const COUNT = { start: 8, end: 16 };

function withoutCount(sketch: Buffer): Buffer {
  return Buffer.concat([sketch.subarray(0, COUNT.start), sketch.subarray(COUNT.end)]);
}
