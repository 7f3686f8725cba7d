/**
 * Restores that kill themselves on the way, and are taken up: at a few points of each kind here, at every point in
 * `test/long/crash-matrix.test.ts`.
 */
import { describe, it } from "vitest";

import { CRASH_CASES } from "../support/crash/cases.js";
import { crashBench, provesCrashes } from "../support/crash/suite.js";

const bench = crashBench();

/** Of each case. */
const TRIALS = 3;

/** Spread over the whole run, at other points for each case; every fourth is killed again while it is taken up. */
function spread(points: readonly string[], shift: number): number[][] {
  const stride = points.length / TRIALS;
  return Array.from({ length: TRIALS }, (_, i) => {
    const first = 1 + Math.floor(stride * (i + (shift % 7) / 7));
    return i % 4 === shift % 4 ? [first, 40 + first] : [first];
  });
}

describe("a restore that is killed and taken up ends as if it had not been", () => {
  it.each(CRASH_CASES.map((crash, shift) => ({ ...crash, shift })))(
    "$title",
    async ({ shift, ...crash }) => await provesCrashes(bench(), crash, (points) => spread(points, shift)),
    300_000,
  );

  it("also when every record is settled and the scopes are being finished", async () => {
    const crash = CRASH_CASES.find(({ title }) => title === "redis replace per-key");
    if (crash === undefined) throw new Error("the case has another title");
    await provesCrashes(bench(), crash, (points) => [16, 20].map((before) => [points.length - before]));
  }, 300_000);
});
