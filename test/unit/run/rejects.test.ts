import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ListedRecord } from "../../../src/run/ledger.js";
import { Rejects, rejectsPathFor } from "../../../src/run/rejects.js";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-rejects-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function listed(key: string): ListedRecord {
  return { adapter: "redis", scope: "db_0", path: `redis/db_0/strings/${key}.bin`, key, outcome: "rejected" };
}

describe("the file of listed records", () => {
  it("holds all of them, a line each, where the report keeps the first thousand", async () => {
    const path = join(directory, "r.jsonl");
    const rejects = new Rejects(path);
    const all = Array.from({ length: 2500 }, (_, i) => listed(`k${i}\n"${"x".repeat(50)}`));
    await Promise.all(all.map((record) => rejects.write(record)));
    await rejects.close();
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(all);
    expect(rejects.first).toEqual(all.slice(0, 1000));
    expect(rejects.count).toBe(2500);
  });

  it("is not made where nothing is listed", async () => {
    const path = join(directory, "none.jsonl");
    await new Rejects(path).close();
    await expect(readFile(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("that cannot be written ends the run, and no write hangs", async () => {
    const rejects = new Rejects(join(directory, "missing", "r.jsonl"));
    const many = Array.from({ length: 500 }, (_, i) => rejects.write({ ...listed(`k${i}`), detail: "x".repeat(1000) }));
    const results = await Promise.allSettled(many);
    expect(results.some(({ status }) => status === "rejected")).toBe(true);
    await expect(rejects.write(listed("later"))).rejects.toMatchObject({ code: "LOCAL_IO", retry: "fatal" });
    await expect(rejects.close()).rejects.toMatchObject({ code: "LOCAL_IO" });
  });
});

it("without a file the first ones stay in memory", async () => {
  const rejects = new Rejects();
  await rejects.write(listed("a"));
  await rejects.close();
  expect(rejects.first).toEqual([listed("a")]);
  expect(rejects.path).toBeUndefined();
});

it.each([
  ["report.json", "report.rejects.jsonl"],
  ["/a.json/report", "/a.json/report.rejects.jsonl"],
  ["out/R.JSON", "out/R.rejects.jsonl"],
])("beside %s stands %s", (report, rejects) => {
  expect(rejectsPathFor(report)).toBe(rejects);
});
