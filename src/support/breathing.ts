/**
 * Loops over what is mostly there already. A promise that is settled never gives the event loop a turn: without a pause
 * signals, timers and sockets would wait until the last of a million elements.
 */
import { setImmediate } from "node:timers/promises";

const BETWEEN_PAUSES = 64;

/** Counts a loop's elements, and pauses now and then. */
export class Breath {
  #count = 0;

  /** Once an element: whether to pause before it. */
  isDue(): boolean {
    return ++this.#count % BETWEEN_PAUSES === 0;
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
