import { describe, expect, it } from "vitest";

import { RateCount } from "../../../bench/rate.js";

describe("a rate", () => {
  it("is told by the fullest second of the clock, and by all over the time that they took", () => {
    const count = new RateCount();
    // 10 a second for two seconds from the middle of one, and a burst of five at the end of the second one.
    for (let index = 0; index <= 20; index++) count.note(100.5 + index / 10, 1);
    for (let index = 0; index < 5; index++) count.note(102.5, 1);
    const seen = count.against(10);
    expect(count.total).toBe(26);
    expect(seen?.highest).toBe(1.1);
    expect(seen?.mean).toBeCloseTo(1.25, 10);
  });

  it("counts amounts, not calls", () => {
    const count = new RateCount();
    count.note(7, 400);
    count.note(8, 600);
    expect(count.against(600)).toEqual({ highest: 1, mean: 1, seconds: 1 });
  });

  it("is none where all came at once, or nothing", () => {
    const count = new RateCount();
    expect(count.against(10)).toBeUndefined();
    count.note(5, 1);
    count.note(5, 1);
    expect(count.against(10)).toBeUndefined();
  });
});
