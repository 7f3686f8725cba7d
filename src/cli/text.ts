/** Plans, reports and errors as text. Pure: no stream, no colour that a log would have to carry. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeControls, escapeForDisplay } from "../model/display.js";
import { OUTCOMES } from "../model/outcome.js";
import { type Plan, type PlannedScope, plannedLabel } from "../run/plan.js";
import type { Report, ReportedScope } from "../run/report.js";
import type { DumpVerification } from "../run/verify-dump.js";
import { formatBytes, formatCount, formatDuration, plural, table } from "./format.js";

const LISTED_SHOWN = 20;
const SCOPES_NAMED = 3;

export function planText(plan: Plan): string {
  const { dump, targets, scopes } = plan;
  const surveyed = scopes.some((scope) => scope.records !== undefined);
  return lines([
    `Dump     ${dump.path}`,
    `         taken ${dump.takenAt} (${dump.phase}), ${plural(dump.files, "file")}, ${formatBytes(dump.bytes)}`,
    `Mode     ${MODE_TEXT[plan.mode]}`,
    ...(plan.transform === undefined ? [] : [`Change   every record goes through ${plan.transform}`]),
    ...(plan.retry === undefined
      ? []
      : [`Only     ${plural(plan.retry.records, "record")} that ${plan.retry.report} lists`]),
    ...targets.flatMap((target, i) => [
      `${i === 0 ? "Targets" : "       "}  ${target.adapter.padEnd(8)}  ${target.endpoint}  (${target.origin})  ${target.server}`,
      ...target.fallbacks.map((fallback) => `                   ${fallback}`),
    ]),
    "",
    ...table(
      [
        "scope",
        "on the target",
        "holds",
        "action",
        "files",
        "size",
        "records",
        "malformed",
        "expired",
        "empty",
        "requests",
      ],
      scopes.map(planRow),
      ["holds", "files", "size", "records", "malformed", "expired", "empty", "requests"],
    ),
    ...(surveyed ? ["", ...planSums(plan)] : []),
    ...warningLines([...plan.warnings, ...scopeWarnings(scopes, plannedLabel)]),
    ...(plan.refusal === undefined
      ? []
      : ["", `apply would refuse this: ${plan.refusal.message}`, plan.refusal.hint ?? ""]),
  ]);
}

const MODE_TEXT: Record<Plan["mode"], string> = {
  none: "none: only into scopes that are absent or empty",
  replace: "replace: each scope holds exactly the dump afterwards; what it holds now is deleted",
  merge: "merge: the dump's records win, what the dump does not name stays",
  "skip-existing": "skip-existing: what stands on the target stays untouched",
};

const ACTION: Record<PlannedScope["decision"], string> = {
  create: "create",
  keep: "write into",
  empty: "empty first",
  refuse: "refused",
  skip: "skip whole",
};

const PRESENCE: Record<PlannedScope["presence"], string> = {
  absent: "absent",
  empty: "empty",
  "holds-records": "holds records",
};

function planRow(scope: PlannedScope): string[] {
  const holds = scope.holds;
  return [
    plannedLabel(scope),
    PRESENCE[scope.presence],
    holds === undefined || scope.presence === "absent" ? "" : `${holds.exact ? "" : "~"}${formatCount(holds.value)}`,
    ACTION[scope.decision],
    formatCount(scope.files),
    formatBytes(scope.bytes),
    ...[scope.records, scope.malformed, scope.expired, scope.empty, scope.requests].map((value, i) =>
      value === undefined || (value === 0 && i > 0 && i < 4) ? "" : formatCount(value),
    ),
  ];
}

function planSums({ scopes, atLeastSeconds, transform }: Plan): string[] {
  const sum = (of: (scope: PlannedScope) => number | undefined) =>
    scopes.reduce((total, scope) => total + (of(scope) ?? 0), 0);
  const rest = [
    [
      sum((scope) => scope.malformed),
      `malformed${transform === undefined ? "" : " or not transformed"} (would be rejected)`,
    ],
    [sum((scope) => scope.expired), "expired (would be skipped)"],
    [sum((scope) => scope.empty), "empty (would be skipped)"],
    [sum((scope) => scope.leftOut), "left out by the transform"],
  ] as const;
  const notes = rest.flatMap(([count, text]) => (count === 0 ? [] : [`${formatCount(count)} ${text}`]));
  const time =
    atLeastSeconds === undefined
      ? []
      : [`At the given limits it takes at least ${formatDuration(atLeastSeconds * 1000)}.`];
  const sent = sum(({ records = 0, malformed = 0, expired = 0, empty = 0 }) => records - malformed - expired - empty);
  const records = plural(sent, "record");
  return [`${[`${records} to write or compare`, ...notes].join(", ")}.`, ...time, "Nothing was written."];
}

export function reportText(report: Report): string {
  const { totals, scopes, thisProcess: here } = report;
  const bytes = scopes.reduce((sum, scope) => sum + scope.bytesRestored, 0);
  return lines([
    ...table(
      ["scope", "read", ...OUTCOMES, "not-reached", "time"],
      scopes.map((scope) => [
        scopeLabelOf(scope),
        formatCount(scope.recordsRead),
        ...OUTCOMES.map((kind) => (totals[kind] === 0 ? "" : formatCount(scope.outcomes[kind]))),
        scope.notReached === 0 ? "" : formatCount(scope.notReached),
        formatDuration(scope.durationMs),
      ]),
      ["read", ...OUTCOMES, "not-reached", "time"],
    ),
    "",
    ...listedLines(report),
    ...scopes.flatMap((scope) => (scope.error === undefined ? [] : [`${scopeLabelOf(scope)}: ${scope.error}`])),
    ...warningLines([...report.warnings, ...scopeWarnings(scopes, scopeLabelOf)]),
    `${report.status === "finished" ? "Finished" : "Stopped"} after ${formatDuration(report.durationMs)}: ${plural(report.recordsRead, "record")} read, ${outcomeList(report)}.`,
    ...retryLines(report.targets),
    report.resumed
      ? `${formatBytes(bytes)} restored; ${formatBytes(here.bytesRestored)} and ${plural(here.restored, "record")} of it now, ${formatCount(Math.round(here.recordsPerSecond))} records/s.`
      : `${formatBytes(bytes)} restored, ${formatCount(Math.round(here.recordsPerSecond))} records/s.`,
  ]);
}

/** Targets that had to be asked more than once. */
function retryLines(targets: Report["targets"]): string[] {
  return targets
    .filter(({ retries, throttled }) => retries + throttled > 0)
    .map(({ adapter, requests, retries, throttled }) => {
      const slow = throttled === 0 ? "" : `, ${formatCount(throttled)} of them since it was too much for the target`;
      return `${adapter}: ${formatCount(retries)} of ${plural(requests, "request")} sent again${slow}.`;
    });
}

