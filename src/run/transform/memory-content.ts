/** Bytes that are in memory, where a record usually has a file. */
import { createHash } from "node:crypto";
import type { Content } from "../../model/record.js";

const BLOCK = 1024 * 1024;

export class MemoryContent implements Content {
  readonly sha256: string;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.sha256 = createHash("sha256").update(bytes).digest("hex");
  }

  get size(): number {
    return this.#bytes.length;
  }

  async *blocks(range?: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
    const { start, end } = range ?? { start: 0, end: this.size };
    // As a file does, an empty one yields an empty block.
    if (this.size === 0) yield this.#bytes;
    for (let at = start; at < end; at += BLOCK) yield this.#bytes.subarray(at, Math.min(end, at + BLOCK));
  }

  buffer(): Promise<Buffer> {
    return Promise.resolve(this.#bytes);
  }
}
