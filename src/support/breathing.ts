/**
 * Loops over what is mostly there already. A promise that is settled never gives the event loop a turn: without a pause
 * signals, timers and sockets would wait until the last of a million elements.
 */
import { setImmediate } from "node:timers/promises";

const BETWEEN_PAUSES = 64;

/** Counts a loop's elements, and pauses now and then. */
export class Breath {
  #count = 0;

  /** Once an element, or for some of them: whether to pause before them. */
  isDue(elements = 1): boolean {
    this.#count += elements;
    if (this.#count < BETWEEN_PAUSES) return false;
    this.#count = 0;
    return true;
  }

  /** Gives the event loop a turn. */
  async take(): Promise<void> {
    await setImmediate();
  }
}

/** The same elements, with a turn of the event loop now and then. */
export async function* breathing<T>(elements: AsyncIterable<T>): AsyncGenerator<T> {
  const breath = new Breath();
  for await (const element of elements) {
    if (breath.isDue()) await breath.take();
    yield element;
  }
}

/** The elements of batches, with a turn of the event loop now and then. */
export async function* eachOf<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  const breath = new Breath();
  for await (const batch of batches) {
    for (const element of batch) {
      if (breath.isDue()) await breath.take();
      yield element;
    }
  }
}
