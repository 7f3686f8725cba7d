/** Many histories of a journal, each cut off at many moments. */
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { history } from "../support/journal-scenario.js";
import { drawer, surviveEverywhere } from "../support/power-loss.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../support/recorded-disk.js");
  return recorded(await original());
});

it("a journal survives a power loss at any of many thousand moments", async () => {
  let images = 0;
  const loss = fc.record({
    steps: history,
    segmentBytes: fc.constantFrom(300, 2000, 20_000, 1_000_000),
    seed: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(loss, async ({ seed, ...rest }) => {
      images += (await surviveEverywhere({ ...rest, draw: drawer(seed), moments: 100 })).images;
    }),
    { numRuns: 300, interruptAfterTimeLimit: 1_800_000, markInterruptAsFailure: true },
  );
  expect(images).toBe(30_000);
});
