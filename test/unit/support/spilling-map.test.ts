import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SpillingMap } from "../../../src/support/spilling-map.js";

describe("a map that spills to a file", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "elastickv-restore-map-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("answers as a map does, whatever is written in whatever order and however little stays in memory", async () => {
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const writes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }).map(String), int64), { maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: 1, max: 9 }), async (written, kept) => {
        const [map, model] = [new SpillingMap(directory, kept), new Map<string, bigint>()];
        for (const [key, value] of written) {
          expect(map.set(key, value)).toBe(model.get(key));
          model.set(key, value);
        }
        for (let key = 0; key <= 41; key++) expect(map.get(String(key))).toBe(model.get(String(key)));
        expect(map.size).toBe(model.size);
        map.close();
        map.close();
        expect(await readdir(directory)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps every value while its table grows", () => {
    const map = new SpillingMap(directory, 40_000);
    for (let i = 0; i < 240_000; i++) map.set(`k${i}`, BigInt(i));
    let wrong = 0;
    for (let i = 0; i < 240_000; i += 7) if (map.get(`k${i}`) !== BigInt(i)) wrong++;
    for (let i = 240_000; i < 260_000; i++) if (map.get(`k${i}`) !== undefined) wrong++;
    expect([wrong, map.size]).toEqual([0, 240_000]);
    map.close();
  });

  it("tells where there is no room for its file", async () => {
    await writeFile(join(directory, "file"), "");
    const map = new SpillingMap(join(directory, "file"), 1);
    map.set("a", 1n);
    expect(() => map.set("b", 2n)).toThrow(expect.objectContaining({ code: "LOCAL_IO", retry: "fatal" }));
  });

  it("answers nothing out of a file that it has given up", () => {
    const map = new SpillingMap(directory, 1);
    for (const key of ["a", "b", "c"]) map.set(key, 1n);
    map.close();
    expect(() => map.get("a")).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });
});
