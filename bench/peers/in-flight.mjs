/** The loop of every SDK peer here: so many calls under way at once, each lane taking the next piece of work. */

const IN_FLIGHT = 16;

/**
 * @template T
 * @param {AsyncIterable<T> | Iterable<T>} work
 * @param {(piece: T) => Promise<unknown>} send
 */
export async function inFlight(work, send) {
  const iterator = Symbol.asyncIterator in work ? work[Symbol.asyncIterator]() : work[Symbol.iterator]();
  const lane = async () => {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) await send(next.value);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/**
 * @template T
 * @param {AsyncIterable<T> | Iterable<T>} items
 * @param {number} size
 */
export async function* inBatches(items, size) {
  /** @type {T[]} */
  let batch = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
