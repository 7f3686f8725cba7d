/**
 * Byte strings of a record that waits to be written, end to end in one buffer: eight bytes beside each one's own, where
 * a Buffer of its own would take more than a hundred.
 */

const AT_ONCE = 1000;

export class PackedParts {
  readonly #bytes: Buffer;
  readonly #ends: Float64Array;

  constructor(parts: readonly Buffer[]) {
    this.#bytes = Buffer.concat(parts);
    let end = 0;
    this.#ends = Float64Array.from(parts, (part) => (end += part.length));
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** Parts from `start` to `end`, exclusive. */
  slice(start: number, end: number): Buffer[] {
    return Array.from({ length: end - start }, (_, i) => this.#part(start + i));
  }

  /** In groups of `width`, some groups at a time. */
  *groups(width: number): Generator<readonly Buffer[][]> {
    const count = this.#ends.length / width;
    for (let from = 0; from < count; from += AT_ONCE) {
      const length = Math.min(AT_ONCE, count - from);
      yield Array.from({ length }, (_, i) => this.slice((from + i) * width, (from + i + 1) * width));
    }
  }

  #part(at: number): Buffer {
    return this.#bytes.subarray(this.#ends[at - 1] ?? 0, this.#ends[at] ?? 0);
  }
}
