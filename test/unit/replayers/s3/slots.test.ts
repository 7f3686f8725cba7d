import { describe, expect, it } from "vitest";
import { Slots } from "../../../../src/replayers/s3/slots.js";

async function mostAtOnce(slots: Slots, works: number): Promise<number> {
  let now = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    await Promise.resolve();
    now--;
  };
  await Promise.all(Array.from({ length: works }, () => slots.use(work)));
  return most;
}

describe("slots", () => {
  it("let so many in at once and no more", async () => expect(await mostAtOnce(new Slots(3), 20)).toBe(3));

  it("are halved when the target asks to wait, and come back with success", async () => {
    const slots = new Slots(8);
    slots.slowDown();
    slots.slowDown();
    expect(await mostAtOnce(slots, 10)).toBe(2);
    await mostAtOnce(slots, 200);
    expect(slots.limit).toBe(8);
  });

  it("never come to nothing", async () => {
    const slots = new Slots(2);
    for (let i = 0; i < 5; i++) slots.slowDown();
    expect(await mostAtOnce(slots, 3)).toBe(1);
  });

  it("are free again after a failure", async () => {
    const slots = new Slots(1);
    await expect(slots.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await slots.use(() => Promise.resolve("yes"))).toBe("yes");
  });
});
