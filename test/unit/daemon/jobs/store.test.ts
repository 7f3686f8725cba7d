import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobRecord } from "../../../../src/daemon/jobs/record.js";
import { Store } from "../../../../src/daemon/jobs/store.js";
import { jobRecord } from "../../../support/job-records.js";

let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-store-"));
  store = await Store.open(join(folder, "jobs"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function all() {
  const records: JobRecord[] = [];
  const damaged: string[] = [];
  await store.readAll(
    (record) => records.push(record),
    (text) => damaged.push(text),
  );
  return { records, damaged };
}

it("a job is read as it was kept, by all and by its id", async () => {
  const record = jobRecord({ idempotency: { key: "k", sha256: "s" }, order: "cancel", warnings: ["w"] });
  await store.create(record);
  const changed = { ...record, state: "running" as const, process: { pid: 7, birth: "9" } };
  await store.write(changed);
  expect((await all()).records).toEqual([changed]);
  expect(store.read(record.id)).toEqual(changed);
});

it("a folder that a crash left without a record goes", async () => {
  await mkdir(join(store.folder, "ffff000011112222"));
  await writeFile(join(store.folder, "ffff000011112222", "job.json.tmp"), "{");
  expect((await all()).records).toEqual([]);
  expect(await readdir(store.folder)).toEqual([]);
});

it("a record that cannot be read is told, and stays", async () => {
  await store.create(jobRecord());
  await writeFile(join(store.folder, jobRecord().id, "job.json"), "{}");
  const { records, damaged } = await all();
  expect([records, damaged]).toEqual([[], [expect.stringContaining(jobRecord().id)]]);
  expect(await readdir(store.folder)).toEqual([jobRecord().id]);
});

it("a job that is removed leaves nothing", async () => {
  await store.create(jobRecord());
  await store.remove(jobRecord().id);
  await store.remove(jobRecord().id);
  expect(await readdir(store.folder)).toEqual([]);
});
