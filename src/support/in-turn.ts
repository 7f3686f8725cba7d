/** One piece of work after the other, in the order in which they were asked for. */

export class InTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves and rejects as `work` does; what failed stands in nobody's way. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return await mine;
  }
}
