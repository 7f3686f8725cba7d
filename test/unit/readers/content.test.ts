import { createHash } from "node:crypto";
import { mkdtemp, open, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FileContent } from "../../../src/readers/content.js";

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
