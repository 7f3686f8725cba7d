import { createHash } from "node:crypto";
import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FileContent } from "../../../src/readers/content.js";
import { BLOCK, blockTag, TAG_BYTES } from "../../../src/readers/row-batch.js";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "elastickv-restore-content-"));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

async function checkedFile(text: string): Promise<FileContent> {
  await writeFile(join(root, "f"), text);
  const { dev, ino, size } = await stat(join(root, "f"));
  const sha256 = createHash("sha256").update(text).digest("hex");
  return new FileContent(root, { path: "f", size, identity: `${dev}:${ino}`, sha256, blocks: "" });
}

/** The class of handles, which the module does not export. */
async function handlesOf(path: string) {
  const handle = await open(path);
  await handle.close();
  return Object.getPrototypeOf(handle) as typeof handle;
}

describe("a file that cannot be read", () => {
  it("because it is gone changed after the check", async () => {
    const content = await checkedFile("text");
    await rm(join(root, "f"));
    await expect(content.buffer()).rejects.toMatchObject({ code: "CHANGED_AFTER_CHECK", retry: "no" });
  });

  it("because the disk fails is the machine's fault, and stops the run", async () => {
    const content = await checkedFile("text");
    const fault = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    vi.spyOn(await handlesOf(join(root, "f")), "read").mockRejectedValue(fault);
    await expect(content.buffer()).rejects.toMatchObject({ code: "LOCAL_IO", retry: "fatal", where: { path: "f" } });
  });
});

describe("a file that is read into given buffers", () => {
  it("is in them in turn, each block whole, and checked there", async () => {
    const text = Buffer.alloc(3 * BLOCK + 10, "some text that is no divisor of a block");
    const first = await checkedFile(text.toString());
    const key = Buffer.alloc(TAG_BYTES, 7);
    const tags = [0, 1, 2, 3].map((i) => blockTag(key, i, text.subarray(i * BLOCK, (i + 1) * BLOCK)));
    const { dev, ino } = await stat(join(root, "f"));
    const row = { path: "f", size: first.size, identity: `${dev}:${ino}`, sha256: first.sha256 };
    const content = new FileContent(root, { ...row, blocks: Buffer.concat([key, ...tags]).toString("base64") });
    const into = [Buffer.alloc(BLOCK, 1), Buffer.alloc(BLOCK, 2)];
    const [used, read]: [boolean[], Buffer[]] = [[], []];
    for await (const block of content.blocks({ start: 5, end: text.length }, into)) {
      used.push(block.buffer === into[used.length % 2]?.buffer);
      read.push(Buffer.from(block));
    }
    expect(used).toEqual([true, true, true, true]);
    expect(Buffer.concat(read).equals(text.subarray(5))).toBe(true);
    await writeFile(join(root, "f"), Buffer.alloc(text.length, "x"));
    await expect(content.blocks(undefined, into)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "CHANGED_AFTER_CHECK",
    });
  });
});
