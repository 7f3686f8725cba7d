/**
 * CHECKSUMS in blocks of whole rows, each row checked and brought into one form. Rows are looked at as bytes: there are
 * as many as files, and a thread that is handed a block of them needs no more.
 */
import { isUtf8 } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import {
  CHECKSUMS_FILE,
  type ChecksumRow,
  checksumsMissing,
  invalidChecksums,
  MAX_ROW_BYTES,
  parseRow,
} from "./checksum-row.js";
import { tooLong } from "./lines.js";
import { openRegular } from "./regular-file.js";
import { PATH_AT } from "./row-batch.js";
import { unreadable } from "./tree-fault.js";

export interface ListingBlock {
  /** As `row-batch.js` has them. */
  readonly rows: Buffer;
  /** A character for each byte of the rows: parts of it compare as the bytes do. The last of each row means nothing. */
  readonly text: string;
  /** Of each row, where it ends, behind its last byte. */
  readonly ends: readonly number[];
  /** In CHECKSUMS, of the first row. */
  readonly line: number;
}

const BLOCK_BYTES = 256 * 1024;
const ROWS_A_BLOCK = 512;
const [SPACE, DOT, SLASH] = [0x20, 0x2e, 0x2f];
const LINE_FEED = 10;
const DIGEST_CHARS = 64;

/** The dump's own. @throws RestoreError CHECKSUMS_MISSING, CHECKSUMS_INVALID, TREE_INVALID, DUMP_UNREADABLE */
export async function* listingBlocks(root: string): AsyncGenerator<ListingBlock> {
  const file = await openRegular(root, CHECKSUMS_FILE);
  if (file === undefined) throw checksumsMissing();
  yield* blocksOf(file);
}

/** Closes the file. */
async function* blocksOf(file: FileHandle): AsyncGenerator<ListingBlock> {
  try {
    let left = Buffer.alloc(0);
    for (let position = 0, line = 1, isEnd = false; !isEnd; ) {
      const bytes = Buffer.allocUnsafe(left.length + BLOCK_BYTES);
      left.copy(bytes);
      const { bytesRead } = await file.read(bytes, left.length, BLOCK_BYTES, position).catch((error: unknown) => {
        throw unreadable(CHECKSUMS_FILE, error);
      });
      position += bytesRead;
      isEnd = bytesRead === 0;
      let length = left.length + bytesRead;
      // The last row needs no line feed.
      if (isEnd && length > 0) bytes[length++] = LINE_FEED;
      const end = bytes.subarray(0, length).lastIndexOf(LINE_FEED) + 1;
      if (end > 0) {
        const block = toBlock(bytes.subarray(0, end), line);
        yield block;
        line += block.ends.length;
      }
      left = bytes.subarray(end, length);
      if (left.length > MAX_ROW_BYTES) throw invalidChecksums(line, tooLong(MAX_ROW_BYTES));
    }
  } finally {
    await file.close();
  }
}

/** `bytes` are lines with their feeds, and become the block's. */
function toBlock(bytes: Buffer, line: number): ListingBlock {
  if (!isUtf8(bytes)) return toBlockByRows(bytes, line);
  const text = bytes.toString("latin1");
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = behindPlainRow(bytes, start);
    if (end < 0 || end - start > MAX_ROW_BYTES) return toBlockByRows(bytes, line);
    ends.push(end);
    start = end;
  }
  for (const end of ends) bytes[end - 1] = 0;
  return { rows: bytes, text, ends, line };
}

const [OTHER, DIGIT, END] = [0, 1, 2];
/** By byte: hex digits, what ends a segment of a path or has no place in one, and all others. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (/[0-9a-f]/.test(String.fromCharCode(byte))) return DIGIT;
  return /[/\0\r\n\\]/.test(String.fromCharCode(byte)) ? END : OTHER;
});

/**
 * Behind the row that begins at `start` when it has the form already, with a path of plain segments; -1 for all others,
 * which `parseRow` judges. A line feed is the last of the bytes.
 */
function behindPlainRow(bytes: Buffer, start: number): number {
  let at = start;
  while (KINDS[bytes[at] ?? 0] === DIGIT) at++;
  if (at !== start + DIGEST_CHARS || bytes[at] !== SPACE || bytes[at + 1] !== SPACE) return -1;
  for (let segment = start + PATH_AT; ; segment = at + 1) {
    at = segment;
    while (at < bytes.length && KINDS[bytes[at] ?? 0] !== END) at++;
    if (isNoName(bytes, segment, at)) return -1;
    if (bytes[at] === LINE_FEED) return at + 1;
    if (bytes[at] !== SLASH) return -1;
  }
}

/** Empty, `.` or `..`. */
function isNoName(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > 2) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== DOT) return false;
  return true;
}

/** Of rows that are not all in the one form, or not all rows. */
function toBlockByRows(bytes: Buffer, line: number): ListingBlock {
  const rows: ChecksumRow[] = [];
  for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
    end = bytes.indexOf(LINE_FEED, start);
    rows.push(parseRow(bytes.subarray(start, end), line + rows.length));
  }
  return encodeRows(rows, line);
}

function encodeRows(rows: readonly Omit<ChecksumRow, "line">[], line: number): ListingBlock {
  const encoded = rows.map(({ path, sha256 }) => Buffer.from(`${sha256}  ${path}\0`));
  let end = 0;
  const ends = encoded.map(({ length }) => {
    end += length;
    return end;
  });
  const bytes = Buffer.concat(encoded);
  return { rows: bytes, text: bytes.toString("latin1"), ends, line };
}

/** Blocks of rows from elsewhere, in the order that they have there; their lines mean nothing. */
export async function* blocksOfRows(rows: AsyncIterable<Omit<ChecksumRow, "line">>): AsyncGenerator<ListingBlock> {
  let block: Omit<ChecksumRow, "line">[] = [];
  for await (const row of rows) {
    block.push(row);
    if (block.length < ROWS_A_BLOCK) continue;
    yield encodeRows(block, 0);
    block = [];
  }
  if (block.length > 0) yield encodeRows(block, 0);
}

/** The block's rows one by one. */
export function* rowsOf({ rows, ends, line }: ListingBlock): Generator<ChecksumRow> {
  let start = 0;
  for (const [row, end] of ends.entries()) {
    const sha256 = rows.toString("latin1", start, start + DIGEST_CHARS);
    yield { path: rows.toString("utf8", start + PATH_AT, end - 1), sha256, line: line + row };
    start = end;
  }
}

/** The bytes of the path of one row, a character each. */
export function pathOf({ text, ends }: ListingBlock, row: number): string {
  return text.slice((ends[row - 1] ?? 0) + PATH_AT, (ends[row] ?? 0) - 1);
}

/** At most so many rows of the block, from one on. */
export function partOf({ rows, text, ends, line }: ListingBlock, from: number, count: number): ListingBlock {
  const start = ends[from - 1] ?? 0;
  const partEnds = ends.slice(from, from + count);
  const end = partEnds.at(-1) ?? start;
  const part = { rows: rows.subarray(start, end), text: text.slice(start, end), line: line + from };
  return { ...part, ends: start === 0 ? partEnds : partEnds.map((rowEnd) => rowEnd - start) };
}
