/**
 * Recovery time over time: a point a run, the objective as a line. The arrow keys go from run to run, and what a point
 * stands for is written below; the same numbers stand in the table of runs.
 */
import { fill, h, setText, svg } from "./dom.js";
import { duration, instant, runStanding } from "./words.js";

/** @typedef {import("../schema/schedule.js").Run} Run */

const HEIGHT = 240;
const EDGE = { top: 14, right: 16, bottom: 28, left: 68 };
const POINT = 5;
const STEPS_MS = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
  14_400_000,
];
const MOST_LINES = 5;
/** An objective far above every run would press the points flat. */
const FAR = 3;

/**
 * @param {readonly Run[]} runs the latest first
 * @param {AbortSignal} signal
 */
export function historyChart(runs, signal) {
  const shown = [...runs].reverse().filter(({ outcome }) => outcome !== undefined && outcome !== "skipped");
  const limit = shown.findLast(({ objectives }) => objectives?.recoveryTime !== undefined)?.objectives?.recoveryTime
    ?.maxMs;
  const said = h("p", { class: "reading" }, "Use the arrow keys, or point at a run, to read its values.");
  const drawing = h("div", { class: "drawing" });
  const legend = h(
    "ul",
    { class: "legend" },
    h("li", {}, svgMark("point good"), "passed"),
    h("li", {}, svgMark("diamond warn"), "objective missed"),
    h("li", {}, svgMark("cross bad"), "failed or not begun"),
    limit === undefined ? null : h("li", {}, svgMark("objective"), `objective: ${duration(limit)}`),
  );
  const draw = () =>
    fill(
      drawing,
      chart(shown, { limit, width: Math.max(drawing.clientWidth, 280) }, (run) => setText(said, textOf(run))),
    );
  const observer = new ResizeObserver(draw);
  observer.observe(drawing);
  signal.addEventListener("abort", () => observer.disconnect());
  if (shown.length === 0) return h("p", { class: "note" }, "No run has come to an end yet.");
  return h("figure", { class: "chart" }, legend, drawing, said);
}

/** @param {string} kind */
function svgMark(kind) {
  const box = svg("svg", { width: 18, height: 14, "aria-hidden": "true", class: "mark" });
  if (kind === "objective") box.append(svg("line", { class: "objective", x1: 0, x2: 18, y1: 7, y2: 7 }));
  else box.append(shape(kind, 9, 7));
  return box;
}

/**
 * A round point, a diamond or a cross: told apart without colour.
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 */
function shape(kind, x, y) {
  const [form = "point"] = kind.split(" ");
  const r = POINT;
  if (form === "point") return svg("circle", { class: kind, cx: x, cy: y, r: r - 0.5 });
  if (form === "diamond")
    return svg("path", { class: kind, d: `M${x} ${y - r - 1}L${x + r + 1} ${y}L${x} ${y + r + 1}L${x - r - 1} ${y}Z` });
  return svg("path", { class: kind, d: `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}` });
}

/** @param {Run} run */
function kindOf({ outcome }) {
  if (outcome === "passed") return "point good";
  return outcome === "objective-missed" ? "diamond warn" : "cross bad";
}

/** @param {Run} run */
function textOf(run) {
  const { due, recoveryMs, objectives, failures = [], error } = run;
  const time = recoveryMs === undefined ? "no recovery time measured" : `recovery time ${duration(recoveryMs)}`;
  const limit = objectives?.recoveryTime?.maxMs;
  const why = [...failures, ...(error === undefined ? [] : [error.message])];
  return `${instant(due)}: ${runStanding(run).text}, ${time}${limit === undefined ? "" : `, allowed ${duration(limit)}`}${why.length === 0 ? "" : `. ${why.join("; ")}`}`;
}

/**
 * @param {readonly Run[]} runs the earliest first
 * @param {{ limit: number | undefined, width: number }} frame
 * @param {(run: Run) => void} onRead
 */
