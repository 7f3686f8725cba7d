/**
 * A drill for people, as one HTML file that needs nothing else: it loads nothing, runs nothing, and shows everything that a
 * dump or a server said as text.
 */

import type { DrillReport } from "../../run/drill/report.js";
import { plannedLabel } from "../../run/plan/outline.js";
import {
  drillProblems,
  drillSentence,
  longDuration,
  objectiveRows,
  serverText,
  TONE,
  timeRows,
} from "../drill-words.js";
import { formatBytes, formatCount, plural } from "../format.js";
import { outcomeChart } from "./charts.js";
import { paceChart, standingBar, trendChart } from "./drill-charts.js";
import { DRILL_STYLE } from "./drill-style.js";
import { assertionTable, differenceTable, leftOverTable, objectiveTable, paceTable } from "./drill-tables.js";
import { html, type Markup } from "./markup.js";
import { STYLE } from "./style.js";

/** The whole file. */
export function htmlDrill(report: DrillReport): string {
  const { drill, verdict } = report;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Disaster-recovery drill ${drill}: ${verdict}</title>
<style>${STYLE}${DRILL_STYLE}</style>
</head>
<body>
<main>
<h1>Disaster-recovery drill, ${time(report.startedAt)}</h1>
<div class="verdict ${TONE[verdict]}">${drillSentence(report)}${drillProblems(report).map((text) => html`<p class="lead">${text}</p>`)}</div>
${standIns(report)}
${tiles(report)}
${sections(report)}
</main>
</body>
</html>
`;
  return page.text;
}

/** Nobody should take a drill on stand-ins for more than it is. */
function standIns({ target }: DrillReport): Markup | undefined {
  const names = target.servers
    .filter(({ how }) => how === "in-process")
    .map(({ adapter, server }) => `${adapter} (${server})`);
  if (names.length === 0) return undefined;
  return html`<div class="verdict stop"><p class="lead">Restored into stand-ins for ${names.join(", ")}, in the drill's own process: this proves less than real servers do.</p></div>`;
}

function tiles(report: DrillReport): Markup {
  const { restore, objectives, verification, assertions, adapters } = report;
  const bytes = adapters.reduce((sum, pace) => sum + pace.bytes, 0);
  const passed = assertions.filter(({ outcome }) => outcome === "passed").length;
  const { recoveryTime, recoveryPoint } = objectives;
  const all: readonly (readonly [string, string] | undefined)[] = [
    recoveryTime.ms === undefined
      ? undefined
      : [longDuration(recoveryTime.ms), `to restore${allowed(recoveryTime.maxMs)}`],
    recoveryPoint.ms === undefined
      ? undefined
      : [longDuration(recoveryPoint.ms), `old was the dump${allowed(recoveryPoint.maxMs)}`],
    restore === undefined
      ? undefined
      : [
          formatCount(restore.totals.restored),
          `of ${plural(restore.recordsRead, "record")} restored, ${formatBytes(bytes)}`,
        ],
    verification === undefined ? undefined : [formatCount(verification.standings.equal), "found as the dump has them"],
    assertions.length === 0 ? undefined : [`${passed} of ${assertions.length}`, "assertions hold"],
  ];
  const shown = all.filter((tile) => tile !== undefined);
  return html`<div class="tiles">${shown.map(([value, name]) => html`<div class="tile"><b>${value}</b><span>${name}</span></div>`)}</div>`;
}

function allowed(maxMs: number | undefined): string {
  return maxMs === undefined ? "" : `, ${longDuration(maxMs)} allowed`;
}

function sections(report: DrillReport): Markup[] {
  const { restore, adapters, assertions, warnings, notRestorable, cleanUp, trend, verification } = report;
  const left = restore === undefined ? 0 : restore.totals.rejected + restore.totals.failed + restore.totals.ambiguous;
  return [
    section("Objectives", objectiveTable(objectiveRows(report))),
    section("Recovery times of the last drills", withNote(trendChart(report), trend.remark)),
    section("Records over time", paceChart(report)),
    section("What was asserted", assertions.length === 0 ? undefined : assertionTable(assertions)),
    section("Compared with the dump", verification === undefined ? undefined : beside(verification)),
    section("How the records ended", restore === undefined ? undefined : outcomeChart(restore, plannedLabel)),
    section("Pace", adapters.length === 0 ? undefined : paceTable(adapters)),
    section("What was not restored", left === 0 || restore === undefined ? undefined : leftOverTable(restore, left)),
    section("What was held where and when", facts(report)),
    section("Warnings", list(warnings)),
    section("What these servers do not tell", list(verification?.unproven ?? [])),
    section("Left behind", list(cleanUp.left)),
    section("Removed afterwards", list(cleanUp.removed)),
    section("What no public endpoint can restore", list(notRestorable)),
  ].filter((each) => each !== undefined);
}

function withNote(body: Markup | undefined, remark: string | undefined): Markup | undefined {
  return body === undefined || remark === undefined ? body : html`${body}<p><b>Remark:</b> ${remark}.</p>`;
}

function beside(verification: NonNullable<DrillReport["verification"]>): Markup {
  const { standings, extra, differences, differenceCount } = verification;
  const bar = standingBar([
    ["as in the dump", standings.equal, "restored"],
    ["expired meanwhile", standings.expired, "skipped-expired"],
    ["not to be told", standings.unproven, "skipped-existing"],
    ["differing", standings.differing, "rejected"],
    ["missing", standings.missing, "failed"],
    ["that the dump lacks", extra, "ambiguous"],
    ["not restored, so not compared", standings["not-compared"] + standings.malformed, "not-reached"],
  ]);
  const table = differenceCount === 0 ? undefined : differenceTable(differences, differenceCount);
  return html`${bar}<div style="height:1rem"></div>${table}`;
}

function facts(report: DrillReport): Markup {
  const { dump, target, drill, startedAt, endedAt, ttlPolicy } = report;
  const size = dump.files === undefined ? "" : `: ${plural(dump.files, "file")}, ${formatBytes(dump.bytes ?? 0)}`;
  const rows: readonly (readonly [string, string])[] = [
    ["Dump", `${dump.path}${size}`],
    ...(dump.takenAt === undefined ? [] : [["Taken", dump.takenAt] as const]),
    ...(dump.picked === undefined
      ? []
      : [
          [
            "Chosen",
            `the ${dump.picked.how} of ${plural(dump.picked.from.length, "dump")} under ${dump.picked.root}`,
          ] as const,
        ]),
    ...(dump.digest === undefined ? [] : [["Digest", dump.digest] as const]),
    ["Target", target.kind === "sandbox" ? "a sandbox, made for this drill" : (target.name ?? "named endpoints")],
    ...target.servers.map((server) => [server.adapter, serverText(server)] as const),
    ["Begun", time(startedAt)],
    ["Ended", time(endedAt)],
    ...timeRows(report).map(([name, value]) => [capital(name), value] as const),
    ["Expiry", ttlPolicy],
    ["Drill", drill],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function section(title: string, body: Markup | undefined): Markup | undefined {
  return body === undefined ? undefined : html`<section><h2>${title}</h2>${body}</section>`;
}

function list(items: readonly string[]): Markup | undefined {
  return items.length === 0 ? undefined : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
