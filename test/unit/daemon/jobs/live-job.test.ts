import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LiveJob } from "../../../../src/daemon/jobs/live-job.js";
import type { Store } from "../../../../src/daemon/jobs/store.js";
import { fakeClock } from "../../../support/fake-clock.js";
import { jobRecord } from "../../../support/job-records.js";

it("a job's end is told to those who follow it, also where the disk does not take the event", async () => {
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-live-job-"));
  try {
    const store = { folder, write: async () => undefined } as unknown as Store;
    const warnings: string[] = [];
    const job = new LiveJob(jobRecord(), {
      ...{ store, clock: fakeClock(), onChange: () => undefined },
      warn: (text) => warnings.push(text),
    });
    await mkdir(job.files.folder);
    await job.tellBegin();
    const log = await job.log();
    const states: string[] = [];
    const following = (async () => {
      for await (const { id, event } of log.follow(0, AbortSignal.timeout(10_000))) {
        if (event.type === "state") states.push(`${id} ${event.job.state}`);
      }
    })();
    await rm(job.files.events);
    await mkdir(job.files.events);
    await job.change(() => ({ state: "finished" }));
    await following;
    expect(states).toEqual(["1 queued", "2 finished"]);
    expect(log.isComplete).toBe(true);
    expect(warnings).toHaveLength(8);
  } finally {
    await rm(folder, { recursive: true });
  }
});
