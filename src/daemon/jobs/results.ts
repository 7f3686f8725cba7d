/** What a job's report says in a line. A report that is not whole is none. */
import * as z from "zod";
import { EXIT } from "../../errors/codes.js";
import { type Plan, planSchema } from "../../run/plan/plan-schema.js";
import { totalsSchema } from "../../run/tally.js";
import { present } from "../../support/present.js";
import type { Failure } from "../channel.js";
import {
  comparisonFigures,
  comparisonReport,
  drillFigures,
  drillReport,
  isOnlyLate,
  readReport,
  reportedFailure,
} from "../reports.js";
import type { JobResult } from "../schema/job.js";
import { deletionsOf } from "./deletions.js";

const count = z.number().nonnegative();

/** How a job came out, by its report. */
export interface Told {
  readonly result: JobResult;
  /** Why it came to no good end. */
  readonly error?: Failure;
}

const restoreReport = z.object({
  job: z.string(),
  status: z.enum(["finished", "stopped"]),
  exitStatus: count,
  startedAt: z.string(),
  totals: totalsSchema,
  thisProcess: z.object({ recordsPerSecond: count }),
  verification: comparisonReport.optional(),
  error: reportedFailure.optional(),
});

export interface RestoreTold extends Told {
  readonly isFinished: boolean;
  readonly isCompared: boolean;
  readonly startedAt: string;
}

/** Undefined where there is no whole report of this job. */
export async function readRestore(path: string, job: string): Promise<RestoreTold | undefined> {
  const report = await whole(path, restoreReport);
  if (report === undefined || report.job !== job) return undefined;
  const { exitStatus, status, totals, verification, error, startedAt } = report;
  const words: Readonly<Record<number, string>> = {
    [EXIT.ok]: "finished",
    [EXIT.incomplete]: "records-left",
    [EXIT.differences]: "differences",
  };
  return {
    isFinished: status === "finished",
    isCompared: verification !== undefined,
    startedAt,
    result: {
      exitStatus,
      verdict: status === "stopped" ? "stopped" : (words[exitStatus] ?? "finished"),
      totals,
      recordsPerSecond: report.thisProcess.recordsPerSecond,
      ...present({ differences: verification?.differenceCount }),
    },
    ...(error === undefined ? {} : { error: present(error) }),
  };
}

/** Of a comparison with targets. */
export async function readComparison(path: string): Promise<Told | undefined> {
  const report = await whole(path, comparisonReport);
  if (report === undefined) return undefined;
  const { exitStatus } = report;
  const { differences, recordsPerSecond } = comparisonFigures(report);
  const verdict = { [EXIT.ok]: "no-differences", [EXIT.incomplete]: "records-left" }[exitStatus] ?? "differences";
  return { result: { exitStatus, verdict, differences, recordsPerSecond } };
}

const dumpReport = z.object({ dump: z.string(), malformedCount: count });

/** Of a check of the dump alone. */
export async function readDumpCheck(path: string): Promise<Told | undefined> {
  const report = await whole(path, dumpReport);
  if (report === undefined) return undefined;
  const isWhole = report.malformedCount === 0;
  return {
    result: { exitStatus: isWhole ? EXIT.ok : EXIT.incomplete, verdict: isWhole ? "finished" : "records-left" },
  };
}

export interface PlanTold extends Told {
  readonly plan: Plan;
}

export async function readPlanMade(path: string): Promise<PlanTold | undefined> {
  const plan = await whole(path, planSchema);
  if (plan === undefined) return undefined;
  const { refusal } = plan;
  const deletes = deletionsOf(plan).length > 0;
  if (refusal === undefined) return { plan, result: { exitStatus: EXIT.ok, verdict: "planned", deletes } };
  const { exitStatus, ...error } = refusal;
  return { plan, result: { exitStatus, verdict: "refused", deletes }, error };
}

/** Undefined also for one that was interrupted: it is to be run again. */
export async function readDrill(path: string): Promise<Told | undefined> {
  const report = await whole(path, drillReport);
  if (report === undefined || report.verdict === "interrupted") return undefined;
  const { exitStatus, restore, verdict, error } = report;
  const { records: _records, ...figures } = drillFigures(report);
  return {
    result: {
      exitStatus,
      verdict: isOnlyLate(report) ? "objective-missed" : verdict,
      ...figures,
      ...present({ totals: restore?.totals }),
    },
    ...(error === undefined ? {} : { error: present(error) }),
  };
}

async function whole<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  return await readReport(path, schema).catch(() => undefined);
}
