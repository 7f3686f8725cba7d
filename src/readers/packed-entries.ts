/** Streams' entries as ranges of the text that they stand in: see `packed-elements.ts`. */
import type { StreamEntry, StreamRecord } from "../model/record.js";
import { behindSpace, standsAt } from "../support/json-text.js";
import { behindDigits, behindName, behindString, PackedElements } from "./packed-elements.js";

export type PackedEntries = NonNullable<StreamRecord["packed"]>;

interface PlainStream {
  readonly packed: PackedEntries;
  readonly count: number;
  /** Of the entries' fields. */
  readonly bytes: number;
  /** Id of the last entry. */
  readonly top: string | undefined;
  /** The line that is no entry's. */
  readonly metaText: Buffer | undefined;
}

const MAX_ENTRIES = 1_000;
/** Numbers of so many digits are exact. */
const SURE_DIGITS = 15;
const META = Buffer.from('{"_meta":true');
const [ID, FIELDS] = [Buffer.from('"id"'), Buffer.from('"fields"')];
const [LF, DASH, ZERO, OPEN, CLOSE, FIRST, LAST, COMMA] = [0x0a, 0x2d, 0x30, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c];

/** What of an entry's line is known when it is read. */
interface Cursor {
  ms: number;
  seq: number;
  idStart: number;
  idEnd: number;
}

const gathered = new PackedElements("hash");

/** The entries of a text whose every line is plain, their ids rising; undefined for any other. */
export function plainStream(text: Buffer): PlainStream | undefined {
  const widths: number[] = [];
  const cursor: Cursor = { ms: 0, seq: 0, idStart: 0, idEnd: 0 };
  let metaText: Buffer | undefined;
  let idBytes = 0;
  gathered.begin(text);
  for (let at = 0; at < text.length; ) {
    const feed = text.indexOf(LF, at);
    const end = feed < 0 ? text.length : feed;
    if (standsAt(text, at, META)) {
      if (metaText !== undefined) return undefined;
      metaText = text.subarray(at, end);
    } else {
      const before = gathered.count;
      const behind = takeEntry(text, at, cursor);
      // Within an entry, a line's end would be white space to JSON.
      if (behind < 0 || behind > end || behindSpace(text, behind) < end) return undefined;
      if (widths.length >= MAX_ENTRIES) return undefined;
      widths.push(1 + 2 * (gathered.count - before));
      idBytes += cursor.idEnd - cursor.idStart;
    }
    at = end + 1;
  }
  const top = widths.length === 0 ? undefined : text.toString("latin1", cursor.idStart, cursor.idEnd);
  const packed = { ...gathered.packed(), widths: Uint32Array.from(widths) };
  return { packed, count: widths.length, bytes: gathered.bytes - idBytes, top, metaText };
}

/** The index behind the entry; -1 when it is not plain. */
function takeEntry(text: Buffer, at: number, cursor: Cursor): number {
  if (text[at] !== OPEN) return -1;
  const id = behindName(text, behindSpace(text, at + 1), ID);
  const idEnd = id < 0 ? -1 : behindString(text, id);
  if (idEnd < 0 || !takeId(text, { start: id + 1, end: idEnd - 1 }, cursor)) return -1;
  const comma = behindSpace(text, idEnd);
  const fields = text[comma] === COMMA ? behindName(text, behindSpace(text, comma + 1), FIELDS) : -1;
  if (fields < 0 || text[fields] !== FIRST) return -1;
  for (let next = fields; ; ) {
    const end = gathered.take(behindSpace(text, next + 1));
    if (end < 0) return -1;
    next = behindSpace(text, end);
    if (text[next] === COMMA) continue;
    const close = text[next] === LAST ? behindSpace(text, next + 1) : -1;
    return close >= 0 && text[close] === CLOSE ? close + 1 : -1;
  }
}

/** Takes an id that is above the last one. */
function takeId(text: Buffer, { start, end }: { start: number; end: number }, cursor: Cursor): boolean {
  const dash = behindDigits(text, start);
  if (text[dash] !== DASH || behindDigits(text, dash + 1) !== end) return false;
  const [ms, seq] = [numberOf(text, start, dash), numberOf(text, dash + 1, end)];
  if (ms < cursor.ms || seq < 0 || (ms === cursor.ms && seq <= cursor.seq)) return false;
  [cursor.ms, cursor.seq, cursor.idStart, cursor.idEnd] = [ms, seq, start, end];
  gathered.range(start, end);
  return true;
}

/** -1 for what may not be exact, or is not written as numbers are. */
function numberOf(text: Buffer, start: number, end: number): number {
  if (end === start || end - start > SURE_DIGITS || (text[start] === ZERO && end > start + 1)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (text[at] ?? 0) - ZERO;
  return value;
}

export function unpackedEntries({ bytes, ranges, widths }: PackedEntries): StreamEntry[] {
  const entries: StreamEntry[] = [];
  let at = 0;
  const next = (): Buffer => {
    at += 2;
    return bytes.subarray(ranges[at - 2], ranges[at - 1]);
  };
  for (const width of widths) {
    const id = next().toString("latin1");
    const fields: Buffer[] = [];
    for (let i = 1; i < width; i++) fields.push(next());
    entries.push({ id, fields });
  }
  return entries;
}
