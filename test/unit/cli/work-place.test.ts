import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import { afterEach, beforeEach, expect, it } from "vitest";
import { workPlace } from "../../../src/cli/work-place.js";

let root: string;
/** The number of a process that has ended. */
const gone = spawnSync(process.execPath, ["--version"]).pid;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "elastickv-restore-place-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const place = () =>
  workPlace({
    env: { TMPDIR: root },
    pid: 1,
    isAlive: () => false,
    cwd: "/",
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  });

/** As a process with that number names its folder. */
const nameOf = (pid: number) => `${place().workPrefix.slice(0, -`${process.pid}-`.length)}${pid}-abc123`;

async function folderOf(pid: number): Promise<string> {
  const folder = join(root, nameOf(pid));
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, "catalogue.jsonl"), "[]");
  return folder;
}

it("lies in TMPDIR and begins with the number of the process", () => {
  expect(place()).toEqual({
    workRoot: root,
    workPrefix: expect.stringMatching(new RegExp(`^elastickv-restore-[0-9a-f]{8}-${process.pid}-$`)),
  });
});

it("removes the folder of a process that is gone, and those of living ones stay", async () => {
  const [stale, living, own] = [await folderOf(gone), await folderOf(process.ppid), await folderOf(process.pid)];
  place();
  expect([stale, living, own].map((folder) => existsSync(folder))).toEqual([false, true, true]);
});

it("leaves what other machines, other programs and other people made", async () => {
  const foreign = nameOf(gone).replace(/-[0-9a-f]{8}-/, "-00000000-");
  for (const name of [foreign, `elastickv-restore-${gone}-abc123`, `${nameOf(gone)}-more`]) {
    await mkdir(join(root, name), { mode: 0o700 });
    place();
    expect(existsSync(join(root, name))).toBe(true);
  }
  const open = await folderOf(gone);
  await chmod(open, 0o777);
  place();
  expect(existsSync(open)).toBe(true);
});

it("follows no link that stands under such a name", async () => {
  const elsewhere = join(root, "elsewhere");
  await mkdir(elsewhere, { mode: 0o700 });
  await writeFile(join(elsewhere, "kept"), "");
  await symlink(elsewhere, join(root, nameOf(gone)));
  place();
  expect(existsSync(join(elsewhere, "kept"))).toBe(true);
});

it("is no reason to stop where the folder cannot be listed", () => {
  const missing = join(root, "missing");
  const io = {
    env: { TMPDIR: missing },
    pid: 1,
    isAlive: () => false,
    cwd: "/",
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  };
  expect(workPlace(io).workRoot).toBe(missing);
});
