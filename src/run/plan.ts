/** What a run would do, as data: made from a prepared run by reading every record, without writing. */

import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import type { ScopePresence } from "../model/policy.js";
import { type Adapter, scopeLabel } from "../model/scope.js";
import { resolveExpiry } from "../modes/expiry.js";
import type { ModeName, ScopeDecision } from "../modes/mode.js";
import { assertAcceptable, type PreparedScope } from "./inspection.js";
import { assertMemory, memoryWarnings } from "./memory.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { recordSource } from "./run-records.js";
import { type ScopeSurvey, surveyScope } from "./survey.js";

export interface PlannedTarget {
  readonly adapter: Adapter;
  /** Without secrets. */
  readonly endpoint: string;
  /** The option, variable or named target that gave the endpoint. */
  readonly origin: string;
  readonly server: string;
  readonly fallbacks: readonly string[];
}

export interface PlannedScope {
  readonly adapter: Adapter;
  readonly scope: string;
  readonly target: string;
  readonly presence: ScopePresence;
  /** Records on the target now; absent where it cannot be asked. */
  readonly holds?: { readonly value: number; readonly exact: boolean };
  readonly decision: ScopeDecision;
  readonly files: number;
  readonly bytes: number;
  /** Absent before the records were read. */
  readonly records?: number;
  /** Payload of the records that can be read and are selected. */
  readonly recordBytes?: number;
  readonly malformed?: number;
  readonly expired?: number;
  readonly empty?: number;
  /** Records that the transform drops, not among `records`. Present where there is a transform. */
  readonly leftOut?: number;
  /** Requests that the records take at least, in batches as large as the target takes them. */
  readonly requests?: number;
  readonly warnings: readonly string[];
}

export interface Plan {
  readonly dump: {
    readonly path: string;
    readonly takenAt: string;
    readonly phase: string;
    readonly files: number;
    readonly bytes: number;
  };
  readonly mode: ModeName;
  /** The module through which every record goes. */
  readonly transform?: string;
  /** Only records that a report lists. */
  readonly retry?: { readonly report: string; readonly records: number };
  readonly targets: readonly PlannedTarget[];
  readonly scopes: readonly PlannedScope[];
  /** Seconds that the rate limits alone make it take; absent without limits. */
  readonly atLeastSeconds?: number;
  readonly warnings: readonly string[];
  /** Why `apply` would refuse to run; absent when it would not. */
  readonly refusal?: { readonly message: string; readonly hint?: string; readonly exitStatus: number };
}

/** The plan as known without reading records. */
export function outlinePlan(run: PreparedRun): Plan {
  const { options, dump, checked } = run;
  return {
    dump: {
      path: options.dump,
      takenAt: dump.manifest.wallTime.iso,
      phase: dump.manifest.phase,
      files: checked.files,
      bytes: checked.bytes,
    },
    mode: options.mode.name,
    ...(options.transform === undefined ? {} : { transform: options.transform.name }),
    ...(options.retry === undefined ? {} : { retry: { report: options.retry.report, records: options.retry.count } }),
    targets: run.replayers.all().map((replayer) => ({
      adapter: replayer.adapter,
      endpoint: replayer.endpoint,
      origin: options.targets[replayer.adapter]?.origin ?? "",
      server: run.capabilities.get(replayer.adapter)?.server ?? "",
      fallbacks: run.capabilities.get(replayer.adapter)?.fallbacks ?? [],
    })),
    scopes: run.scopes.map(plannedScope),
    warnings: [...dump.manifest.warnings, ...dump.warnings, ...memoryWarnings(run), ...retryWarnings(run)],
  };
}

function retryWarnings({ options, scopes }: PreparedRun): string[] {
  if (options.retry === undefined || !scopes.some(({ scope }) => scope.adapter === "sqs")) return [];
  return ["messages that are sent again come behind those that were restored: their queues' order is another one"];
}

function plannedScope({ scope, state, decision, size }: PreparedScope): PlannedScope {
  return {
    adapter: scope.adapter,
    scope: scope.name,
    target: scope.target,
    presence: state.presence,
    ...(state.count === undefined ? {} : { holds: state.count }),
    decision,
    ...size,
    warnings: [...scope.warnings, ...state.warnings],
  };
}

