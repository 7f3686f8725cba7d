/**
 * How many bodies are on their way at once, over all objects, parts and scopes: it bounds memory (about three blocks a
 * body) and gives way when the target says that it is too much.
 */

/** Successes in a row after which one more body is let out again. */
const RECOVERY = 16;

export class Slots {
  readonly #most: number;
  #limit: number;
  #taken = 0;
  #successes = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return this.#limit;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      const result = await work();
      this.#succeeded();
      return result;
    } finally {
      this.#taken--;
      this.#letIn();
    }
  }

  /** The target put a request off: half as many from now on, at least one. */
  slowDown(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#successes = 0;
  }

  #succeeded(): void {
    if (this.#limit < this.#most && ++this.#successes % RECOVERY === 0) this.#limit++;
  }

  async #take(): Promise<void> {
    if (this.#taken < this.#limit) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #letIn(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#taken++;
      next();
    }
  }
}
