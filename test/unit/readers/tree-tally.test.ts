import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PathTally } from "../../../src/readers/path-tally.js";
import { tallyTree } from "../../../src/readers/tree-tally.js";
import { tallyFiles } from "../../../src/readers/tree-walk.js";

const OWN = "CHECKSUMS";

describe("a tree's tally made in a thread", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "elastickv-restore-tally-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function add(...paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), "");
    }
  }

  function tally(): PathTally | undefined {
    const sum = tallyTree(root, OWN);
    if (sum === undefined) return undefined;
    const made = new PathTally();
    made.join(sum);
    return made;
  }

  it("is the one that is made without threads", async () => {
    await add(OWN, "a.bin", `b/${OWN}`, "b/c/é😀", "b/c/.x.tmp-1", "s._id_remap.jsonl", ".scratch/y");
    await add(...Array.from({ length: 300 }, (_, i) => `many/${i}`));
    const expected = await tallyFiles(root, root, new AbortController().signal);
    expect(expected.sum.count).toBe(303);
    expect(tally()?.equals(expected)).toBe(true);
    await add("b/one-more");
    expect(tally()?.equals(expected)).toBe(false);
  });

  it("is left to others where something unusual stands there", async () => {
    await add("a", "b/c");
    await symlink("c", join(root, "b/link"));
    expect(tally()).toBeUndefined();
  });

  it("is left to others where a name is no text", async () => {
    await add("a");
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), "");
    expect(tally()).toBeUndefined();
  });

  it("is left to others where a folder cannot be read", () => {
    expect(tallyTree(join(root, "none"), OWN)).toBeUndefined();
  });
});
