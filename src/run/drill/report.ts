/** What a drill came to, as data with a published schema, which is the source of its type. */
import * as z from "zod";
import { ERROR_CODES, type ErrorCode } from "../../errors/codes.js";
import { OUTCOMES } from "../../model/outcome.js";
import { ADAPTERS } from "../../model/scope.js";
import { TTL_POLICIES } from "../../modes/expiry.js";
import { totalsSchema } from "../tally.js";
import { STANDINGS } from "../verify/counts.js";
import { foundSchema } from "../verify/found.js";
import { PICKS } from "./pick.js";
import { VERDICTS } from "./verdict.js";

const count = z.int().nonnegative();
const sentences = z.array(z.string()).readonly();
const adapter = z.enum(ADAPTERS);

const pickedSchema = z.strictObject({
  how: z.enum(PICKS),
  root: z.string(),
  from: z
    .array(z.strictObject({ path: z.string(), takenAt: z.string() }))
    .readonly()
    .describe("the dumps that it was chosen from, newest first"),
  unreadable: sentences.describe("folders with a manifest that cannot be read"),
});

const serverSchema = z.strictObject({
  adapter,
  endpoint: z.string().describe("without secrets"),
  server: z.string(),
  how: z
    .enum(["environment", "docker", "native", "in-process", "named"])
    .describe("in-process: a stand-in, which proves less than a real server"),
  instead: z.string().exactOptional().describe("why it is a stand-in"),
});

const paceSchema = z.strictObject({
  adapter,
  records: count.describe("restored"),
  bytes: count,
  durationMs: count,
  recordsPerSecond: z.number().nonnegative(),
  bytesPerSecond: z.number().nonnegative(),
  timeline: z
    .array(z.tuple([count, count, count]))
    .readonly()
    .describe("milliseconds since the restore began, records restored, bytes restored"),
});

const restoreSchema = z.strictObject({
  status: z.enum(["finished", "stopped"]),
  exitStatus: count.describe("what apply ended with"),
  recordsRead: count,
  totals: totalsSchema,
  notReached: count,
  bytesRestored: count,
  scopes: z
    .array(
      z.strictObject({
        adapter,
        scope: z.string(),
        target: z.string(),
        recordsRead: count,
        outcomes: totalsSchema,
        notReached: count,
        bytesRestored: count,
        durationMs: count,
        error: z.string().exactOptional(),
      }),
    )
    .readonly(),
  reasons: z.record(z.string(), count).describe("outcome/reason: how many records"),
  listed: z
    .array(
      z.strictObject({
        adapter,
        scope: z.string(),
        key: z.string(),
        path: z.string(),
        line: count.exactOptional(),
        outcome: z.enum(OUTCOMES),
        reason: z.string().exactOptional(),
        detail: z.string().exactOptional(),
      }),
    )
    .readonly()
    .describe("the first records that were rejected, failed or are in doubt"),
  rejectsFile: z.string().exactOptional(),
});

const verificationSchema = z.strictObject({
  exitStatus: count,
  records: count,
  standings: z.strictObject(
    Object.fromEntries(STANDINGS.map((standing) => [standing, count])) as Record<
      (typeof STANDINGS)[number],
      typeof count
    >,
  ),
  extra: count.describe("records on the target that the dump lacks"),
  differences: z.array(foundSchema).readonly().describe("the first of them"),
  differenceCount: count,
  differencesFile: z.string().exactOptional(),
  unproven: sentences.describe("what the target does not tell"),
});

const assertionSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(["count", "record", "command"]),
  line: count.describe("in the assertions file"),
  outcome: z.enum(["passed", "failed", "not-checked"]),
  detail: z.string().exactOptional(),
  durationMs: count.exactOptional(),
  output: z.string().exactOptional().describe("the end of what a command said, without secrets"),
});

const objectiveSchema = z.strictObject({
  ms: count.exactOptional().describe("absent: it could not be measured"),
  maxMs: count.exactOptional(),
  met: z.boolean().exactOptional().describe("absent where no limit was set"),
});

const trendSchema = z.strictObject({
  series: z.string(),
  drills: z
    .array(
      z.strictObject({
        drill: z.string(),
        startedAt: z.string(),
        verdict: z.enum(VERDICTS),
        records: count,
        restoreMs: count.exactOptional(),
        recordsPerSecond: z.number().nonnegative().exactOptional(),
      }),
    )
    .readonly()
    .describe("the last ones of the same dumps, scopes and kind of target"),
  medianMs: z.number().nonnegative().exactOptional(),
  remark: z.string().exactOptional(),
});

export const drillReportSchema = z.strictObject({
  drillReportVersion: z.literal(1),
  drill: z.string(),
  verdict: z.enum(VERDICTS),
  exitStatus: count,
  failures: sentences.describe("why it did not pass, a sentence each"),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  durationMs: count,
  dump: z.strictObject({
    path: z.string(),
    digest: z.string().exactOptional().describe("SHA-256 over MANIFEST.json and CHECKSUMS"),
    takenAt: z.string().exactOptional(),
    phase: z.string().exactOptional(),
    files: count.exactOptional(),
    bytes: count.exactOptional(),
    picked: pickedSchema.exactOptional(),
  }),
  ttlPolicy: z.enum(TTL_POLICIES),
  target: z.strictObject({
    kind: z.enum(["sandbox", "named"]),
    name: z.string().exactOptional(),
    servers: z.array(serverSchema).readonly(),
  }),
  times: z.strictObject({
    serversMs: count.exactOptional().describe("until the sandbox's servers answered"),
    firstRecordMs: count.exactOptional().describe("from the restore's begin to the first record"),
    restoreMs: count
      .exactOptional()
      .describe("check of the dump and restore, from begin to end; without the servers' start"),
    verifyMs: count.exactOptional(),
    assertionsMs: count.exactOptional(),
  }),
  adapters: z.array(paceSchema).readonly(),
  restore: restoreSchema.exactOptional(),
  verification: verificationSchema.exactOptional(),
  assertions: z.array(assertionSchema).readonly(),
  objectives: z.strictObject({
    recoveryTime: objectiveSchema.describe("restoreMs beside --max-rto"),
    recoveryPoint: objectiveSchema.describe("the dump's age when the drill began, beside --max-rpo"),
  }),
  trend: trendSchema,
  cleanUp: z.strictObject({
    removed: sentences,
    left: sentences.describe("what could not be removed, and why; `drill --clean` tries again"),
  }),
  warnings: sentences,
  notRestorable: sentences,
  error: z
    .strictObject({
      code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      hint: z.string().exactOptional(),
    })
    .exactOptional()
    .describe("what ended the drill before its end"),
});

export type DrillReport = z.infer<typeof drillReportSchema>;
