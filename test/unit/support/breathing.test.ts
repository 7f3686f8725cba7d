import { describe, expect, it } from "vitest";
import { breathing } from "../../../src/support/breathing.js";

async function* settled(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

describe("breathing", () => {
  it("gives every element, in order", async () => {
    const seen: number[] = [];
    for await (const element of breathing(settled(200))) seen.push(element);
    expect(seen).toEqual([...Array(200).keys()]);
  });

  it("lets a timer fire before a long loop over settled promises has ended", async () => {
    let isOver = false;
    let firedDuring: boolean | undefined;
    setImmediate(() => {
      firedDuring = !isOver;
    });
    for await (const _ of breathing(settled(10_000)));
    isOver = true;
    await new Promise((resolve) => setImmediate(resolve));
    expect(firedDuring).toBe(true);
  });
});
