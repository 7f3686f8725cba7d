/**
 * The report: what a run did, as data with a published schema. Sums are the ledger's; the schema is the source of the
 * report's type, so that what is published and what is written cannot differ.
 */
import * as z from "zod";
import { ERROR_CODES, type ErrorCode, EXIT } from "../errors/codes.js";
import { interruptionStatus } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import { ADAPTERS, type Scope, scopeLabel } from "../model/scope.js";
import { TTL_POLICIES } from "../modes/expiry.js";
import { MODE_NAMES } from "../modes/mode.js";
import type { Job } from "./job/job.js";
import { listedRecordSchema } from "./journal/entries.js";
import type { Ledger } from "./ledger.js";
import type { ListedRecord } from "./listed-record.js";
import type { ListedSummary } from "./listed-summary.js";
import type { Outline } from "./plan/plan-schema.js";
import type { PreparedRun } from "./prepare.js";
import type { ReplayEnd } from "./replay.js";
import { entriesSchema, totalsSchema } from "./tally.js";
import type { TimelinePoint } from "./timeline.js";
import { verificationSchema } from "./verify/report.js";

const count = z.int().nonnegative();

const reportedScope = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  presence: z.enum(["absent", "empty", "holds-records"]).describe("what stood on the target before the run"),
  decision: z.enum(["create", "keep", "empty", "refuse", "skip"]),
  recordsRead: count,
  outcomes: totalsSchema,
  notReached: count,
  leftOut: count.exactOptional(),
  reasons: z.record(z.string(), count).describe("outcome/reason: how many records"),
  notes: z.record(z.string(), count),
  entries: entriesSchema.describe("stream entries"),
  bytesRestored: count,
  durationMs: count.describe("of work on it: pauses left out"),
  warnings: z.array(z.string()).readonly(),
  error: z.string().exactOptional().describe("why the scope itself is not as the dump has it"),
  recordsPerSecond: z.number().nonnegative().describe("restored by this process, while it worked on the scope"),
  firstError: listedRecordSchema.exactOptional().describe("the first record that was rejected, failed or in doubt"),
  lastError: listedRecordSchema.exactOptional(),
});

/** What the process did that wrote the report: of a job that was never stopped, all. */
const thisProcess = z.strictObject({
  durationMs: count,
  pausedMs: count.exactOptional().describe("of durationMs, in which it was paused; absent: never"),
  restored: count,
  bytesRestored: count,
  recordsPerSecond: z.number().nonnegative().describe("pauses left out"),
  timeline: z
    .array(z.tuple([count, count, count]))
    .readonly()
    .describe("milliseconds since its first write, records that had ended, bytes restored"),
});

export const reportSchema = z.strictObject({
  reportVersion: z.literal(1),
  job: z.string().describe("the job's id; a job that was stopped is taken up by it"),
  resumed: z.boolean().describe("whether earlier processes of the job did a part; counts are of all of them"),
  status: z.enum(["finished", "stopped"]),
  exitStatus: count,
  startedAt: z.iso.datetime(),
  durationMs: count,
  endedAt: z.iso.datetime(),
  dump: z.strictObject({
    path: z.string(),
    digest: z.string().describe("SHA-256 over MANIFEST.json and CHECKSUMS"),
    takenAt: z.string(),
    phase: z.string(),
    files: count,
    bytes: count,
  }),
  mode: z.enum(MODE_NAMES),
  transform: z.string().exactOptional().describe("the module through which every record went"),
  ttlPolicy: z.enum(TTL_POLICIES),
  targets: z.array(
    z.strictObject({
      adapter: z.enum(ADAPTERS),
      endpoint: z.string(),
      origin: z.string(),
      server: z.string(),
      fallbacks: z.array(z.string()).readonly(),
      requests: count.describe("of this process, as are retries and throttled"),
      retries: count,
      throttled: count,
    }),
  ),
  recordsRead: count.describe("the sum of totals and notReached"),
  totals: totalsSchema,
  notReached: count.describe("records read before the run was stopped that have no outcome"),
  leftOut: count.exactOptional().describe("records that the transform dropped; they are not among recordsRead"),
  scopes: z.array(reportedScope).readonly(),
  listed: z.array(listedRecordSchema).readonly().describe("the first records that are not plainly restored"),
  listedCount: count.describe("all of them; they stand in rejectsFile"),
  rejectsFile: z.string().exactOptional(),
  retryOf: z.string().exactOptional().describe("the report whose records alone were restored again"),
  ambiguous: z.array(listedRecordSchema).readonly().describe("the first messages that may be there or not"),
  rekeyed: z.array(listedRecordSchema).readonly().describe("the first messages with another deduplication id"),
  thisProcess,
  verification: verificationSchema.exactOptional().describe("how the targets compared with the dump afterwards"),
  warnings: z.array(z.string()).readonly(),
  notRestorable: z.array(z.string()).readonly().describe("what no public endpoint can restore"),
  error: z
    .strictObject({
      code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      hint: z.string().exactOptional(),
    })
    .exactOptional()
    .describe("what stopped the run"),
});