/** Prepares a run, reads every record, and says what it would do. Writes nothing. @throws RestoreError as `prepare` */
export async function plan(options: RunOptions): Promise<Plan> {
  const run = await prepare(options);
  try {
    const outline = outlinePlan(run);
    const scopes: PlannedScope[] = [];
    for (const [at, prepared] of run.scopes.entries()) {
      const survey = await surveyScope({ ...surveyInit(run), source: recordSource(run, prepared.scope) });
      const planned = outline.scopes[at];
      if (planned !== undefined) scopes.push(surveyed(planned, survey, run));
    }
    const seconds = limitedSeconds(scopes, options);
    const unmatched = run.selection.warningFor(scopes.reduce((sum, { records = 0 }) => sum + records, 0));
    const warnings = unmatched === undefined ? outline.warnings : [...outline.warnings, unmatched];
    return {
      ...outline,
      scopes,
      warnings,
      ...(seconds === undefined ? {} : { atLeastSeconds: seconds }),
      ...refusalOf(run),
    };
  } finally {
    await run.close();
  }
}

function surveyInit(run: PreparedRun) {
  const { options, dump, startedAt } = run;
  const times = { now: startedAt, dumpTakenAt: dump.manifest.wallTime.unixMs, jobStartedAt: startedAt };
  return {
    isExpired: (expireAtMs: bigint | undefined) => resolveExpiry(expireAtMs, options.ttlPolicy, times).kind === "skip",
    progress: options.progress,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

function surveyed(planned: PlannedScope, survey: ScopeSurvey, run: PreparedRun): PlannedScope {
  const { records, bytes: recordBytes, malformed, expired, empty, leftOut, warnings } = survey;
  const batch = run.capabilities.get(planned.adapter)?.batch.records ?? 1;
  const sent = records - malformed - expired - empty;
  // A pipeline of Redis commands is still a request a record; an object takes a request of its own.
  const aRequest = planned.adapter === "dynamodb" || planned.adapter === "sqs" ? batch : 1;
  const requests = planned.decision === "skip" ? 0 : Math.ceil(sent / aRequest);
  return {
    ...planned,
    records,
    recordBytes,
    malformed,
    expired,
    empty,
    ...(run.options.transform === undefined ? {} : { leftOut }),
    requests,
    warnings: [...planned.warnings, ...warnings],
  };
}

/** Limits count operations and bytes; a shared limit is spent by all adapters together. */
function limitedSeconds(scopes: readonly PlannedScope[], { limits }: RunOptions): number | undefined {
  const seconds = scopes.map(({ adapter }) => adapter);
  const demand = (of: (adapter: Adapter) => boolean) => {
    const counted = scopes.filter(({ adapter, decision }) => of(adapter) && decision !== "skip");
    const ops = counted.reduce(
      (sum, { records = 0, malformed = 0, expired = 0 }) => sum + records - malformed - expired,
      0,
    );
    return { ops, bytes: counted.reduce((sum, { recordBytes = 0 }) => sum + recordBytes, 0) };
  };
  const times = [
    limits.all === undefined
      ? undefined
      : secondsFor(
          demand(() => true),
          limits.all,
        ),
    ...[...new Set(seconds)].map((adapter) => {
      const limit = limits[adapter];
      return limit === undefined
        ? undefined
        : secondsFor(
            demand((other) => other === adapter),
            limit,
          );
    }),
  ].filter((value) => value !== undefined);
  return times.length === 0 ? undefined : Math.max(...times);
}

function secondsFor(
  demand: { readonly ops: number; readonly bytes: number },
  limit: { readonly opsPerSecond?: number; readonly bytesPerSecond?: number },
): number {
  return Math.max(demand.ops / (limit.opsPerSecond ?? Infinity), demand.bytes / (limit.bytesPerSecond ?? Infinity));
}

function refusalOf(run: PreparedRun): Pick<Plan, "refusal"> {
  try {
    assertAcceptable(run);
    assertMemory(run);
    return {};
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    const { message, hint, exitStatus } = error;
    return { refusal: { message, exitStatus, ...(hint === undefined ? {} : { hint }) } };
  }
}

/** `dynamodb:orders` or `dynamodb:orders → orders_copy`, printable. */
export function plannedLabel(scope: PlannedScope): string {
  const label = escapeForDisplay(scopeLabel({ adapter: scope.adapter, name: scope.scope }));
  return scope.target === scope.scope ? label : `${label} → ${escapeForDisplay(scope.target)}`;
}