function outcomeList({ totals, notReached, leftOut = 0 }: Report): string {
  const parts = OUTCOMES.filter((kind) => totals[kind] > 0).map((kind) => `${formatCount(totals[kind])} ${kind}`);
  const beside = [
    ...(notReached > 0 ? [`${formatCount(notReached)} not reached`] : []),
    ...(leftOut > 0 ? [`${formatCount(leftOut)} more left out by the transform`] : []),
  ];
  return [...parts, ...beside].join(", ") || "none";
}

function scopeLabelOf(scope: ReportedScope): string {
  return plannedLabel({ ...scope, files: 0, bytes: 0 });
}

/** The outcomes that need somebody, first ones first; the rest is counted and stands in the rejects file. */
function listedLines(report: Report): string[] {
  const wanting = report.listed.filter(({ outcome }) => ["rejected", "failed", "ambiguous"].includes(outcome));
  const { rejected, failed, ambiguous } = report.totals;
  const all = rejected + failed + ambiguous;
  if (all === 0) return [];
  const shown = wanting.slice(0, LISTED_SHOWN).map(({ outcome, reason, detail, path, line, key, entries }) => {
    const at = shownPlace(path, line);
    const counted = entries === undefined ? "" : ` (${entries.restored} entries written, ${entries.rejected} refused)`;
    return `  ${outcome}  ${at}  ${key}: ${reason ?? ""}${detail === undefined ? "" : ` – ${detail}`}${counted}`;
  });
  const more = all - shown.length;
  const where =
    report.rejectsFile === undefined ? "--report FILE lists all of them" : `all stand in ${report.rejectsFile}`;
  return ["Not restored:", ...shown, ...(more > 0 ? [`  and ${formatCount(more)} more; ${where}`] : []), ""];
}

