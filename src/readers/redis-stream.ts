/**
 * Streams: a line an entry, and a line of meta that may stand anywhere. The file is read once to validate it whole and
 * again for every `entries()`, which leaves out the entries that the first reading found faulty.
 */
import type { Note } from "../model/outcome.js";
import type { Content, StreamEntry, StreamRecord } from "../model/record.js";
import { type JsonObject, JsonSyntaxError, type JsonValue, parseJson } from "../support/json.js";
import { present } from "../support/present.js";
import { chunked, totalBytes } from "./chunks.js";
import { RecordFault } from "./faults.js";
import {
  asBytes,
  asObject,
  asString,
  assertFormatVersion,
  expireAtMs,
  FieldError,
  optionalBoolean,
  optionalInteger,
  optionalUint64,
} from "./json-access.js";
import { LimitError } from "./json-stream.js";
import { type Line, lines, tooLong } from "./lines.js";
import { type PackedEntries, plainStream, unpackedEntries } from "./packed-entries.js";

type StreamContent = Omit<StreamRecord, "key" | "place" | "after" | "displayKey" | "lane">;
type FaultyEntry = StreamRecord["faultyEntries"][number];

/** More would not fit into a report either: the stream is then rejected whole. */
const MAX_FAULTY_ENTRIES = 10_000;

/** Files up to this are read whole. */
const SMALL_BYTES = 1024 * 1024;

/** @throws RecordFault, FieldError, LimitError; RestoreError CHANGED_AFTER_CHECK */
export async function readStream(path: string, content: Content): Promise<StreamContent> {
  const small = content.bytes ?? (content.size <= SMALL_BYTES ? await content.buffer() : undefined);
  return (small === undefined ? undefined : streamInMemory(small)) ?? (await streamedStream(path, content));
}

/**
 * A stream whose file is in memory whole, without a wait. Undefined when it is not plain, or at fault: what is the matter
 * is told by `readStream`.
 */
export function streamInMemory(text: Buffer): StreamContent | undefined {
  const lines = text.length > SMALL_BYTES ? undefined : plainStream(text);
  if (lines === undefined) return undefined;
  const { packed, count, bytes, metaText } = lines;
  const topId = lines.top === undefined ? undefined : parseId(lines.top);
  let meta: Meta | undefined;
  try {
    if (metaText !== undefined) meta = plainMeta(metaText) ?? parseMeta(asObject(parseJson(metaText), "the line"));
  } catch {
    return undefined;
  }
  const entries = () => chunked(onlyEntries(packed), ({ fields }) => totalBytes(fields));
  return { ...streamOf({ meta, topId, count, bytes, faultyEntries: [] }), entries, packed };
}

async function* onlyEntries(packed: PackedEntries): AsyncGenerator<StreamEntry[]> {
  yield unpackedEntries(packed);
}

async function streamedStream(path: string, content: Content): Promise<StreamContent> {
  const faultyEntries: FaultyEntry[] = [];
  let meta: Meta | undefined;
  let topId: StreamId | undefined;
  let count = 0;
  let bytes = 0;
  for await (const event of parseLines(content)) {
    if (event.kind === "meta") {
      if (meta !== undefined) throw new RecordFault("malformed-record", "it has two meta lines");
      meta = event.meta;
    } else if (event.kind === "fault") {
      if (faultyEntries.length >= MAX_FAULTY_ENTRIES)
        throw new LimitError(`more than ${MAX_FAULTY_ENTRIES} of its entries are faulty`);
      faultyEntries.push({ id: event.id, reason: event.reason, place: { path, line: event.line } });
    } else {
      count++;
      bytes += totalBytes(event.entry.fields);
      topId = event.id;
    }
  }
  const entries = () => chunked(entriesOf(content), ({ fields }) => totalBytes(fields));
  return { ...streamOf({ meta, topId, count, bytes, faultyEntries }), entries };
}

interface Found {
  readonly meta: Meta | undefined;
  readonly topId: StreamId | undefined;
  readonly count: number;
  readonly bytes: number;
  readonly faultyEntries: readonly FaultyEntry[];
}

function streamOf({ meta, topId, count, bytes, faultyEntries }: Found): Omit<StreamContent, "entries"> {
  const notes = staleNotes(meta, topId, count + faultyEntries.length);
  const lastId = higher(meta?.lastId, topId);
  const top = formatId(topId);
  return present({
    kind: "stream" as const,
    bytes,
    count,
    expireAtMs: meta?.expireAtMs,
    lastId: lastId === topId ? top : formatId(lastId),
    topId: top,
    faultyEntries,
    notes: notes.length === 0 ? undefined : notes,
  });
}

async function* entriesOf(content: Content): AsyncGenerator<StreamEntry[]> {
  for await (const event of parseLines(content)) if (event.kind === "entry") yield [event.entry];
}

export interface StreamId {
  readonly ms: bigint;
  readonly seq: bigint;
}

interface Meta {
  readonly length: bigint | undefined;
  /** Undefined when none was handed out yet. */
  readonly lastId: StreamId | undefined;
  readonly expireAtMs: bigint | undefined;
}

type StreamLine =
  | { readonly kind: "meta"; readonly meta: Meta }
  | { readonly kind: "entry"; readonly id: StreamId; readonly entry: StreamEntry }
  | { readonly kind: "fault"; readonly id: string; readonly reason: string; readonly line: number };

