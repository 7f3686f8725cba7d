import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EventLog } from "../../../../src/daemon/jobs/event-log.js";
import { LiveJob } from "../../../../src/daemon/jobs/live-job.js";
import type { JobRecord } from "../../../../src/daemon/jobs/record.js";
import type { Store } from "../../../../src/daemon/jobs/store.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { jobRecord } from "../../../support/job-records.js";

let folder: string;
let kept: JobRecord;
let warnings: string[];
/** Whether records are refused. */
let isFull: boolean;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-live-job-"));
  kept = jobRecord({ lastEvent: 1 });
  warnings = [];
  isFull = false;
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** As a daemon that begins finds it on the disk. */
async function takenUp(): Promise<LiveJob> {
  const write = async (record: JobRecord) => {
    if (isFull) throw new Error("full");
    kept = record;
  };
  const job = new LiveJob(kept, {
    ...{ store: { folder, write } as unknown as Store, clock: fakeClock(), onChange: () => undefined },
    warn: (text) => warnings.push(text),
  });
  await mkdir(job.files.folder, { recursive: true });
  await job.log();
  return job;
}

/** States with the numbers of their events, until `isOver` or the job's end. */
async function statesOf(log: EventLog, isOver: (state: string) => boolean = () => false, after = 0): Promise<string[]> {
  const states: string[] = [];
  for await (const { id, event } of log.follow(after, AbortSignal.timeout(10_000))) {
    if (event.type !== "state") continue;
    expect(event.job.lastEvent).toBe(id);
    states.push(`${id} ${event.job.state}`);
    if (isOver(event.job.state)) break;
  }
  return states;
}

/** While `work` goes on, the disk takes no event. */
async function withFullDisk(job: LiveJob, work: () => Promise<void>): Promise<void> {
  const aside = `${job.files.events}.aside`;
  await rename(job.files.events, aside);
  await mkdir(job.files.events);
  await work();
  await rm(job.files.events, { recursive: true });
  await rename(aside, job.files.events);
}

it("a job's end is told to those who follow it, also where the disk does not take the event", async () => {
  const job = await takenUp();
  const log = await job.log();
  const following = statesOf(log);
  await withFullDisk(job, () => job.change(() => ({ state: "finished" })));
  expect(await following).toEqual(["1 queued", "2 finished"]);
  expect(log.isComplete).toBe(true);
  expect(warnings).toHaveLength(8);
});

it("an event that the disk did not take keeps its number, and is told by the daemon that follows", async () => {
  const job = await takenUp();
  const following = statesOf(await job.log(), (state) => state === "paused");
  await withFullDisk(job, () => job.change(() => ({ state: "paused" })));
  expect(await following).toEqual(["1 queued", "2 paused"]);
  const again = await takenUp();
  await again.change(() => ({ state: "queued" }));
  await again.change(() => ({ state: "cancelled" }));
  expect(await statesOf(await again.log())).toEqual(["1 queued", "2 paused", "3 queued", "4 cancelled"]);
  expect(await statesOf(await (await takenUp()).log(), undefined, 2)).toEqual(["3 queued", "4 cancelled"]);
});

it("a change whose event a crash kept from the disk is told by the daemon that follows", async () => {
  const job = await takenUp();
  job.take({ check: { files: 1, bytes: 1, isDone: true }, scopes: [] });
  await (await job.log()).idle();
  kept = { ...kept, state: "held", lastEvent: 3 };
  const again = await takenUp();
  expect(again.view).toMatchObject({ state: "held", lastEvent: 3 });
  expect(await statesOf(await again.log(), (state) => state === "held")).toEqual(["1 queued", "3 held"]);
});

it("nobody sees a change before the event that tells of it, nor the event before the change", async () => {
  const job = await takenUp();
  let isOver = false;
  const changing = job
    .change(() => ({ state: "finished" }))
    .finally(() => {
      isOver = true;
    });
  const following = (async () => {
    for await (const { id } of (await job.log()).follow(1, AbortSignal.timeout(10_000))) {
      expect(job.view).toMatchObject({ state: "finished", lastEvent: id });
    }
  })();
  while (!isOver) {
    const { state, lastEvent } = job.view;
    expect(`${lastEvent} ${state}`).toBe(lastEvent === 1 ? "1 queued" : "2 finished");
    await new Promise((resolve) => setImmediate(resolve));
  }
  await changing;
  await following;
  expect(kept).toMatchObject({ state: "finished", lastEvent: 2 });
});

it("a change that the disk does not take is seen by nobody, and has no event", async () => {
  const job = await takenUp();
  isFull = true;
  await expect(job.change(() => ({ state: "paused" }))).rejects.toThrowError("full");
  isFull = false;
  expect(job.view).toMatchObject({ state: "queued", lastEvent: 1 });
  await job.change(() => ({ state: "cancelled" }));
  expect(await statesOf(await job.log())).toEqual(["1 queued", "2 cancelled"]);
});
