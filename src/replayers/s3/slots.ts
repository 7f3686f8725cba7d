/**
 * How many bodies are on their way at once, over all objects, parts and scopes: it bounds memory, three blocks a body. That
 * a target can take fewer is not its business.
 */
import type { Content } from "../../model/record.js";
import { BLOCKS_ON_THE_WAY, type Reading } from "./body.js";

const BLOCK_BYTES = 1024 * 1024;

/** One body's turn, and after it another one's. */
export class Slot {
  #buffers: readonly Buffer[] | undefined;

  /**
   * The content, to be sent while it is read: into buffers that serve one request after another, for new ones for each
   * block cost more than the reading. Those of a request that has not let go of them are left to it.
   */
  reading(content: Content, range?: { readonly start: number; readonly end: number }): Reading {
    const buffers = this.#buffers ?? Array.from({ length: BLOCKS_ON_THE_WAY }, () => Buffer.allocUnsafe(BLOCK_BYTES));
    this.#buffers = undefined;
    const release = () => {
      this.#buffers = buffers;
    };
    return { blocks: content.blocks(range, buffers), release };
  }
}

export class Slots {
  readonly #most: number;
  #made = 0;
  readonly #free: Slot[] = [];
  readonly #waiting: ((slot: Slot) => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs the work when its turn has come. */
  async use<T>(work: (slot: Slot) => Promise<T>): Promise<T> {
    const slot = await this.#take();
    try {
      return await work(slot);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(slot);
      else next(slot);
    }
  }

  #take(): Slot | Promise<Slot> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made === this.#most) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#made++;
    return new Slot();
  }
}