/** Every line; an entry that is no entry, or whose id does not rise, is a fault. @throws FieldError for a bad meta line */
async function* parseLines(content: Content): AsyncGenerator<StreamLine> {
  let last: StreamId | undefined;
  for await (const line of lines(content.blocks())) {
    const parsed = parseLine(line, last);
    if (parsed.kind === "entry") last = parsed.id;
    yield parsed;
  }
}

function parseLine({ bytes, line }: Line, last: StreamId | undefined): StreamLine {
  let id = "unknown";
  let object: JsonObject;
  try {
    if (bytes === undefined) throw new LimitError(tooLong());
    object = asObject(parseJson(bytes), "the line");
    if (!object.has("_meta")) {
      const text = object.get("id");
      if (typeof text === "string" && text.length <= 64) id = text;
      return parseEntry(object, last);
    }
  } catch (error) {
    return { kind: "fault", id, reason: reasonOf(error), line };
  }
  return { kind: "meta", meta: parseMeta(object) };
}

function reasonOf(error: unknown): string {
  if (error instanceof JsonSyntaxError || error instanceof RecordFault) return error.reason;
  if (error instanceof FieldError) return "malformed-record";
  if (error instanceof LimitError) return "limit-exceeded";
  throw error;
}

function parseEntry(object: JsonObject, last: StreamId | undefined): StreamLine {
  const text = asString(object.get("id"), '"id"');
  const id = parseId(text);
  if (id.ms === 0n && id.seq === 0n) throw new RecordFault("invalid-id", "no entry can have the id 0-0");
  if (last !== undefined && compareIds(id, last) <= 0)
    throw new RecordFault("id-not-ascending", "its id does not rise");
  const fields = readFields(object.get("fields"));
  if (fields.length === 0) throw new RecordFault("no-fields", "no entry can be without fields");
  return { kind: "entry", id, entry: { id: text, fields } };
}

function readFields(value: JsonValue | undefined): Buffer[] {
  if (value instanceof Map) {
    return [...value].flatMap(([name, field]) => [Buffer.from(name), asBytes(field, "a field's value")]);
  }
  if (!Array.isArray(value)) throw new FieldError('"fields" is neither an array nor an object');
  return value.flatMap((member) => {
    const field = asObject(member, "a field");
    return [asBytes(field.get("name"), "a field's name"), asBytes(field.get("value"), "a field's value")];
  });
}

/** @throws FieldError */
function parseMeta(object: JsonObject): Meta {
  if (optionalBoolean(object, "_meta") !== true) throw new FieldError('"_meta" is not true');
  assertFormatVersion(object);
  const [ms, seq] = [optionalUint64(object, "last_ms") ?? 0n, optionalUint64(object, "last_seq") ?? 0n];
  return metaOf(optionalInteger(object, "length"), { ms, seq }, expireAtMs(object));
}

function metaOf(length: bigint | undefined, { ms, seq }: StreamId, expireAtMs: bigint | undefined): Meta {
  return { length, lastId: ms === 0n && seq === 0n ? undefined : { ms, seq }, expireAtMs };
}

/** As elastickv writes it, with numbers that none of its members is too small for. */
const PLAIN_META =
  /^\{"_meta":true,"length":(0|[1-9]\d{0,17}),"last_ms":(0|[1-9]\d{0,17}),"last_seq":(0|[1-9]\d{0,17}),"expire_at_ms":(?:null|(0|[1-9]\d{0,17}))\}$/;

/** What `parseMeta` says of a line that is written so, without its values of JSON; undefined for any other. */
function plainMeta(text: Buffer): Meta | undefined {
  const [, length, ms, seq, expiry] = PLAIN_META.exec(text.toString("latin1")) ?? [];
  if (length === undefined || ms === undefined || seq === undefined) return undefined;
  const expireAtMs = expiry === undefined ? undefined : BigInt(expiry);
  return metaOf(BigInt(length), { ms: BigInt(ms), seq: BigInt(seq) }, expireAtMs);
}

const ID = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** @throws RecordFault */
export function parseId(text: string): StreamId {
  const match = ID.exec(text);
  const [ms, seq] = [BigInt(match?.[1] ?? -1), BigInt(match?.[2] ?? -1)];
  if (ms < 0n || ms > UINT64_MAX || seq > UINT64_MAX) {
    throw new RecordFault("invalid-id", "its id is not two 64-bit numbers");
  }
  return { ms, seq };
}

export function compareIds(a: StreamId, b: StreamId): number {
  if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
  return a.seq === b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

function higher(a: StreamId | undefined, b: StreamId | undefined): StreamId | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareIds(a, b) > 0 ? a : b;
}

export function formatId(id: StreamId): string;
export function formatId(id: StreamId | undefined): string | undefined;
export function formatId(id: StreamId | undefined): string | undefined {
  return id === undefined ? undefined : `${id.ms}-${id.seq}`;
}

/** The entries win; that the meta line says otherwise is told. */
function staleNotes(meta: Meta | undefined, topId: StreamId | undefined, entries: number): Note[] {
  if (meta === undefined) return [];
  const isLower = topId !== undefined && (meta.lastId === undefined || compareIds(meta.lastId, topId) < 0);
  if (!isLower && (meta.length === undefined || meta.length === BigInt(entries))) return [];
  return [{ kind: "stale-meta", detail: "the meta line disagrees with the entries, which win" }];
}
