import { describe, expect, it } from "vitest";
import type { HistoryLine } from "../../../../src/run/drill/history.js";
import { seriesOf, trendOf } from "../../../../src/run/drill/trend.js";

function line(restoreMs: number | undefined, series = "s", records = 100): HistoryLine {
  return {
    ...{ historyVersion: 1, drill: "d", startedAt: "2026-11-25T00:00:00.000Z", verdict: "passed", exitStatus: 0 },
    ...{ dump: "/d", series, records, bytes: 1, report: "/r", reportSha256: "0".repeat(64), previous: "0".repeat(64) },
    ...(restoreMs === undefined ? {} : { restoreMs }),
  };
}

const init = { series: "s", last: 10, percent: 25, records: 100 };

describe("the trend of drills", () => {
  it("remarks on a restore that is slower than the median by more than is allowed", () => {
    const history = [line(100), line(300), line(200)];
    expect(trendOf({ ...init, history, restoreMs: 250 })).toMatchObject({ medianMs: 200 });
    expect(trendOf({ ...init, history, restoreMs: 250 }).remark).toBeUndefined();
    expect(trendOf({ ...init, history, restoreMs: 260 }).remark).toMatch(/^the restore took 30 % longer/);
  });

  it("says so when there were fewer records then", () => {
    const history = [line(100), line(100), line(100)];
    expect(trendOf({ ...init, history, restoreMs: 200, records: 500 }).remark).toMatch(/500 records now, 100 then/);
  });

  it("looks at the last drills of the same series alone, and at none whose restore was not finished", () => {
    const history = [line(1), line(10), line(20), line(9_000, "other"), line(undefined), line(30)];
    const trend = trendOf({ ...init, last: 3, history, restoreMs: 20 });
    expect(trend.drills.map(({ restoreMs }) => restoreMs)).toEqual([10, 20, 30]);
    expect(trend.medianMs).toBe(20);
  });

  it("takes two drills for no usual time, and none for nothing", () => {
    expect(trendOf({ ...init, history: [line(1), line(1)], restoreMs: 100 }).remark).toBeUndefined();
    expect(trendOf({ ...init, history: [], restoreMs: 100 })).toEqual({ drills: [] });
  });

  it("is one series for dumps of one folder, and another for other scopes or targets", () => {
    const scopes = [{ adapter: "redis", name: "db_0" } as const, { adapter: "s3", name: "b" } as const];
    const monday = seriesOf({ path: "/backups/monday" }, scopes, "sandbox");
    expect(seriesOf({ path: "/backups/tuesday" }, scopes.toReversed(), "sandbox")).toBe(monday);
    expect(seriesOf({ path: "/backups/2026/11", root: "/backups" }, scopes, "sandbox")).toBe(monday);
    expect(seriesOf({ path: "/backups/monday" }, scopes.slice(1), "sandbox")).not.toBe(monday);
    expect(seriesOf({ path: "/backups/monday" }, scopes, "named staging")).not.toBe(monday);
  });
});
