/** Reports as text; plans are in `plan-text`. Pure: no stream, no colour that a log would have to carry. */
import { escapeForDisplay } from "../model/display.js";
import { OUTCOMES } from "../model/outcome.js";
import { plannedLabel } from "../run/plan/outline.js";
import type { Report } from "../run/report.js";
import type { DumpVerification } from "../run/verify-dump.js";
import { formatBytes, formatCount, formatDuration, plural, table } from "./format.js";
import { lines, scopeWarnings, shownPlace, warningLines } from "./text-parts.js";

const LISTED_SHOWN = 20;

export function reportText(report: Report): string {
  const { totals, scopes, thisProcess: here } = report;
  const bytes = scopes.reduce((sum, scope) => sum + scope.bytesRestored, 0);
  return lines([
    ...table(
      ["scope", "read", ...OUTCOMES, "not-reached", "time"],
      scopes.map((scope) => [
        plannedLabel(scope),
        formatCount(scope.recordsRead),
        ...OUTCOMES.map((kind) => (totals[kind] === 0 ? "" : formatCount(scope.outcomes[kind]))),
        scope.notReached === 0 ? "" : formatCount(scope.notReached),
        formatDuration(scope.durationMs),
      ]),
      ["read", ...OUTCOMES, "not-reached", "time"],
    ),
    "",
    ...listedLines(report),
    ...scopes.flatMap((scope) => (scope.error === undefined ? [] : [`${plannedLabel(scope)}: ${scope.error}`])),
    ...warningLines([...report.warnings, ...scopeWarnings(scopes, plannedLabel)]),
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
