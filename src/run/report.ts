/**
 * The report: what a run did, as data with a published schema. Sums are the ledger's; the schema is the source of the
 * report's type, so that what is published and what is written cannot differ.
 */
import { z } from "zod";
import { ERROR_CODES, type ErrorCode, EXIT } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { NOTES, OUTCOMES } from "../model/outcome.js";
import { ADAPTERS, type Scope } from "../model/scope.js";
import { TTL_POLICIES } from "../modes/expiry.js";
import { MODE_NAMES } from "../modes/mode.js";
import type { Ledger } from "./ledger.js";
import type { Plan } from "./plan.js";
import type { PreparedRun } from "./prepare.js";
import type { Rejects } from "./rejects.js";
import type { ReplayEnd } from "./replay.js";

const count = z.int().nonnegative();

const totals = z.strictObject(
  Object.fromEntries(OUTCOMES.map((kind) => [kind, count])) as Record<(typeof OUTCOMES)[number], typeof count>,
);

const note = z.strictObject({ kind: z.enum(NOTES), detail: z.string().exactOptional() });

const entries = z.strictObject({
  restored: count,
  skippedExisting: count,
  rejected: count,
  refused: z
    .array(z.strictObject({ id: z.string(), reason: z.string() }))
    .readonly()
    .exactOptional(),
});

const listedRecord = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  path: z.string().describe("file in the dump, relative to its root"),
  line: count.exactOptional(),
  key: z.string().describe("the record's key, printable; binary keys as base64:<base64url>"),
  outcome: z.enum(OUTCOMES),
  reason: z.string().exactOptional(),
  detail: z.string().exactOptional(),
  notes: z.array(note).readonly().exactOptional(),
  entries: entries.exactOptional(),
});

const reportedScope = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  presence: z.enum(["absent", "empty", "holds-records"]).describe("what stood on the target before the run"),
  decision: z.enum(["create", "keep", "empty", "refuse", "skip"]),
  recordsRead: count,
  outcomes: totals,
  notReached: count,
  leftOut: count.exactOptional(),
  reasons: z.record(z.string(), count).describe("outcome/reason: how many records"),
  notes: z.record(z.string(), count),
  entries: z.strictObject({ restored: count, skippedExisting: count, rejected: count }).describe("stream entries"),
  bytesRestored: count,
  durationMs: count,
  warnings: z.array(z.string()).readonly(),
  error: z.string().exactOptional().describe("why the scope itself is not as the dump has it"),
});

export const reportSchema = z.strictObject({
  reportVersion: z.literal(1),
  status: z.enum(["finished", "stopped"]),
  exitStatus: count,
  startedAt: z.iso.datetime(),
  durationMs: count,
  dump: z.strictObject({ path: z.string(), takenAt: z.string(), phase: z.string(), files: count, bytes: count }),
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
      requests: count,
      retries: count,
      throttled: count,
    }),
  ),
  recordsRead: count.describe("the sum of totals and notReached"),
  totals,
  notReached: count.describe("records read before the run was stopped that have no outcome"),
  leftOut: count.exactOptional().describe("records that the transform dropped; they are not among recordsRead"),
  scopes: z.array(reportedScope).readonly(),
  listed: z.array(listedRecord).readonly().describe("the first records that are not plainly restored"),
  listedCount: count.describe("all of them; they stand in rejectsFile"),
  rejectsFile: z.string().exactOptional(),
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
  readonly plan: Plan;
  readonly end: ReplayEnd;
  readonly ledger: Ledger;
  readonly rejects: Rejects;
  readonly durationMs: number;
}

/** Puts a run's report together. @throws RestoreError INTERNAL when a finished run's sums do not add up */
export function makeReport(init: ReportInit): Report {
  const { run, plan, end, ledger, rejects } = init;
  const stopped = end.error !== undefined;
  if (!stopped) ledger.assertComplete();
  const scopes = run.scopes.map(({ scope }, i) => reportScope(scope, plan.scopes[i], init));
  const report: Report = {
    reportVersion: 1,
    status: stopped ? "stopped" : "finished",
    exitStatus: EXIT.ok,
    startedAt: new Date(run.startedAt).toISOString(),
    durationMs: Math.round(init.durationMs),
    dump: plan.dump,
    mode: plan.mode,
    ...(plan.transform === undefined ? {} : { transform: plan.transform }),
    ttlPolicy: run.options.ttlPolicy,
    targets: reportTargets(init),
    recordsRead: ledger.recordsRead,
    totals: ledger.totals(),
    notReached: ledger.notReached,
    ...(run.options.transform === undefined ? {} : { leftOut: ledger.leftOut }),
    scopes,
    listed: rejects.first,
    listedCount: rejects.count,
    ...(rejects.path === undefined || rejects.count === 0 ? {} : { rejectsFile: rejects.path }),
    warnings: stopped ? plan.warnings : withWarning(plan.warnings, run.selection.warningFor(ledger.recordsRead)),
    notRestorable: notRestorable(run),
    ...(stopped ? { error: reportError(end.error) } : {}),
  };
  return { ...report, exitStatus: exitStatusOf(report, end.error) };
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

function reportScope(scope: Scope, planned: Plan["scopes"][number] | undefined, init: ReportInit): ReportedScope {
  const ledger = init.ledger.scope(scope);
  const end = init.end.scopes.find((other) => other.scope === scope);
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    presence: planned?.presence ?? "absent",
    decision: planned?.decision ?? "create",
    recordsRead: ledger.recordsRead,
    outcomes: ledger.totals,
    notReached: ledger.notReached,
    ...(init.run.options.transform === undefined ? {} : { leftOut: ledger.leftOut }),
    reasons: Object.fromEntries(ledger.reasons),
    notes: Object.fromEntries(ledger.notes),
    entries: ledger.entries,
    bytesRestored: ledger.bytesRestored,
    durationMs: Math.round(end?.durationMs ?? 0),
    warnings: [...(planned?.warnings ?? []), ...(end?.warnings ?? [])],
    ...(end?.error === undefined ? {} : { error: end.error }),
  };
}

function reportError(error: unknown): NonNullable<Report["error"]> {
  if (!(error instanceof RestoreError)) {
    return { code: "INTERNAL", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** The first that applies: interrupted, stopped, target, dump, records left over, none. */
function exitStatusOf(report: Report, error: unknown): number {
  if (error !== undefined) {
    const status = error instanceof RestoreError ? error.exitStatus : EXIT.stopped;
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
