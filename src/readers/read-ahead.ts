/**
 * Small files of the catalogue, read and checked again in threads before they are asked for, in the order of their rows:
 * one message and one promise for hundreds of them. A file that is no longer what was checked, or that cannot be read, is
 * there without its bytes: whoever reads it alone is told why.
 */
import type { CatalogueBlock } from "./catalogue-block.js";
import type { CatalogueRow } from "./content.js";
import type { FileThreads } from "./file-threads.js";
import { KEPT_BYTES } from "./row-batch.js";

/** Waiting to be used. */
const BATCHES_AHEAD = 3;

export interface ReadJob {
  readonly root: string;
  /** Rows as `row-batch.js` has them, like the columns. */
  readonly text: string;
  readonly count: number;
  readonly columns: Uint32Array;
  /** In all files. */
  readonly bytes: number;
  /** What the check read is there: the files only have to be unchanged. */
  readonly isKept: boolean;
}

export interface ReadAnswer {
  /** Of all files, one behind the other; empty when they are there. */
  readonly contents: Uint8Array;
  /** Rows whose bytes are not there. */
  readonly failed: readonly number[];
}

/** Rows of one block, from one up to another. */
export interface BlockRange {
  /** Of the block. */
  readonly index: number;
  readonly block: CatalogueBlock;
  readonly start: number;
  readonly end: number;
}

export interface ReadAheadInit {
  readonly root: string;
  readonly threads: FileThreads;
  /** By block: what the check read of its files, one behind the other. Taken out once they are used. */
  readonly contents: Map<number, Uint8Array>;
}

/** The rows of the ranges, with the bytes of those that are small. Holds some batches of them in memory. */
export async function* readAhead(
  ranges: Iterable<BlockRange>,
  init: ReadAheadInit,
): AsyncGenerator<readonly CatalogueRow[]> {
  const ahead: Promise<readonly CatalogueRow[]>[] = [];
  for (const range of ranges) {
    for (const batch of batchesOf(range)) {
      ahead.push(readBatch(batch, init));
      if (ahead.length > BATCHES_AHEAD) yield (await ahead.shift()) ?? [];
    }
  }
  for (const batch of ahead) yield await batch;
}

async function readBatch(
  range: BlockRange,
  { root, threads, contents }: ReadAheadInit,
): Promise<readonly CatalogueRow[]> {
  const { index, block, start, end } = range;
  const bytes = bytesOf(block, start, end);
  if (bytes > KEPT_BYTES) return rowsOf(range);
  const kept = contents.get(index);
  // Records are read in order, and hardly ever twice.
  if (end === block.count) contents.delete(index);
  const { text, columns } = block.part(start, end);
  const job: ReadJob = { root, text, columns, count: end - start, bytes, isKept: kept !== undefined };
  const answer = await threads.ask<ReadAnswer>(job).catch(() => undefined);
  if (answer === undefined) return rowsOf(range);
  const before = kept === undefined ? 0 : bytesOf(block, 0, start);
  return withBytes(range, (kept ?? answer.contents).subarray(before), answer.failed);
}

function bytesOf(block: CatalogueBlock, start: number, end: number): number {
  let bytes = 0;
  for (let row = start; row < end; row++) bytes += block.sizeOf(row);
  return bytes;
}

function rowsOf({ block, start, end }: BlockRange): CatalogueRow[] {
  return Array.from({ length: end - start }, (_, index) => block.row(start + index));
}

/** A large file is a batch of its own. */
function* batchesOf({ index, block, start, end }: BlockRange): Generator<BlockRange> {
  let [from, bytes] = [start, 0];
  for (let at = start; at < end; at++) {
    const size = block.sizeOf(at);
    if (from < at && bytes + size > KEPT_BYTES) {
      yield { index, block, start: from, end: at };
      [from, bytes] = [at, 0];
    }
    bytes += size;
  }
  if (from < end) yield { index, block, start: from, end };
}

function withBytes(
  { block, start, end }: BlockRange,
  contents: Uint8Array,
  failed: readonly number[],
): readonly CatalogueRow[] {
  const missing = new Set(failed);
  const rows: CatalogueRow[] = [];
  for (let row = start, at = 0; row < end; row++) {
    const size = block.sizeOf(row);
    const bytes = missing.has(row - start) ? undefined : Buffer.from(contents.buffer, contents.byteOffset + at, size);
    rows.push(block.row(row, bytes));
    at += size;
  }
  return rows;
}
