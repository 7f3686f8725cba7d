/**
 * Compares what stands under a key with a record's content, type by type, in chunks. Expiry times and a stream's last id
 * are not content. Changes nothing. Not atomic: a key that changes while it is read may be called different.
 */
import type { RedisRecord } from "../../../model/record.js";
import { compareCounter } from "./counter.js";
import { compareElements } from "./elements.js";
import { compareEntries } from "./entries.js";
import { compareList } from "./list.js";
import type { Matter } from "./matter.js";
import { compareValue } from "./value.js";

/** What TYPE says of a key that holds the record. */
function typeWordOf(record: RedisRecord): string {
  if (record.kind === "collection") return record.type;
  return record.kind === "hll" ? "string" : record.kind;
}

/** `type`: what TYPE says, not `none`. @throws RestoreError as `Link.request`, and CHANGED_AFTER_CHECK */
export async function compareContent(matter: Matter, record: RedisRecord, type: string): Promise<void> {
  const expected = typeWordOf(record);
  if (type !== expected) {
    matter.findings.add(
      "type",
      `the target holds a ${type}, the dump a ${record.kind === "hll" ? "hyperloglog" : expected}`,
    );
    return;
  }
  switch (record.kind) {
    case "hll":
      return await compareCounter(matter, record);
    case "string":
      return await compareValue(matter, record);
    case "stream":
      return await compareEntries(matter, record);
    case "collection":
      return record.type === "list" ? await compareList(matter, record) : await compareElements(matter, record);
  }
}
