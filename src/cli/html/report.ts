/**
 * A report for people, as one HTML file that needs nothing else: it loads nothing, runs nothing, and shows everything
 * that a dump or a target said as text.
 */

import { WANTING } from "../../run/listed-summary.js";
import { plannedLabel } from "../../run/plan/outline.js";
import type { Report } from "../../run/report.js";
import { formatBytes, formatCount, formatDuration, plural } from "../format.js";
import { outcomeChart, timeChart } from "./charts.js";
import { html, type Markup } from "./markup.js";
import { facts, list, page, section, tiles, time } from "./page.js";
import { listedTable, reasonTable, scopeTable, targetTable } from "./tables.js";
import { verdict } from "./verdict.js";

/** The whole file. */
export function htmlReport(report: Report): string {
  const { tone, sentence } = verdict(report);
  return page(`Restore report ${report.job}`, [
    html`<h1>Restore report</h1>`,
    html`<div class="verdict ${tone}">${sentence}${errorOf(report)}</div>`,
    tilesOf(report),
    ...sections(report),
  ]);
}

function errorOf({ error, job }: Report): Markup | undefined {
  if (error === undefined) return undefined;
  const hint = error.hint === undefined ? "" : ` ${error.hint}`;
  return html`<p>${error.message}.${hint}</p><p>It is taken up again by: elastickv-restore resume ${job}</p>`;
}

function tilesOf({ totals, notReached, scopes, durationMs, resumed, thisProcess }: Report): Markup {
  const skipped = totals["skipped-existing"] + totals["skipped-expired"] + totals["skipped-empty"];
  const left = WANTING.reduce((sum, kind) => sum + totals[kind], 0);
  const bytes = scopes.reduce((sum, scope) => sum + scope.bytesRestored, 0);
  const here = resumed ? " by the last process" : "";
  const all: readonly (readonly [string, string])[] = [
    [formatCount(totals.restored), `records restored, ${formatBytes(bytes)}`],
    ...(skipped > 0 ? [[formatCount(skipped), "skipped by policy"] as const] : []),
    [formatCount(left), "not restored"],
    ...(notReached > 0 ? [[formatCount(notReached), "read, not reached"] as const] : []),
    [formatDuration(durationMs), `at ${formatCount(Math.round(thisProcess.recordsPerSecond))} records a second${here}`],
  ];
  return tiles(all);
}

function sections(report: Report): Markup[] {
  const { scopes, ambiguous, rekeyed, warnings, notRestorable } = report;
  const wanting = report.listed.filter(({ outcome }) => outcome === "rejected" || outcome === "failed");
  const { rejected, failed } = report.totals;
  const scopeErrors = scopes.flatMap((scope) =>
    scope.error === undefined ? [] : [`${plannedLabel(scope)}: ${scope.error}`],
  );
  const allWarnings = [
    ...warnings,
    ...scopes.flatMap((scope) => scope.warnings.map((text) => `${plannedLabel(scope)}: ${text}`)),
  ];
  const fallbacks = report.targets.flatMap((target) => target.fallbacks.map((text) => `${target.adapter}: ${text}`));
  return [
    section(
      "What was restored where and when",
      html`${factsOf(report)}<div style="height:1rem"></div>${scopeTable(scopes, plannedLabel)}`,
    ),
    section("How the records ended", outcomeChart(report, plannedLabel)),
    section("Records over time", timeOf(report)),
    section("What was not restored", notRestored(report, wanting, rejected + failed)),
    section("In doubt", listed(ambiguous, report.totals.ambiguous, IN_DOUBT)),
    section("Messages with another deduplication id", listed(rekeyed, rekeyed.length, REKEYED)),
    section("Scopes that are not as the dump has them", list(scopeErrors)),
    section("Warnings", list([...new Set(allWarnings)])),
    section("What the targets could not do", list(fallbacks)),
    section("Requests", html`${targetTable(report)}${ofLastProcess(report)}`),
    section("What no public endpoint can restore", list(notRestorable)),
  ].filter((each) => each !== undefined);
}

const IN_DOUBT = "The answer to each of these was lost, and it may not be sent twice: it is there once or not at all.";
const REKEYED = "Their ids in the dump would have kept them from being delivered.";

function factsOf({ dump, job, mode, startedAt, endedAt, resumed, retryOf, targets, transform }: Report): Markup {
  const rows: readonly (readonly [string, string])[] = [
    [
      "Dump",
      `${dump.path}, taken ${dump.takenAt} (${dump.phase}): ${plural(dump.files, "file")}, ${formatBytes(dump.bytes)}`,
    ],
    ["Digest", dump.digest],
    ...targets.map(({ adapter, endpoint, server }) => [`To ${adapter}`, `${endpoint} (${server})`] as const),
    ["Begun", time(startedAt)],
    ["Ended", time(endedAt)],
    ["Mode", mode === "none" ? "none: into scopes that were absent or empty" : mode],
    ...(transform === undefined ? [] : [["Changed by", transform] as const]),
    ...(retryOf === undefined ? [] : [["Retries", `records that ${retryOf} lists`] as const]),
    ["Job", resumed ? `${job}, taken up again; counts are of all its processes` : job],
  ];
  return facts(rows);
}

function timeOf(report: Report): Markup | undefined {
  const chart = timeChart(report);
  return chart === undefined ? undefined : html`${chart}${ofLastProcess(report)}`;
}

function ofLastProcess({ resumed }: Report): Markup | undefined {
  return resumed ? html`<p class="note">Of the job's last process only.</p>` : undefined;
}

function notRestored(report: Report, wanting: Report["listed"], count: number): Markup | undefined {
  if (count === 0) return undefined;
  return html`${reasonTable(report)}<div style="height:1rem"></div>${listed(wanting, count, "")}`;
}

function listed(records: Report["listed"], count: number, about: string): Markup | undefined {
  if (count === 0) return undefined;
  return html`${about === "" ? undefined : html`<p>${about}</p>`}${listedTable(records, count)}`;
}
