/** Work on all items at once whose requests share pipelines. */

/** Results in the items' order. Waits for all of them also when one fails. @throws what the first of those threw */
export async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const settled = await Promise.allSettled(items.map(work));
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}
