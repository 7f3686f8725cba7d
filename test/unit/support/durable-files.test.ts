import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { replaceFile, syncDirectory } from "../../../src/support/durable-files.js";
import { DiskRecord, failWith, recordTo } from "../../support/recorded-disk.js";

vi.mock("node:fs/promises", async (original) => {
  const { recorded } = await import("../../support/recorded-disk.js");
  return recorded(await original());
});

let root: string;
let directory: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "elastickv-restore-durable-"));
  directory = join(root, "job");
  mkdirSync(directory);
  path = join(directory, "job.json");
});
afterEach(() => {
  recordTo(undefined);
  failWith(undefined);
  rmSync(root, { recursive: true });
});

/** Draws that together try every choice of a kind. */
const DRAWS = [(max: number) => max, () => 0, (max: number) => Math.floor(max / 2), (max: number) => Math.min(1, max)];

describe("a file that is replaced", () => {
  it("is the old one or the new one whenever the power fails, and the new one once that was said", async () => {
    const record = new DiskRecord(directory);
    recordTo(record);
    const [first, second] = ["1".repeat(900), "2".repeat(1500)];
    await replaceFile(path, first);
    const firstKept = record.time;
    await replaceFile(path, second);
    recordTo(undefined);
    const seen = new Set<string>();
    for (let moment = 0; moment <= record.time; moment++) {
      for (const [i, draw] of DRAWS.entries()) {
        const image = join(root, `image-${moment}-${i}`);
        record.image(moment, image, draw);
        const found = readdirSync(image).includes("job.json") ? readFileSync(join(image, "job.json"), "utf8") : "none";
        seen.add(found);
        if (moment === record.time) expect(found).toBe(second);
        else expect(moment >= firstKept ? [first, second] : ["none", first]).toContain(found);
      }
    }
    expect(seen).toEqual(new Set(["none", first, second]));
  });

  it("is its owner's alone, and nothing stands beside it", async () => {
    await replaceFile(path, "text");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["job.json"]);
  });

  it.each(["open", "write", "sync"] as const)("stays as it was when the %s fails", async (operation) => {
    writeFileSync(path, "old");
    failWith((what) => {
      if (what === operation) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    });
    await expect(replaceFile(path, "new")).rejects.toMatchObject({ code: "ENOSPC" });
    expect(readdirSync(directory)).toEqual(["job.json"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });
});

describe("a folder", () => {
  it("that cannot be synced on this system is left at that, and other failures are told", async () => {
    for (const code of ["EINVAL", "EPERM", "EISDIR", "ENOTSUP"]) {
      failWith((what) => {
        if (what === "sync") throw Object.assign(new Error(code), { code });
      });
      await expect(syncDirectory(directory)).resolves.toBeUndefined();
    }
    failWith((what) => {
      if (what === "sync") throw Object.assign(new Error("EIO"), { code: "EIO" });
    });
    await expect(syncDirectory(directory)).rejects.toMatchObject({ code: "EIO" });
    failWith(undefined);
    await expect(syncDirectory(join(directory, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
