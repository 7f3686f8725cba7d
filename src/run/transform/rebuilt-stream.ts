/** A stream out of the entries that a transform returned. What the reader could not read of it stays its fault. */
import type { StreamEntry, StreamRecord } from "../../model/record.js";
import { chunked, totalBytes } from "../../readers/chunks.js";
import { compareIds, formatId, parseId, type StreamId } from "../../readers/redis-stream.js";
import type { MemoryBudget } from "./limits.js";
import { PackedParts } from "./packed-parts.js";
import type { frameOf } from "./rebuilt.js";
import { asBytes, asList, asOnly, asText, later, TransformFault } from "./returned.js";

export interface Rebuilding {
  readonly frame: ReturnType<typeof frameOf> & {
    readonly key: Buffer;
    readonly displayKey: string;
    readonly expireAtMs?: bigint;
  };
  readonly budget: MemoryBudget;
}

const LOWEST: StreamId = { ms: 0n, seq: 0n };

/** @throws TransformFault, LimitError, RecordFault for an id */
export function rebuiltStream(returned: unknown, record: StreamRecord, { frame, budget }: Rebuilding): StreamRecord {
  const parts: Buffer[] = [];
  const ids: string[] = [];
  const ends: number[] = [];
  let top = LOWEST;
  for (const [i, value] of asList(returned, "entries").entries()) {
    const what = `entries[${i}]`;
    const members = asOnly(value, what, ["id", "fields"]);
    const id = parseId(asText(members.get("id"), `${what}.id`));
    if (compareIds(id, top) <= 0) throw new TransformFault(`${what}.id does not rise`);
    top = id;
    const fields = asList(members.get("fields"), `${what}.fields`).flatMap((one) => fieldOf(one, `${what}.fields[]`));
    if (fields.length === 0) throw new TransformFault(`${what} has no fields`);
    budget.take(totalBytes(fields), 1 + fields.length);
    for (const part of fields) parts.push(part);
    ids.push(formatId(id));
    ends.push(parts.length);
  }
  return {
    ...frame,
    ...idsOf(record, top),
    ...content({ ids, ends, packed: new PackedParts(parts) }),
    faultyEntries: record.faultyEntries,
  };
}

interface Packed {
  readonly ids: readonly string[];
  /** Behind the last part of each entry. */
  readonly ends: readonly number[];
  readonly packed: PackedParts;
}

function content(all: Packed): Pick<StreamRecord, "kind" | "bytes" | "count" | "entries"> {
  return {
    kind: "stream",
    bytes: all.packed.bytes,
    count: all.ids.length,
    entries: () => chunked(later(entriesOf(all)), ({ fields }) => totalBytes(fields)),
  };
}

function* entriesOf({ ids, ends, packed }: Packed): Generator<StreamEntry[]> {
  for (const [i, id] of ids.entries()) yield [{ id, fields: packed.slice(ends[i - 1] ?? 0, ends[i] ?? 0) }];
}

/** The last id handed out stays, unless an entry is above it. */
function idsOf({ lastId }: StreamRecord, top: StreamId): Pick<StreamRecord, "lastId" | "topId"> {
  const isEmpty = top === LOWEST;
  const isAbove = !isEmpty && (lastId === undefined || compareIds(top, parseId(lastId)) > 0);
  const last = isAbove ? formatId(top) : lastId;
  return { ...(last === undefined ? {} : { lastId: last }), ...(isEmpty ? {} : { topId: formatId(top) }) };
}

export function fieldOf(value: unknown, what: string): [name: Buffer, value: Buffer] {
  const members = asOnly(value, what, ["name", "value"]);
  return [asBytes(members.get("name"), `${what}.name`), asBytes(members.get("value"), `${what}.value`)];
}
