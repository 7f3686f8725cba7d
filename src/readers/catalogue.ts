/**
 * What the check saw: every file of the dump with its digest, in bytewise path order, on disk. Readers list and find
 * files here and never in the tree again, so what was not checked does not exist for them.
 *
 * One JSON array a line; a sparse index and a few decoded blocks are all that memory holds.
 */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { Content } from "../model/record.js";
import { compareUtf8 } from "../support/byte-order.js";
import { type CatalogueRow, FileContent } from "./content.js";

export type { CatalogueRow };

interface IndexEntry {
  readonly path: string;
  readonly offset: number;
}

/** A block of rows ends with whichever comes first: digests make the row of a very large file a megabyte long. */
const ROWS_A_BLOCK = 128;
const BLOCK_BYTES = 64 * 1024;
/** Of blocks' text, in memory. */
const KEPT_BYTES = 2 * 1024 * 1024;

export class CatalogueWriter {
  readonly #root: string;
  readonly #file: string;
  readonly #fd: number;
  readonly #index: IndexEntry[] = [];
  #offset = 0;
  #count = 0;
  #bytes = 0;
  #blockRows = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isOpen = true;

  constructor(root: string, workDirectory: string) {
    this.#root = root;
    this.#file = join(workDirectory, "catalogue.jsonl");
    this.#fd = openSync(this.#file, "w", 0o600);
  }

  /** Rows come in ascending order of path. @throws RestoreError LOCAL_IO */
  add(row: CatalogueRow): void {
    if (this.#count === 0 || this.#isBlockFull()) this.#startBlock(row.path);
    const line = Buffer.from(`${JSON.stringify([row.path, row.size, row.identity, row.sha256, row.blocks])}\n`);
    this.#offset += line.length;
    this.#count++;
    this.#blockRows++;
    this.#bytes += row.size;
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    if (this.#pendingBytes >= BLOCK_BYTES) this.#flush();
  }

  /** @throws RestoreError LOCAL_IO */
  finish(): Catalogue {
    this.#flush();
    this.discard();
    return new Catalogue({
      root: this.#root,
      file: this.#file,
      index: this.#index,
      end: this.#offset,
      count: this.#count,
      bytes: this.#bytes,
    });
  }

  /** Gives up. Does nothing after `finish`. */
  discard(): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#pending);
    [this.#pending, this.#pendingBytes] = [[], 0];
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (cause) {
      throw new RestoreError("LOCAL_IO", `cannot write ${this.#file}: ${messageOf(cause)}`, {
        hint: "Point TMPDIR at a folder with room for the dump's catalogue.",
        retry: "fatal",
        cause,
      });
    }
  }

  #isBlockFull(): boolean {
    return this.#blockRows >= ROWS_A_BLOCK || this.#offset - (this.#index.at(-1)?.offset ?? 0) >= BLOCK_BYTES;
  }

  #startBlock(path: string): void {
    this.#index.push({ path, offset: this.#offset });
    this.#blockRows = 0;
  }
}

interface CatalogueInit {
  readonly root: string;
  readonly file: string;
  readonly index: readonly IndexEntry[];
  /** Bytes of the file. */
  readonly end: number;
  readonly count: number;
  readonly bytes: number;
}

export class Catalogue {
  /** Files, and bytes in them. */
  readonly count: number;
  readonly bytes: number;
  readonly #root: string;
  readonly #fd: number;
  readonly #index: readonly IndexEntry[];
  readonly #end: number;
  /** The latest that were read, and their text's bytes. */
  readonly #blocks = new Map<number, { readonly rows: readonly CatalogueRow[]; readonly bytes: number }>();
  #keptBytes = 0;
  #open = true;

  constructor({ root, file, index, end, count, bytes }: CatalogueInit) {
    this.#root = root;
    this.#fd = openSync(file, "r");
    this.#index = index;
    this.#end = end;
    this.count = count;
    this.bytes = bytes;
  }

  /** Rows whose path begins with `prefix`, in order; with `after`, only those behind that path. */
  *rows(prefix: string, after?: string): Generator<CatalogueRow> {
    const from = after !== undefined && compareUtf8(after, prefix) > 0 ? after : prefix;
    for (let block = this.#blockOf(from); block < this.#index.length; block++) {
      for (const row of this.#block(block)) {
        if (compareUtf8(row.path, from) < 0 || row.path === after) continue;
        if (!row.path.startsWith(prefix)) return;
        yield row;
      }
    }
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
    return this.#block(this.#blockOf(path)).find((row) => row.path === path);
  }

  sizeOf(prefix: string): { files: number; bytes: number } {
    const total = { files: 0, bytes: 0 };
    for (const { size } of this.rows(prefix)) {
      total.files++;
      total.bytes += size;
    }
    return total;
  }

  content(row: CatalogueRow): Content {
    return new FileContent(this.#root, row);
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  /** The block that would hold `path`. */
  #blockOf(path: string): number {
    let [low, high] = [0, this.#index.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#index[middle]?.path ?? "", path) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #block(block: number): readonly CatalogueRow[] {
    const kept = this.#blocks.get(block);
    if (kept !== undefined) return kept.rows;
    const start = this.#index[block]?.offset;
    if (start === undefined) return [];
    const bytes = Buffer.allocUnsafe((this.#index[block + 1]?.offset ?? this.#end) - start);
    for (let at = 0; at < bytes.length; ) {
      const length = readSync(this.#fd, bytes, at, bytes.length - at, start + at);
      if (length === 0) throw new RestoreError("LOCAL_IO", "the dump's catalogue was cut short", { retry: "fatal" });
      at += length;
    }
    const rows = bytes.toString("utf8").trimEnd().split("\n").map(decodeRow);
    this.#keep(block, rows, bytes.length);
    return rows;
  }

  #keep(block: number, rows: readonly CatalogueRow[], bytes: number): void {
    this.#blocks.set(block, { rows, bytes });
    this.#keptBytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#blocks) {
      if (this.#keptBytes <= KEPT_BYTES || oldest === block) break;
      this.#blocks.delete(oldest);
      this.#keptBytes -= freed;
    }
  }
}

function decodeRow(line: string): CatalogueRow {
  const [path, size, identity, sha256, blocks] = JSON.parse(line) as [string, number, string, string, string];
  return { path, size, identity, sha256, blocks };
}
