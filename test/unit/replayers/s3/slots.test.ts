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

  it("are free again after a failure", async () => {
    const slots = new Slots(1);
    await expect(slots.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await slots.use(() => Promise.resolve("yes"))).toBe("yes");
  });
});
