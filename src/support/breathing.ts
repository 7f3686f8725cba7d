/**
 * Loops over what is mostly there already. A promise that is settled never gives the event loop a turn: without a pause
 * signals, timers and sockets would wait until the last of a million elements.
 */
import { setImmediate } from "node:timers/promises";

const BETWEEN_PAUSES = 64;

/** The same elements, with a turn of the event loop now and then. */
export async function* breathing<T>(elements: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const element of elements) {
    if (++count % BETWEEN_PAUSES === 0) await setImmediate();
    yield element;
  }
}
