import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sorter } from "../../../src/readers/sorter.js";
import { compareUtf8 } from "../../../src/support/byte-order.js";

describe("sorting on disk", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "elastickv-restore-sorter-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  function sorterOf(items: readonly string[], itemsARun: number): Sorter<string> {
    const sorter = new Sorter<string>({ directory, itemsARun, compare: compareUtf8 });
    for (const item of items) sorter.add(item);
    return sorter;
  }

  it("gives everything once and in order, through as many levels of runs as it takes", async () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "/", "\n", '"', "é", "😀"), maxLength: 5 }), {
      maxLength: 150,
    });
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (items, itemsARun) => {
        const expected = items.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect([...sorterOf(items, itemsARun).sorted()]).toEqual(expected);
        expect(await readdir(directory)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("holds few files open however many runs there were: one level has at most 31", async () => {
    const items = Array.from({ length: 1200 }, (_, index) => String((index * 7919) % 1200).padStart(4, "0"));
    const sorter = sorterOf(items, 1);
    expect((await readdir(directory)).length).toBeLessThan(31 * 3);
    expect([...sorter.sorted()]).toEqual(items.toSorted());
  });

  it("reads runs over many blocks, also with items longer than a block", () => {
    const items = Array.from({ length: 40 }, (_, index) => `${(index * 17) % 40}`.padStart(index * 4000, "0"));
    expect([...sorterOf(items, 7).sorted()]).toEqual(items.toSorted());
  });

  it("removes its files when the iteration is given up, and when it never began", async () => {
    for (const _ of sorterOf(["b", "a", "c"], 1).sorted()) break;
    sorterOf(["b", "a", "c"], 1).close();
    expect(await readdir(directory)).toEqual([]);
  });
});
