/** Schedules: when they run next, how their runs came out, and how the recovery time has been over time. */
import { ask, may, withQuery } from "./api.js";
import { every } from "./clock.js";
import { announce, fill, h } from "./dom.js";
import { historyChart } from "./history-chart.js";
import { badge, facts, problemOf, section, sentences, table, tiles, timeText } from "./pieces.js";
import { ago, count, dumpName, duration, instant, plural, printable, rate, runStanding } from "./words.js";

/**
 * @typedef {import("../schema/schedule.js").ScheduleView} ScheduleView
 * @typedef {import("../schema/schedule.js").Run} Run
 * @typedef {import("./app.js").ViewContext} ViewContext
 */

const REFRESH_MS = 10_000;
const RUNS = 100;

/**
 * @param {ViewContext} context
 * @returns {Promise<{ title: string }>}
 */
export async function schedulesView({ root, signal }) {
  const body = h("div", {}, h("p", { class: "note" }, "Loading…"));
  const trouble = h("div");
  fill(root, h("h1", { tabindex: "-1" }, "Schedules"), trouble, body);
  await load(signal, trouble, async () => {
    /** @type {{ schedules: readonly ScheduleView[] }} */
    const { schedules } = await ask("/v1/schedules", { signal });
    const none = h("p", { class: "notice" }, "The daemon's configuration holds no schedules.");
    fill(body, schedules.length === 0 ? none : h("ul", { class: "jobs" }, schedules.map(scheduleRow)));
  });
  return { title: "Schedules" };
}

/**
 * @param {AbortSignal} signal
 * @param {HTMLElement} trouble
 * @param {() => Promise<void>} call
 */
async function load(signal, trouble, call) {
  try {
    await call();
    fill(trouble);
  } catch (error) {
    signal.throwIfAborted();
    fill(trouble, problemOf(error, "The schedules cannot be shown"));
  }
}

/** @param {ScheduleView} schedule */
function scheduleRow({ name, kind, root, pick, target, next, current, last, lately }) {
  return h(
    "li",
    {},
    h(
      "div",
      { class: "line" },
      h("a", { class: "name", href: `#/schedules/${encodeURIComponent(name)}` }, name),
      current === undefined ? (last === undefined ? null : badge(runStanding(last))) : badge(runStanding(current)),
    ),
    h("p", {}, whatItDoes({ kind, root, pick, target })),
    h(
      "p",
      { class: "note" },
      next[0] === undefined ? "It is never due again." : `Next ${instant(next[0])}, ${ago(next[0])}. `,
      latelyWords(lately),
    ),
  );
}

/** @param {Pick<ScheduleView, "kind" | "root" | "pick"> & { target: string | undefined }} schedule */
function whatItDoes({ kind, root, pick, target }) {
  const dump = `${pick === "newest" ? "the newest dump" : "a random dump"} of ${root}`;
  if (kind === "drill")
    return `Drill with ${dump}${target === undefined ? ", in servers of its own" : `, in ${target}`}`;
  return target === undefined ? `Check ${dump}` : `Compare ${dump} with ${target}`;
}

