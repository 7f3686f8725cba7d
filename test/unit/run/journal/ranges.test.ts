import fc from "fast-check";
import { expect, it } from "vitest";
import { numbersOf, rangesOf } from "../../../../src/run/journal/ranges.js";

it("ranges hold the numbers in order, as few as can be", () => {
  expect(rangesOf([5, 1, 2, 7, 6])).toEqual([
    [1, 2],
    [5, 7],
  ]);
  expect(rangesOf([])).toEqual([]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 200 })), (numbers) => {
      const ranges = rangesOf(numbers);
      expect([...numbersOf(ranges)]).toEqual([...numbers].sort((a, b) => a - b));
      expect(ranges.some(([first], i) => (ranges[i - 1]?.[1] ?? -2) + 1 >= first)).toBe(false);
    }),
  );
});
