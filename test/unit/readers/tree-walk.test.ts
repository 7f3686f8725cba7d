import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { walkFiles } from "../../../src/readers/tree-walk.js";

describe("walking a tree", () => {
  let root: string;
  let workDirectory: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "elastickv-restore-walk-"));
    workDirectory = await mkdtemp(join(tmpdir(), "elastickv-restore-walk-work-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
    await rm(workDirectory, { recursive: true, force: true });
  });

  async function fill(): Promise<string[]> {
    const names = Array.from({ length: 150 }, (_, index) => `${(index * 37) % 150}`);
    const paths = names.flatMap((name) => [`${name}.bin`, `a/${name}-x`, `a/b${name}/😀${name}`, `a-b/${name}é`]);
    for (const directory of new Set(paths.map(dirname))) await mkdir(join(root, directory), { recursive: true });
    for (const path of [...paths, "CHECKSUMS"]) await writeFile(join(root, path), "");
    return paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  it("gives the paths in bytewise order, the same ones however few names it may hold", async () => {
    const expected = await fill();
    for (const namesKept of [undefined, 0, 200]) {
      const options = namesKept === undefined ? { workDirectory } : { workDirectory, namesKept };
      expect([...walkFiles(root, options)]).toEqual(expected);
      expect(await readdir(workDirectory)).toEqual([]);
    }
  });

  it("sorts the names of large directories on disk, and takes its files along when it is given up", async () => {
    await fill();
    const walk = walkFiles(root, { workDirectory, namesKept: 0 });
    walk.next();
    expect(await readdir(workDirectory)).not.toEqual([]);
    walk.return(undefined);
    expect(await readdir(workDirectory)).toEqual([]);
  });
});
