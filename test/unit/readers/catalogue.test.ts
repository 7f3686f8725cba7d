import { appendFile, mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Catalogue } from "../../../src/readers/catalogue.js";
import { checkDump } from "../../../src/readers/check.js";
import { type DumpFile, temporaryDump } from "../../support/dump-builder.js";
import { collect, restoreErrorOf } from "../../support/read-dump.js";

const MIB = 1024 * 1024;

let root: string;
let workDirectory: string;
let catalogue: Catalogue;
let removeDump: () => Promise<void>;

beforeEach(async () => {
  workDirectory = await mkdtemp(join(tmpdir(), "elastickv-restore-catalogue-"));
});

afterEach(async () => {
  await catalogue.close();
  await removeDump();
  await rm(workDirectory, { recursive: true, force: true });
});

async function check(files: Record<string, DumpFile>): Promise<void> {
  const dump = await temporaryDump({ files });
  [root, removeDump] = [dump.path, dump.remove];
  catalogue = await checkDump({ root, workDirectory });
}

function inBytewiseOrder(paths: readonly string[]): string[] {
  return paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

describe("a catalogue of several blocks", () => {
  const names = Array.from({ length: 700 }, (_, index) => `redis/db_0/strings/${(index * 7919) % 700}.bin`);
  const others = ["redis/db_0/lists/a.json", "redis/db_1/strings/a.bin", "s3/b/😀", "s3/b/\uff21", "s3/b/line\nfeed"];
  const all = inBytewiseOrder([...names, ...others]);

  beforeEach(() => check(Object.fromEntries(all.map((path) => [path, path]))));

  it("lists rows below a prefix and behind a path, in bytewise order", () => {
    const listed = (prefix: string, after?: string) => [...catalogue.rows(prefix, after)].map(({ path }) => path);
    expect(listed("")).toEqual(inBytewiseOrder([...all, "MANIFEST.json"]));
    expect(listed("redis/db_0/strings/")).toEqual(inBytewiseOrder(names));
    expect(listed("redis/db_0/strings/", "redis/db_0/strings/5")).toEqual(
      inBytewiseOrder(names).filter((path) => path > "redis/db_0/strings/5"),
    );
    expect(listed("s3/", "s3/b/\uff21")).toEqual(["s3/b/😀"]);
    expect([listed("redis/db_2/"), listed("t"), listed("a")]).toEqual([[], [], []]);
  });

  it("finds each path and none beside it", () => {
    for (const path of all) {
      expect(catalogue.find(`${path}0`)).toBeUndefined();
      expect(catalogue.find(path)).toMatchObject({ path, size: Buffer.byteLength(path) });
    }
    expect([catalogue.find(""), catalogue.find("zz"), catalogue.find("redis")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(catalogue.find(all[0] ?? "")?.path).toBe(all[0]);
  });

  it("counts files and bytes below a prefix", () => {
    for (const prefix of ["redis/", "redis/db_0/strings/", "redis/db_0/strings/1", "s3/b/", "nothing/"]) {
      const below = all.filter((path) => path.startsWith(prefix));
      const bytes = below.reduce((sum, path) => sum + Buffer.byteLength(path), 0);
      expect(catalogue.sizeOf(prefix)).toEqual({ files: below.length, bytes });
    }
  });

  it("names directories below a prefix once", () => {
    expect([...catalogue.directories("redis/")]).toEqual(["db_0", "db_1"]);
  });

  it("is not read any more once it is closed: its file's number may be another file's by then", async () => {
    await catalogue.close();
    expect(() => catalogue.find(all[0] ?? "")).toThrow("after its dump was closed");
  });
});

describe("reading ahead", () => {
  const directory = "redis/db_0/strings/";
  const names = Array.from({ length: 600 }, (_, index) => `${directory}${index}.bin`);

  /** What each row holds that has its bytes at hand. */
  async function bytesAtHand(): Promise<Map<string, string | undefined>> {
    const rows = (await collect(catalogue.readAhead(directory))).flat();
    return new Map(rows.map((row) => [row.path, catalogue.content(row).bytes?.toString()]));
  }

  it("has small files at hand, in order, from the check and again from the disk", async () => {
    await check(Object.fromEntries(names.map((name) => [name, name.endsWith("7.bin") ? "" : name])));
    const expected = inBytewiseOrder(names).map((name) => [name, name.endsWith("7.bin") ? "" : name]);
    expect([...(await bytesAtHand())]).toEqual(expected);
    expect([...(await bytesAtHand())]).toEqual(expected);
  });

  it("leaves large files to be read in their turn", async () => {
    const large = Buffer.alloc(MIB, "x");
    await check({ [`${directory}a.bin`]: "a", [`${directory}b.bin`]: large, [`${directory}c.bin`]: "c" });
    const sizes = [...(await bytesAtHand()).values()].map((bytes) => bytes?.length);
    expect(sizes).toEqual([1, undefined, 1]);
  });

  it.each(["the first time", "a second time"])(
    "gives nothing of a file that changed after the check, read %s",
    async (time) => {
      await check({ [`${directory}a.bin`]: "a", [`${directory}b.bin`]: "b", [`${directory}c.bin`]: "c" });
      if (time === "a second time") await bytesAtHand();
      await writeFile(join(root, directory, "b.bin"), "B");
      await rm(join(root, directory, "c.bin"));
      const rows = (await collect(catalogue.readAhead(directory))).flat();
      expect(rows.map((row) => catalogue.content(row).bytes?.toString())).toEqual(["a", undefined, undefined]);
      for (const row of rows.slice(1)) {
        expect((await restoreErrorOf(catalogue.content(row).buffer())).code).toBe("CHANGED_AFTER_CHECK");
      }
    },
  );

  it("reads a file again that was touched and is the same", async () => {
    await check({ [`${directory}a.bin`]: "a" });
    await utimes(join(root, directory, "a.bin"), 1, 1);
    const [row] = (await collect(catalogue.readAhead(directory))).flat();
    if (row === undefined) throw new Error("no row");
    expect((await catalogue.content(row).buffer()).toString()).toBe("a");
  });
});

describe("a file of several blocks", () => {
  const path = "s3/b/large";
  const bytes = Buffer.alloc(3 * MIB + 5, "0123456789");

  async function read(range: { start: number; end: number }): Promise<Buffer> {
    const row = catalogue.find(path);
    if (row === undefined) throw new Error("no row");
    return Buffer.concat(await collect(catalogue.content(row).blocks(range)));
  }

  it("is checked block by block, wherever reading begins", async () => {
    await check({ [path]: bytes });
    expect(
      (await read({ start: 2 * MIB - 7, end: 3 * MIB + 2 })).equals(bytes.subarray(2 * MIB - 7, 3 * MIB + 2)),
    ).toBe(true);
    const file = await readFile(join(root, path));
    file[2 * MIB + 9] = 0;
    await writeFile(join(root, path), file);
    expect((await read({ start: 0, end: 2 * MIB })).equals(bytes.subarray(0, 2 * MIB))).toBe(true);
    expect((await restoreErrorOf(read({ start: 2 * MIB, end: 2 * MIB + 1 }))).code).toBe("CHANGED_AFTER_CHECK");
  });

  it("is noticed when its blocks change places", async () => {
    await check({ [path]: Buffer.concat([Buffer.alloc(MIB, "a"), Buffer.alloc(MIB, "b"), Buffer.alloc(1)]) });
    await writeFile(join(root, path), Buffer.concat([Buffer.alloc(MIB, "b"), Buffer.alloc(MIB, "a"), Buffer.alloc(1)]));
    expect((await restoreErrorOf(read({ start: 0, end: 1 }))).code).toBe("CHANGED_AFTER_CHECK");
  });
});

describe("files that are listed under another name", () => {
  it("are told as missing and as unlisted, in the order of their paths", async () => {
    await check({ "redis/db_0/strings/b.bin": "b", "redis/db_0/strings/d.bin": "d" });
    await rename(join(root, "redis/db_0/strings/b.bin"), join(root, "redis/db_0/strings/c.bin"));
    await appendFile(join(root, "redis/db_0/strings/d.bin"), "more");
    await writeFile(join(root, "redis/db_0/strings/a.bin"), "");
    const { code, message } = await restoreErrorOf(checkDump({ root, workDirectory }));
    expect([code, ...message.split("\n")]).toEqual([
      "FILE_UNLISTED",
      "redis/db_0/strings/a.bin is not listed in CHECKSUMS",
      expect.stringMatching(/^redis\/db_0\/strings\/b\.bin is listed in CHECKSUMS:\d+ and missing$/),
      "redis/db_0/strings/c.bin is not listed in CHECKSUMS",
      "redis/db_0/strings/d.bin has another digest",
    ]);
  });

  it("are found when there are as many of them as there should be", async () => {
    await check({ "redis/db_0/strings/b.bin": "b" });
    await writeFile(join(root, "redis/db_0/strings/._id_remap.jsonl"), "");
    await rename(join(root, "redis/db_0/strings/b.bin"), join(root, "redis/db_0/strings/c.bin"));
    expect((await restoreErrorOf(checkDump({ root, workDirectory }))).message.split("\n")).toHaveLength(2);
    expect((await stat(join(root, "redis/db_0/strings/c.bin"))).size).toBe(1);
  });
});
