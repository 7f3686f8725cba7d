/**
 * What the check saw: every file of the dump with its digest, in bytewise path order, on disk. Readers list and find
 * files here and never in the tree again, so what was not checked does not exist for them.
 *
 * Rows lie in blocks as `catalogue-block.ts` has them; a sparse index and a few decoded blocks are all that memory holds.
 */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { Content } from "../model/record.js";
import { compareUtf8 } from "../support/byte-order.js";
import { partitionIndex, partitionPoint } from "../support/partition-point.js";
import { CatalogueBlock, encodeBlock } from "./catalogue-block.js";
import { type CatalogueRow, FileContent } from "./content.js";
import { closedDump, type FileThreads } from "./file-threads.js";
import type { HashedBatch } from "./hash-pool.js";
import { pathOf } from "./listing-blocks.js";
import { asText } from "./path-tally.js";
import { type BlockRange, readAhead } from "./read-ahead.js";

export type { CatalogueRow };

interface IndexEntry {
  /** Of its first row. */
  readonly path: string;
  readonly offset: number;
  /** Files of the block, and bytes in them. */
  readonly files: number;
  readonly bytes: number;
}

/** A block ends with whichever comes first: tags make the row of a very large file megabytes long. */
const ROWS_A_BLOCK = 512;
const BLOCK_BYTES = 128 * 1024;
/** Of blocks as they lie in the file, in memory. */
const KEPT_BYTES = 512 * 1024;

export class CatalogueWriter {
  readonly #root: string;
  readonly #file: string;
  readonly #fd: number;
  readonly #index: IndexEntry[] = [];
  /** By block. */
  readonly #contents = new Map<number, Uint8Array>();
  #offset = 0;
  #pending: HashedBatch[] = [];
  #pendingRows = 0;
  #pendingBytes = 0;
  #isOpen = true;

  constructor(root: string, workDirectory: string) {
    this.#root = root;
    this.#file = join(workDirectory, "catalogue");
    this.#fd = openSync(this.#file, "w", 0o600);
  }

  /** Batches come in ascending order of path. Means something where no row of them is an exception. @throws RestoreError LOCAL_IO */
  add(batch: HashedBatch): void {
    this.#pending.push(batch);
    this.#pendingRows += batch.block.ends.length;
    this.#pendingBytes += batch.block.rows.length + batch.answer.tagged.reduce((sum, { tags }) => sum + tags.length, 0);
    if (this.#pendingRows >= ROWS_A_BLOCK || this.#pendingBytes >= BLOCK_BYTES) this.#flush();
  }

  /** The catalogue takes the threads over. @throws RestoreError LOCAL_IO */
  finish(threads: FileThreads): Catalogue {
    this.#flush();
    this.discard();
    return new Catalogue({
      root: this.#root,
      threads,
      file: this.#file,
      index: this.#index,
      contents: this.#contents,
      end: this.#offset,
    });
  }

  /** Gives up. Does nothing after `finish`. */
  discard(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  #flush(): void {
    const [first] = this.#pending;
    if (first === undefined) return;
    const bytes = this.#pending.reduce((sum, { answer }) => sum + answer.bytes, 0);
    this.#index.push({ path: asText(pathOf(first.block, 0)), offset: this.#offset, files: this.#pendingRows, bytes });
    this.#keepContents(this.#index.length - 1);
    this.#write(encodeBlock(this.#pending));
    [this.#pending, this.#pendingRows, this.#pendingBytes] = [[], 0, 0];
  }

  #keepContents(block: number): void {
    const parts = this.#pending.flatMap(({ answer: { contents } }) => (contents === undefined ? [] : [contents]));
    const [only] = parts;
    if (only === undefined || parts.length < this.#pending.length) return;
    this.#contents.set(block, parts.length === 1 ? only : Buffer.concat(parts));
  }

  #write(bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (cause) {
      throw new RestoreError("LOCAL_IO", `cannot write ${this.#file}: ${messageOf(cause)}`, {
        hint: "Point TMPDIR at a folder with room for the dump's catalogue.",
        retry: "fatal",
        cause,
      });
    }
    this.#offset += bytes.length;
  }
}

interface CatalogueInit {
  readonly root: string;
  readonly threads: FileThreads;
  readonly file: string;
  readonly index: readonly IndexEntry[];
  /** By block: what its files hold, one behind the other. */
  readonly contents: Map<number, Uint8Array>;
  /** Bytes of the file. */
  readonly end: number;
}

/** Two rows that follow one another: nothing lies between. */
interface Gap {
  /** Absent: the gap is before all rows, or behind. */
  readonly before: string | undefined;
  readonly behind: string | undefined;
}

export class Catalogue {
  /** Files, and bytes in them. */
  readonly count: number;
  readonly bytes: number;
  readonly #root: string;
  readonly #threads: FileThreads;
  readonly #fd: number;
  readonly #index: readonly IndexEntry[];
  /** What the check has read and nobody has taken yet. */
  readonly #contents: Map<number, Uint8Array>;
  readonly #end: number;
  /** The latest that were read. */
  readonly #blocks = new Map<number, CatalogueBlock>();
  #keptBytes = 0;
  /** Where the latest path would stand that was asked for and not found. */
  #gap: Gap | undefined;
  #open = true;

