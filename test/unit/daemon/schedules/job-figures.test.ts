import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDrill } from "../../../../src/daemon/jobs/results.js";
import { settlementOf } from "../../../../src/daemon/schedules/job-figures.js";
import type { JobView } from "../../../../src/daemon/schema/job.js";
import { type DrillFacts, drillReport } from "../../../../src/run/drill/facts.js";
import { emptyTotals } from "../../../../src/run/tally.js";
import { drillFacts, restoreReport, verification } from "../../../support/drill-facts.js";

let folder: string;
let told: unknown[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv-restore-figures-"));
  told = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function job(more: Partial<JobView> = {}): JobView {
  return {
    ...{ id: "00000000000000aa", kind: "drill", state: "finished", dump: { root: "backups", path: "a" } },
    ...{ options: {}, limits: {}, by: "schedule:nightly", createdAt: "2026-01-10T02:00:00.000Z", attempts: 1 },
    ...{ startedAt: "2026-01-10T02:00:01.000Z", endedAt: "2026-01-10T02:00:09.000Z", warnings: [] },
    ...{ result: { exitStatus: 0, verdict: "passed" }, has: { plan: false, report: true, rejects: false } },
    ...more,
  } as JobView;
}

async function settled(given: JobView, report: unknown) {
  const path = join(folder, "report.json");
  await writeFile(path, typeof report === "string" ? report : JSON.stringify(report));
  return await settlementOf(given, { reportPath: async () => path }, (error) => told.push(error));
}

function drill(more: Partial<DrillFacts> = {}, left: string[] = []) {
  const trend = { drills: [] };
  const ending = { endedAt: 9, durationMs: 8, cleanUp: { removed: [], left }, series: "s", trend };
  return drillReport({ ...drillFacts(), ...more }, ending);
}

/** Of a run whose drill ended with this report. */
async function drilled(report: unknown) {
  const path = join(folder, "drill.json");
  await writeFile(path, JSON.stringify(report));
  return await settled(job({ ...(await readDrill(path)) }), report);
}

test("a drill that passed has its report's figures, and the job's times", async () => {
  const facts = { objectives: { maxRtoMs: 1000 } };
  expect(await settled(job(), drill(facts))).toEqual({
    outcome: "passed",
    job: "00000000000000aa",
    dump: { root: "backups", path: "a" },
    startedAt: "2026-01-10T02:00:01.000Z",
    endedAt: "2026-01-10T02:00:09.000Z",
    verdict: "passed",
    exitStatus: 0,
    recoveryMs: 5,
    recordsPerSecond: 600,
    records: 3,
    differences: 0,
    objectives: { recoveryTime: { ms: 5, maxMs: 1000, met: true } },
  });
});

test("a drill that failed by its objectives alone missed them", async () => {
  const late = await drilled(drill({ objectives: { maxRtoMs: 1 } }));
  expect(late).toMatchObject({
    outcome: "objective-missed",
    objectives: { recoveryTime: { ms: 5, maxMs: 1, met: false } },
  });
  const old = await drilled(drill({ objectives: { maxRpoMs: 1 }, takenAtMs: 0 }));
  expect(old).toMatchObject({ outcome: "objective-missed", objectives: { recoveryPoint: { ms: 1000, met: false } } });
});

test("a drill that failed otherwise as well has failed", async () => {
  const facts = { objectives: { maxRtoMs: 1 }, verification: verification({ exitStatus: 6, differenceCount: 2 }) };
  expect(await drilled(drill(facts))).toMatchObject({
    outcome: "failed",
    differences: 2,
    failures: ["the target differs from the dump in 2 places"],
  });
});

test("what was not as it should be is named without what was found in the data", async () => {
  const assertions = [
    { name: "orders are whole", kind: "record", line: 3, outcome: "failed", detail: "name is Jane Doe" },
    { name: "users are there", kind: "count", line: 9, outcome: "passed" },
  ] as const;
  const totals = { ...emptyTotals(), restored: 1, rejected: 1, "skipped-expired": 1 };
  const restore = restoreReport({ totals, exitStatus: 3 });
  const given = await settled(
    job({ result: { exitStatus: 3, verdict: "incomplete" } }),
    drill({ assertions, restore }, ["x"]),
  );
  expect(given).toMatchObject({
    outcome: "failed",
    failures: [
      "1 records were not restored",
      "it does not hold: orders are whole",
      "not everything that the drill made could be removed",
    ],
  });
});

test("a restore that did not come to its end has no recovery time", async () => {
  const failed = job({ state: "failed", error: { code: "OUTAGE", message: "redis is gone", hint: "Start it." } });
  const given = await settled(failed, drill({ restore: restoreReport({ status: "stopped", exitStatus: 1 }) }));
  expect(given).toMatchObject({
    outcome: "failed",
    error: { code: "OUTAGE", message: "redis is gone", hint: "Start it." },
  });
  expect(given.recoveryMs).toBeUndefined();
});

test("a comparison has its records, its rate and its differences", async () => {
  const report = { ...verification({ exitStatus: 6, differenceCount: 4, records: 100 }), durationMs: 3000 };
  const compared = job({ kind: "verify", target: "twin", result: { exitStatus: 6, verdict: "differences" } });
  expect(await settled(compared, report)).toMatchObject({
    outcome: "failed",
    records: 100,
    recordsPerSecond: 33.3,
    differences: 4,
    failures: ["the target differs from the dump in 4 places"],
  });
});

test("a check of the dump alone has no figures, and nobody is warned of that", async () => {
  const alone = await settled(job({ kind: "verify" }), { dump: "/dump", malformedCount: 0 });
  expect(alone).toMatchObject({ outcome: "passed" });
  expect(alone.records).toBeUndefined();
  expect(told).toEqual([]);
});

test("a cancelled job is no failure", async () => {
  expect(await settled(job({ state: "cancelled" }), drill())).toMatchObject({ outcome: "cancelled" });
});

test("without a report that can be read, the job's own result counts", async () => {
  const result = { exitStatus: 0, verdict: "passed", recoveryMs: 77, recordsPerSecond: 5 };
  for (const report of ["{", "{}"]) {
    expect(await settled(job({ result }), report)).toMatchObject({
      outcome: "passed",
      recoveryMs: 77,
      recordsPerSecond: 5,
    });
  }
  expect(told).toHaveLength(2);
  const missed = job({ result: { exitStatus: 6, verdict: "objective-missed" }, has: { ...job().has, report: false } });
  expect(await settled(missed, "")).toMatchObject({ outcome: "objective-missed" });
  expect(told).toHaveLength(2);
});
