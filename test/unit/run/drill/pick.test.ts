import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pickDump } from "../../../../src/run/drill/pick.js";
import { MANIFEST } from "../../../support/dump-builder.js";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "elastickv-restore-pick-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function dumpAt(path: string, takenAt: string): Promise<void> {
  await mkdir(join(root, path), { recursive: true });
  const manifest = { ...MANIFEST, live: { ...MANIFEST.live, read_ts: 1 }, adapters: {}, wall_time_iso: takenAt };
  await writeFile(join(root, path, "MANIFEST.json"), JSON.stringify(manifest));
}

describe("picking a dump", () => {
  it("takes the newest by its manifest, whatever it is called and however deep it stands", async () => {
    await dumpAt("z-last", "2026-01-01T00:00:00Z");
    await dumpAt("2026/november/25", "2026-11-25T01:00:00+02:00");
    await dumpAt("2026/november/24", "2026-11-24T23:30:00Z");
    const picked = await pickDump(root, "newest");
    expect(picked.path).toBe(join(root, "2026/november/24"));
    expect(picked.from.map(({ takenAt }) => takenAt)).toEqual([
      "2026-11-24T23:30:00Z",
      "2026-11-25T01:00:00+02:00",
      "2026-01-01T00:00:00Z",
    ]);
  });

  it("takes any of them at random, and says from which", async () => {
    for (const day of ["01", "02", "03"]) await dumpAt(day, `2026-01-${day}T00:00:00Z`);
    const picked = await pickDump(root, "random", (below) => below - 1);
    expect(picked.path).toBe(join(root, "01"));
    expect(picked.from).toHaveLength(3);
  });

  it("looks into no dump, follows no link, and takes no copy that is not finished", async () => {
    await dumpAt("one", "2026-01-01T00:00:00Z");
    await dumpAt("one/s3/bucket", "2027-01-01T00:00:00Z");
    await mkdir(join(root, "partial", "redis"), { recursive: true });
    const elsewhere = await mkdtemp(join(tmpdir(), "elastickv-restore-pick-"));
    await writeFile(join(elsewhere, "MANIFEST.json"), "{}");
    await symlink(elsewhere, join(root, "link"));
    const picked = await pickDump(root, "newest");
    expect(picked.from.map(({ path }) => path)).toEqual([join(root, "one")]);
    expect(picked.unreadable).toEqual([]);
    await rm(elsewhere, { recursive: true });
  });

  it("names a manifest that cannot be read, and takes another dump", async () => {
    await dumpAt("good", "2026-01-01T00:00:00Z");
    await mkdir(join(root, "bad"));
    await writeFile(join(root, "bad", "MANIFEST.json"), "{");
    const picked = await pickDump(root, "newest");
    expect(picked.path).toBe(join(root, "good"));
    expect(picked.unreadable).toEqual([expect.stringContaining(join(root, "bad"))]);
  });

  it("refuses a folder without a dump", async () => {
    await expect(pickDump(root, "newest")).rejects.toMatchObject({ code: "DUMP_NOT_FOUND" });
  });
});
