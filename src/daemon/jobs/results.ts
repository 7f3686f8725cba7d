/**
 * What a job's report says in a line. Of reports only what is asked for here is looked at: they are of another process, and
 * may be of another build. A report that is not whole is none: its process was cut off while it wrote it.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { EXIT } from "../../errors/codes.js";
import { type Plan, planSchema } from "../../run/plan/plan-schema.js";
import { totalsSchema } from "../../run/tally.js";
import { present } from "../../support/present.js";
import type { Failure } from "../channel.js";
import { failureSchema } from "../channel.js";
import type { JobResult } from "../schema/job.js";
import { deletionsOf } from "./deletions.js";

const count = z.number().nonnegative();
const failure = failureSchema.pick({ code: true, message: true, hint: true });

/** How a job came out, by its report. */
export interface Told {
  readonly result: JobResult;
  /** Why it came to no good end. */
  readonly error?: Failure;
}

const comparison = z.object({
  exitStatus: count,
  records: count,
  differenceCount: count,
  durationMs: count,
});

const restoreReport = z.object({
  job: z.string(),
  status: z.enum(["finished", "stopped"]),
  exitStatus: count,
  startedAt: z.string(),
  totals: totalsSchema,
  thisProcess: z.object({ recordsPerSecond: count }),
  verification: comparison.optional(),
  error: failure.optional(),
});

export interface RestoreTold extends Told {
  readonly isFinished: boolean;
  readonly isCompared: boolean;
  readonly startedAt: string;
}

/** Undefined where there is no whole report of this job. */
export async function readRestore(path: string, job: string): Promise<RestoreTold | undefined> {
  const report = await readJson(path, restoreReport);
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
  const report = await readJson(path, comparison);
  if (report === undefined) return undefined;
  const { exitStatus, differenceCount: differences, records, durationMs } = report;
  const verdict = { [EXIT.ok]: "no-differences", [EXIT.incomplete]: "records-left" }[exitStatus] ?? "differences";
  return { result: { exitStatus, verdict, differences, recordsPerSecond: perSecond(records, durationMs) } };
}

const dumpReport = z.object({ dump: z.string(), malformedCount: count });

/** Of a check of the dump alone. */
export async function readDumpCheck(path: string): Promise<Told | undefined> {
  const report = await readJson(path, dumpReport);
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
  const plan = await readJson(path, planSchema);
  if (plan === undefined) return undefined;
  const { refusal } = plan;
  const deletes = deletionsOf(plan).length > 0;
  if (refusal === undefined) return { plan, result: { exitStatus: EXIT.ok, verdict: "planned", deletes } };
  const { exitStatus, ...error } = refusal;
  return { plan, result: { exitStatus, verdict: "refused", deletes }, error };
}

const met = z.object({ met: z.boolean().optional() });
const drillReport = z.object({
  verdict: z.string(),
  exitStatus: count,
  times: z.object({ restoreMs: count.optional() }),
  restore: z.object({ status: z.string(), totals: totalsSchema, notReached: count }).optional(),
  verification: z.object({ differenceCount: count }).optional(),
  assertions: z.array(z.object({ outcome: z.string() })),
  objectives: z.object({ recoveryTime: met, recoveryPoint: met }),
  cleanUp: z.object({ left: z.array(z.string()) }),
  error: failure.optional(),
});

type DrillReport = z.infer<typeof drillReport>;

/** Undefined also for one that was interrupted: it is to be run again. */
export async function readDrill(path: string): Promise<Told | undefined> {
  const report = await readJson(path, drillReport);
  if (report === undefined || report.verdict === "interrupted") return undefined;
  const { exitStatus, restore, times, verification, error } = report;
  const recoveryMs = restore?.status === "finished" ? times.restoreMs : undefined;
  const restored = restore?.totals.restored;
  return {
    result: {
      exitStatus,
      verdict: isOnlyLate(report) ? "objective-missed" : report.verdict,
      ...present({
        totals: restore?.totals,
        recoveryMs,
        recordsPerSecond:
          recoveryMs === undefined || restored === undefined ? undefined : perSecond(restored, recoveryMs),
        differences: verification?.differenceCount,
      }),
    },
    ...(error === undefined ? {} : { error: present(error) }),
  };
}

/** All is as it should be, but it took too long, or the dump is too old. */
function isOnlyLate({ exitStatus, objectives, verification, assertions, cleanUp }: DrillReport): boolean {
  const isMissed = objectives.recoveryTime.met === false || objectives.recoveryPoint.met === false;
  const hasFailed = assertions.some(({ outcome }) => outcome !== "passed") || cleanUp.left.length > 0;
  return exitStatus === EXIT.differences && isMissed && !hasFailed && (verification?.differenceCount ?? 0) === 0;
}

function perSecond(records: number, ms: number): number {
  return Math.round((records / Math.max(ms, 1)) * 10_000) / 10;
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
