/** Sets of whole numbers as ascending ranges `[first, last]`: how sequence numbers are written down. */

export type Range = readonly [first: number, last: number];

/** `numbers` in any order, none twice. */
export function rangesOf(numbers: Iterable<number>): Range[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const number of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === number) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

export function* numbersOf(ranges: Iterable<Range>): Generator<number> {
  for (const [first, last] of ranges) for (let number = first; number <= last; number++) yield number;
}
