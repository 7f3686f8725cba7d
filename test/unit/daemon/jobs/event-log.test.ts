import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventLog, type EventLogInit } from "../../../../src/daemon/jobs/event-log.js";
import type { JobEvent, JobState } from "../../../../src/daemon/schema/job.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { jobView } from "../../../support/job-records.js";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-events-"));
  path = join(folder, "events.jsonl");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const warn = (text: string) => {
  throw new Error(text);
};
const open = (more: Partial<EventLogInit> = {}) =>
  EventLog.open(path, { job: jobView(), clock: fakeClock(), warn, ...more });
const change = (log: EventLog, state: JobState) => log.addChange(async (lastEvent) => jobView({ state, lastEvent }));
const progress = (files: number): JobEvent => ({
  type: "progress",
  progress: { check: { files, bytes: 1, isDone: false }, scopes: [] },
});

/** In a word each. */
function told({ id, event }: { id: number; event: JobEvent }): string {
  if (event.type === "state") return `${id} ${event.job.state}`;
  return event.type === "progress" ? `${id} ${event.progress.check?.files}` : `${id} ${event.text}`;
}

async function followed(log: EventLog, after = 0): Promise<string[]> {
  const all: string[] = [];
  for await (const event of log.follow(after, AbortSignal.timeout(10_000))) all.push(told(event));
  return all;
}

async function withProgress(log: EventLog, count: number, from = 1): Promise<void> {
  for (let i = from; i < from + count; i++) {
    log.addProgress(progress(i));
    await log.idle();
  }
}

describe("a log of events", () => {
  it("is read from any number on, whether from memory or from the file", async () => {
    const log = await open();
    await change(log, "queued");
    await change(log, "running");
    await withProgress(log, 50);
    await change(log, "finished");
    const all = ["1 queued", "2 running", ...Array.from({ length: 50 }, (_, i) => `${i + 3} ${i + 1}`), "53 finished"];
    expect(await followed(log)).toEqual(all);
    expect(await followed(log, 51)).toEqual(all.slice(51));
    expect(await followed(await open(), 10)).toEqual(all.slice(10));
  });

  it("is followed as it grows, and left behind its end or when told to", async () => {
    const log = await open();
    await change(log, "queued");
    const following = followed(log);
    const end = new AbortController();
    const other = (async () => {
      const seen: string[] = [];
      for await (const event of log.follow(0, end.signal)) seen.push(told(event));
      return seen;
    })();
    await change(log, "running");
    await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    expect(await other).toEqual(["1 queued", "2 running"]);
    await change(log, "failed");
    expect(await following).toEqual(["1 queued", "2 running", "3 failed"]);
  });

  it("goes on with its numbers, without the end of a line that a crash cut off", async () => {
    const log = await open();
    await change(log, "queued");
    await appendFile(path, '{"id":2,"event":{"type":"war');
    const again = await open();
    await change(again, "finished");
    expect(await followed(await open())).toEqual(["1 queued", "2 finished"]);
  });

  it("grows over a size by events of state alone, and is read by whoever was in its midst", async () => {
    const most = 20_000;
    const log = await open({ mostBytes: most });
    await change(log, "queued");
    await withProgress(log, 40);
    const slow = log.follow(0, AbortSignal.timeout(10_000));
    expect(told((await slow.next()).value as never)).toBe("1 queued");
    await change(log, "running");
    await withProgress(log, 1_000, 41);
    await change(log, "finished");
    expect((await stat(path)).size).toBeLessThanOrEqual(most);
    const rest: string[] = [];
    for await (const event of slow) rest.push(told(event));
    expect(rest).toContain("42 running");
    expect(rest.slice(-2)).toEqual(["1042 1040", "1043 finished"]);
    const numbers = rest.map((each) => Number.parseInt(each, 10));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect((await readFile(path, "utf8")).match(/"state"/gu)?.length).toBeGreaterThanOrEqual(3);
  });

  it("begins again for whoever saw numbers that a crash took away", async () => {
    const log = await open();
    await change(log, "cancelled");
    expect(await followed(log, 7)).toEqual(["1 cancelled"]);
  });

  it("says in the job of an event of state which event it is", async () => {
    const log = await open();
    await withProgress(log, 2);
    await change(log, "failed");
    for (const each of [log, await open()]) {
      const { value: last } = await each.follow(2, AbortSignal.timeout(10_000)).next();
      expect(last).toMatchObject({ id: 3, event: { job: { lastEvent: 3 } } });
      expect(each.lastId).toBe(3);
    }
  });

  it("of progress that comes faster than it can be kept has the last", async () => {
    const log = await open();
    for (let i = 1; i <= 100; i++) log.addProgress(progress(i));
    await change(log, "finished");
    expect((await followed(log)).at(-2)).toBe("1 100");
  });
});