/** @param {ScheduleView["lately"]} lately */
function latelyWords({ runs, passed, missedObjectives, failed, failingSince }) {
  if (runs === 0) return "It has not run yet.";
  const parts = [
    `${passed} passed`,
    ...(missedObjectives > 0 ? [`${missedObjectives} missed an objective`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  const since = failingSince === undefined ? "" : ` Not passed since ${instant(failingSince)}.`;
  return `Of the last ${plural(runs, "run")} ${parts.join(", ")}.${since}`;
}

/**
 * @param {ViewContext} context
 * @returns {Promise<{ title: string }>}
 */
export async function scheduleView(context) {
  const { root, parameters, signal } = context;
  const name = parameters[0] ?? "";
  const page = new SchedulePage(name, context);
  fill(root, h("h1", { tabindex: "-1" }, `Schedule ${printable(name)}`), page.element);
  await page.load();
  every(REFRESH_MS, signal, () => void page.load());
  return { title: `Schedule ${printable(name)}` };
}

class SchedulePage {
  #address;
  #context;
  #trouble = h("div");
  #about = h("div", {}, h("p", { class: "note" }, "Loading…"));
  #history = h("div");
  #run;
  #shown = "";

  /**
   * @param {string} name
   * @param {ViewContext} context
   */
  constructor(name, context) {
    this.#address = `/v1/schedules/${encodeURIComponent(name)}`;
    this.#context = context;
    this.#run = h("button", { type: "button", onclick: () => void this.#runNow() }, "Run now");
    const isAllowed = may(context.who, "restore");
    const why = `You look on: the token ${printable(context.who.name)} may read. To run it takes one that may restore.`;
    this.element = h(
      "div",
      {},
      this.#trouble,
      h("div", { class: "actions" }, isAllowed ? this.#run : h("p", { class: "note" }, why)),
      this.#about,
      this.#history,
    );
  }

  async load() {
    const { signal } = this.#context;
    await load(signal, this.#trouble, async () => {
      const [schedule, { runs }] = await Promise.all([
        /** @type {Promise<ScheduleView>} */ (ask(this.#address, { signal })),
        /** @type {Promise<{ runs: readonly Run[] }>} */ (
          ask(withQuery(`${this.#address}/runs`, { limit: RUNS }), { signal })
        ),
      ]);
      this.#show(schedule, runs);
    }).catch(() => undefined);
  }

  /**
   * @param {ScheduleView} schedule
   * @param {readonly Run[]} runs
   */
  #show(schedule, runs) {
    fill(this.#about, aboutParts(schedule));
    const key = JSON.stringify(runs);
    // A chart that is read stays where it is.
    if (key === this.#shown) return;
    this.#shown = key;
    fill(this.#history, historyParts(schedule, runs, this.#context.signal));
  }

  async #runNow() {
    try {
      /** @type {Run} */
      const { job } = await ask(`${this.#address}/run`, { method: "POST" });
      announce("A run was asked for.");
      await this.load();
      if (job !== undefined) this.#context.go(`#/jobs/${job}`);
    } catch (error) {
      fill(this.#trouble, problemOf(error, "It was not run"));
    }
  }
}

/** @param {ScheduleView} schedule */
function aboutParts(schedule) {
  const { cron, timezone, jitter, missed, overlap, next, startsAt, notify, lately, current, waiting, target } =
    schedule;
  return [
    h("p", {}, whatItDoes({ ...schedule, target }), ". ", latelyWords(lately)),
    ...(current === undefined
      ? []
      : [h("p", { class: "notice" }, badge(runStanding(current)), " job ", jobLink(current))]),
    ...(waiting === undefined ? [] : [h("p", { class: "note" }, "Another run waits for it to end.")]),
    facts([
      [
        "Due",
        h("span", {}, h("code", {}, cron), ` in ${timezone}${jitter === undefined ? "" : `, up to ${jitter} later`}`),
      ],
      [
        "Next",
        next.length === 0
          ? "never"
          : h(
              "ul",
              { class: "plain" },
              next.slice(0, 3).map((time) => h("li", {}, timeText(time))),
            ),
      ],
      startsAt === undefined || startsAt === next[0] ? undefined : ["Starts", timeText(startsAt)],
      ["Runs that were missed", missed === "skip" ? "are left out" : "are made up for by one"],
      ["A run that is due while one is under way", overlap === "skip" ? "is left out" : "waits for it"],
      ["Told of failures", notify.length === 0 ? "nobody" : notify.join(", ")],
    ]),
  ];
}

/** @param {Run} run */
function jobLink({ job }) {
  return job === undefined ? null : h("a", { href: `#/jobs/${job}` }, h("code", {}, job));
}

/**
 * @param {ScheduleView} schedule
 * @param {readonly Run[]} runs the latest first
 * @param {AbortSignal} signal
 */
function historyParts({ kind, lately }, runs, signal) {
  if (runs.length === 0) return [section("Runs", h("p", { class: "note" }, "There are none yet."))];
  const { medianMs, fastestMs, slowestMs } = lately;
  const isDrill = kind === "drill";
  const measured = [
    ...(medianMs === undefined ? [] : [/** @type {const} */ ([duration(medianMs), "median recovery time"])]),
    ...(fastestMs === undefined ? [] : [/** @type {const} */ ([duration(fastestMs), "fastest"])]),
    ...(slowestMs === undefined ? [] : [/** @type {const} */ ([duration(slowestMs), "slowest"])]),
  ];
  return [
    ...(isDrill ? [section("Recovery time", tiles(measured), historyChart(runs, signal))] : []),
    section("Runs, the latest first", runTable(runs, isDrill)),
  ];
}

/**
 * @param {readonly Run[]} runs
 * @param {boolean} isDrill
 */
function runTable(runs, isDrill) {
  return table(
    "Runs",
    [
      ["due"],
      ["outcome"],
      isDrill ? ["recovery time", "number"] : ["differences", "number"],
      ...(isDrill ? [/** @type {const} */ (["allowed", "number"])] : []),
      ["records", "number"],
      ["rate", "number"],
      ["dump"],
      ["why"],
    ],
    runs.map((run) => [
      run.job === undefined ? instant(run.due) : h("a", { href: `#/jobs/${run.job}` }, instant(run.due)),
      badge(runStanding(run)),
      isDrill ? durationOf(run.recoveryMs) : countOf(run.differences),
      ...(isDrill ? [durationOf(run.objectives?.recoveryTime?.maxMs)] : []),
      countOf(run.records),
      run.recordsPerSecond === undefined ? "" : rate(run.recordsPerSecond),
      run.dump === undefined ? "" : h("bdi", {}, dumpName(run.dump)),
      whyParts(run),
    ]),
  );
}

/** @param {number | undefined} ms */
function durationOf(ms) {
  return ms === undefined ? "" : duration(ms);
}

/** @param {number | undefined} value */
function countOf(value) {
  return value === undefined ? "" : count(value);
}

/** @param {Run} run */
function whyParts({ reason, failures = [], error, comparison }) {
  const slower =
    comparison === undefined || comparison.percent < 25
      ? []
      : [`${comparison.percent} % slower than the median of the ${comparison.runs} before`];
  const texts = [
    ...(reason === undefined ? [] : [reason]),
    ...failures,
    ...(error === undefined ? [] : [error.message]),
    ...slower,
  ];
  return texts.length === 0 ? "" : sentences(texts);
}
