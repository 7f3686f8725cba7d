import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { OutputFile } from "../../../../src/daemon/jobs/output-file.js";
import { systemClock } from "../../../../src/support/clock.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-output-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

it("the end of what all processes said is kept, for the owner alone", async () => {
  const path = join(folder, "output.log");
  const first = await OutputFile.open(path, systemClock);
  for (let i = 0; i < 30_000; i++) first.take(Buffer.from(`line ${i}\n`));
  await first.close();
  const second = await OutputFile.open(path, systemClock);
  second.take(Buffer.from("the last one \n\n"));
  await second.close();
  expect(second.lastLine).toBe("the last one");
  const text = await readFile(path, "utf8");
  expect(text).toMatch(/line 29999\nthe last one \n\n$/u);
  const { size, mode } = await stat(path);
  expect([size, mode & 0o077]).toEqual([64 * 1024, 0]);
});
