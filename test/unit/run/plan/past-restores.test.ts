import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { pastRates } from "../../../../src/run/plan/past-restores.js";

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "elastickv-restore-past-"));
});
afterEach(async () => {
  await rm(state, { recursive: true, force: true });
});

const REDIS = { adapter: "redis", endpoint: "redis://h:1" } as const;

interface Ended {
  readonly endpoint?: string;
  readonly records?: number;
  readonly skipped?: number;
  readonly bytes?: number;
  readonly ms?: number;
  readonly decision?: string;
}

/** `age`: the higher, the older. */
async function ended(name: string, age: number, parts: Ended | string = {}): Promise<string> {
  const job = name.padEnd(16, "0");
  const folder = join(state, "jobs", job);
  await mkdir(folder, { recursive: true });
  const path = join(folder, "report.json");
  await writeFile(path, typeof parts === "string" ? parts : JSON.stringify(reportOf(job, parts)));
  const at = 2_000_000_000 - age;
  await utimes(path, at, at);
  return job;
}

function reportOf(
  job: string,
  { endpoint = REDIS.endpoint, records = 1000, skipped = 0, bytes = 500, ms = 2000, decision = "create" }: Ended,
) {
  const scope = { adapter: "redis", scope: "db_0", durationMs: ms, bytesRestored: bytes, decision };
  return {
    job,
    targets: [{ adapter: "redis", endpoint, requests: 3 }],
    scopes: [
      { ...scope, outcomes: { restored: records, "skipped-existing": skipped, "skipped-expired": 1000 } },
      { ...scope, adapter: "s3", outcomes: { restored: 1_000_000 } },
    ],
  };
}

const rates = (targets = [REDIS]) => pastRates({ stateDirectory: state, targets });

it("are records and bytes by the time that scopes took, over the newest jobs into that endpoint", async () => {
  const newest = await ended("a", 1, { records: 3000, skipped: 1000, bytes: 1000, ms: 2000 });
  const second = await ended("c", 2, { records: 1000, bytes: 0, ms: 3000 });
  const third = await ended("b", 3, { records: 5000, bytes: 0, ms: 5000 });
  await ended("d", 4, { records: 1_000_000 });
  await ended("e", 0, { endpoint: "redis://other:1", records: 1_000_000 });
  expect(await rates()).toEqual(
    new Map([["redis", { recordsPerSecond: 1000, bytesPerSecond: 100, jobs: [newest, second, third] }]]),
  );
});

it.each([
  ["took no second: it tells how long a scope takes to be made", { ms: 999 }],
  ["sent little", { records: 999 }],
  ["left its scope alone", { decision: "skip" }],
] as const)("are not told by a job that %s", async (_what, parts) => {
  await ended("a", 1, parts);
  expect(await rates()).toEqual(new Map());
});

it("are told by few records too, where those are large", async () => {
  await ended("a", 1, { records: 2, bytes: 8 * 1024 ** 2, ms: 2000 });
  expect((await rates()).get("redis")).toMatchObject({ recordsPerSecond: 1, bytesPerSecond: 4 * 1024 ** 2 });
});

it("pass over what is no report", async () => {
  await ended("b", 1, "{");
  await ended("c", 1, '{"job":1}');
  await mkdir(join(state, "jobs", "d".repeat(16)));
  const job = await ended("a", 2);
  expect((await rates()).get("redis")?.jobs).toEqual([job]);
});

it("are none where nothing is remembered", async () => {
  expect(await pastRates({ stateDirectory: join(state, "nowhere"), targets: [REDIS] })).toEqual(new Map());
});
