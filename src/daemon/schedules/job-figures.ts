/**
 * What a run of a schedule takes from its job: how it came out, and the figures of its report. A report that is not there
 * or cannot be read takes nothing away but figures: the job's own result says how it came out.
 *
 * Nothing of the dump's data goes into it: what an assertion found stays in the report.
 */
import { EXIT } from "../../errors/codes.js";
import { present } from "../../support/present.js";
import {
  comparisonFailures,
  comparisonFigures,
  comparisonReport,
  type DrillReport,
  drillFailures,
  drillFigures,
  drillReport,
  type ReportedObjective,
  readReport,
} from "../reports.js";
import type { JobView } from "../schema/job.js";
import type { Run, RunOutcome } from "../schema/schedule.js";
import type { JobService } from "../services.js";

const MOST_FAILURES = 20;

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
    outcome: outcomeOf(job),
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

function outcomeOf({ state, result }: JobView): RunOutcome {
  if (state === "cancelled") return "cancelled";
  if (state !== "finished" || result === undefined) return "failed";
  if (result.exitStatus === EXIT.ok) return "passed";
  return result.verdict === "objective-missed" ? "objective-missed" : "failed";
}

function errorOf(error: JobView["error"]): Run["error"] {
  return error === undefined ? undefined : present({ code: error.code, message: error.message, hint: error.hint });
}

async function reportedFigures(
  { id, kind, target }: JobView,
  jobs: Pick<JobService, "reportPath">,
  warn: (error: unknown) => void,
): Promise<Figures> {
  // A report of the dump alone has none.
  if (kind === "verify" && target === undefined) return {};
  try {
    const path = await jobs.reportPath(id);
    if (kind === "drill") return ofDrill(await readReport(path, drillReport));
    const report = await readReport(path, comparisonReport);
    return { ...comparisonFigures(report), ...present({ failures: someOf(comparisonFailures(report)) }) };
  } catch (error) {
    warn(error);
    return {};
  }
}

function ofDrill(report: DrillReport): Figures {
  return {
    ...drillFigures(report),
    ...present({ objectives: objectivesOf(report.objectives), failures: someOf(drillFailures(report)) }),
  };
}

function objectivesOf(given: DrillReport["objectives"]): Run["objectives"] {
  const recoveryTime = limited(given.recoveryTime);
  const recoveryPoint = limited(given.recoveryPoint);
  return recoveryTime === undefined && recoveryPoint === undefined
    ? undefined
    : present({ recoveryTime, recoveryPoint });
}

function limited({ ms, maxMs, met }: ReportedObjective) {
  return maxMs === undefined ? undefined : { maxMs, ...present({ ms, met }) };
}

function someOf(failures: readonly string[]): readonly string[] | undefined {
  if (failures.length <= MOST_FAILURES) return failures.length === 0 ? undefined : failures;
  return [...failures.slice(0, MOST_FAILURES), `and ${failures.length - MOST_FAILURES} more`];
}
