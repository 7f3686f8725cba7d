/** What is known of a drill while it goes on, and the report that it becomes. */
import { EXIT } from "../../errors/codes.js";
import { interruptionStatus } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import type { Adapter } from "../../model/scope.js";
import type { TtlPolicy } from "../../modes/expiry.js";
import { present } from "../../support/present.js";
import { WANTING } from "../listed-summary.js";
import type { Report } from "../report.js";
import type { Verification } from "../verify/report.js";
import type { CleanUp } from "./clean-up.js";
import type { AdapterPace } from "./measured.js";
import type { PickedDump } from "./pick.js";
import type { DrillReport } from "./report.js";
import type { ServerKind } from "./tools.js";
import type { Trend } from "./trend.js";
import { verdictOf } from "./verdict.js";

export type DrillServer = DrillReport["target"]["servers"][number] & { readonly how: ServerKind | "named" };

export interface DrillFacts {
  readonly drill: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly dump: string;
  readonly picked?: PickedDump;
  readonly target: { readonly kind: "named" | "sandbox"; readonly name?: string };
  readonly ttlPolicy: TtlPolicy;
  readonly objectives: { readonly maxRtoMs?: number; readonly maxRpoMs?: number };
  /** Of the manifest, Unix milliseconds. */
  takenAtMs?: number;
  servers: DrillServer[];
  times: { -readonly [K in keyof DrillReport["times"]]: DrillReport["times"][K] };
  paces: readonly AdapterPace[];
  restore?: Report;
  verification?: Verification;
  assertions: DrillReport["assertions"];
  warnings: string[];
  /** What ended it before its end. */
  error?: unknown;
}

export interface Ending {
  readonly endedAt: number;
  readonly durationMs: number;
  readonly cleanUp: CleanUp;
  readonly series: string;
  readonly trend: Trend;
  readonly signal?: AbortSignal;
}

export function drillReport(facts: DrillFacts, ending: Ending): DrillReport {
  const objectives = objectivesOf(facts);
  const failures = failuresOf(facts, objectives);
  const status = statusOf(facts, failures.length, ending);
  const left = ending.cleanUp.left.length > 0;
  const { picked, restore, verification } = facts;
  return {
    drillReportVersion: 1,
    drill: facts.drill,
    verdict: verdictOf(status),
    exitStatus: left && (status === EXIT.ok || status === EXIT.differences) ? EXIT.stopped : status,
    failures: [...failures, ...(left ? ["not everything that the drill made could be removed"] : [])],
    startedAt: new Date(facts.startedAt).toISOString(),
    endedAt: new Date(ending.endedAt).toISOString(),
    durationMs: Math.round(ending.durationMs),
    dump: {
      path: facts.dump,
      ...present({
        digest: restore?.dump.digest,
        takenAt: restore?.dump.takenAt ?? isoOf(facts.takenAtMs),
        phase: restore?.dump.phase,
        files: restore?.dump.files,
        bytes: restore?.dump.bytes,
      }),
      ...(picked === undefined ? {} : { picked: pickedOf(picked) }),
    },
    ttlPolicy: facts.ttlPolicy,
    target: { ...facts.target, servers: facts.servers },
    times: facts.times,
    adapters: facts.paces.map((pace) => ({
      ...pace,
      timeline: pace.timeline.map(([ms, records, bytes]): [number, number, number] => [ms, records, bytes]),
    })),
    ...(restore === undefined ? {} : { restore: restored(restore) }),
    ...(verification === undefined ? {} : { verification: verified(verification) }),
    assertions: facts.assertions,
    objectives,
    trend: { series: ending.series, ...ending.trend },
    cleanUp: ending.cleanUp,
    warnings: warningsOf(facts),
    notRestorable: restore?.notRestorable ?? [],
    ...(facts.error === undefined ? {} : { error: errorOf(facts.error) }),
  };
}

function pickedOf({ how, root, from, unreadable }: PickedDump): NonNullable<DrillReport["dump"]["picked"]> {
  return { how, root, from, unreadable };
}

function isoOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function warningsOf({ warnings, restore }: DrillFacts): string[] {
  const scopes = (restore?.scopes ?? []).flatMap(({ adapter, scope, warnings: own }) =>
    own.map((text) => [`${adapter}:${scope}`, text] as const),
  );
  return [...new Set([...warnings, ...(restore?.warnings ?? []), ...saidOnce(scopes)])];
}

const SCOPES_NAMED = 3;

/** What is said of several scopes is said once. */
function saidOnce(all: readonly (readonly [scope: string, text: string])[]): string[] {
  const scopes = new Map<string, string[]>();
  for (const [scope, text] of all) scopes.set(text, [...(scopes.get(text) ?? []), scope]);
  return [...scopes].map(([text, where]) => {
    const more = where.length > SCOPES_NAMED ? ` and ${where.length - SCOPES_NAMED} more` : "";
    return `${where.slice(0, SCOPES_NAMED).join(", ")}${more}: ${text}`;
  });
}

type Objectives = DrillReport["objectives"];

