import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { history } from "../../../support/journal-scenario.js";
import { drawer, surviveEverywhere } from "../../../support/power-loss.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../../support/recorded-disk.js");
  return recorded(await original());
});

it("what is found after a power loss at any moment is a beginning with everything that was promised, listed once", async () => {
  const total = { images: 0, shorter: 0, promised: 0 };
  const loss = fc.record({
    steps: history,
    segmentBytes: fc.constantFrom(300, 2000, 1_000_000),
    seed: fc.integer(),
  });
  await fc.assert(
    fc.asyncProperty(loss, async ({ steps, segmentBytes, seed }) => {
      const draw = drawer(seed);
      const survey = await surviveEverywhere({ steps, segmentBytes, draw, moments: 40 });
      total.images += survey.images;
      total.shorter += survey.shorter;
      total.promised += survey.promised;
    }),
    { numRuns: 12 },
  );
  // The images lose something, and there is something to lose.
  expect(total.images).toBe(480);
  expect(total.shorter).toBeGreaterThan(48);
  expect(total.promised).toBeGreaterThan(48);
}, 60_000);
