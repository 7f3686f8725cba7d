/** Binary search. */

/** How many of `items` come before a point: all that do stand in front of all that do not. Their count is an index. */
export function partitionPoint<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  return partitionIndex(items.length, (index) => {
    const item = items[index];
    return item !== undefined && isBefore(item);
  });
}

/** The same of `count` things that are known by their index. */
export function partitionIndex(count: number, isBefore: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
