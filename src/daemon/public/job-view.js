/** One job, live: what it is, how far it is, what went wrong, and what can be done about it. */
import { ask } from "./api.js";
import { every, now } from "./clock.js";
import { isLost } from "./connection.js";
import { announce, fill, h, setText } from "./dom.js";
import { JobActions } from "./job-actions.js";
import { LimitsForm } from "./limits-form.js";
import { optionsInWords } from "./options-words.js";
import { badge, facts, problem, problemOf, section, sentences, tiles, timeText } from "./pieces.js";
import { planSection } from "./plan-view.js";
import { checkText, ScopeList, sums } from "./progress.js";
import { rejectsSection } from "./rejects-view.js";
import { reportSection } from "./report-view.js";
import { follow } from "./stream.js";
import {
  ago,
  bytes,
  count,
  dumpName,
  duration,
  instant,
  jobTitle,
  KIND_WORDS,
  leftOver,
  OUTCOMES,
  printable,
  rate,
  standing,
  took,
} from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../schema/job.js").JobEvent} JobEvent
 * @typedef {import("../../run/plan/plan-schema.js").Plan} Plan
 * @typedef {import("./progress.js").Expected} Expected
 * @typedef {import("./app.js").ViewContext} ViewContext
 */

const ENDED = new Set(["finished", "failed", "cancelled"]);
/** A job under way that says nothing for so long is shown as one that says nothing. */
const SILENT_MS = 15_000;

/** @param {JobView} job */
function hasEnded({ state }) {
  return ENDED.has(state);
}

/**
 * @param {ViewContext} context
 * @returns {Promise<{ title: string }>}
 */
export async function jobView(context) {
  const { root, parameters, signal } = context;
  const id = parameters[0] ?? "";
  fill(root, h("h1", { tabindex: "-1" }, `Job ${id}`), h("p", { class: "note" }, "Loading…"));
  try {
    const job = await ask(`/v1/jobs/${encodeURIComponent(id)}`, { signal });
    const page = new JobPage(/** @type {JobView} */ (job), context);
    page.start();
    return { title: jobTitle(/** @type {JobView} */ (job)) };
  } catch (error) {
    signal.throwIfAborted();
    fill(root, h("h1", { tabindex: "-1" }, `Job ${printable(id)}`), problemOf(error, "This job cannot be shown"));
    return { title: "Job" };
  }
}

class JobPage {
  #context;
  #job;
  /** @type {Expected | undefined} */
  #expected;
  #changedAt = now();
  #isDrawn = true;
  #state = h("span");
  #actions;
  #limits;
  #story = h("p", { class: "story" });
  #does = h("p");
  #facts = h("div");
  #shownFacts = "";
  #shownWarnings = "[]";
  #error = h("div");
  /** @type {string | undefined} */
  #drawnError;
  #warnings = h("div");
  #check = h("p", { class: "note" });
  #progressTitle = h("h2");
  #tiles = h("div");
  #news = h("p", { class: "note" });
  #outcomes = h("div");
  #scopes = new ScopeList();
  #progress;
  #more = h("div");
  #shownMore = "";