  constructor({ root, threads, file, index, contents, end }: CatalogueInit) {
    this.#contents = contents;
    this.#root = root;
    this.#threads = threads;
    this.#fd = openSync(file, "r");
    this.#index = index;
    this.#end = end;
    this.count = index.reduce((sum, { files }) => sum + files, 0);
    this.bytes = index.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Rows whose path begins with `prefix`, in order; with `after`, only those behind that path. */
  *rows(prefix: string, after?: string): Generator<CatalogueRow> {
    for (const { block, start, end } of this.ranges(prefix, after)) {
      for (let row = start; row < end; row++) yield block.row(row);
    }
  }

  /**
   * The same in batches, each with what its small files hold, read and checked anew: `content` of such a row has its bytes
   * at hand. Some mebibytes are read ahead.
   */
  readAhead(prefix: string, after?: string): AsyncGenerator<readonly CatalogueRow[]> {
    const contents = this.#contents;
    return readAhead(this.ranges(prefix, after), { root: this.#root, threads: this.#threads, contents });
  }

  /** Names of the directories right below `prefix`, in order. Reads a block a directory. */
  *directories(prefix: string): Generator<string> {
    let { value: row } = this.rows(prefix).next();
    while (row !== undefined) {
      const end = row.path.indexOf("/", prefix.length);
      if (end >= 0) yield row.path.slice(prefix.length, end);
      // In bytewise order, `0` is what comes next after a slash.
      const after: string = end < 0 ? row.path : `${row.path.slice(0, end)}0`;
      ({ value: row } = this.rows(prefix, after).next());
    }
  }

  find(path: string): CatalogueRow | undefined {
    // Readers ask for one key's names in several directories, which are the same gap for most keys.
    if (this.#gap !== undefined && isWithin(this.#gap, path)) return undefined;
    const index = this.#blockOf(path);
    const block = this.#block(index);
    const place = placeOf(block, path);
    const behind = place < block.count ? block.pathOf(place) : undefined;
    if (behind === path) return block.row(place);
    const before = place > 0 ? block.pathOf(place - 1) : undefined;
    this.#gap = { before, behind: behind ?? this.#index[index + 1]?.path };
    return undefined;
  }

  sizeOf(prefix: string): { files: number; bytes: number } {
    const total = { files: 0, bytes: 0 };
    for (let index = this.#blockOf(prefix); index < this.#index.length; index++) {
      const [entry, next] = [this.#index[index], this.#index[index + 1]];
      if (entry === undefined || compareUtf8(entry.path.slice(0, prefix.length), prefix) > 0) break;
      const isWhole = entry.path.startsWith(prefix) && next?.path.startsWith(prefix) === true;
      const { files, bytes } = isWhole ? entry : sizeWithin(this.#block(index), prefix);
      total.files += files;
      total.bytes += bytes;
    }
    return total;
  }

  content(row: CatalogueRow): Content {
    return new FileContent(this.#root, row);
  }

  /** Repeatable. */
  async close(): Promise<void> {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
    await this.#threads.close();
  }

  /** The same as ranges of blocks. */
  *ranges(prefix: string, after?: string): Generator<BlockRange> {
    const from = after !== undefined && compareUtf8(after, prefix) > 0 ? after : prefix;
    for (let index = this.#blockOf(from), isFirst = true; index < this.#index.length; index++, isFirst = false) {
      const block = this.#block(index);
      const { count } = block;
      let start = isFirst ? placeOf(block, from) : 0;
      if (start < count && block.pathOf(start) === after) start++;
      let end = count;
      const isWhole = start < count && isBelow(block, start, prefix) && isBelow(block, count - 1, prefix);
      if (!isWhole) for (end = start; end < count && isBelow(block, end, prefix); ) end++;
      if (start < end) yield { index, block, start, end };
      if (end < count) return;
    }
  }

  /** The block that would hold `path`. */
  #blockOf(path: string): number {
    return Math.max(0, partitionPoint(this.#index, (entry) => compareUtf8(entry.path, path) <= 0) - 1);
  }

  #block(block: number): CatalogueBlock {
    const kept = this.#blocks.get(block);
    if (kept !== undefined) return kept;
    if (!this.#open) throw closedDump();
    const start = this.#index[block]?.offset ?? this.#end;
    const bytes = Buffer.from(new ArrayBuffer((this.#index[block + 1]?.offset ?? this.#end) - start));
    for (let at = 0; at < bytes.length; ) {
      const length = readSync(this.#fd, bytes, at, bytes.length - at, start + at);
      if (length === 0) throw new RestoreError("LOCAL_IO", "the dump's catalogue was cut short", { retry: "fatal" });
      at += length;
    }
    const read = new CatalogueBlock(bytes);
    this.#keep(block, read);
    return read;
  }

  #keep(block: number, read: CatalogueBlock): void {
    this.#blocks.set(block, read);
    this.#keptBytes += read.bytes;
    for (const [oldest, { bytes: freed }] of this.#blocks) {
      if (this.#keptBytes <= KEPT_BYTES || oldest === block) break;
      this.#blocks.delete(oldest);
      this.#keptBytes -= freed;
    }
  }
}

/** The first row that is not before `path`. */
function placeOf(block: CatalogueBlock, path: string): number {
  return partitionIndex(block.count, (row) => compareUtf8(block.pathOf(row), path) < 0);
}

function isBelow(block: CatalogueBlock, row: number, prefix: string): boolean {
  return block.text.startsWith(prefix, block.pathStart(row));
}

function sizeWithin(block: CatalogueBlock, prefix: string): { files: number; bytes: number } {
  const total = { files: 0, bytes: 0 };
  for (let row = 0; row < block.count; row++) {
    if (!isBelow(block, row, prefix)) continue;
    total.files++;
    total.bytes += block.sizeOf(row);
  }
  return total;
}

function isWithin({ before, behind }: Gap, path: string): boolean {
  return (
    (before === undefined || compareUtf8(before, path) < 0) && (behind === undefined || compareUtf8(path, behind) < 0)
  );
}
