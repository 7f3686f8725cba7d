import { execFileSync } from "node:child_process";
import { link, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resealDump } from "../../../src/readers/reseal.js";
import { checksumRows, type DumpDescription } from "../../support/dump-builder.js";
import { ForgottenFiles } from "../../support/open-files.js";
import { readWhole, restoreErrorOf, withBuilt } from "../../support/read-dump.js";

const FILES = { "redis/db_0/strings/a.bin": "1", "redis/db_0/strings/b.bin": "2", "redis/db_0/strings/c-d.bin": "3" };

function edited<T>(use: (root: string) => Promise<T>, description: DumpDescription = { files: FILES }): Promise<T> {
  return withBuilt(description, async (root) => {
    await writeFile(join(root, "redis/db_0/strings/b.bin"), "changed");
    await rm(join(root, "redis/db_0/strings/a.bin"));
    await writeFile(join(root, "redis/db_0/strings/c.bin"), "new");
    return use(root);
  });
}

describe("resealing", () => {
  it("lists what changed, and the dump is whole again, for coreutils too", async () => {
    await edited(async (root) => {
      expect(await resealDump(root)).toEqual({
        added: ["redis/db_0/strings/c.bin"],
        removed: ["redis/db_0/strings/a.bin"],
        changed: ["redis/db_0/strings/b.bin"],
        files: 4,
      });
      execFileSync("sha256sum", ["--quiet", "--strict", "-c", "CHECKSUMS"], { cwd: root });
      expect(await readFile(join(root, "CHECKSUMS"), "utf8")).toBe(checksumRows(root).join(""));
      expect([...(await readWhole(root)).records.values()].flat()).toHaveLength(3);
      expect(await resealDump(root)).toMatchObject({ added: [], removed: [], changed: [], files: 4 });
    });
  });

  it("only tells in a dry run", async () => {
    await edited(async (root) => {
      const before = await readFile(join(root, "CHECKSUMS"));
      expect(await resealDump(root, { dryRun: true })).toMatchObject({ changed: ["redis/db_0/strings/b.bin"] });
      expect(await readFile(join(root, "CHECKSUMS"))).toEqual(before);
    });
  });

  it("escapes awkward names", async () => {
    await withBuilt({ files: { "s3/b/_bucket.json": { name: "b" }, "s3/b/a\nb\\c\r": "1" } }, async (root) => {
      const sealed = await readFile(join(root, "CHECKSUMS"), "utf8");
      await resealDump(root);
      expect(await readFile(join(root, "CHECKSUMS"), "utf8")).toBe(sealed);
    });
  });

  it("works without CHECKSUMS", async () => {
    await withBuilt({ files: FILES, seal: false }, async (root) => {
      expect((await resealDump(root)).added).toHaveLength(4);
      expect([...(await readWhole(root)).records.values()].flat()).toHaveLength(3);
    });
  });

  it("leaves debris and remap files unlisted, unless they were listed", async () => {
    const listed = { ...FILES, "redis/db_0/strings/.x.tmp-1.bin": "listed" };
    await withBuilt({ files: listed }, async (root) => {
      await writeFile(join(root, "redis/db_0/strings/.y.tmp-1.bin"), "debris");
      await writeFile(join(root, "redis/db_0/s._id_remap.jsonl"), "remap");
      expect(await resealDump(root)).toMatchObject({ added: [], removed: [], changed: [], files: 5 });
    });
  });

  it("leaves no temporary file and the old CHECKSUMS when it fails", async () => {
    await edited(async (root) => {
      const before = await readFile(join(root, "CHECKSUMS"));
      await symlink("b.bin", join(root, "redis/db_0/strings/link.bin"));
      expect((await restoreErrorOf(resealDump(root))).code).toBe("TREE_INVALID");
      expect(await readFile(join(root, "CHECKSUMS"))).toEqual(before);
      expect((await readdir(root)).sort()).toEqual(["CHECKSUMS", "MANIFEST.json", "redis"]);
    });
  });

  it("leaves no file open when it fails", async () => {
    await edited(async (root) => {
      await symlink("b.bin", join(root, "redis/db_0/strings/link.bin"));
      const forgotten = new ForgottenFiles(root);
      await restoreErrorOf(resealDump(root));
      expect(await forgotten.found().finally(() => forgotten.stop())).toEqual([]);
    });
  });

  it("stops when it is interrupted", async () => {
    await edited(async (root) => {
      const error = await restoreErrorOf(resealDump(root, { signal: AbortSignal.abort() }));
      expect(error.code).toBe("INTERRUPTED");
      expect(await readdir(root)).toHaveLength(3);
    });
  });

  it("refuses hard links within the tree", async () => {
    await edited(async (root) => {
      await link(join(root, "redis/db_0/strings/b.bin"), join(root, "redis/db_0/strings/z.bin"));
      expect((await restoreErrorOf(resealDump(root))).code).toBe("TREE_INVALID");
    });
  });

  it.each([
    ["no manifest", (root: string) => rm(join(root, "MANIFEST.json")), "MANIFEST_MISSING"],
    ["an invalid manifest", (root: string) => writeFile(join(root, "MANIFEST.json"), "{}"), "MANIFEST_INVALID"],
    ["malformed CHECKSUMS", (root: string) => writeFile(join(root, "CHECKSUMS"), "nonsense\n"), "CHECKSUMS_INVALID"],
  ])("refuses a tree with %s", async (_what, damage, code) => {
    await edited(async (root) => {
      await damage(root);
      expect((await restoreErrorOf(resealDump(root))).code).toBe(code);
    });
  });
});
