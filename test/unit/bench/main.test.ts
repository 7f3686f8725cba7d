import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { bench } from "../../../bench/main.js";

let folder: string;
let told: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "elastickv-restore-bench-test-"));
  told = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void told.push(line));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("--dump", () => {
  it("writes the dumps of those scenarios that have one, and names those that have none", async () => {
    expect(await bench(["startup-help", "startup-restore", "--dump", folder])).toBe(0);
    const dump = join(folder, "speed-startup-restore");
    expect(told).toEqual(["speed/startup-help: there is no dump in it", `speed/startup-restore: ${dump}`]);
    expect(existsSync(join(dump, "CHECKSUMS"))).toBe(true);
  });
});
