/** Tables of a report as HTML. */
import { escapeForDisplay } from "../../model/display.js";
import { WANTING } from "../../run/listed-summary.js";
import type { Report, ReportedScope } from "../../run/report.js";
import { formatBytes, formatCount, formatDuration } from "../format.js";
import { html, type Markup } from "./markup.js";

/** As many records are shown; all stand in the file beside the report. */
const SHOWN = 200;

export function scopeTable(scopes: readonly ReportedScope[], label: (scope: ReportedScope) => string): Markup {
  const rows = scopes.map((scope) => {
    const { outcomes, recordsRead, bytesRestored, durationMs, recordsPerSecond } = scope;
    const skipped = outcomes["skipped-existing"] + outcomes["skipped-expired"] + outcomes["skipped-empty"];
    const left = WANTING.reduce((sum, kind) => sum + outcomes[kind], 0);
    return html`<tr><td class="place">${label(scope)}</td>${[recordsRead, outcomes.restored, skipped, left].map(number)}
<td class="number">${formatBytes(bytesRestored)}</td><td class="number">${formatDuration(durationMs)}</td>
<td class="number">${formatCount(Math.round(recordsPerSecond))}</td></tr>`;
  });
  const names = ["read", "restored", "skipped", "not restored", "size", "time", "records/s"];
  return framed(html`<th>scope</th>${names.map((name) => html`<th class="number">${name}</th>`)}`, rows);
}

export function reasonTable({ scopes }: Report): Markup {
  const reasons = new Map<string, number>();
  for (const scope of scopes) {
    for (const [reason, count] of Object.entries(scope.reasons)) {
      if (WANTING.some((kind) => reason.startsWith(`${kind}/`)))
        reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
  }
  const rows = [...reasons]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => {
      const [outcome = "", why = ""] = reason.split("/", 2);
      return html`<tr><td>${outcome}</td><td class="why">${why}</td>${number(count)}</tr>`;
    });
  return framed(html`<th>outcome</th><th>reason</th><th class="number">records</th>`, rows);
}

export function listedTable(records: Report["listed"], count: number): Markup {
  const shown = records.slice(0, SHOWN);
  const rows = shown.map(({ adapter, scope, key, path, line, reason, detail, outcome }) => {
    const place = escapeForDisplay(line === undefined ? path : `${path}:${line}`);
    const why = [reason ?? outcome, ...(detail === undefined ? [] : [detail])].join(": ");
    return html`<tr><td class="key">${key}</td><td class="why">${why}</td><td class="place">${place}</td><td class="place">${escapeForDisplay(`${adapter}:${scope}`)}</td></tr>`;
  });
  const more = count - shown.length;
  const rest =
    more > 0 ? html`<p class="note">and ${formatCount(more)} more, in the list beside the JSON report</p>` : undefined;
  return html`${framed(html`<th>key</th><th>why</th><th>place in the dump</th><th>scope</th>`, rows)}${rest}`;
}

export function targetTable({ targets }: Report): Markup {
  const rows = targets.map(
    ({ adapter, endpoint, requests, retries, throttled }) =>
      html`<tr><td>${adapter}</td><td class="place">${endpoint}</td>${[requests, retries, throttled].map(number)}</tr>`,
  );
  const names = ["requests", "retried", "throttled"];
  return framed(
    html`<th>adapter</th><th>endpoint</th>${names.map((name) => html`<th class="number">${name}</th>`)}`,
    rows,
  );
}

export function framed(head: Markup, rows: readonly Markup[]): Markup {
  return html`<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function number(value: number): Markup {
  return html`<td class="number">${formatCount(value)}</td>`;
}
