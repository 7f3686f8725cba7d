import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SpillingSet } from "../../../src/support/spilling-set.js";

describe("a set that spills", () => {
  it("knows every string once, in memory and on disk, and removes its file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-spill-"));
    const set = new SpillingSet(directory, 10);
    for (let i = 0; i < 3000; i++) expect(set.add(`key ${i}`)).toBe(true);
    expect(await readdir(directory)).toHaveLength(1);
    for (let i = 0; i < 3000; i++) expect(set.add(`key ${i}`)).toBe(false);
    set.close();
    set.close();
    expect(await readdir(directory)).toEqual([]);
    await rm(directory, { recursive: true });
  });

  it("makes no file while it is small", async () => {
    const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-spill-"));
    const set = new SpillingSet(directory, 10);
    expect([set.add("a"), set.add("a"), set.add(Buffer.from("a"))]).toEqual([true, false, false]);
    expect(await readdir(directory)).toEqual([]);
    set.close();
    await rm(directory, { recursive: true });
  });
});