  /**
   * @param {JobView} job
   * @param {ViewContext} context
   */
  constructor(job, context) {
    this.#context = context;
    this.#job = job;
    this.#actions = new JobActions(job, context, (changed) => this.#take(changed));
    this.#limits = new LimitsForm(job, context, (changed) => this.#take(changed));
    this.#progress = h(
      "section",
      { class: "live" },
      this.#progressTitle,
      this.#check,
      this.#tiles,
      this.#news,
      this.#outcomes,
      this.#scopes.element,
    );
    fill(
      context.root,
      h("div", { class: "title" }, h("h1", { tabindex: "-1" }, jobTitle(job)), this.#state),
      this.#does,
      this.#story,
      this.#actions.element,
      this.#error,
      this.#progress,
      this.#more,
      this.#warnings,
      this.#limits.element,
      section("About this job", this.#facts),
    );
  }

  start() {
    const { signal } = this.#context;
    this.#draw();
    if (this.#job.plan !== undefined) void this.#learnExpected(this.#job.plan);
    every(1000, signal, () => this.#drawTimes());
    if (hasEnded(this.#job)) return;
    void follow(
      `/v1/jobs/${this.#job.id}/events`,
      {
        after: this.#job.lastEvent,
        onEvent: ({ data }) => this.#hear(/** @type {JobEvent} */ (data)),
        onRefused: (error) => fill(this.#error, problemOf(error, "This job cannot be followed")),
        isDone: () => hasEnded(this.#job),
      },
      signal,
    );
  }

  /** @param {JobEvent} event */
  #hear(event) {
    if (event.type === "state") this.#take(event.job);
    else if (event.type === "progress") this.#take({ ...this.#job, progress: event.progress });
    else if (!this.#job.warnings.includes(event.text)) {
      this.#take({ ...this.#job, warnings: [...this.#job.warnings, event.text] });
    }
  }

  /** @param {JobView} job */
  #take(job) {
    this.#job = job;
    this.#changedAt = now();
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      if (!this.#context.signal.aborted) this.#draw();
    });
  }

  #draw() {
    const job = this.#job;
    this.#drawState(job);
    this.#drawFacts(job);
    this.#actions.show(job);
    this.#limits.show(job);
    this.#drawError(job);
    this.#drawWarnings(job);
    this.#drawProgress(job);
    this.#drawMore(job);
    this.#drawTimes();
  }

  /** @param {JobView} job */
  #drawState(job) {
    const shown = standing(job);
    if (this.#state.textContent === `${shown.mark}${shown.text}`) return;
    const isFirst = this.#state.firstChild === null;
    fill(this.#state, badge(shown));
    if (!isFirst) announce(`${jobTitle(job)}: ${shown.text}`);
  }

  /** @param {JobView} job */
  #drawFacts({ progress, ...job }) {
    const key = JSON.stringify(job);
    if (key === this.#shownFacts) return;
    this.#shownFacts = key;
    fill(this.#facts, factsOf(job));
    setText(this.#does, inSentences(optionsInWords(job.kind, job.options)));
  }

  /** @param {JobView} job */
  #drawError({ error }) {
    const text = JSON.stringify(error);
    if (text === this.#drawnError) return;
    this.#drawnError = text;
    if (error === undefined) fill(this.#error);
    else fill(this.#error, problem("Why it failed", error));
  }

  /** @param {JobView} job */
  #drawWarnings({ warnings }) {
    const key = JSON.stringify(warnings);
    if (key === this.#shownWarnings) return;
    this.#shownWarnings = key;
    fill(
      this.#warnings,
      h(
        "details",
        { class: "notice warn", open: true },
        h("summary", {}, warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`),
        sentences(warnings),
      ),
    );
  }

  /** @param {JobView} job */
  #drawProgress(job) {
    const { progress, result, state } = job;
    // What came of it tells more than how it went.
    const isTold = hasEnded(job) && (job.has.report || job.has.plan);
    setText(this.#progressTitle, isTold ? "How its records ended" : "Progress");
    this.#progress.hidden = isTold ? outcomesOf(job) === null : progress === undefined && result?.totals === undefined;
    setText(this.#check, checkText(progress) ?? "");
    this.#check.hidden = isTold || this.#check.textContent === "";
    const shown = isTold ? [] : progressTiles(job, this.#expected);
    this.#tiles.hidden = shown.length === 0;
    fill(this.#tiles, tiles(shown));
    fill(this.#outcomes, outcomesOf(job));
    this.#scopes.element.hidden = isTold;
    this.#scopes.show(progress, state === "running");
  }

  /** What there is beside it, once there is. @param {JobView} job */
  #drawMore(job) {
    const { plan, report, rejects } = job.has;
    const isDone = hasEnded(job);
    const key = JSON.stringify([plan, report, isDone && rejects, isDone]);
    if (key === this.#shownMore) return;
    this.#shownMore = key;
    const parts = [
      ...(job.kind === "plan" && plan ? [planSection(job, this.#context)] : []),
      ...(report ? [reportSection(job, this.#context)] : []),
      ...(rejects && isDone ? [rejectsSection(job, this.#context)] : []),
    ];
    fill(this.#more, parts);
  }

  #drawTimes() {
    const { state } = this.#job;
    const silentMs = now() - this.#changedAt;
    const isSilent = state === "running" && silentMs > SILENT_MS;
    this.#news.hidden = !isSilent;
    if (isSilent)
      setText(this.#news, `The job has said nothing for ${duration(silentMs)}: it may wait for its target.`);
    // While nobody knows, no time goes on as if the job did.
    if (!isLost()) setText(this.#story, storyOf(this.#job));
  }

  /** How much there is to do, which the plan knows. @param {string} planId */
  async #learnExpected(planId) {
    try {
      const { plan } = /** @type {{ plan: Plan }} */ (
        await ask(`/v1/jobs/${planId}/plan`, { signal: this.#context.signal })
      );
      const { scopes } = plan;
      this.#expected = { scopes: scopes.length, bytes: scopes.reduce((sum, scope) => sum + scope.bytes, 0) };
      this.#draw();
    } catch {
      // Plans are forgotten some day; the scopes that were begun are shown all the same.
    }
  }
}

/** @param {Omit<JobView, "progress">} job */
function factsOf(job) {
  const { id, kind, dump, target, plan, schedule, by, createdAt, startedAt, endedAt, attempts, waitsFor, result } = job;
  return facts([
    ["Job", h("a", { href: `#/jobs/${id}` }, h("code", {}, id))],
    ["Dump", h("bdi", {}, dumpName(dump))],
    ["Target", target === undefined ? targetless(kind) : h("bdi", {}, printable(target))],
    plan === undefined
      ? undefined
      : ["Carries out", h("a", { href: `#/jobs/${plan}` }, "the plan ", h("code", {}, plan))],
    [
      "Asked for by",
      schedule === undefined
        ? printable(by)
        : h("a", { href: `#/schedules/${encodeURIComponent(schedule)}` }, `the schedule ${schedule}`),
    ],
    ["Asked for", timeText(createdAt)],
    startedAt === undefined ? undefined : ["Begun", timeText(startedAt)],
    endedAt === undefined ? undefined : ["Ended", timeText(endedAt)],
    waitsFor === undefined ? undefined : ["Waits for", printable(waitsFor)],
    attempts > 1
      ? ["Processes", `${attempts}: it was taken up again ${attempts === 2 ? "once" : `${attempts - 1} times`}`]
      : undefined,
    result?.recoveryMs === undefined ? undefined : ["Recovery time", duration(result.recoveryMs)],
  ]);
}

/** @param {readonly string[]} texts */
function inSentences(texts) {
  return texts.map((text) => text.replace(/\.?$/, ".")).join(" ");
}

/** @param {JobView} job */
function storyOf(job) {
  const { by, schedule, createdAt, startedAt, endedAt, waitsFor } = job;
  const asked = schedule === undefined ? `asked for by ${printable(by)}` : `by the schedule ${schedule}`;
  if (endedAt !== undefined) {
    const after = startedAt === undefined ? "" : `, after ${took(job)}`;
    return `Ended ${instant(endedAt)}, ${ago(endedAt)}${after}; ${asked}`;
  }
  if (startedAt !== undefined) return `Under way for ${took(job)}, since ${instant(startedAt)}; ${asked}`;
  return `Waiting since ${instant(createdAt)}${waitsFor === undefined ? "" : `: ${printable(waitsFor)}`}; ${asked}`;
}

/** @param {JobView["kind"]} kind */
function targetless(kind) {
  return kind === "drill" ? "servers of its own, which end with it" : "none: the dump alone";
}

/**
 * @param {JobView} job
 * @param {Expected | undefined} expected
 * @returns {(readonly [string, string, import("./words.js").Tone?])[]}
 */
function progressTiles(job, expected) {
  const { progress, state, result } = job;
  const sum = sums(progress, expected);
  if (sum.begun === 0) return [];
  const isRunning = state === "running";
  const of = sum.known === undefined ? "" : ` of ${count(sum.known)}`;
  const left = result?.totals === undefined ? sum.leftOver : leftOver(result.totals);
  return [
    [count(sum.records), sum.isComparison ? "records compared" : "records ended"],
    [
      bytes(sum.bytes),
      `of ${bytes(sum.expectedBytes)}${sum.known === undefined && isRunning ? ", in the scopes begun so far" : ""}`,
    ],
    [`${count(sum.ended)}${of}`, sum.known === undefined ? `scopes done, of ${count(sum.begun)} begun` : "scopes done"],
    ...(isRunning ? [/** @type {const} */ ([rate(sum.perSecond), "records a second"])] : []),
    ...(isRunning && sum.secondsLeft !== undefined
      ? [/** @type {const} */ ([duration(sum.secondsLeft * 1000), "left in the scopes under way, about"])]
      : []),
    ...(job.kind === "apply" ? [/** @type {const} */ ([count(left), "not restored", left > 0 ? "warn" : "calm"])] : []),
    ...(sum.differing > 0 ? [/** @type {const} */ ([count(sum.differing), "differ from the dump", "warn"])] : []),
  ];
}

/** How its records ended so far, with what the words mean. @param {JobView} job */
function outcomesOf({ kind, progress, result }) {
  if (kind !== "apply" && kind !== "drill") return null;
  const scopes = progress?.scopes ?? [];
  const rows = OUTCOMES.flatMap(([outcome, name, tone, meaning]) => {
    const value = result?.totals?.[outcome] ?? scopes.reduce((sum, { outcomes }) => sum + outcomes[outcome], 0);
    return value === 0
      ? []
      : [
          h(
            "li",
            { class: tone },
            h("b", {}, count(value)),
            h("span", { class: "what" }, name),
            h("span", { class: "note" }, meaning),
          ),
        ];
  });
  return rows.length === 0
    ? null
    : h("ul", { class: "outcomes", "aria-label": `How records of this ${KIND_WORDS[kind]} ended` }, rows);
}
