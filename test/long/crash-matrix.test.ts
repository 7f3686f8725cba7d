/**
 * Restores that kill themselves at every single point, and are taken up; then, at every few points, are killed once more
 * while they are. An hour or so; one case alone: `npm run test:long -- crash-matrix -t "redis merge"`.
 */
import { describe, it } from "vitest";

import { CRASH_CASES } from "../support/crash/cases.js";
import { crashBench, provesCrashes } from "../support/crash/suite.js";

const bench = crashBench();

const AGAIN_STRIDE = 9;

/** Some beyond the last one as well: no run is quite like another. */
function everyPoint(points: readonly string[]): number[][] {
  return Array.from({ length: points.length + 5 }, (_, i) => [i + 1]);
}

/** Killed at some points, and at others in the process that takes it up, and in the next one. */
function again(points: readonly string[]): number[][] {
  const { length } = points;
  const count = Math.ceil(length / AGAIN_STRIDE);
  return Array.from({ length: count }, (_, i) => {
    const first = 1 + i * AGAIN_STRIDE;
    return [first, 1 + ((first * 7) % length), 1 + ((first * 11) % length)];
  });
}

describe("a restore that is killed at any point and taken up ends as if it had not been", () => {
  it.each(CRASH_CASES)("$title", async (crash) => await provesCrashes(bench(), crash, everyPoint));
});

describe("so does one that is killed again while it is taken up", () => {
  it.each(CRASH_CASES)("$title", async (crash) => await provesCrashes(bench(), crash, again));
});
