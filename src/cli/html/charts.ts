/** Charts of a report, as markup of its own without scripts. */
import { OUTCOMES, type OutcomeKind } from "../../model/outcome.js";
import type { Report, ReportedScope } from "../../run/report.js";
import { formatBytes, formatCount, formatDuration, plural } from "../format.js";
import { html, type Markup } from "./markup.js";

type Part = OutcomeKind | "not-reached";

const PART_TEXT: Readonly<Record<Part, string>> = {
  restored: "restored",
  "skipped-existing": "skipped: was there already",
  "skipped-expired": "skipped: had expired",
  "skipped-empty": "skipped: empty",
  rejected: "rejected",
  failed: "failed",
  ambiguous: "in doubt",
  "not-reached": "not reached",
};

const PARTS: readonly Part[] = [...OUTCOMES, "not-reached"];

/** A bar for each scope, as long as all the others: shares, not sizes. */
export function outcomeChart<S extends Counted>(
  { scopes }: { readonly scopes: readonly S[] },
  label: (scope: S) => string,
): Markup {
  const used = PARTS.filter((part) => scopes.some((scope) => partOf(scope, part) > 0));
  const legend = used.map((part) => html`<li><i class="${part}"></i>${PART_TEXT[part]}</li>`);
  const bars = scopes.map((scope) => {
    const parts = used.filter((part) => partOf(scope, part) > 0);
    const said = parts.map((part) => `${formatCount(partOf(scope, part))} ${PART_TEXT[part]}`).join(", ");
    const segments = parts.map(
      (part) =>
        html`<i class="${part}" style="flex:${partOf(scope, part)}" title="${formatCount(partOf(scope, part))} ${PART_TEXT[part]}"></i>`,
    );
    return html`<div class="scope"><div class="name"><b>${label(scope)}</b><span>${said || "no records"}</span></div>
<div class="bar" role="img" aria-label="${said}">${segments}</div></div>`;
  });
  return html`<ul class="legend">${legend}</ul>${bars}`;
}

type Counted = Pick<ReportedScope, "notReached" | "outcomes">;

function partOf(scope: Counted, part: Part): number {
  return part === "not-reached" ? scope.notReached : scope.outcomes[part];
}

const WIDTH = 1000;
const HEIGHT = 200;

/** Records that had ended, over the time of one process. Undefined where there is nothing to see. */
export function timeChart({ thisProcess }: Report): Markup | undefined {
  const { timeline } = thisProcess;
  const [lastMs, lastRecords, lastBytes] = timeline.at(-1) ?? [0, 0, 0];
  if (timeline.length < 3 || lastRecords === 0 || lastMs === 0) return undefined;
  const x = (ms: number) => round((ms / lastMs) * WIDTH);
  const y = (records: number) => round(HEIGHT - (records / lastRecords) * HEIGHT);
  const curve = timeline.map(([ms, records]) => `${x(ms)},${y(records)}`).join(" ");
  const area = `${x(timeline[0]?.[0] ?? 0)},${HEIGHT} ${curve} ${WIDTH},${HEIGHT}`;
  const said = `${plural(lastRecords, "record")} and ${formatBytes(lastBytes)} in ${formatDuration(lastMs)}`;
  const levels = [0, HEIGHT / 2, HEIGHT].map(
    (at) => html`<line class="grid" x1="0" x2="${WIDTH}" y1="${at}" y2="${at}"/>`,
  );
  return html`<figure><div class="axis"><span>${plural(lastRecords, "record")}</span></div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${said}">
${levels}<polygon class="area" points="${area}"/><polyline class="curve" points="${curve}"/></svg>
<div class="axis"><span>0 s</span><span>${formatDuration(lastMs / 2)}</span><span>${formatDuration(lastMs)}</span></div></figure>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
