/**
 * What a run of a schedule takes from its job: how it came out, and the figures of its report. A report that is not there
 * or cannot be read takes nothing away but figures: the job's own result says how it came out.
 *
 * Nothing of the dump's data goes into it: what an assertion found stays in the report.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { EXIT } from "../../errors/codes.js";
import { present } from "../../support/present.js";
import type { JobView } from "../schema/job.js";
import type { Run, RunOutcome } from "../schema/schedule.js";
import type { JobService } from "../services.js";

const MOST_FAILURES = 20;

const count = z.number().nonnegative();
const objective = z.object({ ms: count.optional(), maxMs: count.optional(), met: z.boolean().optional() });
type ReportedObjective = z.infer<typeof objective>;

/** Of a drill's report, what is asked of it here: it may be of another build. */
const drillReport = z.object({
  times: z.object({ restoreMs: count.optional() }),
  restore: z
    .object({
      status: z.string(),
      recordsRead: count,
      totals: z.object({ restored: count, rejected: count, failed: count, ambiguous: count }),
      notReached: count,
    })
    .optional(),
  verification: z.object({ differenceCount: count }).optional(),
  assertions: z.array(z.object({ name: z.string(), outcome: z.string() })),
  objectives: z.object({ recoveryTime: objective, recoveryPoint: objective }),
  cleanUp: z.object({ left: z.array(z.string()) }),
});

/** Of a comparison with targets. */
const verification = z.object({ records: count, differenceCount: count, durationMs: count });

type Figures = Pick<Run, "recoveryMs" | "recordsPerSecond" | "records" | "differences" | "objectives" | "failures">;

/** What an ended job makes of the run that it was begun for. */
export type Settlement = Figures &
  Required<Pick<Run, "outcome">> &
  Pick<Run, "startedAt" | "endedAt" | "verdict" | "exitStatus" | "error" | "dump" | "job">;

/** Of a job that has ended. */
export async function settlementOf(
  job: JobView,
  jobs: Pick<JobService, "reportPath">,
  warn: (error: unknown) => void,
): Promise<Settlement> {
  const { result } = job;
  const figures = job.has.report ? await reportedFigures(job, jobs, warn) : {};
  return {
    outcome: outcomeOf(job, figures),
    job: job.id,
    dump: job.dump,
    ...present({
      startedAt: job.startedAt,
      endedAt: job.endedAt,
      verdict: result?.verdict,
      exitStatus: result?.exitStatus,
      recoveryMs: figures.recoveryMs ?? result?.recoveryMs,
      recordsPerSecond: figures.recordsPerSecond ?? result?.recordsPerSecond,
      records: figures.records,
      differences: figures.differences ?? result?.differences,
      objectives: figures.objectives,
      failures: figures.failures,
      error: errorOf(job.error),
    }),
  };
}

function outcomeOf({ state, result }: JobView, { failures = [], objectives }: Figures): RunOutcome {
  if (state === "cancelled") return "cancelled";
  if (state !== "finished" || result === undefined) return "failed";
  if (result.exitStatus === EXIT.ok) return "passed";
  const isMissed = [objectives?.recoveryTime, objectives?.recoveryPoint].some((each) => each?.met === false);
  if (result.verdict === "objective-missed") return "objective-missed";
  return result.exitStatus === EXIT.differences && isMissed && failures.length === 0 ? "objective-missed" : "failed";
}

function errorOf(error: JobView["error"]): Run["error"] {
  return error === undefined ? undefined : present({ code: error.code, message: error.message, hint: error.hint });
}

async function reportedFigures(
  { id, kind }: JobView,
  jobs: Pick<JobService, "reportPath">,
  warn: (error: unknown) => void,
): Promise<Figures> {
  try {
    const report: unknown = JSON.parse(await readFile(await jobs.reportPath(id), "utf8"));
    return kind === "drill" ? drillFigures(drillReport.parse(report)) : verifyFigures(report);
  } catch (error) {
    warn(error);
    return {};
  }
}

function drillFigures(report: z.infer<typeof drillReport>): Figures {
  const { restore, times, objectives } = report;
  const recoveryMs = restore?.status === "finished" ? times.restoreMs : undefined;
  const restored = restore?.totals.restored;
  return present({
    recoveryMs,
    recordsPerSecond: recoveryMs === undefined || restored === undefined ? undefined : perSecond(restored, recoveryMs),
    records: restore?.recordsRead,
    differences: report.verification?.differenceCount,
    objectives: objectivesOf(objectives),
    failures: someOf(drillFailures(report)),
  });
}

/** Beside objectives. */
function drillFailures({ restore, verification, assertions, cleanUp }: z.infer<typeof drillReport>): string[] {
  const { rejected = 0, failed = 0, ambiguous = 0 } = restore?.totals ?? {};
  const lost = rejected + failed + ambiguous + (restore?.notReached ?? 0);
  const differences = verification?.differenceCount ?? 0;
  return [
    ...(restore !== undefined && restore.status !== "finished" ? ["the restore did not come to its end"] : []),
    ...(lost > 0 ? [`${lost} records were not restored`] : []),
    ...differing(differences),
    ...assertions.filter(({ outcome }) => outcome === "failed").map(({ name }) => `it does not hold: ${name}`),
    ...(cleanUp.left.length > 0 ? ["not everything that the drill made could be removed"] : []),
  ];
}

function differing(count: number): string[] {
  return count > 0 ? [`the target differs from the dump in ${count} places`] : [];
}

/** A report of the dump alone has none of them. */
function verifyFigures(report: unknown): Figures {
  const { success, data } = verification.safeParse(report);
  if (!success) return {};
  const { records, durationMs, differenceCount } = data;
  return present({
    records,
    recordsPerSecond: perSecond(records, durationMs),
    differences: differenceCount,
    failures: someOf(differing(differenceCount)),
  });
}

function objectivesOf(given: { recoveryTime: ReportedObjective; recoveryPoint: ReportedObjective }): Run["objectives"] {
  const recoveryTime = limited(given.recoveryTime);
  const recoveryPoint = limited(given.recoveryPoint);
  return recoveryTime === undefined && recoveryPoint === undefined
    ? undefined
    : present({ recoveryTime, recoveryPoint });
}

function limited({ ms, maxMs, met }: ReportedObjective) {
  return maxMs === undefined ? undefined : { maxMs, ...present({ ms, met }) };
}

function perSecond(records: number, ms: number): number {
  return Math.round((records / Math.max(ms, 1)) * 100_000) / 100;
}

function someOf(failures: readonly string[]): readonly string[] | undefined {
  if (failures.length <= MOST_FAILURES) return failures.length === 0 ? undefined : failures;
  return [...failures.slice(0, MOST_FAILURES), `and ${failures.length - MOST_FAILURES} more`];
}
