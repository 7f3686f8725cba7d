import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Position } from "../../../../src/model/position.js";
import { SettledRuns } from "../../../../src/run/journal/settled-runs.js";

const end = (sequence: number): Position => ({ path: "a", line: sequence });

describe("settled runs", () => {
  it("are what a map by number is, whatever is put, told and dropped", () => {
    const step = fc.record({
      do: fc.constantFrom(
        "settle" as const,
        "settle" as const,
        "recover" as const,
        "add" as const,
        "tell" as const,
        "drop" as const,
      ),
      at: fc.nat({ max: 25 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const runs = new SettledRuns();
        const map = new Map<number, Position | undefined>();
        for (const { do: what, at } of steps) {
          if (what === "drop") {
            runs.dropBelow(at);
            for (const each of [...map.keys()]) if (each < at) map.delete(each);
          } else if (what === "add") {
            const all = [at, at + 1, at + 2];
            if (all.some((each) => map.has(each))) continue;
            runs.add(at, at + 2);
            for (const each of all) map.set(each, undefined);
          } else if (what === "tell" ? map.has(at) : !map.has(at)) {
            const after = what === "recover" ? undefined : end(at);
            runs.put(at, after);
            map.set(at, after);
          }
          expectSame(runs, map);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are one, however many records end behind one that takes long", () => {
    const runs = new SettledRuns();
    for (let sequence = 1; sequence < 200_000; sequence++) runs.put(sequence, end(sequence));
    expect(runs.ranges()).toEqual([[1, 199_999]]);
    expect(runs.size).toBe(199_999);
    expect(runs.rowFrom(1)).toEqual({ next: 200_000, after: end(199_999) });
  });

  it("hold nothing once they are cleared", () => {
    const runs = new SettledRuns();
    runs.put(3, end(3));
    expect(runs.highest).toBe(3);
    runs.clear();
    expect([runs.highest, runs.size, runs.has(3)]).toEqual([-1, 0, false]);
  });
});

function expectSame(runs: SettledRuns, map: ReadonlyMap<number, Position | undefined>): void {
  const numbers = [...map.keys()].sort((a, b) => a - b);
  const found = ALL.map((at) => [runs.has(at), runs.gapFrom(at), runs.rowFrom(at)]);
  const due = ALL.map((at) => {
    let [gap, row] = [at, at];
    while (map.has(gap)) gap++;
    while (map.get(row) !== undefined) row++;
    return [map.has(at), gap, row === at ? undefined : { next: row, after: end(row - 1) }];
  });
  const ranges = runs.ranges().flatMap(([first, last]) => count(first, last));
  expect([found, ranges, runs.size, runs.highest]).toEqual([due, numbers, map.size, numbers.at(-1) ?? -1]);
}

const count = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const ALL = count(0, 26);
