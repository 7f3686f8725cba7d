import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatChecksumRow } from "../../../src/readers/checksum-row.js";
import { blocksInOrder, sortedChecksums } from "../../../src/readers/checksums.js";
import { listingBlocks, partOf, pathOf, rowsOf } from "../../../src/readers/listing-blocks.js";
import { collect, restoreErrorOf } from "../../support/read-dump.js";

describe("CHECKSUMS of many blocks", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "elastickv-restore-listing-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** Some paths of every kind, at every distance from where blocks end. */
  const rows = Array.from({ length: 12_000 }, (_, index) => {
    const name = `${index}`.padStart(5, "0");
    const path = ["plain", "é😀", "back\\slash", "line\nfeed", ".hidden", "..odd", "dir./x"][index % 7];
    return { path: `a/${name}/${path}`, sha256: index.toString(16).padStart(64, "0"), line: index + 1 };
  });

  async function write(text: string): Promise<void> {
    await writeFile(join(directory, "CHECKSUMS"), text);
  }

  const written = () => rows.map(({ path, sha256 }) => formatChecksumRow(path, sha256));

  it("are read as they were written, with their lines", async () => {
    await write(`${written().join("\n")}\n`);
    const blocks = await collect(listingBlocks(directory));
    expect(blocks.length).toBeGreaterThan(3);
    expect(blocks.flatMap((block) => [...rowsOf(block)])).toEqual(rows);
    const inOrder = await collect(blocksInOrder(listingBlocks(directory)));
    expect(inOrder.flatMap((block) => [...rowsOf(block)])).toEqual(rows);
  });

  it("can be taken apart anywhere", async () => {
    await write(written().join("\n"));
    const [block] = await collect(listingBlocks(directory));
    if (block === undefined) throw new Error("no block");
    for (const [from, count] of [
      [0, 1],
      [5, 3],
      [block.ends.length - 2, 9],
    ] as const) {
      const part = partOf(block, from, count);
      expect([...rowsOf(part)]).toEqual(rows.slice(from, Math.min(from + count, block.ends.length)));
      expect(Buffer.from(pathOf(part, 0), "latin1").toString()).toBe(rows[from]?.path);
    }
  });

  const DIGEST = "0a".repeat(32);

  it.each([
    `${DIGEST}  a/b/../c`,
    `${DIGEST}  a/..`,
    `${DIGEST}  ../a`,
    `${DIGEST}  a/./b`,
    `${DIGEST}  a//b`,
    `${DIGEST}  a/`,
    `${DIGEST}  /a`,
    `${DIGEST}  `,
    `${DIGEST}  a\0b`,
    `${DIGEST}  a\r`,
    `${DIGEST} a`,
    `${DIGEST}0  a`,
    `${DIGEST.slice(1)}  a`,
    "",
  ])("are refused with the row %j among plain ones", async (row) => {
    await write(`${DIGEST}  A\n${row}\n${DIGEST}  z\n`);
    await expect(collect(listingBlocks(directory))).rejects.toMatchObject({ code: "CHECKSUMS_INVALID" });
  });

  it.each([
    [`${DIGEST}  ./b`, "b"],
    [`${DIGEST} *b`, "b"],
    [`${DIGEST.toUpperCase()}  b`, "b"],
    [`\\${DIGEST}  b\\\\c`, "b\\c"],
    [`${DIGEST}  ...`, "..."],
    [`${DIGEST}  b/.c/..d`, "b/.c/..d"],
  ])("are taken with the row %j among plain ones", async (row, path) => {
    await write(`${DIGEST}  A\n${row}\n${DIGEST}  z`);
    const read = (await collect(listingBlocks(directory))).flatMap((block) => [...rowsOf(block)]);
    expect(read).toEqual(["A", path, "z"].map((each, at) => ({ path: each, sha256: DIGEST, line: at + 1 })));
  });

  it("are put in order when only the last row is out of it", async () => {
    const [first = "", ...others] = written();
    await write(`${[...others, first].join("\n")}\n`);
    const read = await collect(sortedChecksums(directory, directory));
    expect(read.map(({ path }) => path)).toEqual(rows.map(({ path }) => path));
    expect(read[0]?.line).toBe(rows.length);
  });

  it.each([
    ["a malformed row in a later block", "x", 9997],
    ["a path twice in a later block", formatChecksumRow("a/09996/plain", "0".repeat(64)), 9998],
    ["bytes that are not UTF-8 in a later block", "bad", 9997],
  ])("are refused with %s, which is told by its line", async (what, row, line) => {
    const lines = written().map((text) => Buffer.from(`${text}\n`));
    const inserted = Buffer.from(`${row}\n`);
    if (what.startsWith("bytes"))
      lines.splice(line - 1, 1, Buffer.from([...Buffer.from(`${"0".repeat(64)}  a/`), 0xff, 10]));
    else lines.splice(line - 1, 0, inserted);
    await writeFile(join(directory, "CHECKSUMS"), Buffer.concat(lines));
    const { code, where } = await restoreErrorOf(collect(sortedChecksums(directory, directory)));
    expect({ code, where }).toEqual({ code: "CHECKSUMS_INVALID", where: { path: "CHECKSUMS", line } });
  });
});
