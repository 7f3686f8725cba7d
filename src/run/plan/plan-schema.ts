/**
 * A plan as data with a published schema, which is the source of its types: what `plan` prints and keeps, and what
 * `apply --plan` reads. What a report says too has the report's names, so that both can be compared member by member.
 */
import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "../../errors/codes.js";
import { OUTCOMES } from "../../model/outcome.js";
import { ADAPTERS } from "../../model/scope.js";
import { TTL_POLICIES } from "../../modes/expiry.js";
import { MODE_NAMES } from "../../modes/mode.js";
import { identitySchema } from "../job/identity.js";
import { entriesSchema, totalsSchema } from "../tally.js";

export const PLAN_VERSION = 1;

const count = z.int().nonnegative();
const counts = z.record(z.string(), count);
const sentences = z.array(z.string()).readonly();

const plannedTarget = z.strictObject({
  adapter: z.enum(ADAPTERS),
  endpoint: z.string().describe("without secrets"),
  origin: z.string().describe("the option, variable or named target that gave the endpoint"),
  server: z.string().describe("what the target says it is"),
  fallbacks: sentences.describe("ways round what the target lacks"),
});

/** What is known of a scope before its records are read. */
const outlined = {
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  presence: z.enum(["absent", "empty", "holds-records"]).describe("what stands on the target now"),
  holds: z
    .strictObject({ value: count, exact: z.boolean() })
    .exactOptional()
    .describe("records on the target now; absent where they cannot be counted"),
  decision: z.enum(["create", "keep", "empty", "refuse", "skip"]),
  losses: sentences
    .exactOptional()
    .describe("what emptying takes away beside the records and does not bring back; of a scope that is emptied"),
  files: count,
  bytes: count.describe("of the scope's files in the dump"),
  warnings: sentences,
};

const conflictSample = z.strictObject({
  key: z.string().describe("printable; binary keys as base64:<base64url>"),
  path: z.string(),
  line: count.exactOptional(),
  outcome: z.enum(OUTCOMES),
  reason: z.string(),
});

/** What its records would meet. */
const foreseen = {
  recordsRead: count.describe("the sum of outcomes and notReached"),
  outcomes: totalsSchema,
  notReached: count.describe("records of a scope that apply would refuse to write into"),
  leftOut: count.exactOptional().describe("records that the transform drops; they are not among recordsRead"),
  reasons: counts.describe("outcome/reason: how many records"),
  notes: counts,
  entries: entriesSchema.describe("stream entries"),
  bytesRestored: count,
  toWrite: z.strictObject({ records: count, bytes: count }).describe("what would be restored and is not there already"),
  alreadyEqual: count.describe("records that the target holds as they are in the dump: compared, not written"),
  requests: count.describe("requests that the records take at least"),
  conflicts: z
    .strictObject({ count, reasons: counts, samples: z.array(conflictSample).readonly() })
    .describe("records that are not written for what stands on the target, by outcome/reason, and the first of them"),
};

const plannedScopeSchema = z.strictObject({ ...outlined, ...foreseen });

const expectedTime = z.strictObject({
  seconds: z.number().nonnegative().exactOptional().describe("absent where it is not known for every adapter"),
  adapters: z
    .array(
      z.strictObject({
        adapter: z.enum(ADAPTERS),
        seconds: z.number().nonnegative().exactOptional(),
        by: z.enum(["rate-limit", "past-restores"]).exactOptional().describe("what takes that long; absent: not known"),
        past: z
          .strictObject({
            recordsPerSecond: z.number().nonnegative(),
            bytesPerSecond: z.number().nonnegative(),
            jobs: sentences,
          })
          .exactOptional()
          .describe("what restores into the same endpoint achieved that this machine remembers, in each scope"),
      }),
    )
    .readonly(),
});

export const planSchema = z.strictObject({
  planVersion: z.literal(PLAN_VERSION),
  madeAt: z.iso.datetime(),
  command: z
    .strictObject({ words: z.array(z.string()), cwd: z.string() })
    .exactOptional()
    .describe("the words that the plan was asked with, which `apply --plan` takes; they hold no secrets"),
  identity: identitySchema.describe("the dump's digest, targets and options that decide what is written where"),
  dump: z.strictObject({
    path: z.string(),
    takenAt: z.string(),
    phase: z.string(),
    files: count,
    bytes: count,
  }),
  mode: z.enum(MODE_NAMES),
  ttlPolicy: z.enum(TTL_POLICIES),
  transform: z.string().exactOptional().describe("the module through which every record goes"),
  retry: z
    .strictObject({ report: z.string(), records: count })
    .exactOptional()
    .describe("only records that a report lists"),
  targets: z.array(plannedTarget).readonly(),
  recordsRead: count.describe("the sum of totals and notReached"),
  totals: totalsSchema,
  notReached: count,
  leftOut: count.exactOptional(),
  toWrite: z.strictObject({ records: count, bytes: count }),
  alreadyEqual: count,
  requests: count,
  scopes: z.array(plannedScopeSchema).readonly(),
  expected: expectedTime,
  warnings: sentences,
  refusal: z
    .strictObject({
      code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      hint: z.string().exactOptional(),
      exitStatus: count,
    })
    .exactOptional()
    .describe("why apply would refuse to run"),
});

export type Plan = z.infer<typeof planSchema>;
export type PlannedScope = Plan["scopes"][number];
export type PlannedTarget = Plan["targets"][number];
export type OutlinedScope = Omit<PlannedScope, keyof typeof foreseen>;
export type ConflictSample = z.infer<typeof conflictSample>;
export type ExpectedTime = Plan["expected"];

/** A plan as far as it is known without reading records. */
export interface Outline extends Pick<Plan, "dump" | "mode" | "retry" | "targets" | "transform" | "warnings"> {
  readonly scopes: readonly OutlinedScope[];
}
