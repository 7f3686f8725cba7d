import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Content } from "../../../../src/model/record.js";
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

/** A content that is empty, and notes which buffers it is read into. */
function contentThatNotes(read: (readonly Buffer[] | undefined)[]): Content {
  return {
    size: 0,
    sha256: "",
    blocks(_range, into) {
      read.push(into);
      return Readable.from([]);
    },
    buffer: () => Promise.resolve(Buffer.alloc(0)),
  };
}

describe("slots", () => {
  it("let so many in at once and no more", async () => expect(await mostAtOnce(new Slots(3), 20)).toBe(3));

  it("hand buffers that were let go of on from one to the next, and no others", async () => {
    const slots = new Slots(1);
    const read: (readonly Buffer[] | undefined)[] = [];
    const readAll = (isReleased: boolean) =>
      slots.use((slot) => {
        const { release } = slot.reading(contentThatNotes(read));
        if (isReleased) release();
        return Promise.resolve();
      });
    for (const isReleased of [true, true, false, true]) await readAll(isReleased);
    expect(read[0]).toHaveLength(3);
    expect(read[1]).toBe(read[0]);
    expect(read[2]).toBe(read[0]);
    const lost = new Set(read[2]);
    expect(read[3]?.filter((buffer) => lost.has(buffer))).toEqual([]);
  });

  it("never hand the same buffers to two readings at once", async () => {
    const read: (readonly Buffer[] | undefined)[] = [];
    await new Slots(1).use((slot) => {
      slot.reading(contentThatNotes(read));
      slot.reading(contentThatNotes(read));
      return Promise.resolve();
    });
    expect(new Set(read.flat()).size).toBe(6);
  });

  it("are free again after a failure", async () => {
    const slots = new Slots(1);
    await expect(slots.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await slots.use(() => Promise.resolve("yes"))).toBe("yes");
  });
});