export type Report = z.infer<typeof reportSchema>;
export type ReportedScope = Report["scopes"][number];

export interface ReportInit {
  readonly run: PreparedRun;
  readonly plan: Outline;
  readonly end: ReplayEnd;
  readonly ledger: Ledger;
  readonly job: Pick<Job, "id" | "isResumed">;
  readonly dumpDigest: string;
  readonly listed: ListedSummary;
  /** The file in which the listed records stand. */
  readonly rejectsFile?: string;
  readonly timeline: readonly TimelinePoint[];
  /** Milliseconds that earlier processes worked on the scope. */
  readonly workedBefore: (scope: Scope) => number;
  /** Of this process. */
  readonly durationMs: number;
  /** Of them, in which it was paused. */
  readonly pausedMs: number;
}

/** Puts a run's report together. @throws RestoreError INTERNAL when a finished run's sums do not add up */
export function makeReport(init: ReportInit): Report {
  const { run, plan, end, ledger, listed, job } = init;
  const stopped = end.error !== undefined;
  if (!stopped) assertSums(init);
  const scopes = run.scopes.map(({ scope }, i) => reportScope(scope, plan.scopes[i], init));
  const report: Report = {
    reportVersion: 1,
    job: job.id,
    resumed: job.isResumed,
    status: stopped ? "stopped" : "finished",
    exitStatus: EXIT.ok,
    startedAt: new Date(run.startedAt).toISOString(),
    durationMs: Math.round(init.durationMs),
    endedAt: new Date(run.options.clock.now()).toISOString(),
    dump: { ...plan.dump, digest: init.dumpDigest },
    mode: plan.mode,
    ...(plan.transform === undefined ? {} : { transform: plan.transform }),
    ttlPolicy: run.options.ttlPolicy,
    targets: reportTargets(init),
    recordsRead: ledger.recordsRead,
    totals: ledger.totals(),
    notReached: ledger.notReached,
    ...(run.options.transform === undefined ? {} : { leftOut: ledger.leftOut }),
    scopes,
    listed: asReported(listed.first),
    listedCount: listed.count,
    ...(init.rejectsFile === undefined ? {} : { rejectsFile: init.rejectsFile }),
    ...(run.options.retry === undefined ? {} : { retryOf: run.options.retry.report }),
    ambiguous: asReported(listed.inDoubt),
    rekeyed: asReported(listed.rekeyed),
    thisProcess: workOf(init),
    warnings: stopped ? plan.warnings : withWarning(plan.warnings, run.selection.warningFor(ledger.recordsRead)),
    notRestorable: notRestorable(run),
    ...(stopped ? { error: reportError(end.error) } : {}),
  };
  return { ...report, exitStatus: exitStatusOf(report, end.error, run.options.signal) };
}

/** @throws RestoreError INTERNAL when a record has no outcome, or one that is not restored is not listed */
function assertSums({ run, ledger, listed }: ReportInit): void {
  ledger.assertComplete();
  for (const { scope } of run.scopes) {
    const kind = listed.missing(scope, ledger.scope(scope).tally.totals);
    if (kind === undefined) continue;
    throw new RestoreError(
      "INTERNAL",
      `of ${scopeLabel(scope)} not as many records are listed as ${kind} as were counted`,
    );
  }
}

