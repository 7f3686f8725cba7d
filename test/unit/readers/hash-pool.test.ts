import { expect, it } from "vitest";
import type { FileThreads } from "../../../src/readers/file-threads.js";
import { type HashAnswer, type HashJob, HashPool } from "../../../src/readers/hash-pool.js";
import type { ListingBlock } from "../../../src/readers/listing-blocks.js";

const ROW = `${"0".repeat(64)}  f\0`;

async function* blockOf(rows: number): AsyncGenerator<ListingBlock> {
  const text = ROW.repeat(rows);
  yield { rows: Buffer.from(text), text, ends: Array.from({ length: rows }, (_, i) => (i + 1) * ROW.length), line: 1 };
}

/** Answers at once, with files of so many bytes each. */
function threads(bytes: (row: number) => number): { readonly asked: number[]; readonly threads: FileThreads } {
  const asked: number[] = [];
  const ask = async ({ count }: HashJob): Promise<HashAnswer> => {
    const first = asked.reduce((sum, each) => sum + each, 0);
    asked.push(count);
    const all = Array.from({ length: count }, (_, i) => bytes(first + i)).reduce((sum, each) => sum + each, 0);
    const listed = { count, low: 0, high: 0 };
    return { columns: new Uint32Array(), bytes: all, ms: 0, exceptions: [], linked: [], tagged: [], listed };
  };
  return { asked, threads: { isBusy: false, ask, addOne: () => undefined } as unknown as FileThreads };
}

async function batches(rows: number, bytes: (row: number) => number): Promise<number[]> {
  const { asked, ...init } = threads(bytes);
  let seen = 0;
  for await (const { block } of new HashPool({ root: "/", ...init }).hashAll(blockOf(rows))) {
    seen += block.ends.length;
    // A turn, in which answers arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(seen).toBe(rows);
  return asked;
}

it("large files behind a small one are left to all threads", async () => {
  const asked = await batches(40, (row) => (row === 0 ? 500 : 50_000_000));
  expect(Math.max(...asked)).toBeLessThanOrEqual(2);
});

it("small files soon go together by the hundred", async () => {
  const asked = await batches(20_000, () => 60);
  expect(Math.max(...asked)).toBe(512);
});
