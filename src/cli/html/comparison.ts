/** What a comparison found, as a page for people. */
import { escapeForDisplay } from "../../model/display.js";
import { plannedLabel } from "../../run/plan/outline.js";
import { STANDINGS, type Standing, unlike } from "../../run/verify/counts.js";
import type { Verification, VerifiedScope } from "../../run/verify/report.js";
import { formatBytes, formatCount, formatDuration, plural } from "../format.js";
import { STANDING_WORDS } from "../verification-text.js";
import { html, type Markup } from "./markup.js";
import { facts, list, page, section, tiles, time } from "./page.js";
import { framed } from "./tables.js";

/** As many differences are shown; all stand in the file beside the report. */
const SHOWN = 200;

/** The whole file. */
export function htmlComparison(verification: Verification): string {
  const { standings, extra, records, durationMs, differenceCount, scopes, warnings } = verification;
  const isGood = unlike(standings) + differenceCount === 0;
  const sentence = isGood
    ? goodSentence(standings)
    : `The targets are not what the dump says: ${plural(differenceCount, "difference")} in ${plural(records, "record")}.`;
  const notes = scopes.flatMap((scope) => untold(scope).map((text) => `${plannedLabel(scope)}: ${text}`));
  return page("Comparison of a dump with its targets", [
    html`<h1>Comparison of a dump with its targets</h1>`,
    html`<div class="verdict ${isGood && standings.malformed === 0 ? "good" : "bad"}">${sentence}</div>`,
    tiles([
      [formatCount(standings.equal), "records equal"],
      [formatCount(unlike(standings)), "missing or different"],
      [formatCount(extra), "that the dump lacks"],
      ...(standings.unproven > 0 ? [[formatCount(standings.unproven), "not proven"] as const] : []),
      [formatDuration(durationMs), "to compare them"],
    ]),
    section("Differences", differences(verification)),
    section("What was compared with what", about(verification)),
    section("How the records stand", html`${chart(scopes)}${scopeTable(scopes)}`),
    section("Not proven", list([...new Set(notes)])),
    section("Warnings", list([...new Set([...warnings, ...scopes.flatMap((scope) => scope.warnings)])])),
  ]);
}

function goodSentence({ equal, unproven, malformed }: Verification["standings"]): string {
  const proven = `${plural(equal, "record")} compared and found equal`;
  if (malformed > 0)
    return `No difference was found, but ${plural(malformed, "record")} of the dump cannot be read: ${proven}.`;
  if (unproven === 0) return `The targets hold what the dump holds: ${proven}.`;
  return `No difference was found: ${proven}. Of ${formatCount(unproven)} the targets do not tell.`;
}

function about({ dump, startedAt, endedAt, mode, toleranceMs, sample, targets, looks }: Verification): Markup {
  return facts([
    [
      "Dump",
      `${dump.path}, taken ${dump.takenAt} (${dump.phase}): ${plural(dump.files, "file")}, ${formatBytes(dump.bytes)}`,
    ],
    ["Digest", dump.digest],
    ...targets.map(({ adapter, endpoint, server }) => [`With ${adapter}`, `${endpoint} (${server})`] as const),
    ["Begun", time(startedAt)],
    ["Ended", time(endedAt)],
    [
      "The target",
      mode === "merge" || mode === "skip-existing" ? "may hold more than the dump" : "holds the dump and nothing else",
    ],
    ["Expiries", `may differ by ${toleranceMs} ms`],
    ["Differences", `were looked at ${looks === 1 ? "once" : `${looks} times`}`],
    ...(sample === undefined
      ? []
      : [["Sample", `${sample.share * 100}% of the records, seed ${sample.seed}`] as const]),
  ]);
}

/** The colours of a restore's outcomes mean the same here. */
const COLOURS: Readonly<Record<Standing, string>> = {
  equal: "restored",
  missing: "failed",
  differing: "rejected",
  expired: "skipped-expired",
  unproven: "ambiguous",
  malformed: "not-reached",
  "not-compared": "skipped-empty",
};

function chart(scopes: readonly VerifiedScope[]): Markup {
  const used = STANDINGS.filter((each) => scopes.some(({ standings }) => standings[each] > 0));
  const bars = scopes.map((scope) => {
    const parts = used.filter((each) => scope.standings[each] > 0);
    const said =
      parts.map((each) => `${formatCount(scope.standings[each])} ${STANDING_WORDS[each]}`).join(", ") || "no records";
    const segments = parts.map((each) => html`<i class="${COLOURS[each]}" style="flex:${scope.standings[each]}"></i>`);
    return html`<div class="scope"><div class="name"><b>${plannedLabel(scope)}</b><span>${said}</span></div>
<div class="bar" role="img" aria-label="${said}">${segments}</div></div>`;
  });
  return html`<ul class="legend">${used.map((each) => html`<li><i class="${COLOURS[each]}"></i>${STANDING_WORDS[each]}</li>`)}</ul>${bars}`;
}

function scopeTable(scopes: readonly VerifiedScope[]): Markup {
  const rows = scopes.map((scope) => {
    const { records, standings, extra, bytes, durationMs } = scope;
    const counts = [records, standings.equal, unlike(standings)].map(formatCount);
    const cells = [
      ...counts,
      extra === undefined ? "?" : formatCount(extra),
      formatBytes(bytes),
      formatDuration(durationMs),
    ];
    return html`<tr><td class="place">${plannedLabel(scope)}</td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`;
  });
  const names = ["records", "equal", "unlike", "extra", "size", "time"];
  return framed(html`<th>scope</th>${names.map((name) => html`<th class="number">${name}</th>`)}`, rows);
}

function differences({ differences: found, differenceCount, differencesFile }: Verification): Markup | undefined {
  if (differenceCount === 0) return undefined;
  const shown = found.slice(0, SHOWN);
  const rows = shown.map((each) => {
    const place =
      each.path === undefined
        ? ""
        : escapeForDisplay(each.line === undefined ? each.path : `${each.path}:${each.line}`);
    const where = [each.key, each.at].filter((part) => part !== undefined).join(", ");
    return html`<tr><td>${each.kind}</td><td class="key">${where}</td><td class="why">${each.detail}</td><td class="place">${place}</td><td class="place">${plannedLabel(each)}</td></tr>`;
  });
  const more = differenceCount - shown.length;
  const all = differencesFile === undefined ? "" : `; all stand in ${differencesFile}`;
  return html`${framed(html`<th>kind</th><th>where</th><th>what</th><th>place in the dump</th><th>scope</th>`, rows)}
${more > 0 ? html`<p class="note">and ${formatCount(more)} more${all}</p>` : undefined}`;
}

function untold({ unproven, notListed, exists }: VerifiedScope): string[] {
  return [
    ...unproven.map(({ what, records }) => (records === 0 ? what : `${what} (${plural(records, "record")})`)),
    ...(notListed === undefined || !exists ? [] : [`nobody looked for records that the dump lacks: ${notListed}`]),
  ];
}
