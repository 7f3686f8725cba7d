import { mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createJob, openStateDirectory } from "../../../../src/run/job/job-file.js";
import { openRepairs, removeRepairs } from "../../../../src/run/job/repairs.js";

const NOW = 1_800_000_000_000;

let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "repairs-"));
  await openStateDirectory(state);
});

afterEach(async () => {
  await rm(state, { recursive: true, force: true });
});

async function keep(id: string, writtenAt: number): Promise<string> {
  const directory = await openRepairs(state);
  for (const name of [`${id}.json`, `${id}.differences.jsonl`]) {
    await writeFile(join(directory, name), "");
    await utimes(join(directory, name), writtenAt / 1000, writtenAt / 1000);
  }
  return join(directory, `${id}.json`);
}

it("removes what is old enough, and its list", async () => {
  await keep("old", NOW - 10);
  await keep("new", NOW + 10);
  await removeRepairs(state, NOW);
  expect((await readdir(join(state, "repairs"))).sort()).toEqual(["new.differences.jsonl", "new.json"]);
});

it("keeps what an unfinished job reads again when it is taken up", async () => {
  const path = await keep("needed", NOW - 10);
  const identity = {
    dump: "d",
    mode: "none",
    options: {},
    adapters: [],
    scopes: [],
    include: [],
    exclude: [],
    targets: [],
    endpoints: {},
  };
  const words = [`--retry-of=${path}`, "/dump"];
  await createJob(state, {
    jobVersion: 1,
    id: "0123456789abcdef",
    startedAt: 1,
    dump: "/dump",
    words,
    cwd: "/",
    identity,
  });
  const byOtherName = `${state}-link`;
  await symlink(state, byOtherName);
  await removeRepairs(byOtherName, NOW).finally(() => rm(byOtherName));
  expect(await readdir(join(state, "repairs"))).toHaveLength(2);
  await removeRepairs(state, NOW);
  expect(await readdir(join(state, "repairs"))).toHaveLength(2);
});

it("has nothing to do where nothing was repaired", async () => {
  await expect(removeRepairs(state, NOW)).resolves.toBeUndefined();
});
