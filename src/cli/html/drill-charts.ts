/** Charts of a drill, as markup of its own without scripts. */
import { SCOPE_NOUN } from "../../model/scope.js";
import type { DrillReport } from "../../run/drill/report.js";
import { formatCount, formatDuration, plural } from "../format.js";
import { html, type Markup } from "./markup.js";

const WIDTH = 1000;
const HEIGHT = 220;

type Pace = DrillReport["adapters"][number];

/** Each adapter's share of its own records, over the restore's time. Undefined where there is nothing to see. */
export function paceChart({ adapters, times }: DrillReport): Markup | undefined {
  const shown = adapters.filter(({ records, timeline }) => records > 0 && timeline.length > 1);
  const lastMs = Math.max(times.restoreMs ?? 0, ...shown.map(({ timeline }) => timeline.at(-1)?.[0] ?? 0));
  if (shown.length === 0 || lastMs === 0) return undefined;
  const legend = shown.map(
    ({ adapter, records }) => html`<li><i class="${adapter}"></i>${adapter}: ${plural(records, "record")}</li>`,
  );
  const curves = shown.map(
    (pace) =>
      html`<polyline class="line ${pace.adapter}" points="${pointsOf(pace, lastMs)}"><title>${saidOf(pace)}</title></polyline>`,
  );
  const levels = [0, HEIGHT / 2, HEIGHT].map(
    (at) => html`<line class="grid" x1="0" x2="${WIDTH}" y1="${at}" y2="${at}"/>`,
  );
  return html`<ul class="legend">${legend}</ul><figure class="framed"><div class="levels"><span>all</span><span>half</span><span>0</span></div>
<div><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${shown.map(saidOf).join("; ")}">
${levels}${curves}</svg>
<div class="axis"><span>0 s</span><span>${formatDuration(lastMs / 2)}</span><span>${formatDuration(lastMs)}</span></div></div></figure>
<p class="note">Each line rises to all of the adapter's own records. It is level while a ${SCOPE_NOUN.dynamodb}, bucket, database or queue is made.</p>`;
}

function saidOf({ adapter, records, durationMs }: Pace): string {
  return `${adapter}: ${plural(records, "record")} in ${formatDuration(durationMs)}`;
}

/** From the restore's begin on: steps, since records arrive in batches. */
function pointsOf({ timeline, records }: Pace, lastMs: number): string {
  const x = (ms: number) => round((ms / lastMs) * WIDTH);
  const y = (count: number) => round(HEIGHT - Math.min(1, count / Math.max(records, 1)) * HEIGHT);
  return [[0, 0] as const, ...timeline.map(([ms, count]) => [ms, count] as const), [lastMs, records] as const]
    .map(([ms, count]) => `${x(ms)},${y(count)}`)
    .join(" ");
}

type PastDrill = Pick<
  DrillReport["trend"]["drills"][number],
  "drill" | "records" | "restoreMs" | "startedAt" | "verdict"
>;

/** The restores of the last drills and of this one, a bar each, beside what is allowed. Undefined for the first drill. */
export function trendChart(report: DrillReport): Markup | undefined {
  const { trend, objectives, restore, verdict, drill, startedAt, times } = report;
  const now: PastDrill[] =
    restore?.status === "finished" && times.restoreMs !== undefined
      ? [{ drill, startedAt, verdict, records: restore.totals.restored, restoreMs: times.restoreMs }]
      : [];
  const drills = [...trend.drills, ...now];
  const { maxMs } = objectives.recoveryTime;
  const slowest = Math.max(...drills.map(({ restoreMs = 0 }) => restoreMs), 1);
  if (drills.length < 2) return undefined;
  // A limit far above every drill would press the bars flat.
  const shownLimit = maxMs !== undefined && maxMs <= slowest * 3 ? maxMs : undefined;
  const top = Math.max(slowest, shownLimit ?? 0);
  const bars = drills.map((each) => {
    const { restoreMs = 0 } = each;
    const isNow = each.drill === drill;
    return html`<li class="${isNow ? "now" : ""}"><span class="when">${isNow ? "this drill" : each.startedAt.slice(0, 10)}</span>
<span class="track">${limitMark(shownLimit, top)}<i class="fill ${each.verdict}" style="width:${round((restoreMs / top) * 100)}%"></i></span>
<span class="took">${formatDuration(restoreMs)}<small>${plural(each.records, "record")}, ${each.verdict}</small></span></li>`;
  });
  const limit =
    maxMs === undefined
      ? ""
      : ` The recovery time that is allowed is ${formatDuration(maxMs)}${shownLimit === undefined ? ", far beyond this scale" : ", the dashed line"}.`;
  const median = trend.medianMs === undefined ? "" : `Median of the drills before: ${formatDuration(trend.medianMs)}.`;
  return html`<ul class="past">${bars}</ul><p class="note">${median}${limit}</p>`;
}

function limitMark(limitMs: number | undefined, top: number): Markup | undefined {
  return limitMs === undefined ? undefined : html`<b class="limit" style="left:${round((limitMs / top) * 100)}%"></b>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** How the records stand beside the dump, as one bar. */
export function standingBar(parts: readonly (readonly [name: string, count: number, tone: string])[]): Markup {
  const shown = parts.filter(([, count]) => count > 0);
  const said = shown.map(([name, count]) => `${formatCount(count)} ${name}`).join(", ");
  return html`<ul class="legend">${shown.map(([name, count, tone]) => html`<li><i class="${tone}"></i>${formatCount(count)} ${name}</li>`)}</ul>
<div class="bar" role="img" aria-label="${said}">${shown.map(([, count, tone]) => html`<i class="${tone}" style="flex:${count}"></i>`)}</div>`;
}
