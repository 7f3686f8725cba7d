/** Holds what is handed to a transform, and taken from it, within a number of bytes. */
import { LimitError } from "../../readers/json-stream.js";

/** What an element costs in memory beside its bytes, about. */
const ELEMENT_BYTES = 128;

export class MemoryBudget {
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @throws LimitError */
  take(bytes: number, elements = 1): void {
    this.#bytes += bytes + elements * ELEMENT_BYTES;
    if (this.#bytes <= this.#limitBytes) return;
    throw new LimitError(
      `a transform takes a record whole, and it is above the ${this.#limitBytes} bytes of --transform-limit`,
    );
  }

  fits(bytes: number): boolean {
    return bytes <= this.#limitBytes;
  }
}
