import { access, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { installOnce } from "../../../testcontainers/cache.js";

let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "elastickv-restore-cache-"));
  vi.stubEnv("ELASTICKV_RESTORE_CACHE", cache);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(cache, { recursive: true, force: true });
});

const installed = () => readdir(join(cache, "servers"));

describe("installing once", () => {
  it("fills a directory the first time and leaves it alone the second time", async () => {
    const fill = vi.fn((directory: string) => writeFile(join(directory, "server"), "program"));
    const place = await installOnce("one", "1", fill);
    expect(await installOnce("one", "1", fill)).toBe(place);
    expect(fill).toHaveBeenCalledTimes(1);
    expect(await readFile(join(place, "server"), "utf8")).toBe("program");
    expect(await installed()).toEqual(["one-1"]);
  });

  it("does the work of two callers at once one time", async () => {
    let fills = 0;
    const fill = async () => {
      fills++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    const places = await Promise.all([installOnce("one", "1", fill), installOnce("one", "1", fill)]);
    expect(new Set(places).size).toBe(1);
    expect(fills).toBe(1);
  });

  it("leaves nothing of an installation that failed, and tries it again", async () => {
    await expect(
      installOnce("one", "1", async (directory) => {
        await writeFile(join(directory, "half"), "");
        throw new Error("no network");
      }),
    ).rejects.toThrow("no network");
    expect(await installed()).toEqual([]);
    await expect(access(await installOnce("one", "1", () => Promise.resolve()))).resolves.toBeUndefined();
  });

  it("takes over from an installation that was killed, and clears what that left", async () => {
    const held = installOnce("one", "1", () => new Promise(() => undefined));
    await vi.waitFor(async () => expect(await installed()).toHaveLength(2));
    held.catch(() => undefined);
    const longAgo = new Date(Date.now() - 7_200_000);
    for (const name of await installed()) await utimes(join(cache, "servers", name), longAgo, longAgo);
    await installOnce("one", "1", () => Promise.resolve());
    expect(await installed()).toEqual(["one-1"]);
  });
});
