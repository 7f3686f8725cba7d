/** What is kept of a job, in its folder's `job.json`: all that a daemon needs that knows nothing else of it. */
import * as z from "zod";
import { present } from "../../support/present.js";
import { failureSchema, type Progress, progressSchema } from "../channel.js";
import { ENDED_STATES, type JobView, jobSchema, resultSchema } from "../schema/job.js";

const count = z.int().nonnegative();
const { id, kind, state, dump, target, options, limits, plan, schedule, by, has } = jobSchema.shape;

export const recordSchema = z.strictObject({
  recordVersion: z.literal(1),
  id,
  number: count.describe("in which order jobs were asked for"),
  kind,
  state,
  dump,
  pick: z.enum(["newest", "random"]).exactOptional().describe("still to be chosen below the dump's root"),
  target,
  options,
  limits,
  plan,
  schedule,
  by,
  createdAt: count.describe("Unix milliseconds, as all times here"),
  startedAt: count.exactOptional(),
  endedAt: count.exactOptional(),
  attempts: count,
  crashes: count.describe("processes that ended and said nothing"),
  process: z
    .strictObject({ pid: z.int().positive(), birth: z.string().exactOptional() })
    .exactOptional()
    .describe("the last one; `birth` tells it from another one of the same number"),
  order: z.enum(["pause", "resume", "cancel"]).exactOptional().describe("asked for, and not come about yet"),
  isConfirmed: z.boolean().exactOptional().describe("of an apply: what its plan deletes was confirmed"),
  keptPlan: z
    .strictObject({
      sha256: z.string().describe("of plan.json"),
      confirmation: z.strictObject({ token: z.string(), until: count }).exactOptional(),
      carriedOutBy: id.exactOptional(),
    })
    .exactOptional()
    .describe("of a plan that was made"),
  idempotency: z
    .strictObject({ key: z.string(), sha256: z.string() })
    .exactOptional()
    .describe("whose key, and the digest of what was asked for under it"),
  progress: progressSchema.exactOptional(),
  result: resultSchema.exactOptional(),
  error: failureSchema.exactOptional(),
  warnings: z.array(z.string()).readonly(),
  lastEvent: count.default(0).describe("that tells of its last change"),
  has,
});

export type JobRecord = z.infer<typeof recordSchema>;

export function hasEnded({ state: now }: Pick<JobRecord, "state">): boolean {
  return ENDED_STATES.has(now);
}

/** Whether it takes away what its targets hold, for which somebody asked who may. */
export function deletesData({
  kind,
  isConfirmed,
  options,
}: Pick<JobRecord, "isConfirmed" | "kind" | "options">): boolean {
  const { repair, mode } = options as { readonly repair?: boolean; readonly mode?: string };
  return isConfirmed === true || (kind === "verify" && repair === true && mode === "replace");
}

/** What is known of a job beside its record while it lives. */
export interface Live {
  readonly progress?: Progress;
  readonly waitsFor?: string;
  readonly lastEvent?: number;
}

export function viewOf(record: JobRecord, live: Live = {}): JobView {
  const { progress = record.progress, waitsFor, lastEvent = record.lastEvent } = live;
  return {
    ...{ id: record.id, kind: record.kind, state: record.state, dump: record.dump, options: record.options },
    ...{ limits: record.limits, by: record.by, attempts: record.attempts, warnings: record.warnings },
    createdAt: iso(record.createdAt),
    lastEvent,
    has: { ...record.has, rejects: record.has.rejects || listsRecords(progress) },
    ...present({
      target: record.target,
      plan: record.plan,
      deletes: deletesData(record) ? true : undefined,
      schedule: record.schedule,
      startedAt: record.startedAt === undefined ? undefined : iso(record.startedAt),
      endedAt: record.endedAt === undefined ? undefined : iso(record.endedAt),
      waitsFor: record.state === "queued" ? waitsFor : undefined,
      progress,
      result: record.result,
      error: record.error,
    }),
  };
}

/** Of a restore that is under way: its records are listed as they end. */
function listsRecords(progress: Progress | undefined): boolean {
  return (progress?.scopes ?? []).some(({ outcomes }) =>
    Object.entries(outcomes).some(([outcome, records]) => outcome !== "restored" && records > 0),
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