function objectivesOf({ times, takenAtMs, startedAt, restore, objectives }: DrillFacts): Objectives {
  const { maxRtoMs, maxRpoMs } = objectives;
  // A restore that was stopped took no time that anybody could count on.
  const restoreMs = restore?.status === "finished" ? times.restoreMs : undefined;
  const age = takenAtMs === undefined ? undefined : Math.max(0, startedAt - takenAtMs);
  return { recoveryTime: objective(restoreMs, maxRtoMs), recoveryPoint: objective(age, maxRpoMs) };
}

function objective(ms: number | undefined, maxMs: number | undefined): Objectives["recoveryTime"] {
  const met = maxMs === undefined || ms === undefined ? undefined : ms <= maxMs;
  return present({ ms: ms === undefined ? undefined : Math.round(ms), maxMs, met });
}

/** What was looked at after a restore that came to its end, and is not as it should be. */
function failuresOf(facts: DrillFacts, { recoveryTime, recoveryPoint }: Objectives): string[] {
  const { verification, assertions } = facts;
  const failed = assertions.filter(({ outcome }) => outcome === "failed");
  return [
    ...(verification === undefined || verification.exitStatus !== EXIT.differences
      ? []
      : ["the target is not what the dump says"]),
    ...failed.map(({ name, detail }) => `${name}: ${detail ?? "it does not hold"}`),
    ...(recoveryTime.met === false ? ["the restore took longer than --max-rto allows"] : []),
    ...(recoveryPoint.met === false ? ["the dump is older than --max-rpo allows"] : []),
  ];
}

/** The first that applies: interrupted, stopped, target, dump, records left over, failed, none. */
const PRECEDENCE: readonly number[] = [
  EXIT.interrupted,
  EXIT.terminated,
  EXIT.stopped,
  EXIT.usage,
  EXIT.target,
  EXIT.dump,
  EXIT.incomplete,
  EXIT.differences,
];

function statusOf({ error, restore, verification }: DrillFacts, failures: number, { signal }: Ending): number {
  const met = new Set([
    ...(error === undefined ? [] : [errorStatus(error, signal)]),
    restore?.exitStatus ?? EXIT.ok,
    verification?.exitStatus ?? EXIT.ok,
    failures > 0 ? EXIT.differences : EXIT.ok,
  ]);
  return PRECEDENCE.find((status) => met.has(status)) ?? EXIT.ok;
}

function errorStatus(error: unknown, signal: AbortSignal | undefined): number {
  if (!(error instanceof RestoreError)) return EXIT.stopped;
  if (error.code === "INTERRUPTED") return interruptionStatus(signal);
  // One call's failure that ended the drill.
  return error.exitStatus === EXIT.incomplete ? EXIT.stopped : error.exitStatus;
}

function errorOf(error: unknown): NonNullable<DrillReport["error"]> {
  if (!(error instanceof RestoreError)) {
    return { code: "INTERNAL", message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const { code, message, hint } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

const LISTED = 200;

function restored(report: Report): NonNullable<DrillReport["restore"]> {
  const { status, exitStatus, recordsRead, totals, notReached, scopes, listed, rejectsFile } = report;
  const reasons: Record<string, number> = {};
  for (const scope of scopes) {
    for (const [reason, records] of Object.entries(scope.reasons)) {
      if (WANTING.some((kind) => reason.startsWith(`${kind}/`))) reasons[reason] = (reasons[reason] ?? 0) + records;
    }
  }
  return {
    ...{ status, exitStatus, recordsRead, totals, notReached, reasons },
    bytesRestored: scopes.reduce((sum, scope) => sum + scope.bytesRestored, 0),
    scopes: scopes.map((scope) => ({
      adapter: scope.adapter,
      scope: scope.scope,
      target: scope.target,
      recordsRead: scope.recordsRead,
      outcomes: scope.outcomes,
      notReached: scope.notReached,
      bytesRestored: scope.bytesRestored,
      durationMs: scope.durationMs,
      ...(scope.error === undefined ? {} : { error: scope.error }),
    })),
    listed: listed
      .filter(({ outcome }) => WANTING.some((kind) => kind === outcome))
      .slice(0, LISTED)
      .map(({ adapter, scope, key, path, outcome, ...rest }) => ({
        ...{ adapter, scope, key, path, outcome },
        ...present({ line: rest.line, reason: rest.reason, detail: rest.detail }),
      })),
    ...(rejectsFile === undefined ? {} : { rejectsFile }),
  };
}

function verified(verification: Verification): NonNullable<DrillReport["verification"]> {
  const { exitStatus, records, standings, extra, differences, differenceCount, differencesFile, scopes } = verification;
  const unproven = scopes.flatMap(({ adapter, scope, unproven: all, notListed }) =>
    [...all.map(({ what }) => what), ...(notListed === undefined ? [] : [notListed])].map(
      (what) => [`${adapter}:${scope}`, what] as const,
    ),
  );
  return {
    ...{ exitStatus, records, standings, extra, differenceCount },
    differences: differences.slice(0, LISTED),
    ...(differencesFile === undefined ? {} : { differencesFile }),
    unproven: saidOnce(unproven),
  };
}

/** The adapters of a drill's scopes, each once. */
export function adaptersOf(scopes: readonly { readonly adapter: Adapter }[]): Adapter[] {
  return [...new Set(scopes.map(({ adapter }) => adapter))];
}
