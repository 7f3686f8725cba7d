import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DueTimes, type DueTimesInit } from "../../../../src/daemon/schedules/due-times.js";

const NOON = Date.parse("2026-01-10T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 3_600_000;

let folder: string;
let path: string;
let told: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-due-"));
  path = join(folder, "hourly.json");
  told = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Given {
  readonly cron?: string;
  readonly timezone?: string;
  readonly jitter?: string;
  readonly random?: () => number;
  readonly handled?: number;
}

async function open(now: number, { cron = "0 * * * *", timezone = "UTC", jitter, random, handled }: Given = {}) {
  const settings = { cron, timezone, ...(jitter === undefined ? {} : { jitter }) };
  const init: DueTimesInit = { path, settings, random: random ?? (() => 0.5), warn: (text) => told.push(text) };
  return await DueTimes.open(init, now, handled);
}

const onTime = (at: number) => ({ at, since: at, isMissed: false });

test("a new schedule is due at its next time, and nothing before it was missed", async () => {
  const times = await open(NOON + MINUTE);
  expect(times.startAt).toBe(NOON + HOUR);
  expect(await times.due(NOON + HOUR - 1)).toBeUndefined();
  expect(await times.due(NOON + HOUR)).toEqual(onTime(NOON + HOUR));
});

test("what is due stays due until it is handled, then the next time comes", async () => {
  const times = await open(NOON);
  await times.due(NOON + HOUR);
  expect(await times.due(NOON + HOUR)).toEqual(onTime(NOON + HOUR));
  await times.handle(NOON + HOUR);
  expect(await times.due(NOON + HOUR)).toBeUndefined();
  expect(times.startAt).toBe(NOON + 2 * HOUR);
});

test("jitter delays the begin, and is the same after a restart", async () => {
  const first = await open(NOON, { jitter: "20m", random: () => 0.25 });
  expect(first.startAt).toBe(NOON + HOUR + 5 * MINUTE);
  const again = await open(NOON + HOUR + MINUTE, { jitter: "20m", random: () => 0.9 });
  expect(await again.due(NOON + HOUR + 5 * MINUTE - 1)).toBeUndefined();
  expect(await again.due(NOON + HOUR + 5 * MINUTE)).toEqual(onTime(NOON + HOUR));
});

test("jitter never reaches the due time behind", async () => {
  const times = await open(NOON, { jitter: "5h", random: () => 0.999 });
  expect(times.startAt).toBeLessThan(NOON + 2 * HOUR);
});

test("a due time while nobody was there was missed, and stands for all before it", async () => {
  await open(NOON);
  const again = await open(NOON + 4 * HOUR + 10 * MINUTE);
  expect(await again.due(NOON + 4 * HOUR + 10 * MINUTE)).toEqual({
    at: NOON + 4 * HOUR,
    since: NOON + HOUR,
    isMissed: true,
  });
  await again.handle(NOON + 4 * HOUR);
  expect(again.startAt).toBe(NOON + 5 * HOUR);
});

test("a restart over a due time misses nothing", async () => {
  await open(NOON);
  const again = await open(NOON + HOUR + 2 * MINUTE);
  expect(await again.due(NOON + HOUR + 2 * MINUTE)).toEqual(onTime(NOON + HOUR));
});

test("what was handled is not due after a restart, not even where only a run tells of it", async () => {
  const times = await open(NOON);
  await times.handle(NOON + HOUR);
  expect((await open(NOON + HOUR)).startAt).toBe(NOON + 2 * HOUR);
  expect((await open(NOON + HOUR, { handled: NOON + 2 * HOUR })).startAt).toBe(NOON + 3 * HOUR);
});

test.each([{ cron: "*/5 * * * *" }, { timezone: "Asia/Kolkata" }])(
  "another pattern or time zone begins anew: $cron$timezone",
  async (other) => {
    await open(NOON);
    const now = NOON + 10 * HOUR + MINUTE;
    const times = await open(now, other);
    expect(await times.due(now)).toBeUndefined();
    expect(times.startAt).toBeGreaterThan(now);
  },
);

test("a clock that is set back by less than an hour makes nothing due twice", async () => {
  const times = await open(NOON);
  await times.handle(NOON + HOUR);
  expect(await times.due(NOON + HOUR / 2)).toBeUndefined();
  expect(times.startAt).toBe(NOON + 2 * HOUR);
});

test("a clock that was far ahead and is set right makes no schedule wait for the wrong time", async () => {
  const times = await open(NOON);
  await times.handle(NOON + 10_000 * HOUR);
  expect(await times.due(NOON + MINUTE)).toBeUndefined();
  expect(times.startAt).toBe(NOON + HOUR);
  expect(told).toEqual(["the clock was set back by over an hour: due times count from now on"]);
});

test("a file that cannot be read is told, and the schedule begins anew", async () => {
  await open(NOON);
  await writeFile(path, "{");
  const times = await open(NOON + 5 * HOUR);
  expect(times.startAt).toBe(NOON + 6 * HOUR);
  expect(told).toHaveLength(1);
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ handled: NOON + 5 * HOUR });
});

test("the next times are listed in order, also for a pattern that ends", async () => {
  const times = await open(NOON);
  expect(times.upcoming(3)).toEqual([NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]);
  expect((await open(NOON, { cron: "0 0 30 2 *" })).upcoming(3)).toEqual([]);
});

test("what cannot be kept is an error, and still due", async () => {
  const times = await open(NOON);
  await rm(folder, { recursive: true });
  await expect(times.handle(NOON + HOUR)).rejects.toMatchObject({ code: "LOCAL_IO" });
  expect(await times.due(NOON + HOUR)).toEqual(onTime(NOON + HOUR));
});