function asReported(records: readonly ListedRecord[]): Report["listed"] {
  return records as Report["listed"];
}

function workOf({ ledger, timeline, durationMs, pausedMs }: ReportInit): Report["thisProcess"] {
  const { restored, bytes } = ledger.here;
  return {
    durationMs: Math.round(durationMs),
    ...(pausedMs === 0 ? {} : { pausedMs: Math.round(pausedMs) }),
    restored,
    bytesRestored: bytes,
    recordsPerSecond: perSecond(restored, durationMs - pausedMs),
    timeline: timeline.map(([ms, records, size]): [number, number, number] => [ms, records, size]),
  };
}

function perSecond(records: number, ms: number): number {
  return Math.round((records / Math.max(ms, 1)) * 10_000) / 10;
}

function withWarning(warnings: readonly string[], more: string | undefined): readonly string[] {
  return more === undefined ? warnings : [...warnings, more];
}

function reportTargets({ run, plan }: ReportInit): Report["targets"] {
  return run.replayers.all().flatMap((replayer) => {
    const target = plan.targets.find(({ adapter }) => adapter === replayer.adapter);
    return target === undefined ? [] : [{ ...target, ...replayer.stats }];
  });
}

function reportScope(scope: Scope, planned: Outline["scopes"][number] | undefined, init: ReportInit): ReportedScope {
  const ledger = init.ledger.scope(scope);
  const { tally } = ledger;
  const end = init.end.scopes.find((other) => other.scope === scope);
  const errors = init.listed.errorsOf(scope);
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    presence: planned?.presence ?? "absent",
    decision: planned?.decision ?? "create",
    recordsRead: ledger.recordsRead,
    outcomes: tally.totals,
    notReached: ledger.notReached,
    ...(init.run.options.transform === undefined ? {} : { leftOut: tally.leftOut }),
    reasons: Object.fromEntries(tally.reasons),
    notes: Object.fromEntries(tally.notes),
    entries: tally.entries,
    bytesRestored: tally.bytesRestored,
    durationMs: Math.round(end?.durationMs ?? 0),
    warnings: [...(planned?.warnings ?? []), ...(end?.warnings ?? [])],
    ...(end?.error === undefined ? {} : { error: end.error }),
    recordsPerSecond: perSecond(ledger.here.restored, (end?.durationMs ?? 0) - init.workedBefore(scope)),
    ...(errors === undefined
      ? {}
      : { firstError: errors.first as Report["listed"][number], lastError: errors.last as Report["listed"][number] }),
  };
}

function reportError(error: unknown): NonNullable<Report["error"]> {
  if (!(error instanceof RestoreError)) {
    return { code: "INTERNAL", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** The first that applies: interrupted, stopped, target, dump, records left over, none. */
function exitStatusOf(report: Report, error: unknown, signal: AbortSignal | undefined): number {
  if (error !== undefined) {
    const status = error instanceof RestoreError ? error.exitStatus : EXIT.stopped;
    if (status === EXIT.interrupted) return interruptionStatus(signal);
    // A call's own failure leaves a finished run incomplete; a run that it stopped is stopped.
    return status === EXIT.incomplete ? EXIT.stopped : status;
  }
  const { rejected, failed, ambiguous } = report.totals;
  const left = rejected + failed + ambiguous + report.scopes.filter((scope) => scope.error !== undefined).length;
  return left > 0 ? EXIT.incomplete : EXIT.ok;
}

/** Said in every report, for the kinds of data that the run held. */
const NOT_RESTORABLE: Record<Scope["adapter"], string> = {
  dynamodb: "DynamoDB: table streams, point-in-time recovery settings, creation times",
  s3: "S3: last-modified times, owners, versions of objects",
  redis: "Redis: consumer groups of streams (a dump holds none)",
  sqs: "SQS: message ids, senders, sent times, receive counts, sequence numbers, receipts, dead-letter sources",
};

function notRestorable(run: PreparedRun): string[] {
  return ADAPTERS.filter((adapter) => run.scopes.some(({ scope }) => scope.adapter === adapter)).map(
    (adapter) => NOT_RESTORABLE[adapter],
  );
}
