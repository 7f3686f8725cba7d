/**
 * One record as data for people: its real key, and its value as text where it is text. Long values are cut, and say so.
 */
import { displayBytes } from "../model/display.js";
import type { DumpRecord, StreamEntry } from "../model/record.js";
import type { Scope } from "../model/scope.js";
import { plainItem, typedItem } from "./item-view.js";

/** Items above this size stand as text, cut. */
const ITEM_BYTES_SHOWN = 4 * 1024 * 1024;
const VALUE_BYTES_SHOWN = 64 * 1024;
const ELEMENTS_SHOWN = 200;

export type RecordView = Readonly<Record<string, unknown>>;

export interface ViewOptions {
  /** Items as plain JSON, without DynamoDB's types. */
  readonly plain: boolean;
}

/** What a list says of a record: reads nothing of its value. */
export function summarizeRecord(scope: Scope, record: DumpRecord): RecordView {
  const timed = "expireAtMs" in record ? expiry(record) : {};
  return {
    adapter: scope.adapter,
    scope: scope.name,
    type: typeOf(record),
    key: record.displayKey,
    place: record.place,
    bytes: record.bytes,
    ...(record.kind === "collection" || record.kind === "stream" ? { count: record.count } : {}),
    ...timed,
    ...(record.kind === "faulty" ? { reason: record.reason } : {}),
  };
}

function typeOf(record: DumpRecord): string {
  switch (record.kind) {
    case "faulty":
      return "malformed";
    case "collection":
      return record.type;
    case "hll":
      return "hyperloglog";
    default:
      return record.kind;
  }
}

/** Reads what it shows and no more: a value of gigabytes costs its first 64 KiB. */
export async function viewRecord(scope: Scope, record: DumpRecord, options: ViewOptions): Promise<RecordView> {
  return {
    adapter: scope.adapter,
    scope: scope.name,
    place: record.place,
    key: record.displayKey,
    ...(record.notes === undefined ? {} : { notes: record.notes }),
    ...(await content(record, options)),
  };
}

async function content(record: DumpRecord, { plain }: ViewOptions): Promise<RecordView> {
  switch (record.kind) {
    case "faulty":
      return { type: "malformed", outcome: record.outcome, reason: record.reason, detail: record.detail };
    case "item":
      return { type: "item", item: shownItem(record.text, plain) };
    case "object":
      return {
        type: "object",
        bytes: record.body.size,
        sha256: record.body.sha256,
        etag: record.etag,
        metadata: metadata(record.metadata),
      };
    case "string":
      return { type: "string", ...expiry(record), bytes: record.value.size, value: await head(record.value) };
    case "collection":
      return {
        type: record.type,
        ...expiry(record),
        count: record.count,
        elements: await first(record.elements(), (element) => element.map(displayBytes)),
      };
    case "stream":
      return {
        type: "stream",
        ...expiry(record),
        count: record.count,
        lastId: record.lastId,
        entries: await first(record.entries(), entry),
      };
    case "hll":
      return { type: "hyperloglog", ...expiry(record), ...(await sketch(record.content)) };
    case "message":
      return message(record);
  }
}

function shownItem(text: Buffer, plain: boolean): unknown {
  if (text.length > ITEM_BYTES_SHOWN) return shownText(text);
  return plain ? plainItem(text) : typedItem(text);
}

type Of<K extends DumpRecord["kind"]> = Extract<DumpRecord, { kind: K }>;

function metadata({ user, ...system }: Of<"object">["metadata"]): RecordView {
  return { ...system, user: Object.fromEntries(user) };
}

function message(record: Of<"message">): RecordView {
  return {
    type: "message",
    messageId: record.messageId,
    groupId: record.groupId,
    deduplicationId: record.deduplicationId,
    availableAt: record.availableAtMs === 0 ? undefined : new Date(record.availableAtMs).toISOString(),
    attributes: record.attributes.map(([name, { dataType, value }]) => ({
      name,
      dataType,
      value: "binary" in value ? `base64:${value.binary.toString("base64")}` : value.string,
    })),
    body: shownText(record.body),
  };
}

async function sketch(content: Of<"hll">["content"]): Promise<RecordView> {
  if (content.form === "sketch") return { form: "sketch", bytes: content.value.size };
  return { form: "members", count: content.count, members: await first(content.members(), displayBytes) };
}

function entry({ id, fields }: StreamEntry): RecordView {
  return { id, fields: fields.map(displayBytes) };
}

function expiry({ expireAtMs }: { readonly expireAtMs?: bigint }): RecordView {
  if (expireAtMs === undefined) return {};
  const date = new Date(Number(expireAtMs));
  const at = Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  return { expireAtMs, ...(at === undefined ? {} : { expiresAt: at }) };
}

/** The first elements of something that may hold millions. */
async function first<T, V>(chunks: AsyncIterable<readonly T[]>, view: (element: T) => V): Promise<(V | string)[]> {
  const shown: (V | string)[] = [];
  for await (const chunk of chunks) {
    for (const element of chunk) {
      if (shown.length === ELEMENTS_SHOWN) return [...shown, `… only the first ${ELEMENTS_SHOWN} are shown`];
      shown.push(view(element));
    }
  }
  return shown;
}

async function head(value: Of<"string">["value"]): Promise<string> {
  for await (const block of value.blocks({ start: 0, end: Math.min(value.size, VALUE_BYTES_SHOWN) })) {
    return shownText(block, value.size);
  }
  return "";
}

function shownText(bytes: Buffer, total = bytes.length): string {
  const shown = displayBytes(bytes.subarray(0, VALUE_BYTES_SHOWN));
  return total > VALUE_BYTES_SHOWN ? `${shown} … (${total} bytes in all)` : shown;
}
