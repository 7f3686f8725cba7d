import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Drawer } from "../../../../../src/replayers/sqs/compare/drawer.js";
import { Pool } from "../../../../../src/replayers/sqs/compare/pool.js";
import { Receipts } from "../../../../../src/replayers/sqs/compare/receipts.js";
import { SpillingMap } from "../../../../../src/support/spilling-map.js";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "compare-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("a drawer", () => {
  it("gives back what was put there, once", () => {
    const drawer = new Drawer<{ text: string; bytes: Buffer }>(directory);
    const values = ["a", "b\u0000\uD800", ""].map((text) => ({ text, bytes: Buffer.from([0, 255]) }));
    const [first = 0, second = 0] = values.map((value) => drawer.put(value));
    expect(drawer.take(second)).toEqual(values[1]);
    expect(drawer.take(second)).toBeUndefined();
    expect([...drawer.left()]).toEqual([values[0], values[2]]);
    expect(drawer.take(first)).toEqual(values[0]);
    drawer.close();
    drawer.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("makes no file for nothing", () => {
    const drawer = new Drawer<string>(directory);
    expect([...drawer.left()]).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
    drawer.close();
  });
});

describe("receipts", () => {
  it("come in batches, in their order", () => {
    const receipts = new Receipts(directory);
    const all = Array.from({ length: 23 }, (_, i) => `${"é".repeat(i)}#${i}`);
    receipts.add(all.slice(0, 4));
    receipts.add([]);
    receipts.add(all.slice(4));
    const batches = [...receipts.inBatches(10)];
    expect(batches.map(({ length }) => length)).toEqual([10, 10, 3]);
    expect(batches.flat()).toEqual(all);
    receipts.close();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("a pool", () => {
  it("gives numbers in their order, but for those that are not free", () => {
    const map = new SpillingMap(directory, 4);
    const [pool, other] = [new Pool(map, "one"), new Pool(map, "two")];
    for (const value of [7, 0, 9, 8]) pool.put("key", value);
    other.put("key", 1);
    const isFree = (value: number): boolean => value !== 0;
    expect([1, 2, 3, 4].map(() => pool.take("key", isFree))).toEqual([7, 9, 8, undefined]);
    pool.put("key", 5);
    expect(pool.take("key", isFree)).toBe(5);
    expect(other.take("key", isFree)).toBe(1);
    map.close();
  });
});
