/**
 * A run of the catalogue's rows, as it lies in the file: a header of four 32-bit words (how many rows, bytes of the rows,
 * bytes of the tags, and one for the alignment of what follows), columns, rows and, a line each, the tags of large files.
 */
import type { CatalogueRow } from "./content.js";
import type { HashedBatch } from "./hash-pool.js";
import { COLUMN_WORDS, identityAt, PATH_AT } from "./row-batch.js";

const HEADER_WORDS = 4;
const DIGEST_CHARS = 64;
const WORD_BYTES = 4;

/** Batches that follow one another as one block. */
export function encodeBlock(batches: readonly HashedBatch[]): Buffer {
  const columns = batches.map(({ answer: { columns: words } }) =>
    Buffer.from(words.buffer, words.byteOffset, words.byteLength),
  );
  const rows = batches.map(({ block }) => block.rows);
  let tagged = "";
  let count = 0;
  for (const { block, answer } of batches) {
    for (const { row, tags } of answer.tagged) tagged += `${count + row} ${tags}\n`;
    count += block.ends.length;
  }
  const tags = Buffer.from(tagged);
  const rowBytes = rows.reduce((sum, { length }) => sum + length, 0);
  const header = new Uint32Array([count, rowBytes, tags.length, 0]);
  const bytes = [Buffer.from(header.buffer), ...columns, ...rows, tags];
  return Buffer.concat(bytes);
}

export class CatalogueBlock {
  readonly count: number;
  /** In memory. */
  readonly bytes: number;
  /** Of all rows, as `row-batch.js` has them. */
  readonly text: string;
  readonly #columns: Uint32Array;
  readonly #sizes: Float64Array;
  /** Of each row in the text; and of the text's end. */
  readonly #starts: Uint32Array;
  readonly #tags: ReadonlyMap<number, string>;

  /** `bytes` are a whole block and begin where 64-bit floats can. */
  constructor(bytes: Buffer) {
    const [count = 0, rowBytes = 0, tagBytes = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_WORDS);
    const columnsAt = HEADER_WORDS * WORD_BYTES;
    const rowsAt = columnsAt + count * COLUMN_WORDS * WORD_BYTES;
    const tagsAt = rowsAt + rowBytes;
    this.count = count;
    this.bytes = bytes.length;
    this.#columns = new Uint32Array(bytes.buffer, bytes.byteOffset + columnsAt, count * COLUMN_WORDS);
    this.#sizes = new Float64Array(this.#columns.buffer, this.#columns.byteOffset, this.#columns.length / 2);
    this.text = bytes.toString("utf8", rowsAt, tagsAt);
    this.#tags = tagBytes === 0 ? new Map() : decodeTags(bytes.toString("latin1", tagsAt));
    this.#starts = startsOf(this.text, count);
  }

  /** `bytes`: what its file holds, where that was read and checked ahead. */
  row(row: number, bytes?: Buffer): CatalogueRow {
    return new BlockRow(this, { row, path: this.pathOf(row), size: this.sizeOf(row), bytes });
  }

  /** Where the row's path begins in the text. */
  pathStart(row: number): number {
    return (this.#starts[row] ?? 0) + PATH_AT;
  }

  /** Behind its last character. */
  pathEnd(row: number): number {
    return (this.#starts[row + 1] ?? 0) - 1;
  }

  pathOf(row: number): string {
    return this.text.slice(this.pathStart(row), this.pathEnd(row));
  }

  /** Of the row's file. */
  sizeOf(row: number): number {
    return this.#sizes[(row * COLUMN_WORDS) / 2] ?? 0;
  }

  identityOf(row: number): string {
    return identityAt(this.#columns, row);
  }

  sha256Of(row: number): string {
    const start = this.#starts[row] ?? 0;
    return this.text.slice(start, start + DIGEST_CHARS);
  }

  /** The bytes of some rows and their columns, of which the caller may do what it likes. */
  part(start: number, end: number): { readonly text: string; readonly columns: Uint32Array } {
    const text = this.text.slice(this.#starts[start], this.#starts[end]);
    return { text, columns: this.#columns.slice(start * COLUMN_WORDS, end * COLUMN_WORDS) };
  }

  tagsOf(row: number): string {
    return this.#tags.get(row) ?? "";
  }
}

function startsOf(text: string, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1);
  for (let row = 1; row <= count; row++) starts[row] = text.indexOf("\0", starts[row - 1]) + 1;
  return starts;
}

function decodeTags(text: string): Map<number, string> {
  const lines = text.trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(" ");
      return [Number(line.slice(0, space)), line.slice(space + 1)];
    }),
  );
}

/** What hardly anyone asks for is decoded when it is asked for. */
class BlockRow implements CatalogueRow {
  readonly path: string;
  readonly size: number;
  readonly bytes: Buffer | undefined;
  readonly #block: CatalogueBlock;
  readonly #row: number;

  constructor(block: CatalogueBlock, init: Pick<CatalogueRow, "path" | "size" | "bytes"> & { readonly row: number }) {
    this.path = init.path;
    this.size = init.size;
    this.bytes = init.bytes;
    this.#block = block;
    this.#row = init.row;
  }

  get identity(): string {
    return this.#block.identityOf(this.#row);
  }

  get sha256(): string {
    return this.#block.sha256Of(this.#row);
  }

  get blocks(): string {
    return this.#block.tagsOf(this.#row);
  }
}
