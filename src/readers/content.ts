/**
 * The bytes of one checked file. Nothing is handed out that does not match what the check saw: a small file's buffer is
 * hashed whole, a larger one's blocks each against the tag kept for it.
 */
import { hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { Content } from "../model/record.js";
import { BLOCK, blockTag, TAG_BYTES } from "./row-batch.js";

/** One checked file. */
export interface CatalogueRow {
  readonly path: string;
  readonly size: number;
  readonly identity: string;
  readonly sha256: string;
  /** The tags of its blocks, as `row-batch.js` has them. Empty for files of one block. */
  readonly blocks: string;
  /** All that it holds, where that was read and checked ahead. */
  readonly bytes?: Buffer | undefined;
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** What opening says of a file that is no longer there, or no longer the one that it was. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EACCES", "EPERM", "EISDIR"]);

export class FileContent implements Content {
  readonly #root: string;
  readonly #row: CatalogueRow;
  /** Decoded once: for a very large file they are megabytes. */
  #tags: Buffer | undefined;

  constructor(root: string, row: CatalogueRow) {
    this.#root = root;
    this.#row = row;
  }

  get size(): number {
    return this.#row.size;
  }

  get sha256(): string {
    return this.#row.sha256;
  }

  get bytes(): Buffer | undefined {
    return this.#row.bytes;
  }

  async buffer(): Promise<Buffer> {
    if (this.bytes !== undefined) return this.bytes;
    const blocks: Buffer[] = [];
    for await (const block of this.blocks()) blocks.push(block);
    return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks);
  }

  async *blocks(
    range?: { readonly start: number; readonly end: number },
    into?: readonly Buffer[],
  ): AsyncGenerator<Buffer> {
    const { start, end } = range ?? { start: 0, end: this.size };
    if (start >= end && this.size > 0) return;
    if (this.bytes !== undefined) {
      if (this.size > 0) yield this.bytes.subarray(start, end);
      return;
    }
    const file = await this.#open();
    try {
      await this.#assertSame(file);
      for (let at = start - (start % BLOCK), turn = 0; at < end || at === 0; at += BLOCK, turn++) {
        const block = await this.#read(file, at, into?.[turn % into.length]);
        if (block.length === 0) return;
        yield block.subarray(Math.max(0, start - at), Math.min(block.length, end - at));
      }
    } finally {
      await file.close();
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(join(this.#root, this.#row.path), FLAGS);
    } catch (error) {
      throw GONE.has(systemCode(error) ?? "") ? this.#changed(messageOf(error)) : this.#unreadable(error);
    }
  }

  async #assertSame(file: FileHandle): Promise<void> {
    const { dev, ino, size } = await file.stat({ bigint: true }).catch((error: unknown) => {
      throw this.#unreadable(error);
    });
    if (`${dev}:${ino}` !== this.#row.identity) throw this.#changed("another file stands in its place");
    if (size !== BigInt(this.size)) throw this.#changed(`it has ${size} bytes, had ${this.size}`);
  }

  /** One whole block, checked. `into`: where it is read to, where that is not a buffer of its own. */
  async #read(file: FileHandle, at: number, into?: Buffer): Promise<Buffer> {
    const wanted = Math.min(BLOCK, this.size - at);
    const block = into?.subarray(0, wanted) ?? Buffer.allocUnsafe(wanted);
    let length = 0;
    while (length < wanted) {
      const { bytesRead } = await file.read(block, length, wanted - length, at + length).catch((error: unknown) => {
        throw this.#unreadable(error);
      });
      if (bytesRead === 0) throw this.#changed("it became shorter");
      length += bytesRead;
    }
    if (!this.#isChecked(block, at / BLOCK)) throw this.#changed("its bytes are not those that were checked");
    return block;
  }

  #isChecked(block: Buffer, index: number): boolean {
    if (this.size <= BLOCK) return hash("sha256", block) === this.sha256;
    this.#tags ??= Buffer.from(this.#row.blocks, "base64");
    const at = TAG_BYTES * (index + 1);
    return blockTag(this.#tags.subarray(0, TAG_BYTES), index, block).equals(this.#tags.subarray(at, at + TAG_BYTES));
  }

  /** The machine's fault, which no other record would be spared: files were readable when they were checked. */
  #unreadable(cause: unknown): RestoreError {
    return new RestoreError("LOCAL_IO", `cannot read ${escapeForDisplay(this.#row.path)}: ${messageOf(cause)}`, {
      where: { path: this.#row.path },
      hint: "See that the dump's disk works and that the process may open enough files (`ulimit -n`).",
      retry: "fatal",
      cause,
    });
  }

  #changed(what: string): RestoreError {
    return new RestoreError("CHANGED_AFTER_CHECK", `${this.#row.path} changed after it was checked: ${what}`, {
      reason: "changed-after-check",
      where: { path: this.#row.path },
      hint: "Leave the dump alone while it is restored, then run the restore again.",
    });
  }
}
