/** A drill that passed, as facts and as a report, for tests that change one thing of it. */
import { type DrillFacts, drillReport } from "../../src/run/drill/facts.js";
import type { DrillReport } from "../../src/run/drill/report.js";
import type { Report } from "../../src/run/report.js";
import { emptyTotals } from "../../src/run/tally.js";
import { noStandings } from "../../src/run/verify/counts.js";
import type { Verification } from "../../src/run/verify/report.js";

export function drillFacts(): DrillFacts {
  return {
    drill: "0123456789ab",
    startedAt: 1_000,
    dump: "/dump",
    target: { kind: "sandbox" },
    ttlPolicy: "rebase",
    objectives: {},
    servers: [{ adapter: "redis", endpoint: "redis://127.0.0.1:1", server: "redis 7", how: "native" }],
    times: { restoreMs: 5, firstRecordMs: 2, verifyMs: 3 },
    paces: [
      {
        ...{ adapter: "redis", records: 3, bytes: 30, durationMs: 4, recordsPerSecond: 750, bytesPerSecond: 7_500 },
        timeline: [
          [1, 1, 10],
          [4, 3, 30],
        ],
      },
    ],
    restore: restoreReport(),
    verification: verification(),
    assertions: [],
    warnings: [],
  };
}

export function restoreReport(more: Partial<Report> = {}): Report {
  const totals = { ...emptyTotals(), restored: 3 };
  return {
    ...{ reportVersion: 1, job: "j", resumed: false, status: "finished", exitStatus: 0, mode: "none", durationMs: 5 },
    ...{ startedAt: "1970-01-01T00:00:01.000Z", endedAt: "1970-01-01T00:00:02.000Z", ttlPolicy: "rebase" },
    dump: { path: "/dump", digest: "d", takenAt: "1970-01-01T00:00:00Z", phase: "p", files: 3, bytes: 30 },
    ...{ targets: [], recordsRead: 3, totals, notReached: 0, listed: [], listedCount: 0, ambiguous: [], rekeyed: [] },
    scopes: [
      {
        ...{ adapter: "redis", scope: "db_0", target: "db_0", presence: "empty", decision: "create" },
        ...{ recordsRead: 3, outcomes: totals, notReached: 0, reasons: {}, notes: {}, bytesRestored: 30 },
        ...{ entries: { restored: 0, skippedExisting: 0, rejected: 0 }, durationMs: 4, recordsPerSecond: 750 },
        warnings: [],
      },
    ],
    thisProcess: { durationMs: 5, restored: 3, bytesRestored: 30, recordsPerSecond: 600, timeline: [] },
    ...{ warnings: [], notRestorable: [] },
    ...more,
  } as Report;
}

export function verification(more: Partial<Verification> = {}): Verification {
  return {
    ...{ exitStatus: 0, records: 3, standings: { ...noStandings(), equal: 3 }, extra: 0 },
    ...{ scopes: [], differences: [], differenceCount: 0 },
    ...more,
  } as unknown as Verification;
}

export function passedDrill(more: Partial<DrillReport> = {}): DrillReport {
  const ending = { endedAt: 2_000, durationMs: 1_000, series: "s", trend: { drills: [] } };
  return { ...drillReport(drillFacts(), { ...ending, cleanUp: { removed: [], left: [] } }), ...more };
}
