import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRejects } from "../../../../src/daemon/jobs/rejects.js";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-rejects-"));
  path = join(folder, "rejects.jsonl");
  const lines = Array.from({ length: 10 }, (_, i) =>
    JSON.stringify({ key: `Käy-${i}`, outcome: i % 2 === 0 ? "rejected" : "failed", detail: `d${i}` }),
  );
  await writeFile(path, `${lines.join("\n")}\n{"key":"not yet wh`);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function keys(query: { limit: number; search?: string; outcome?: string }): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await readRejects(path, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    pages.push((page?.rejects ?? []).map(({ key }) => String(key)));
    cursor = page?.next;
  } while (cursor !== undefined);
  return pages;
}

describe("a list of records", () => {
  it("is read page by page, each record once", async () => {
    const pages = await keys({ limit: 4 });
    expect(pages.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(pages.flat()).toEqual(Array.from({ length: 10 }, (_, i) => `Käy-${i}`));
  });

  it("is searched in key and detail, whatever the case, and by outcome", async () => {
    expect((await keys({ limit: 9, search: "KÄY-3" })).flat()).toEqual(["Käy-3"]);
    expect((await keys({ limit: 9, search: "d4" })).flat()).toEqual(["Käy-4"]);
    expect((await keys({ limit: 2, outcome: "failed" })).flat()).toEqual([1, 3, 5, 7, 9].map((i) => `Käy-${i}`));
    expect((await keys({ limit: 2, outcome: "failed", search: "d4" })).flat()).toEqual([]);
  });

  it.each(["0", "x", "3", "-1", "99999999"])("refuses the cursor %s, where no line begins", async (cursor) => {
    await expect(readRejects(path, { limit: 1, cursor })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });

  it("that is not there is none", async () => {
    expect(await readRejects(join(folder, "none"), { limit: 1 })).toBeUndefined();
  });
});
