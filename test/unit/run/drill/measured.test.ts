import { describe, expect, it } from "vitest";
import type { Scope } from "../../../../src/model/scope.js";
import { MeasuringSink } from "../../../../src/run/drill/measured.js";
import { SILENT } from "../../../../src/run/progress.js";
import { fakeClock } from "../../../support/fake-clock.js";

const redis = { adapter: "redis", name: "db_0" } as Scope;
const bucket = { adapter: "s3", name: "b" } as Scope;

describe("measuring a restore", () => {
  it("tells when the first record was there, and each adapter's pace over its own time", () => {
    const clock = fakeClock();
    const sink = new MeasuringSink(SILENT, clock);
    const records = (scope: Scope, outcome: "rejected" | "restored", bytes: number) =>
      sink.report({ type: "records", scope, outcome, records: 1, bytes });
    clock.advance(100);
    sink.report({ type: "scope-started", scope: redis, expectedBytes: 0 });
    clock.advance(100);
    records(redis, "rejected", 5);
    clock.advance(100);
    records(redis, "restored", 50);
    sink.report({ type: "scope-started", scope: bucket, expectedBytes: 0 });
    clock.advance(700);
    records(bucket, "restored", 1_000);
    sink.report({ type: "scope-finished", scope: bucket });
    clock.advance(5_000);
    expect(sink.firstRecordMs).toBe(300);
    expect(sink.paces()).toMatchObject([
      { adapter: "s3", records: 1, bytes: 1_000, durationMs: 700, bytesPerSecond: 1_429 },
      { adapter: "redis", records: 1, bytes: 50, durationMs: 200, recordsPerSecond: 5 },
    ]);
    expect(sink.paces().map(({ timeline }) => timeline.at(-1))).toEqual([
      [1_000, 1, 1_000],
      [300, 1, 50],
    ]);
  });
});
