/** A rate as a server sees it: what came in each second of the clock. */
export interface RateSeen {
  /** The most that came in one whole second, as a multiple of the limit. */
  readonly highest: number;
  /** Of all that came, over the time from the first to the last, as a multiple of the limit. */
  readonly mean: number;
  readonly seconds: number;
}

export class RateCount {
  readonly #seconds = new Map<number, number>();
  #total = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #firstAmount = 0;

  /** `at` in seconds, rising. */
  note(at: number, amount: number): void {
    const second = Math.floor(at);
    this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + amount);
    if (this.#total === 0) [this.#first, this.#firstAmount] = [at, amount];
    this.#last = Math.max(this.#last, at);
    this.#total += amount;
  }

  get total(): number {
    return this.#total;
  }

  /** Undefined where too little came to speak of a rate. */
  against(limit: number): RateSeen | undefined {
    const lasted = this.#last - this.#first;
    if (!(lasted > 0)) return undefined;
    // What came first began the time, and is not what came in it.
    return {
      highest: Math.max(...this.#seconds.values()) / limit,
      seconds: lasted,
      mean: (this.#total - this.#firstAmount) / lasted / limit,
    };
  }
}
