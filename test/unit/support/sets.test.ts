import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareUtf8 } from "../../../src/support/byte-order.js";
import { backoffMs, systemClock } from "../../../src/support/clock.js";
import { FingerprintMap, FingerprintSet } from "../../../src/support/fingerprints.js";
import { present } from "../../../src/support/present.js";
import { SpillingSet } from "../../../src/support/spilling-set.js";

describe("fingerprints", () => {
  it("keep every value through growth, and answer what stood there before", () => {
    const map = new FingerprintMap();
    for (let i = 0; i < 5000; i++) expect(map.set(`k${i}`, i)).toBeUndefined();
    for (let i = 0; i < 5000; i++) expect(map.get(`k${i}`)).toBe(i);
    expect(map.set("k7", -1)).toBe(7);
    expect(map.get(Buffer.from("k7"))).toBe(-1);
    expect(map.get("k5000")).toBeUndefined();
    expect(map.size).toBe(5000);
  });

  it("tell bytes that were there from bytes that were not", () => {
    const set = new FingerprintSet();
    expect([set.add(""), set.add(""), set.add(Buffer.from([0])), set.has("\0"), set.has("x")]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(set.size).toBe(2);
  });
});

describe("a set that spills to a file", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "elastickv-restore-set-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("knows each string once, in memory and in the file, and takes its file along", async () => {
    const set = new SpillingSet(directory, 100);
    for (let i = 0; i < 3000; i++) expect(set.add(`k${i}`)).toBe(true);
    for (let i = 0; i < 3000; i++) expect(set.add(Buffer.from(`k${i}`))).toBe(false);
    set.close();
    expect(await readdir(directory)).toEqual([]);
  });

  it("makes no file while it is small", async () => {
    const set = new SpillingSet(directory, 100);
    for (let i = 0; i < 100; i++) set.add(`k${i}`);
    expect(await readdir(directory)).toEqual([]);
    set.close();
  });
});

it("strings are ordered as their UTF-8 bytes are", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "/", "é", "\uffee", "😀", "\ue000", "\u{10ffff}"),
    maxLength: 6,
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 1000 },
  );
});

it("an object's undefined members are left out, null and false are not", () => {
  expect(Object.keys(present({ a: undefined, b: null, c: false, d: 0, e: "" }))).toEqual(["b", "c", "d", "e"]);
});

describe("waiting", () => {
  it("grows with the failures in a row, never beyond its longest, and is never none", () => {
    for (const [failures, longest] of [
      [0, 50],
      [3, 400],
      [10, 10_000],
      [1000, 10_000],
    ] as const) {
      for (let i = 0; i < 200; i++) {
        const wait = backoffMs(failures);
        expect(wait).toBeLessThanOrEqual(longest);
        expect(wait).toBeGreaterThanOrEqual(longest * 0.2);
      }
    }
  });

  it("ends at once when it is interrupted", async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  });
});
