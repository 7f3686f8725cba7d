/** Orders that come in the moments in which a job's process begins or has just ended. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { EventFile } from "../../../../src/daemon/jobs/event-file.js";
import { LiveJob } from "../../../../src/daemon/jobs/live-job.js";
import type { JobRequest } from "../../../../src/daemon/schema/job.js";
import { CHECK, type DaemonJobs, daemonJobs, OWNER } from "../../../support/daemon-jobs.js";

// Of every restore here the engine says that it is on its way.
vi.mock("../../../../src/daemon/jobs/engine-job.js", async (original) => ({
  ...(await original<object>()),
  engineState: async () => "unfinished",
  hasBegun: async () => true,
}));

const RESTORE: JobRequest = { kind: "apply", dump: { root: "backups", path: "one" }, target: "here" };
const FAILS = { tells: [{ type: "failed", failure: { code: "TARGET_UNREACHABLE", message: "it is gone" } }], exits: 5 };
const WAITS = { waits: true, writes: { stdout: { dump: "one", malformedCount: 0 } } };

let daemon: DaemonJobs;

afterEach(async () => {
  vi.restoreAllMocks();
  await daemon.remove();
});

/** Calls `meanwhile` before the first change that makes this of the job is asked for. */
function beforeState(state: string, meanwhile: (job: LiveJob) => unknown): void {
  const { changeSurely } = LiveJob.prototype;
  let isDone = false;
  vi.spyOn(LiveJob.prototype, "changeSurely").mockImplementation(async function (this: LiveJob, change, signal) {
    if (!isDone && change(this.record)?.state === state) {
      isDone = true;
      await meanwhile(this);
    }
    return await changeSurely.call(this, change, signal);
  });
}

describe("a restore that failed on its way", () => {
  it("and that somebody let go of meanwhile is cancelled, not held", async () => {
    daemon = await daemonJobs();
    await daemon.behave(FAILS, {});
    beforeState("held", ({ id }) => daemon.jobs.cancel(id));
    const { id } = await daemon.submit(RESTORE);
    expect(await daemon.until(id, "cancelled")).not.toHaveProperty("error");
  });

  it("goes on when it is told to at the very moment at which it is said to be held", async () => {
    daemon = await daemonJobs();
    await daemon.behave(FAILS, { waits: true });
    const { add } = EventFile.prototype;
    let resumed: Promise<unknown> | undefined;
    vi.spyOn(EventFile.prototype, "add").mockImplementation(async function (this: EventFile, numbered) {
      const { event } = numbered;
      if (event.type === "state" && event.job.state === "held") resumed ??= daemon.jobs.resume(event.job.id, OWNER);
      await add.call(this, numbered);
    });
    const { id } = await daemon.submit(RESTORE);
    await expect.poll(async () => (await daemon.begun()).length, { timeout: 20_000 }).toBe(2);
    await resumed;
    expect(await daemon.until(id, "running")).toMatchObject({ attempts: 2 });
  });
});

describe("new limits reach a process that is begun meanwhile", () => {
  const limits = { rateLimit: "5ops/s" };
  const orders = async () =>
    JSON.parse(await readFile(join(daemon.folder, "fakes", "orders-0.json"), "utf8")) as object[];

  it.each([
    ["before it takes orders", async (set: () => Promise<unknown>) => await set()],
    ["just as it takes orders", async (set: () => Promise<unknown>) => void set()],
  ])("%s", async (_when, how) => {
    daemon = await daemonJobs();
    await daemon.behave(WAITS);
    beforeState("running", ({ id }) => how(() => daemon.jobs.setLimits(id, limits)));
    const { id } = await daemon.submit(CHECK);
    await daemon.until(id, "running");
    await expect.poll(() => daemon.jobs.get(id).limits).toEqual(limits);
    await daemon.jobs.setLimits(id, { concurrency: "1" });
    await daemon.go();
    await daemon.until(id, "finished");
    expect(await orders()).toContainEqual({ type: "limits", limits });
  });
});

it("a job that finds nothing to take up twice has failed", async () => {
  daemon = await daemonJobs();
  await daemon.behave({ tells: [{ type: "failed", failure: { code: "JOB_UNKNOWN", message: "no job" } }], exits: 2 });
  const { id } = await daemon.submit(CHECK);
  expect(await daemon.until(id, "failed")).toMatchObject({ attempts: 2, error: { code: "INTERNAL" } });
});

it("a job that is new is seen with the event that tells of it", async () => {
  daemon = await daemonJobs();
  await daemon.behave(WAITS);
  const seen = new Set<number>();
  let isMade = false;
  const submitting = daemon.submit(CHECK).finally(() => {
    isMade = true;
  });
  while (!isMade) {
    for (const { lastEvent } of daemon.jobs.list({ limit: 1 }).jobs) seen.add(lastEvent);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { id, lastEvent } = await submitting;
  expect(lastEvent).toBeGreaterThan(0);
  expect(seen).not.toContain(0);
  await daemon.until(id, "running");
  await daemon.go();
});
