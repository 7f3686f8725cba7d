/**
 * What the check saw: every file of the dump with its digest, in bytewise path order, on disk. Readers list and find
 * files here and never in the tree again, so what was not checked does not exist for them.
 *
 * One JSON array a line; a sparse index and a few decoded blocks are all that memory holds.
 */

import { once } from "node:events";
import { closeSync, createWriteStream, openSync, readSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { Content } from "../model/record.js";
import { compareUtf8 } from "../support/byte-order.js";
import { FileContent } from "./content.js";

export interface CatalogueRow {
  readonly path: string;
  readonly size: number;
  readonly identity: string;
  readonly sha256: string;
  /** As HashedFile has it. */
  readonly blocks: string;
}

interface IndexEntry {
  readonly path: string;
  readonly offset: number;
}

const ROWS_A_BLOCK = 128;
const BLOCKS_KEPT = 64;

export class CatalogueWriter {
  readonly #root: string;
  readonly #file: string;
  readonly #out: WriteStream;
  readonly #index: IndexEntry[] = [];
  #offset = 0;
  #count = 0;
  #bytes = 0;

  constructor(root: string, workDirectory: string) {
    this.#root = root;
    this.#file = join(workDirectory, "catalogue.jsonl");
    this.#out = createWriteStream(this.#file, { mode: 0o600 });
  }

  /** Rows come in ascending order of path. */
  async add(row: CatalogueRow): Promise<void> {
    if (this.#count % ROWS_A_BLOCK === 0) this.#index.push({ path: row.path, offset: this.#offset });
    const line = Buffer.from(`${JSON.stringify([row.path, row.size, row.identity, row.sha256, row.blocks])}\n`);
    this.#offset += line.length;
    this.#count++;
    this.#bytes += row.size;
    if (!this.#out.write(line)) await once(this.#out, "drain");
  }

  async finish(): Promise<Catalogue> {
    this.#out.end();
    await finished(this.#out);
    return new Catalogue(this.#root, this.#file, this.#index, this.#offset, this.#count, this.#bytes);
  }
}

export class Catalogue {
  /** Files, and bytes in them. */
  readonly count: number;
  readonly bytes: number;
  readonly #root: string;
  readonly #fd: number;
  readonly #index: readonly IndexEntry[];
  readonly #end: number;
  readonly #blocks = new Map<number, CatalogueRow[]>();
  #open = true;

  constructor(root: string, file: string, index: readonly IndexEntry[], end: number, count: number, bytes: number) {
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

  find(path: string): CatalogueRow | undefined {
    return this.#block(this.#blockOf(path)).find((row) => row.path === path);
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
    if (kept !== undefined) return kept;
    const start = this.#index[block]?.offset;
    if (start === undefined) return [];
    const bytes = Buffer.allocUnsafe((this.#index[block + 1]?.offset ?? this.#end) - start);
    readSync(this.#fd, bytes, 0, bytes.length, start);
    const rows = bytes.toString("utf8").trimEnd().split("\n").map(decodeRow);
    if (this.#blocks.size >= BLOCKS_KEPT) this.#blocks.delete(this.#blocks.keys().next().value ?? 0);
    this.#blocks.set(block, rows);
    return rows;
  }
}

function decodeRow(line: string): CatalogueRow {
  const [path, size, identity, sha256, blocks] = JSON.parse(line) as [string, number, string, string, string];
  return { path, size, identity, sha256, blocks };
}
