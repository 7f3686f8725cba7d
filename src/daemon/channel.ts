/**
 * What a daemon and the processes of its jobs say to one another, over Node's own channel between a process and its
 * child. Both sides check what they are told: a child may be of another build than its daemon.
 */
import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors/codes.js";
import { totalsSchema } from "../run/tally.js";

const count = z.int().nonnegative();

/**
 * The id of the job, set for every process that a daemon starts for one: by it, and only where a channel is open, the
 * process knows that it has a supervisor. An `apply` that begins a restore gives it that id.
 */
export const JOB_ID_VARIABLE = "ELASTICKV_RESTORE_JOB_ID";

export const scopeProgressSchema = z.strictObject({
  scope: z.string().describe("adapter and name in the dump: redis/db_0"),
  records: count.describe("that have ended, or were compared"),
  bytes: count,
  expectedBytes: count.describe("of the scope's files: what there is to read"),
  outcomes: totalsSchema.describe("of a comparison, all zero"),
  differing: count.describe("of a comparison: records that differ so far"),
  perSecond: z.number().nonnegative().describe("records, since the scope was begun by this process"),
  secondsLeft: z.number().nonnegative().exactOptional().describe("absent where nothing tells"),
  isComparison: z.boolean(),
  isFinished: z.boolean(),
});

export const progressSchema = z.strictObject({
  check: z
    .strictObject({ files: count, bytes: count, isDone: z.boolean() })
    .exactOptional()
    .describe("the check of the dump's files; absent before it began"),
  surveyed: z
    .strictObject({ scope: z.string(), records: count })
    .exactOptional()
    .describe("a plan's own reading of the records"),
  scopes: z.array(scopeProgressSchema).readonly().describe("in the order in which they were begun"),
});

export type Progress = z.infer<typeof progressSchema>;
export type ScopeProgress = z.infer<typeof scopeProgressSchema>;

export const failureSchema = z.strictObject({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  hint: z.string().exactOptional(),
  where: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
});

export type Failure = z.infer<typeof failureSchema>;

/** Limits as they are written behind `--rate-limit` and `--concurrency`. */
export const limitsSchema = z.strictObject({
  rateLimit: z
    .string()
    .max(500)
    .exactOptional()
    .describe("5000ops/s for all, or dynamodb=500ops/s,s3=50MiB/s; none: no limit"),
  concurrency: z
    .string()
    .max(200)
    .exactOptional()
    .describe("batches of records at once, in each scope: 8, or dynamodb=8,s3=4"),
});

export type Limits = z.infer<typeof limitsSchema>;

/** From the child. */
export const reportedSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("progress"), progress: progressSchema }),
  z.strictObject({ type: z.literal("warning"), text: z.string(), scope: z.string().exactOptional() }),
  z.strictObject({ type: z.literal("paused") }).describe("nothing more is sent, and nothing is under way"),
  z.strictObject({ type: z.literal("resumed") }),
  z.strictObject({ type: z.literal("limits"), limits: limitsSchema }).describe("these hold from now on"),
  z.strictObject({ type: z.literal("limits-refused"), failure: failureSchema }),
  z.strictObject({ type: z.literal("failed"), failure: failureSchema }).describe("why the process ends"),
]);

export type Reported = z.infer<typeof reportedSchema>;

/** To the child. */
export const orderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("pause") }),
  z.strictObject({ type: z.literal("resume") }),
  z.strictObject({ type: z.literal("limits"), limits: limitsSchema }),
  z.strictObject({ type: z.literal("stop") }).describe("as a first SIGTERM"),
]);

export type Order = z.infer<typeof orderSchema>;
