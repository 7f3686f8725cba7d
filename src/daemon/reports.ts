/**
 * How the daemon reads reports: as far as it looks at them, for they are of another process, and may be of another build.
 * What drills and comparisons with targets come to, for what a job says of itself and a schedule of its run.
 */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { EXIT } from "../errors/codes.js";
import { totalsSchema } from "../run/tally.js";
import { present } from "../support/present.js";
import { failureSchema } from "./channel.js";

const count = z.number().nonnegative();
const objective = z.object({ ms: count.optional(), maxMs: count.optional(), met: z.boolean().optional() });

export const reportedFailure = failureSchema.pick({ code: true, message: true, hint: true });

export const comparisonReport = z.object({
  exitStatus: count,
  records: count,
  differenceCount: count,
  durationMs: count,
});

export const drillReport = z.object({
  verdict: z.string(),
  exitStatus: count,
  times: z.object({ restoreMs: count.optional() }),
  restore: z.object({ status: z.string(), recordsRead: count, totals: totalsSchema, notReached: count }).optional(),
  verification: z.object({ differenceCount: count }).optional(),
  assertions: z.array(z.object({ name: z.string(), outcome: z.string() })),
  objectives: z.object({ recoveryTime: objective, recoveryPoint: objective }),
  cleanUp: z.object({ left: z.array(z.string()) }),
  error: reportedFailure.optional(),
});

export type ReportedObjective = z.infer<typeof objective>;
export type ComparisonReport = z.infer<typeof comparisonReport>;
export type DrillReport = z.infer<typeof drillReport>;

/** @throws where it is not there or not whole: its process was cut off while it wrote it */
export async function readReport<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(path, "utf8")));
}

export function comparisonFigures({ records, durationMs, differenceCount }: ComparisonReport) {
  return { records, recordsPerSecond: perSecond(records, durationMs), differences: differenceCount };
}

/** A restore that did not come to its end took no time that anybody could count on. */
export function drillFigures({ restore, times, verification }: DrillReport) {
  const recoveryMs = restore?.status === "finished" ? times.restoreMs : undefined;
  const restored = restore?.totals.restored;
  return present({
    recoveryMs,
    recordsPerSecond: recoveryMs === undefined || restored === undefined ? undefined : perSecond(restored, recoveryMs),
    records: restore?.recordsRead,
    differences: verification?.differenceCount,
  });
}

/** What was not as it should be, beside objectives; nothing of the dump's data is in it. */
export function drillFailures({ restore, verification, assertions, cleanUp }: DrillReport): string[] {
  const { rejected = 0, failed = 0, ambiguous = 0 } = restore?.totals ?? {};
  const lost = rejected + failed + ambiguous + (restore?.notReached ?? 0);
  return [
    ...(restore !== undefined && restore.status !== "finished" ? ["the restore did not come to its end"] : []),
    ...(lost > 0 ? [`${lost} records were not restored`] : []),
    ...(verification === undefined ? [] : comparisonFailures(verification)),
    ...assertions.filter(({ outcome }) => outcome === "failed").map(({ name }) => `it does not hold: ${name}`),
    ...(cleanUp.left.length > 0 ? ["not everything that the drill made could be removed"] : []),
  ];
}

export function comparisonFailures({ differenceCount }: Pick<ComparisonReport, "differenceCount">): string[] {
  return differenceCount > 0 ? [`the target differs from the dump in ${differenceCount} places`] : [];
}

/** All is as it should be, but it took too long, or the dump is too old. */
export function isOnlyLate(report: DrillReport): boolean {
  const { recoveryTime, recoveryPoint } = report.objectives;
  const isMissed = recoveryTime.met === false || recoveryPoint.met === false;
  return report.exitStatus === EXIT.differences && isMissed && drillFailures(report).length === 0;
}

function perSecond(records: number, ms: number): number {
  return Math.round((records / Math.max(ms, 1)) * 10_000) / 10;
}
