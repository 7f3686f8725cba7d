import { expect, it } from "vitest";
import { QuickFilter } from "../../../src/support/quick-filter.js";

it("holds whatever was added, as a string or as its bytes", () => {
  const filter = new QuickFilter();
  const added = Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? `ключ ${i} 🔑` : `key-${i}`));
  for (const [i, each] of added.entries()) filter.add(i % 2 === 0 ? each : Buffer.from(each));
  for (const each of added) {
    const asPart = filter.mayHoldPart(`ü${each}/behind`, 1, 1 + each.length);
    expect([filter.mayHold(each), filter.mayHold(Buffer.from(each)), asPart]).toEqual([true, true, true]);
  }
});

it("tells of nearly all others that they were not added", () => {
  const filter = new QuickFilter();
  expect(filter.mayHold("")).toBe(false);
  for (let i = 0; i < 100_000; i++) filter.add(`redis/db_0/strings_ttl.jsonl\0key-${i}`);
  let taken = 0;
  for (let i = 0; i < 100_000; i++) if (filter.mayHold(`redis/db_0/strings_ttl.jsonl\0other-${i}`)) taken++;
  expect(taken).toBeLessThan(1000);
});
