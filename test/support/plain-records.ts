/** Redis records whose whole content is in memory, as a reader yields those of small files. */
import type { CollectionRecord, Packed, StreamRecord, StringRecord } from "../../src/model/record.js";

function packed(parts: readonly Buffer[]): Packed {
  const ends: number[] = [];
  for (const part of parts) ends.push((ends.at(-1) ?? 0) + part.length);
  const ranges = Uint32Array.from(ends.flatMap((end, i) => [ends[i - 1] ?? 0, end]));
  return { bytes: Buffer.concat(parts), ranges };
}

export async function inMemory<R extends StringRecord | CollectionRecord | StreamRecord>(record: R): Promise<R> {
  if (record.kind === "string") {
    return { ...record, value: { ...record.value, bytes: await record.value.buffer() } };
  }
  const parts: Buffer[] = [];
  if (record.kind === "collection") {
    for await (const chunk of record.elements()) parts.push(...chunk.flat());
    return { ...record, packed: packed(parts) };
  }
  const widths: number[] = [];
  for await (const chunk of record.entries()) {
    for (const { id, fields } of chunk) {
      parts.push(Buffer.from(id), ...fields);
      widths.push(1 + fields.length);
    }
  }
  return { ...record, packed: { ...packed(parts), widths: Uint32Array.from(widths) } };
}
