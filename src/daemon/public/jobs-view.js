/** All jobs: what is under way first, then what has ended, the latest first. */
import { ask, withQuery } from "./api.js";
import { every } from "./clock.js";
import { isLost } from "./connection.js";
import { fill, h, keyed, part, setText } from "./dom.js";
import { badge, field, problemOf, select } from "./pieces.js";
import { overall } from "./progress.js";
import { follow } from "./stream.js";
import {
  ago,
  count,
  instant,
  jobTitle,
  KIND_WORDS,
  leftOver,
  plural,
  printable,
  STATE_WORDS,
  standing,
  took,
} from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../schema/job.js").JobState} JobState
 * @typedef {import("./app.js").View} View
 */

const UNDER_WAY = /** @type {const} */ (["running", "paused", "held", "queued"]);
const ENDED = /** @type {const} */ (["finished", "failed", "cancelled"]);
const PAGE = 50;
/** Events tell of states alone; progress is asked for. */
const REFRESH_MS = 4000;
const AGES_MS = 10_000;

/** @param {JobState} state */
function isUnderWay(state) {
  return UNDER_WAY.some((each) => each === state);
}

/** @type {View} */
export function jobsView({ root, query, signal, go }) {
  const state = query.get("state") ?? "";
  const kind = query.get("kind") ?? "";
  const list = new JobList({ state, kind });
  const filters = filterForm({ state, kind }, (chosen) => go(withQuery("#/jobs", chosen)));
  fill(root, h("h1", { tabindex: "-1" }, "Jobs"), filters, list.element);
  void follow(
    "/v1/events",
    {
      onOpen: () => void list.load(signal),
      onEvent: ({ data }) => list.take(jobIn(data)),
      onRefused: (error) => list.fail(error),
    },
    signal,
  );
  every(REFRESH_MS, signal, () => void list.refresh(signal));
  every(AGES_MS, signal, () => list.show());
  return { title: "Jobs" };
}

/** @param {unknown} data @returns {JobView} */
function jobIn(data) {
  return /** @type {JobView} */ (data);
}

/**
 * @param {{ state: string, kind: string }} chosen
 * @param {(chosen: { state: string, kind: string }) => void} onChange
 */
