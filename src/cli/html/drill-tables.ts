/** Tables of a drill as HTML. */
import { escapeForDisplay } from "../../model/display.js";
import type { DrillReport } from "../../run/drill/report.js";
import type { ObjectiveRow } from "../drill-words.js";
import { formatBytes, formatCount, formatDuration } from "../format.js";
import { html, type Markup } from "./markup.js";
import { framed, number } from "./tables.js";

export function objectiveTable(rows: readonly ObjectiveRow[]): Markup {
  return framed(
    html`<th></th><th>objective</th><th class="number">measured</th><th class="number">allowed</th>`,
    rows.map(
      ({ name, measured, limit, result, isMissed }) =>
        html`<tr><td><span class="mark ${isMissed ? "no" : result === "met" ? "ok" : "open"}">${result}</span></td>
<td>${name}</td><td class="number">${measured}</td><td class="number">${limit}</td></tr>`,
    ),
  );
}

const MARK = {
  passed: ["ok", "holds"],
  failed: ["no", "failed"],
  "not-checked": ["open", "not checked"],
} as const;

export function assertionTable(assertions: DrillReport["assertions"]): Markup {
  const rows = assertions.map(({ name, kind, line, outcome, detail, output, durationMs }) => {
    const [tone, word] = MARK[outcome];
    const said =
      outcome === "passed" || output === undefined || output.trim() === ""
        ? undefined
        : html`<pre>${output.trimEnd()}</pre>`;
    const took = durationMs === undefined ? "" : ` in ${formatDuration(durationMs)}`;
    return html`<tr><td><span class="mark ${tone}">${word}</span></td><td class="why">${name}${detail === undefined ? undefined : html`<br>${detail}`}${said}</td>
<td>${kind}${took}</td>${number(line)}</tr>`;
  });
  return framed(html`<th></th><th>assertion</th><th>kind</th><th class="number">line</th>`, rows);
}

export function paceTable(adapters: DrillReport["adapters"]): Markup {
  const rows = adapters.map(
    ({ adapter, records, bytes, durationMs, recordsPerSecond, bytesPerSecond }) =>
      html`<tr><td>${adapter}</td>${number(records)}<td class="number">${formatBytes(bytes)}</td>
<td class="number">${formatDuration(durationMs)}</td>${number(Math.round(recordsPerSecond))}<td class="number">${formatBytes(bytesPerSecond)}</td></tr>`,
  );
  const names = ["restored", "size", "time", "records/s", "bytes/s"];
  return framed(html`<th>adapter</th>${names.map((name) => html`<th class="number">${name}</th>`)}`, rows);
}

type Verification = NonNullable<DrillReport["verification"]>;

export function differenceTable(differences: Verification["differences"], count: number): Markup {
  const rows = differences.map(({ adapter, scope, key = "", at = "", kind, detail, path = "", line }) => {
    const place = line === undefined ? path : `${path}:${line}`;
    return html`<tr><td class="place">${escapeForDisplay(`${adapter}:${scope}`)}</td><td class="key">${key}</td>
<td class="why">${kind}${at === "" ? "" : ` at ${at}`}: ${detail}</td><td class="place">${escapeForDisplay(place)}</td></tr>`;
  });
  return html`${framed(html`<th>scope</th><th>key</th><th>difference</th><th>place in the dump</th>`, rows)}${rest(count - differences.length)}`;
}

type Restore = NonNullable<DrillReport["restore"]>;

export function leftOverTable({ listed }: Restore, count: number): Markup {
  const rows = listed.map(({ adapter, scope, key, path, line, outcome, reason, detail }) => {
    const place = line === undefined ? path : `${path}:${line}`;
    const why = [reason ?? outcome, ...(detail === undefined ? [] : [detail])].join(": ");
    return html`<tr><td class="key">${key}</td><td class="why">${why}</td><td class="place">${escapeForDisplay(place)}</td>
<td class="place">${escapeForDisplay(`${adapter}:${scope}`)}</td></tr>`;
  });
  return html`${framed(html`<th>key</th><th>why</th><th>place in the dump</th><th>scope</th>`, rows)}${rest(count - listed.length)}`;
}

function rest(more: number): Markup | undefined {
  return more > 0 ? html`<p class="note">and ${formatCount(more)} more, in the list beside drill.json</p>` : undefined;
}