function chart(runs, { limit, width }, onRead) {
  const slowest = Math.max(...runs.map(({ recoveryMs = 0 }) => recoveryMs), 1);
  const isLimitNear = limit !== undefined && limit <= slowest * FAR;
  const top = Math.max(slowest, isLimitNear ? limit : 0) * 1.1;
  const times = runs.map(({ due }) => Date.parse(due));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const x = (/** @type {number} */ time) =>
    EDGE.left + ((time - first) / Math.max(last - first, 1)) * (width - EDGE.left - EDGE.right);
  const y = (/** @type {number} */ ms) => HEIGHT - EDGE.bottom - (ms / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const at = runs.map((run, i) => ({
    run,
    x: runs.length === 1 ? width / 2 : x(times[i] ?? 0),
    y: y(run.recoveryMs ?? 0),
  }));
  const line = at.filter(({ run }) => run.recoveryMs !== undefined).map((point) => `${point.x},${point.y}`);
  return svg(
    "svg",
    {
      width,
      height: HEIGHT,
      role: "group",
      "aria-label": `Recovery time of ${runs.length} runs. The arrow keys go from run to run.`,
    },
    axisLines(top, width, y),
    dateLabels(first, last, width),
    isLimitNear ? limitLine(y(limit), width) : null,
    svg("polyline", { class: "curve", points: line.join(" ") }),
    points(at, onRead),
  );
}

/**
 * @param {number} top
 * @param {number} width
 * @param {(ms: number) => number} y
 */
function axisLines(top, width, y) {
  const step = STEPS_MS.find((each) => top / each <= MOST_LINES) ?? top / MOST_LINES;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step).flatMap((ms) => [
    svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(ms), y2: y(ms) }),
    svg("text", { class: "axis", x: EDGE.left - 8, y: y(ms) + 4, "text-anchor": "end" }, axisText(ms)),
  ]);
}

/** @param {number} ms */
function axisText(ms) {
  if (ms === 0) return "0";
  return duration(ms).replace(".0 s", " s");
}

/**
 * @param {number} first
 * @param {number} last
 * @param {number} width
 */
function dateLabels(first, last, width) {
  const label = (/** @type {number} */ time, /** @type {number} */ x, /** @type {string} */ anchor) =>
    svg("text", { class: "axis", x, y: HEIGHT - 8, "text-anchor": anchor }, new Date(time).toISOString().slice(0, 10));
  if (first === last) return [label(first, width / 2, "middle")];
  return [label(first, EDGE.left, "start"), label(last, width - EDGE.right, "end")];
}

/**
 * @param {number} y
 * @param {number} width
 */
function limitLine(y, width) {
  return svg("line", { class: "objective", x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y });
}

/**
 * One of them is in the tab order; the arrow keys go on from there.
 * @param {readonly { run: Run, x: number, y: number }[]} at
 * @param {(run: Run) => void} onRead
 */
function points(at, onRead) {
  /** @type {SVGGElement[]} */
  const marks = at.map(({ run, x, y }, i) =>
    svg(
      "g",
      {
        class: "run",
        role: "img",
        tabindex: i === at.length - 1 ? "0" : "-1",
        "aria-label": textOf(run),
        onfocus: () => onRead(run),
        onpointerenter: () => onRead(run),
        onkeydown: (/** @type {KeyboardEvent} */ event) => go(event, i),
      },
      svg("circle", { class: "touch", cx: x, cy: y, r: 12 }),
      shape(kindOf(run), x, y),
    ),
  );
  const go = (/** @type {KeyboardEvent} */ event, /** @type {number} */ from) => {
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: marks.length - 1 }[event.key];
    const [mark, before] = [marks[to ?? -1], marks[from]];
    if (mark === undefined) return;
    event.preventDefault();
    before?.setAttribute("tabindex", "-1");
    mark.setAttribute("tabindex", "0");
    mark.focus();
  };
  return marks;
}
