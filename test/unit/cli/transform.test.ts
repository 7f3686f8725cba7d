import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTransform } from "../../../src/cli/transform.js";

let directory: string;
let dump: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-transform-"));
  dump = join(directory, "dump");
  await mkdir(join(dump, "s3"), { recursive: true });
  for (const [name, text] of Object.entries(MODULES)) await writeFile(join(directory, name), text);
  await writeFile(join(dump, "s3", "mask.mjs"), MODULES["mask.mjs"]);
  await symlink(join(dump, "s3", "mask.mjs"), join(directory, "link-into.mjs"));
  await symlink(join(directory, "mask.mjs"), join(dump, "link-out.mjs"));
  await symlink(dump, join(directory, "other-name"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const MODULES = {
  "mask.mjs": "globalThis.maskWasLoaded = true;\nexport default async (record) => record;\n",
  "dump-like.mjs": "export default () => undefined;\n",
  "none.mjs": "export const mask = 1;\n",
  "object.mjs": "export default {};\n",
  "syntax.mjs": "export default (=> 1;\n",
  "throws.mjs": "throw new TypeError('no database');\n",
  "import.mjs": "import './not-there.mjs';\n",
};

const load = async (name: string, more: { readonly transformLimit?: string; readonly dump?: string } = {}) =>
  await loadTransform({ dump, transform: join(directory, name), ...more });

describe("a transform's module", () => {
  it("is loaded for its default export", async () => {
    const path = join(directory, "mask.mjs");
    const loaded = await load("mask.mjs", { transformLimit: "2MiB" });
    expect(loaded).toMatchObject({ name: path, limitBytes: 2 * 1024 * 1024 });
    expect(loaded?.call).toBeTypeOf("function");
    expect(await loadTransform({ dump })).toBeUndefined();
  });

  it.each([
    ["missing.mjs", /missing\.mjs is not there/],
    ["", /is not a file/],
    ["none.mjs", /has no default export/],
    ["object.mjs", /exports by default a object, not a function/],
    ["syntax.mjs", /cannot be loaded: /],
    ["throws.mjs", /cannot be loaded: TypeError: no database/],
    ["import.mjs", /cannot be loaded: .*not-there\.mjs/],
  ])("%s that gives no function is wrong usage", async (name, message) => {
    await expect(load(name)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message) as unknown,
      hint: expect.stringMatching(/--transform \.\/mask\.mjs/) as unknown,
    });
  });

  it.each([
    ["dump/s3/mask.mjs", "dump"],
    ["dump/link-out.mjs", "dump"],
    ["link-into.mjs", "dump"],
    ["other-name/s3/mask.mjs", "dump"],
    ["dump/s3/mask.mjs", "other-name"],
    ["dump/s3/../s3/mask.mjs", "dump"],
  ])("%s is refused unread, for it comes out of the dump %s", async (name, root) => {
    Reflect.deleteProperty(globalThis, "maskWasLoaded");
    const loading = loadTransform({ dump: join(directory, root), transform: `${directory}/${name}` });
    await expect(loading).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(/inside the dump/) as unknown,
    });
    expect("maskWasLoaded" in globalThis).toBe(false);
  });

  it("beside the dump, with a name that begins like it, is no part of it", async () => {
    expect((await load("dump-like.mjs"))?.call).toBeTypeOf("function");
  });

  it("has a limit that is a size, and no limit without one", async () => {
    await expect(load("mask.mjs", { transformLimit: "much" })).rejects.toThrow(/--transform-limit/);
    await expect(loadTransform({ dump, transformLimit: "1MiB" })).rejects.toMatchObject({ code: "USAGE" });
  });
});
