/** Names told apart by marks, batch by batch: none is passed that stood there before. */
import { expect, it } from "vitest";
import type { Packed } from "../../../src/model/record.js";
import { NameFilter } from "../../../src/readers/range-names.js";

/** Elements of a value and a name. */
function batchOf(names: readonly string[]): Packed {
  const parts = names.flatMap((name) => ["value", name]);
  const ranges = new Uint32Array(parts.length * 2);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    ranges[i * 2] = at;
    at += part.length;
    ranges[i * 2 + 1] = at;
  }
  return { bytes: Buffer.from(parts.join("")), ranges };
}

const namesFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => `name ${first + i}`);
const areNew = (filter: NameFilter, names: readonly string[]) => filter.areNew(batchOf(names), 2, 1);

it("passes names that differ, up to as many as were foretold", () => {
  const filter = new NameFilter(4096);
  expect(areNew(filter, namesFrom(0, 4000))).toBe(true);
  expect(areNew(filter, namesFrom(4000, 96))).toBe(true);
  expect(areNew(filter, namesFrom(4096, 1))).toBe(false);
});

it.each([0, 2047, 3999])("does not pass name %i a second time, in a batch behind or in its own", (met) => {
  const filter = new NameFilter(10_000);
  expect(areNew(filter, namesFrom(0, 4000))).toBe(true);
  expect(areNew(filter, [...namesFrom(4000, 100), `name ${met}`])).toBe(false);
  expect(areNew(new NameFilter(10_000), [...namesFrom(0, 4000), `name ${met}`])).toBe(false);
});
