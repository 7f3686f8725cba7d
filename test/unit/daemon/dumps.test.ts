import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dumps } from "../../../src/daemon/dumps.js";
import { temporaryDump } from "../../support/dump-builder.js";

let folder: string;
/** Holds a copy of the dump, and nothing else. */
let above: string;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
beforeAll(async () => {
  dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "v" } });
  above = await mkdtemp(join(tmpdir(), "ek-above-"));
  await cp(dump.path, join(above, "nightly"), { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "ek-roots-"));
  await mkdir(join(folder, "broken"));
  await writeFile(join(folder, "broken", "MANIFEST.json"), "{");
  await symlink(dump.path, join(folder, "link"));
});
afterAll(async () => {
  await dump.remove();
  for (const each of [above, folder]) await rm(each, { recursive: true });
});

describe("dumps below the roots", () => {
  it("are told by root and path, with when they were taken and what they hold", async () => {
    const dumps = new Dumps({ all: above, itself: dump.path });
    const { dumps: found } = await dumps.list("itself");
    expect(found).toEqual([{ root: "itself", path: "", takenAt: expect.any(String), adapters: ["redis"] }]);
    expect((await dumps.list()).dumps.map(({ root, path }) => `${root}:${path}`)).toEqual(["all:nightly", "itself:"]);
  });

  it("that cannot be read are told beside, and links are not followed", async () => {
    expect(await new Dumps({ mixed: folder }).list()).toEqual({
      dumps: [],
      unreadable: [{ root: "mixed", why: expect.stringContaining("broken") }],
    });
  });

  it("whose root is gone are no reason not to tell the others", async () => {
    const { dumps, unreadable } = await new Dumps({ gone: join(folder, "none"), itself: dump.path }).list();
    expect(dumps).toHaveLength(1);
    expect(unreadable).toEqual([{ root: "gone", why: expect.stringContaining("cannot look into") }]);
  });

  it("of a root that is not configured are refused with those that are", async () => {
    const error = await new Dumps({ backups: folder }).list("backup").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "NOT_FOUND", hint: "There are: backups." });
  });
});
