/**
 * How many requests may be under way at once: all that are asked for, until the target says that it is too much. Then
 * half as many, and one more for every round of successes, until as many pass as before (additive increase,
 * multiplicative decrease, as TCP does it).
 */

interface Waiting {
  readonly go: () => void;
}

/** A request that is under way. */
export interface Ticket {
  /** Requests that began before the limit fell say nothing new about it. */
  readonly epoch: number;
}

export class Governor {
  #limit = Number.POSITIVE_INFINITY;
  /** As many were under way when the target first complained: with that many passing again, there is no limit. */
  #ceiling = 0;
  #underWay = 0;
  #epoch = 0;
  readonly #waiting: Waiting[] = [];

  /** Requests that may be under way at once; infinite while nothing was put off. */
  get limit(): number {
    return this.#limit;
  }

  /** Waits for its turn, in order. @throws the signal's reason */
  async enter(signal?: AbortSignal): Promise<Ticket> {
    if (this.#underWay < Math.floor(this.#limit)) this.#underWay++;
    else await this.#turn(signal);
    return { epoch: this.#epoch };
  }

  /** The request ended. `putOff`: the target asked for fewer. */
  leave(ticket: Ticket, end: "passed" | "put-off" | "other"): void {
    if (end === "put-off" && ticket.epoch === this.#epoch) this.#lower();
    if (end === "passed" && Number.isFinite(this.#limit)) this.#raise();
    this.#underWay--;
    this.#letIn();
  }

  #lower(): void {
    this.#ceiling = Math.max(this.#ceiling, this.#underWay);
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.#underWay) / 2));
    this.#epoch++;
  }

  #raise(): void {
    this.#limit += 1 / this.#limit;
    if (this.#limit < this.#ceiling) return;
    this.#limit = Number.POSITIVE_INFINITY;
    this.#ceiling = 0;
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const waiting = {
        go: () => {
          signal?.removeEventListener("abort", give);
          resolve();
        },
      };
      const give = () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error("interrupted"));
      };
      signal?.addEventListener("abort", give, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #letIn(): void {
    while (this.#underWay < Math.floor(this.#limit)) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#underWay++;
      next.go();
    }
  }
}
