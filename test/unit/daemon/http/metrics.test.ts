import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Progress } from "../../../../src/daemon/channel.js";
import { Metrics } from "../../../../src/daemon/http/metrics.js";
import { emptyTotals } from "../../../../src/run/tally.js";
import { type FakeJobs, fakeJobs } from "../../../support/fake-jobs.js";

const BY = { name: "test", role: "destroy" } as const;
const DUMP = { root: "backups", path: "a" };

let jobs: FakeJobs;
let metrics: Metrics;
let following: AbortController;
let followed: Promise<void>;
beforeEach(() => {
  jobs = fakeJobs();
  metrics = new Metrics({ jobs, schedules: ["nightly"], eventClients: () => 3 });
  following = new AbortController();
});
afterEach(async () => {
  following.abort();
  await followed;
});

function follow(): void {
  followed = metrics.follow(following.signal);
}

/** Every sample of the metrics whose name begins so. */
async function samples(name: string): Promise<Record<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith(`elastickv_restore_${name}`));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice("elastickv_restore_".length, line.lastIndexOf(" ")),
      Number(line.slice(line.lastIndexOf(" "))),
    ]),
  );
}

function progress(scope: string, records: number, bytes: number): Progress {
  const outcomes = { ...emptyTotals(), restored: records };
  const rates = { expectedBytes: 100, differing: 0, perSecond: 1, isComparison: false, isFinished: false };
  return { scopes: [{ scope, records, bytes, outcomes, ...rates }] };
}

async function apply(): Promise<string> {
  return (await jobs.submit({ request: { kind: "apply", dump: DUMP, target: "t" }, by: BY })).job.id;
}

it("jobs are told by kind and state, those of before included", async () => {
  const before = await apply();
  follow();
  const after = await apply();
  jobs.move(before, "running");
  await Promise.resolve();
  expect(await samples("jobs{")).toMatchObject({
    'jobs{kind="apply",state="running"}': 1,
    'jobs{kind="apply",state="queued"}': 1,
    'jobs{kind="plan",state="queued"}': 0,
  });
  jobs.move(after, "cancelled");
  await expect.poll(() => samples("jobs_ended")).toEqual({ 'jobs_ended_total{kind="apply",state="cancelled"}': 1 });
  expect(await samples("jobs{")).toMatchObject({ 'jobs{kind="apply",state="queued"}': 0 });
});

it("records and bytes grow with the progress of jobs, and are counted once", async () => {
  follow();
  const [one, two] = [await apply(), await apply()];
  jobs.move(one, "running", { progress: progress("redis/db_0", 5, 50) });
  jobs.move(two, "running", { progress: progress("redis/secret-name", 2, 20) });
  const records = 'records_total{adapter="redis",outcome="restored"}';
  await expect.poll(() => samples("records")).toEqual({ [records]: 7 });
  expect(await samples("bytes")).toEqual({ 'bytes_total{adapter="redis"}': 70 });
  // A process that was begun anew counts from the start again.
  jobs.move(one, "running", { progress: progress("redis/db_0", 3, 30) });
  jobs.move(one, "finished", { progress: progress("redis/db_0", 9, 90) });
  await expect.poll(() => samples("records")).toEqual({ [records]: 11 });
});

it("no job, scope or key is a label", async () => {
  follow();
  const id = await apply();
  jobs.move(id, "running", { progress: progress("s3/secret-bucket", 1, 1) });
  await expect.poll(() => samples("records")).not.toEqual({});
  const text = await metrics.text();
  expect(text).not.toContain(id);
  expect(text).not.toContain("secret-bucket");
});

it("retries and throttling are told once a restore has its report", async () => {
  follow();
  const folder = await mkdtemp(join(tmpdir(), "ek-metrics-"));
  const path = join(folder, "report.json");
  const target = { adapter: "dynamodb", requests: 40, retries: 3, throttled: 2, endpoint: "http://h" };
  await writeFile(path, JSON.stringify({ targets: [target], other: 1 }));
  const id = await apply();
  jobs.reports.set(id, path);
  jobs.move(id, "finished", { has: { plan: false, report: true, rejects: false } });
  await expect.poll(() => samples("throttled")).toEqual({ 'throttled_total{adapter="dynamodb"}': 2 });
  expect(await samples("retries")).toEqual({ 'retries_total{adapter="dynamodb"}': 3 });
  expect(await samples("requests")).toEqual({ 'requests_total{adapter="dynamodb"}': 40 });
  await rm(folder, { recursive: true });
});

it("jobs are counted on where the report of one is gone", async () => {
  follow();
  const [one, two] = [await apply(), await apply()];
  jobs.move(one, "finished", { has: { plan: false, report: true, rejects: false } });
  jobs.move(two, "finished");
  await expect.poll(() => samples("jobs_ended")).toEqual({ 'jobs_ended_total{kind="apply",state="finished"}': 2 });
});

it("the recovery time of drills is told by schedule, also of the last one before the start", async () => {
  const request = { kind: "drill", dump: DUMP } as const;
  const drill = async (schedule: string) => (await jobs.submit({ request, by: BY, schedule })).job.id;
  const end = (id: string, recoveryMs: number) =>
    jobs.move(id, "finished", {
      endedAt: "2026-01-01T00:00:00.000Z",
      result: { exitStatus: 0, verdict: "passed", recoveryMs },
    });
  end(await drill("nightly"), 12_500);
  follow();
  expect(await samples("drill")).toEqual({ 'drill_recovery_seconds{schedule="nightly"}': 12.5 });
  end(await drill("nightly"), 20_000);
  end(await drill("no-longer-configured"), 1);
  await expect.poll(() => samples("drill")).toEqual({ 'drill_recovery_seconds{schedule="nightly"}': 20 });
  expect(await samples("schedule_last_end")).toEqual({
    'schedule_last_end_timestamp_seconds{schedule="nightly",state="finished"}': Date.UTC(2026, 0, 1) / 1000,
  });
});

it("answers are counted by route, unknown methods as one", async () => {
  follow();
  metrics.noteAnswer({ method: "GET", route: "/v1/jobs/:id", status: 200 });
  metrics.noteAnswer({ method: "BREW", route: "none", status: 405 });
  metrics.noteRefusal();
  expect(await samples("http")).toEqual({
    'http_answers_total{method="GET",route="/v1/jobs/:id",status="200"}': 1,
    'http_answers_total{method="other",route="none",status="405"}': 1,
  });
  expect(await samples("authentication")).toEqual({ authentication_failures_total: 1 });
  expect(await samples("event_clients")).toEqual({ event_clients: 3 });
});
