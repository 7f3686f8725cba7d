/** Compares a string's bytes, in parts. */
import type { StringRecord } from "../../../model/record.js";
import type { Matter } from "./matter.js";

const PART_BYTES = 1024 * 1024;

/** elastickv has neither STRLEN nor GETRANGE. */
export const LENGTH_BY_SCRIPT = "return #(redis.call('GET', KEYS[1]) or '')";
export const PART_BY_SCRIPT =
  "return string.sub(redis.call('GET', KEYS[1]) or '', tonumber(ARGV[1]), tonumber(ARGV[2]))";

export async function compareValue({ reader, findings }: Matter, { key, value }: StringRecord): Promise<void> {
  const { link, abilities } = reader;
  const length = abilities.listable
    ? await link.command("STRLEN", [key])
    : await link.command("EVAL", [LENGTH_BY_SCRIPT, "1", key]);
  if (length !== value.size) {
    findings.add("value", `the target's has ${String(length)} bytes, the dump's ${value.size}`);
    return;
  }
  const partOf = async (from: number, end: number) =>
    abilities.listable
      ? await link.command("GETRANGE", [key, String(from), String(end - 1)])
      : await link.command("EVAL", [PART_BY_SCRIPT, "1", key, String(from + 1), String(end)]);
  let at = 0;
  for await (const block of value.blocks()) {
    for (let from = 0; from < block.length; from += PART_BYTES) {
      const part = block.subarray(from, from + PART_BYTES);
      const held = await partOf(at, at + part.length);
      if (!Buffer.isBuffer(held) || !held.equals(part)) {
        const byte = at + firstDifference(part, Buffer.isBuffer(held) ? held : Buffer.alloc(0));
        findings.add("value", "the bytes differ from here on", `byte ${byte}`);
        return;
      }
      at += part.length;
    }
  }
}

function firstDifference(a: Buffer, b: Buffer): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
