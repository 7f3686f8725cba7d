/** Schedules and their runs as clients see them, and what webhooks are sent. One source, as for jobs. */
import * as z from "zod";
import { JOB_ID, jobSchema } from "./job.js";

const name = z.string().regex(/^[\w.-]{1,100}$/);
const instant = z.iso.datetime();
const count = z.int().nonnegative();
const id = z.string().regex(JOB_ID);
const ms = count;

/** Why a run is there: it was due; it was due while nobody could begin it; somebody asked for it. */
const TRIGGERS = ["due", "missed", "asked"] as const;

/**
 * `waiting`: for the end of the run before. `starting`: kept, and its job not known yet. `running`: it has a job, which may
 * stand in the queue.
 */
const RUN_STATES = ["waiting", "starting", "running", "ended"] as const;

export const RUN_OUTCOMES = [
  "passed",
  /** All is as it should be, but it took too long, or the dump is too old. */
  "objective-missed",
  "failed",
  /** No job was made of it: the queue is full, the dump is not there. */
  "refused",
  "cancelled",
  /** Not begun: the run before was under way, or the daemon was down. */
  "skipped",
] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

const objective = z.strictObject({
  ms: ms.exactOptional().describe("absent: it could not be measured"),
  maxMs: ms,
  met: z.boolean().exactOptional().describe("absent where it could not be measured"),
});

export const runSchema = z.strictObject({
  id,
  schedule: name,
  trigger: z.enum(TRIGGERS),
  by: z.string().describe("schedule:<name>, or the token's name of whoever asked"),
  due: instant.describe("as the pattern has it, without jitter; when it was asked for"),
  since: instant.exactOptional().describe("where it stands for several due times: the first of them"),
  state: z.enum(RUN_STATES),
  outcome: z.enum(RUN_OUTCOMES).exactOptional().describe("of one that has ended"),
  reason: z.string().exactOptional().describe("why it was skipped"),
  startedAt: instant.exactOptional().describe("when its job's process was begun"),
  endedAt: instant.exactOptional(),
  job: id.exactOptional(),
  dump: jobSchema.shape.dump.exactOptional(),
  verdict: z.string().exactOptional().describe("the job's own"),
  exitStatus: count.exactOptional(),
  recoveryMs: ms.exactOptional().describe("of a drill: how long the restore took"),
  recordsPerSecond: z.number().nonnegative().exactOptional(),
  records: count.exactOptional().describe("that a drill read, or a verification compared"),
  differences: count.exactOptional(),
  objectives: z
    .strictObject({ recoveryTime: objective.exactOptional(), recoveryPoint: objective.exactOptional() })
    .exactOptional()
    .describe("those that were set"),
  failures: z.array(z.string()).readonly().exactOptional().describe("what was not as it should be, without data"),
  error: z
    .strictObject({ code: z.string(), message: z.string(), hint: z.string().exactOptional() })
    .exactOptional()
    .describe("why there is no verdict"),
  comparison: z
    .strictObject({ runs: count, medianMs: ms, percent: z.int().describe("above 0: slower than the median") })
    .exactOptional()
    .describe("recoveryMs beside the runs before"),
});

export type Run = z.infer<typeof runSchema>;

export const runListSchema = z.strictObject({
  runs: z.array(runSchema).readonly().describe("the latest first"),
  next: z.string().exactOptional().describe("the cursor of the next page"),
});

export type RunList = z.infer<typeof runListSchema>;

export const latelySchema = z.strictObject({
  runs: count.describe("the last ones that came to an outcome; skipped and cancelled ones do not count"),
  passed: count,
  missedObjectives: count,
  failed: count.describe("refused ones too"),
  medianMs: ms.exactOptional().describe("of recoveryMs"),
  fastestMs: ms.exactOptional(),
  slowestMs: ms.exactOptional(),
  failingSince: instant.exactOptional().describe("when the first was due of those that did not pass, up to now"),
});

export type Lately = z.infer<typeof latelySchema>;

export const scheduleSchema = z.strictObject({
  name,
  kind: z.enum(["drill", "verify"]),
  cron: z.string(),
  timezone: z.string(),
  jitter: z.string().exactOptional(),
  missed: z.enum(["skip", "run-once"]),
  overlap: z.enum(["skip", "queue"]),
  root: name,
  pick: z.enum(["newest", "random"]),
  target: name.exactOptional(),
  notify: z.array(name).readonly().describe("webhooks"),
  next: z.array(instant).readonly().describe("the next due times, without jitter"),
  startsAt: instant.exactOptional().describe("the first of them, with the jitter that was drawn for it"),
  current: runSchema.exactOptional().describe("the run that is under way"),
  waiting: runSchema.exactOptional().describe("the run that waits for it to end"),
  last: runSchema.exactOptional().describe("the latest that came to an outcome"),
  lately: latelySchema,
});

export type ScheduleView = z.infer<typeof scheduleSchema>;

export const scheduleListSchema = z.strictObject({
  schedules: z.array(scheduleSchema).readonly().describe("in the configuration's order"),
});

export const TOLD = ["run-failed", "objective-missed", "recovered", "run-passed", "run-skipped"] as const;
export type Told = (typeof TOLD)[number];

/** What a webhook is sent. */
export const webhookBodySchema = z.strictObject({
  version: z.literal(1),
  id: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe("the same however often it is sent"),
  event: z.enum(TOLD).describe("recovered: passed, after one that did not"),
  text: z.string().describe("a sentence for people"),
  host: z.string().describe("the machine of the daemon"),
  schedule: z.strictObject({
    name,
    kind: z.enum(["drill", "verify"]),
    root: name,
    target: name.exactOptional(),
  }),
  failingSince: instant.exactOptional().describe("when the first was due of the runs in a row that did not pass"),
  run: runSchema,
});

export type WebhookBody = z.infer<typeof webhookBodySchema>;
