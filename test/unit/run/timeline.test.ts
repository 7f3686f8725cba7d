import { expect, it } from "vitest";
import { Timeline } from "../../../src/run/timeline.js";
import { fakeClock } from "../../support/fake-clock.js";

it("records ends over time, with what had ended before each point", () => {
  const clock = fakeClock();
  const timeline = new Timeline(clock);
  timeline.add(1, 10);
  clock.advance(500);
  timeline.add(2, 20);
  clock.advance(10);
  timeline.add(4, 40);
  expect(timeline.points()).toEqual([
    [0, 0, 0],
    [500, 1, 10],
    [510, 7, 70],
  ]);
});

it("keeps few points however long it takes, the first and the last among them", () => {
  const clock = fakeClock();
  const timeline = new Timeline(clock);
  for (let i = 0; i < 100_000; i++) {
    timeline.add(1, 1);
    clock.advance(1000);
  }
  const points = timeline.points();
  expect(points.length).toBeLessThanOrEqual(241);
  expect(points.length).toBeGreaterThan(100);
  expect([points[0], points.at(-1)]).toEqual([
    [0, 0, 0],
    [100_000_000, 100_000, 100_000],
  ]);
});