export function verificationText(result: DumpVerification): string {
  const { scopes } = result;
  const shown = result.malformed
    .slice(0, LISTED_SHOWN)
    .map(({ path, line, key, reason, detail }) => `  ${shownPlace(path, line)}  ${key}: ${reason} – ${detail}`);
  const more = result.malformedCount - shown.length;
  return lines([
    `Dump     ${result.dump}`,
    `         taken ${result.takenAt} (${result.phase})`,
    "",
    ...table(
      ["scope", "files", "size", "records", "malformed"],
      scopes.map((scope) => [
        escapeForDisplay(`${scope.adapter}:${scope.scope}`),
        formatCount(scope.files),
        formatBytes(scope.bytes),
        scope.records === undefined ? "" : formatCount(scope.records),
        scope.malformed ? formatCount(scope.malformed) : "",
      ]),
      ["files", "size", "records", "malformed"],
    ),
    "",
    ...(shown.length === 0 ? [] : ["Malformed records, which a restore would reject:", ...shown]),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
    ...warningLines([...result.warnings, ...scopeWarnings(scopes, ({ adapter, scope }) => `${adapter}:${scope}`)]),
    `${plural(result.files, "file")} (${formatBytes(result.bytes)}) agree with CHECKSUMS.`,
  ]);
}

function shownPlace(path: string, line: number | undefined): string {
  return escapeForDisplay(line === undefined ? path : `${path}:${line}`);
}

/** The same warning of several scopes is said once. */
function scopeWarnings<T extends { readonly warnings: readonly string[] }>(
  scopes: readonly T[],
  label: (scope: T) => string,
): string[] {
  const labels = new Map<string, string[]>();
  for (const scope of scopes) {
    for (const warning of scope.warnings) labels.set(warning, [...(labels.get(warning) ?? []), label(scope)]);
  }
  return [...labels].map(([warning, where]) => {
    const named = where.slice(0, SCOPES_NAMED).join(", ");
    return `${named}${where.length > SCOPES_NAMED ? ` and ${where.length - SCOPES_NAMED} more` : ""}: ${warning}`;
  });
}

function warningLines(warnings: readonly string[]): string[] {
  return warnings.length === 0 ? [] : ["", "Warnings:", ...warnings.map((warning) => `  ${warning}`), ""];
}

/** Our own commands that need to know where jobs are, in a hint. */
const JOB_COMMAND = /`(elastickv-restore (?:resume|status|cancel|retry|jobs)\b[^`]*)`/g;

/** What was wrong, and what to do next. `where`: the option that commands in hints need to find the same jobs. */
export function errorText(error: unknown, where = ""): string {
  if (!(error instanceof RestoreError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return lines([`error: ${stack}`, "This is a bug in elastickv-restore: please report it with the text above."]);
  }
  const bug = error.code === "INTERNAL" ? ["This is a bug in elastickv-restore: please report it."] : [];
  return lines([
    `error: ${error.message}`,
    ...(error.hint === undefined
      ? []
      : [error.hint.replace(JOB_COMMAND, (_, command: string) => `\`${command}${where}\``)]),
    ...bug,
  ]);
}

/** Names and paths of a dump, and what a target answered, must not steer a terminal. */
function lines(all: readonly string[]): string {
  return `${escapeControls(all.join("\n"))
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}
