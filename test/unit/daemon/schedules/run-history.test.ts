import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunHistory } from "../../../../src/daemon/schedules/run-history.js";
import type { Run } from "../../../../src/daemon/schema/schedule.js";

let folder: string;
let path: string;
let told: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-runs-"));
  path = join(folder, "schedules", "nightly.runs.jsonl");
  told = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const open = (most?: number) => RunHistory.open(path, (text) => told.push(text), most);
const ids = (history: RunHistory) => history.list().map(({ id }) => Number.parseInt(id, 16));

function run(at: number, more: Partial<Run> = {}): Run {
  return {
    id: at.toString(16).padStart(16, "0"),
    schedule: "nightly",
    trigger: "due",
    by: "schedule:nightly",
    due: new Date(Date.UTC(2026, 0, at)).toISOString(),
    state: "ended",
    outcome: "passed",
    ...more,
  };
}

test("what was put is there after it is opened again, as it was put last, the latest first", async () => {
  const history = await open();
  await history.put(run(1, { state: "running" }));
  await history.put(run(2));
  await history.put(run(1, { recoveryMs: 7 }));
  const again = await open();
  expect(again.list()).toEqual([run(2), run(1, { recoveryMs: 7 })]);
  expect(again.list()).toEqual(history.list());
});

test("the runs that ended first are forgotten, those that have not ended stay", async () => {
  const history = await open(3);
  await history.put(run(1, { state: "running" }));
  for (let at = 2; at <= 20; at++) await history.put(run(at));
  expect(ids(await open(3))).toEqual([20, 19, 18, 1]);
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(5);
});

test("the file does not grow with how often runs change", async () => {
  const history = await open(3);
  for (let times = 0; times < 50; times++) await history.put(run(1));
  expect((await readFile(path, "utf8")).split("\n").length).toBeLessThanOrEqual(8);
});

test("a line that a crash cut off is none, and the next one is whole", async () => {
  const history = await open();
  await history.put(run(1));
  await writeFile(path, `${await readFile(path, "utf8")}{"id":"00000`);
  const again = await open();
  await again.put(run(2));
  expect(ids(await open())).toEqual([2, 1]);
  expect(told).toEqual([]);
});

test("lines that cannot be read are told, and the file that held them is kept", async () => {
  const history = await open();
  await history.put(run(1));
  const text = `{"id":1}\n${await readFile(path, "utf8")}rubbish\n`;
  await writeFile(path, text);
  expect(ids(await open())).toEqual([1]);
  expect(told).toEqual([`2 lines of ${path} cannot be read; the file is kept as ${path}.damaged`]);
  expect(await readFile(`${path}.damaged`, "utf8")).toBe(text);
  told = [];
  expect(ids(await open())).toEqual([1]);
  expect(told).toEqual([]);
});

test("a run that cannot be kept is an error, and is not listed", async () => {
  const history = await open();
  await rm(join(folder, "schedules"), { recursive: true });
  await expect(history.put(run(1))).rejects.toMatchObject({ code: "LOCAL_IO" });
  expect(history.list()).toEqual([]);
});

test("a place that is no folder is an error", async () => {
  await writeFile(join(folder, "schedules"), "");
  await expect(open()).rejects.toMatchObject({ code: "LOCAL_IO" });
});