function filterForm({ state, kind }, onChange) {
  const states = select("state", [["", "any state"], ...Object.entries(STATE_WORDS)], state);
  const kinds = select("kind", [["", "any kind"], ...Object.entries(KIND_WORDS)], kind);
  const change = () => onChange({ state: states.value, kind: kinds.value });
  states.addEventListener("change", change);
  kinds.addEventListener("change", change);
  return h(
    "form",
    {
      class: "filters",
      role: "search",
      "aria-label": "Jobs",
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    field("State", states),
    field("Kind", kinds),
  );
}

class JobList {
  /** @type {Map<string, JobView>} */
  #jobs = new Map();
  /** @type {string | undefined} */
  #next;
  #filter;
  #isLoaded = false;
  #current = h("ul", { class: "jobs" });
  #ended = h("ul", { class: "jobs" });
  #noneCurrent = h("p", { class: "note" }, "Loading…");
  #noneEnded = h("p", { class: "note" }, "Loading…");
  #more = h("button", { type: "button", hidden: true }, "Show earlier ones");
  #trouble = h("div");

  /** @param {{ state: string, kind: string }} filter */
  constructor(filter) {
    this.#filter = filter;
    this.#more.addEventListener("click", () => void this.#loadMore());
    const shows = (/** @type {readonly string[]} */ states) => filter.state === "" || states.includes(filter.state);
    this.element = h(
      "div",
      {},
      this.#trouble,
      h("section", { hidden: !shows(UNDER_WAY) }, h("h2", {}, "Under way"), this.#noneCurrent, this.#current),
      h("section", { hidden: !shows(ENDED) }, h("h2", {}, "Ended"), this.#noneEnded, this.#ended, this.#more),
    );
  }

  /** Everything anew: events tell what happens from now on, not what happened while nobody listened. @param {AbortSignal} signal */
  async load(signal) {
    try {
      const [current, ended] = await Promise.all([this.#ask(UNDER_WAY, signal), this.#ask(ENDED, signal)]);
      this.#jobs = new Map([...current.jobs, ...ended.jobs].map((job) => [job.id, job]));
      this.#next = ended.next;
      this.#isLoaded = true;
      fill(this.#trouble);
      this.show();
    } catch (error) {
      if (!signal.aborted) this.fail(error);
    }
  }

  /** Progress of what runs. @param {AbortSignal} signal */
  async refresh(signal) {
    const isRunning = [...this.#jobs.values()].some(({ state }) => state === "running");
    if (!isRunning || document.visibilityState === "hidden" || isLost()) return;
    const { jobs } = await this.#ask(["running"], signal).catch(() => ({ jobs: [] }));
    for (const job of jobs) {
      // An event may have told of its end meanwhile.
      if (this.#jobs.get(job.id)?.state === "running") this.#jobs.set(job.id, job);
    }
    this.show();
  }

  /** @param {JobView} job */
  take(job) {
    if (!this.#isLoaded) return;
    this.#jobs.set(job.id, job);
    this.show();
  }

  /** @param {unknown} error */
  fail(error) {
    fill(this.#trouble, problemOf(error, "The jobs cannot be shown"));
  }

  show() {
    if (!this.#isLoaded) return;
    const { state, kind } = this.#filter;
    const jobs = [...this.#jobs.values()]
      .filter((job) => (state === "" || job.state === state) && (kind === "" || job.kind === kind))
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    const current = UNDER_WAY.flatMap((each) => jobs.filter((job) => job.state === each));
    const ended = jobs.filter((job) => !isUnderWay(job.state));
    keyed(this.#current, current, ROWS);
    keyed(this.#ended, ended, ROWS);
    setText(this.#noneCurrent, "Nothing is under way.");
    setText(this.#noneEnded, "Nothing has ended.");
    this.#noneCurrent.hidden = current.length > 0;
    this.#noneEnded.hidden = ended.length > 0;
    this.#more.hidden = this.#next === undefined;
  }

  async #loadMore() {
    try {
      const { jobs, next } = await this.#ask(ENDED, undefined, this.#next);
      for (const job of jobs) if (!this.#jobs.has(job.id)) this.#jobs.set(job.id, job);
      this.#next = next;
      this.show();
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * @param {readonly JobState[]} states
   * @param {AbortSignal | undefined} signal
   * @param {string} [cursor]
   * @returns {Promise<{ jobs: readonly JobView[], next?: string }>}
   */
  async #ask(states, signal, cursor) {
    const { state, kind } = this.#filter;
    const wanted = states.filter((each) => state === "" || state === each);
    if (wanted.length === 0) return { jobs: [] };
    const limit = isUnderWay(wanted[0] ?? "queued") ? 1000 : PAGE;
    return await ask(
      withQuery("/v1/jobs", { state: wanted, kind, limit, cursor }),
      signal === undefined ? {} : { signal },
    );
  }
}

/** @type {import("./dom.js").Rows<JobView>} */
const ROWS = {
  key: ({ id }) => id,
  create: (job) =>
    h(
      "li",
      {},
      h(
        "div",
        { class: "line" },
        h("a", { class: "name", href: `#/jobs/${job.id}` }, jobTitle(job)),
        h("span", { "data-part": "state" }),
      ),
      h("div", { "data-part": "progress", class: "live" }),
      h("p", { "data-part": "story", class: "note" }),
    ),
  update: (row, job) => {
    const state = part(row, "state");
    const shown = standing(job);
    if (state.textContent !== `${shown.mark}${shown.text}`) fill(state, badge(shown));
    showProgress(part(row, "progress"), job);
    setText(part(row, "story"), storyOf(job));
  },
};

/**
 * @param {HTMLElement} element
 * @param {JobView} job
 */
function showProgress(element, job) {
  const isShown = job.state === "running" || job.state === "paused";
  element.hidden = !isShown;
  if (isShown) overall(element, job);
}

/** @param {JobView} job */
function storyOf(job) {
  const { state, by, createdAt, startedAt, endedAt, result, error, waitsFor, schedule } = job;
  const asked = schedule === undefined ? `asked for by ${by}` : `by the schedule ${schedule}`;
  if (state === "queued")
    return `Waiting since ${instant(createdAt)}${waitsFor === undefined ? "" : `: ${printable(waitsFor)}`}; ${asked}`;
  if (endedAt === undefined) return `Begun ${startedAt === undefined ? "" : ago(startedAt)}; ${asked}`;
  const time = `${instant(endedAt)}, ${ago(endedAt)}`;
  const after = startedAt === undefined ? "" : ` after ${took(job)}`;
  return [
    `Ended ${time}${after}`,
    asked,
    ...resultParts(result),
    ...(error === undefined ? [] : [printable(error.message)]),
  ].join("; ");
}

/** @param {JobView["result"]} result */
function resultParts(result) {
  const { totals, differences, deletes } = result ?? {};
  const left = totals === undefined ? 0 : leftOver(totals);
  return [
    ...(totals === undefined ? [] : [`${count(totals.restored)} restored`]),
    ...(left === 0 ? [] : [`${count(left)} not restored`]),
    ...(differences === undefined || differences === 0 ? [] : [plural(differences, "difference")]),
    ...(deletes === true ? ["carrying it out deletes"] : []),
  ];
}
