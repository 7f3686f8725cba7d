/** What the daemon is asked and answers beside jobs. One source: what validates, what TypeScript checks and what is published. */
import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "../../errors/codes.js";
import { ADAPTERS } from "../../model/scope.js";
import { FAULTS, type FaultCode } from "../fault.js";
import { ROLES } from "../settings.js";
import { JOB_ID, JOB_KINDS, JOB_STATES } from "./job.js";

export type AnsweredCode = FaultCode | ErrorCode;
const CODES = [...new Set([...Object.keys(FAULTS), ...Object.keys(ERROR_CODES)])] as [AnsweredCode, ...AnsweredCode[]];

export const faultSchema = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(CODES),
      message: z.string().describe("what was wrong and with what"),
      hint: z.string().exactOptional().describe("what helps"),
      where: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
    }),
  })
  .describe("Why nothing was done; the status says of what kind it is.");

export type FaultAnswer = z.infer<typeof faultSchema>;

const MOST_ITEMS = 1000;

/** Digits, as everything in a query is text. */
function whole(least: number, most: number) {
  return z.preprocess((given) => (DIGITS.test(String(given)) ? Number(given) : given), z.int().min(least).max(most));
}
const DIGITS = /^(?:0|[1-9]\d{0,14})$/;

/** `state=a&state=b`. */
function oneOrMore<const T extends readonly [string, ...string[]]>(words: T) {
  return z.preprocess((given) => (typeof given === "string" ? [given] : given), z.array(z.enum(words)).min(1).max(20));
}

const limit = whole(1, MOST_ITEMS).default(100).describe("at most so many");
const cursor = z.string().min(1).max(500).exactOptional().describe("`next` of the page before");

export const jobParametersSchema = z.strictObject({ id: z.string().regex(JOB_ID).describe("the job's id") });

export const jobListQuerySchema = z.strictObject({
  state: oneOrMore(JOB_STATES).exactOptional(),
  kind: oneOrMore(JOB_KINDS).exactOptional(),
  schedule: z.string().min(1).max(100).exactOptional().describe("only those that this schedule asked for"),
  limit,
  cursor,
});

export const rejectsQuerySchema = z.strictObject({
  limit,
  cursor,
  q: z.string().min(1).max(1000).exactOptional().describe("a part of key, place, reason or detail"),
  outcome: z.string().min(1).max(100).exactOptional(),
});

export const scheduleParametersSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,100}$/)
    .describe("as the configuration calls it"),
});

export const runsQuerySchema = z.strictObject({ limit, cursor });

const eventNumber = whole(0, Number.MAX_SAFE_INTEGER);
export const eventsQuerySchema = z.strictObject({
  after: eventNumber.exactOptional().describe("events behind this one; the header Last-Event-ID counts more"),
});
export const eventsHeadersSchema = z.looseObject({
  "last-event-id": eventNumber.exactOptional().describe("the last event that was received"),
});

export const submissionHeadersSchema = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .exactOptional()
    .describe("the same key and the same request again: the job that the first one made"),
});

export const noQuerySchema = z.strictObject({});

export const whoamiSchema = z.strictObject({
  name: z.string().describe("the token's; `socket` for whoever may open the Unix socket"),
  role: z.enum(ROLES),
});

export const targetsSchema = z.strictObject({
  targets: z
    .array(z.strictObject({ name: z.string(), adapters: z.array(z.enum(ADAPTERS)).readonly() }))
    .readonly()
    .describe("the configuration's, without endpoints"),
});

export const dumpsQuerySchema = z.strictObject({
  root: z.string().min(1).max(100).exactOptional().describe("only below this one"),
});

export const dumpsSchema = z.strictObject({
  dumps: z
    .array(
      z.strictObject({
        root: z.string(),
        path: z.string().describe("below the root, with slashes; empty: itself"),
        takenAt: z.string().describe("as its manifest has it"),
        adapters: z.array(z.enum(ADAPTERS)).readonly(),
      }),
    )
    .readonly()
    .describe("of each root, newest first"),
  unreadable: z
    .array(z.strictObject({ root: z.string(), why: z.string() }))
    .readonly()
    .describe("roots and folders with a manifest that cannot be read"),
});

export const healthSchema = z.strictObject({ status: z.literal("alive") });
export const readinessSchema = z.strictObject({
  status: z.enum(["ready", "not-ready"]),
  reasons: z.array(z.string()).readonly().describe("what stands in the way"),
});

/** A document of its own format. */
export const documentSchema = z.looseObject({});
export const textSchema = z.string();
