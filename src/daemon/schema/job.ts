/** Jobs as clients ask for them and see them. One source: what validates, what TypeScript checks and what is published. */
import * as z from "zod";
import { totalsSchema } from "../../run/tally.js";
import { failureSchema, limitsSchema, progressSchema } from "../channel.js";
import { applyOptionsSchema, drillOptionsSchema, planOptionsSchema, verifyOptionsSchema } from "./options.js";

export const JOB_KINDS = ["plan", "apply", "verify", "drill"] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/**
 * `held`: a person is to resume or to cancel it. Either it was under way when the daemon ended, and the settings want it so;
 * or it is a restore that failed on its way and can be gone on with, and `error` says why. `finished`: it came to its end,
 * with exit status 0, 3 or 6; everything else that ended by itself has `failed`.
 */
export const JOB_STATES = ["queued", "running", "paused", "held", "finished", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];
export const ENDED_STATES: ReadonlySet<JobState> = new Set(["finished", "failed", "cancelled"]);

export const JOB_ID = /^[0-9a-f]{16}$/;
const jobId = z.string().regex(JOB_ID);
const name = z.string().regex(/^[\w.-]{1,100}$/);
const instant = z.iso.datetime();
const count = z.int().nonnegative();

/** Of a dump below one of the configured roots: its folder there, or which of those that stand there. */
const placedDump = z.strictObject({
  root: name.describe("the configuration's name for a folder"),
  path: z.string().max(4096).describe("below it, with slashes; empty: itself"),
});
const pickedDump = z.strictObject({ root: name, pick: z.enum(["newest", "random"]) });
export const dumpRefSchema = z.union([placedDump, pickedDump]);
export type DumpRef = z.infer<typeof dumpRefSchema>;
export type PlacedDump = z.infer<typeof placedDump>;

const target = name.describe("a named target of the configuration");

const freshApply = z.strictObject({
  kind: z.literal("apply"),
  dump: dumpRefSchema,
  target,
  options: applyOptionsSchema.exactOptional(),
  limits: limitsSchema.exactOptional(),
});
const plannedApply = z.strictObject({
  kind: z.literal("apply"),
  plan: jobId.describe("the plan job that is carried out: its dump, target and options are the job's"),
  confirm: z.string().max(200).exactOptional().describe("the plan's confirmation token; wanted where it deletes"),
  limits: limitsSchema.exactOptional(),
});

/** What is asked for. */
export const jobRequestSchema = z.union([
  z.strictObject({
    kind: z.literal("plan"),
    dump: dumpRefSchema,
    target,
    options: planOptionsSchema.exactOptional(),
    limits: limitsSchema.exactOptional(),
  }),
  freshApply,
  plannedApply,
  z.strictObject({
    kind: z.literal("verify"),
    dump: dumpRefSchema,
    target: target.exactOptional().describe("absent: the dump alone"),
    options: verifyOptionsSchema.exactOptional(),
    limits: limitsSchema.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("drill"),
    dump: dumpRefSchema,
    target: target.exactOptional().describe("absent: servers of its own, which end with it"),
    options: drillOptionsSchema.exactOptional(),
    limits: limitsSchema.exactOptional(),
  }),
]);

export type JobRequest = z.infer<typeof jobRequestSchema>;

/** What an ended job says of itself in a line; its report says all. */
export const resultSchema = z.strictObject({
  exitStatus: count,
  verdict: z.string().describe("finished, records-left, differences, passed, objective-missed, …"),
  totals: totalsSchema.exactOptional().describe("of a restore"),
  recoveryMs: count.exactOptional().describe("of a drill: how long the restore took"),
  recordsPerSecond: z.number().nonnegative().exactOptional(),
  differences: count.exactOptional().describe("of a comparison"),
  deletes: z.boolean().exactOptional().describe("of a plan: whether carrying it out deletes anything"),
});

export type JobResult = z.infer<typeof resultSchema>;

/** A job as everyone who may read sees it. */
export const jobSchema = z.strictObject({
  id: jobId,
  kind: z.enum(JOB_KINDS),
  state: z.enum(JOB_STATES),
  dump: placedDump,
  target: target.exactOptional(),
  options: z.union([applyOptionsSchema, verifyOptionsSchema, drillOptionsSchema]),
  limits: limitsSchema,
  plan: jobId.exactOptional(),
  deletes: z
    .boolean()
    .exactOptional()
    .describe(
      "whether it takes away what its targets hold: to resume it takes the role destroy then; absent: it does not",
    ),
  schedule: name.exactOptional().describe("the schedule that asked for it"),
  by: z.string().describe("the name of the token that asked for it"),
  createdAt: instant,
  startedAt: instant.exactOptional(),
  endedAt: instant.exactOptional(),
  attempts: count.describe("processes that were begun for it"),
  waitsFor: z.string().exactOptional().describe("why a queued job is not begun"),
  progress: progressSchema.exactOptional(),
  result: resultSchema.exactOptional(),
  error: failureSchema.exactOptional(),
  warnings: z.array(z.string()).readonly(),
  lastEvent: count.describe("the number of its last event, which is in it: `after` it are those to come"),
  has: z
    .strictObject({ plan: z.boolean(), report: z.boolean(), rejects: z.boolean() })
    .describe("what can be asked for beside it"),
});

export type JobView = z.infer<typeof jobSchema>;

export const jobListSchema = z.strictObject({
  jobs: z.array(jobSchema).readonly().describe("the latest first"),
  next: z.string().exactOptional().describe("the cursor of the next page"),
});

/** A plan, and what it takes to carry it out. */
export const planAnswerSchema = z.strictObject({
  plan: z.unknown().describe("as `plan --json` prints it"),
  deletes: z.array(z.string()).readonly().describe("scopes that lose records or settings, a sentence each"),
  confirm: z.string().exactOptional().describe("for whoever may destroy: to be sent with the apply"),
});

/** Numbered within its job, ascending from 1; old progress is let go of. */
export const jobEventSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("state"), job: jobSchema }),
  z.strictObject({ type: z.literal("progress"), progress: progressSchema }),
  z.strictObject({ type: z.literal("warning"), text: z.string() }),
]);

export type JobEvent = z.infer<typeof jobEventSchema>;

export const rejectsSchema = z.strictObject({
  rejects: z.array(z.record(z.string(), z.unknown())).readonly(),
  next: z.string().exactOptional(),
});
