/** Redis records out of what a transform returned. They are held in memory, within the budget. */
import { displayBytes } from "../../model/display.js";
import type { CollectionRecord, HyperLogLogRecord, RedisRecord } from "../../model/record.js";
import { chunked, totalBytes } from "../../readers/chunks.js";
import { FingerprintSet } from "../../support/fingerprints.js";
import type { MemoryBudget } from "./limits.js";
import { MemoryContent } from "./memory-content.js";
import { PackedParts } from "./packed-parts.js";
import { frameOf, type Rebuilt } from "./rebuilt.js";
import { fieldOf, type Rebuilding, rebuiltStream } from "./rebuilt-stream.js";
import { asBytes, asExpiry, asList, asOnly, later, TransformFault } from "./returned.js";

const BASE = ["adapter", "scope", "kind", "key", "expireAtMs"];

/** @throws TransformFault, LimitError, RecordFault for a stream's ids */
export function rebuiltKey(returned: unknown, record: RedisRecord, budget: MemoryBudget): Rebuilt<RedisRecord> {
  const members = asOnly(returned, "the key's record", [...BASE, ...contentMembers(record)]);
  const key = asBytes(members.get("key"), "key");
  const expireAtMs = asExpiry(members.get("expireAtMs"));
  const frame = {
    ...frameOf(record),
    key,
    displayKey: displayBytes(key),
    ...(expireAtMs === undefined ? {} : { expireAtMs }),
  };
  return { record: rebuiltContent(members, record, { frame, budget }), identity: key };
}

function contentMembers(record: RedisRecord): readonly string[] {
  switch (record.kind) {
    case "string":
      return ["value"];
    case "collection":
      return [CONTAINER[record.type]];
    case "stream":
      return ["entries"];
    case "hll":
      return [record.content.form];
  }
}

const CONTAINER: Record<CollectionRecord["type"], string> = {
  hash: "fields",
  list: "items",
  set: "members",
  zset: "members",
};

function rebuiltContent(members: Map<string, unknown>, record: RedisRecord, job: Rebuilding): RedisRecord {
  switch (record.kind) {
    case "string": {
      const returned = content(members.get("value"), "value", job);
      // One that came back as it was stays on disk.
      const value = returned.sha256 === record.value.sha256 ? record.value : returned;
      return { ...job.frame, kind: "string", value, bytes: value.size };
    }
    case "collection":
      return collection(members.get(CONTAINER[record.type]), record.type, job);
    case "stream":
      return rebuiltStream(members.get("entries"), record, job);
    case "hll":
      return hyperLogLog(members.get(record.content.form), record, job);
  }
}

function content(value: unknown, what: string, { budget }: Rebuilding): MemoryContent {
  const bytes = asBytes(value, what);
  budget.take(bytes.length);
  return new MemoryContent(bytes);
}

function collection(
  returned: unknown,
  type: CollectionRecord["type"],
  { frame, budget }: Rebuilding,
): CollectionRecord {
  const container = CONTAINER[type];
  const seen = new FingerprintSet();
  const elements = asList(returned, container).map((value, i) => {
    const what = `${container}[${i}]`;
    const element = elementOf(value, type, what);
    budget.take(totalBytes(element));
    // A list's elements may repeat; of any other's the second would swallow the first.
    const identity = type === "hash" || type === "set" ? element[0] : element[1];
    if (type !== "list" && !seen.add(identity ?? "")) throw new TransformFault(`${what} equals one before it`);
    return element;
  });
  const packed = new PackedParts(elements.flat());
  const width = elements[0]?.length ?? 1;
  return {
    ...frame,
    kind: "collection",
    type,
    count: elements.length,
    bytes: packed.bytes,
    elements: () => chunked(later(packed.groups(width)), totalBytes),
  };
}

function elementOf(value: unknown, type: CollectionRecord["type"], what: string): readonly Buffer[] {
  if (type === "hash") return fieldOf(value, what);
  if (type !== "zset") return [asBytes(value, what)];
  const members = asOnly(value, what, ["score", "member"]);
  return [Buffer.from(scoreOf(members.get("score"), what)), asBytes(members.get("member"), `${what}.member`)];
}

const SCORE = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A double would take it for zero. */
function vanishes(text: string): boolean {
  return Number(text) === 0 && /[1-9]/.test(text.replace(/[eE].*$/, ""));
}

/** Text for ZADD. */
function scoreOf(value: unknown, what: string): string {
  if (value === Infinity || value === "+inf" || value === "inf") return "+inf";
  if (value === -Infinity || value === "-inf") return "-inf";
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && SCORE.test(text) && Number.isFinite(Number(text)) && !vanishes(text)) return text;
  throw new TransformFault(`${what}.score is no score`);
}

function hyperLogLog(returned: unknown, record: HyperLogLogRecord, job: Rebuilding): HyperLogLogRecord {
  const { form } = record.content;
  if (form === "sketch") {
    const value = content(returned, "sketch", job);
    return { ...job.frame, kind: "hll", bytes: value.size, content: { form, value } };
  }
  const list = asList(returned, "members").map((member, i) => asBytes(member, `members[${i}]`));
  job.budget.take(totalBytes(list), list.length);
  const packed = new PackedParts(list);
  const members = () => chunked(membersOf(packed), (member) => member.length);
  return { ...job.frame, kind: "hll", bytes: packed.bytes, content: { form, count: list.length, members } };
}

async function* membersOf(packed: PackedParts): AsyncGenerator<Buffer[]> {
  for (const group of packed.groups(1)) yield group.flat();
}
