/** A gate that whoever passes by waits at while it is closed. */

export class Gate {
  #isOpen = true;
  readonly #waiting = new Set<() => void>();

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#isOpen = false;
  }

  /** Lets all who wait go on. */
  open(): void {
    this.#isOpen = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const go of waiting) go();
  }

  /** Resolves when it is open, at once where it is. @throws the signal's reason when that aborts first, or has by then */
  async pass(signal?: AbortSignal): Promise<void> {
    while (!this.#isOpen) {
      signal?.throwIfAborted();
      await this.#turn(signal);
      signal?.throwIfAborted();
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const go = () => {
        signal?.removeEventListener("abort", go);
        this.#waiting.delete(go);
        resolve();
      };
      signal?.addEventListener("abort", go, { once: true });
      this.#waiting.add(go);
    });
  }
}
