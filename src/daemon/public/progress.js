/** Live progress: the whole of a job, and each of its scopes. */
import { fill, h, keyed, part, setText } from "./dom.js";
import { bytes, count, duration, leftOver, OUTCOMES, plural, rate, scopeLabel } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {import("../channel.js").Progress} Progress
 * @typedef {import("../channel.js").ScopeProgress} ScopeProgress
 *
 * @typedef {{ scopes: number, bytes: number }} Expected of a job whose plan is known
 */

/**
 * @param {Progress | undefined} progress
 * @param {Expected} [expected]
 */
export function sums(progress, expected) {
  const scopes = progress?.scopes ?? [];
  const active = scopes.filter(({ isFinished }) => !isFinished);
  const left = active.flatMap(({ secondsLeft }) => secondsLeft ?? []);
  const isCounted = expected !== undefined && expected.scopes >= scopes.length;
  return {
    records: total(scopes, (scope) => scope.records),
    bytes: total(scopes, doneBytes),
    expectedBytes: isCounted ? expected.bytes : total(scopes, ({ expectedBytes }) => expectedBytes),
    begun: scopes.length,
    ended: scopes.length - active.length,
    known: isCounted ? expected.scopes : undefined,
    perSecond: total(active, ({ perSecond }) => perSecond),
    secondsLeft: left.length > 0 && left.length === active.length ? Math.max(...left) : undefined,
    leftOver: total(scopes, ({ outcomes }) => leftOver(outcomes)),
    differing: total(scopes, ({ differing }) => differing),
    isComparison: scopes.some(({ isComparison, isFinished }) => isComparison && !isFinished),
  };
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => number} of
 */
function total(items, of) {
  return items.reduce((sum, item) => sum + of(item), 0);
}

/** A scope that has ended is done, whatever its files hold beside records. @param {ScopeProgress} scope */
function doneBytes({ bytes: done, expectedBytes, isFinished }) {
  return isFinished ? expectedBytes : Math.min(done, expectedBytes);
}

/**
 * One line with a bar.
 * @param {HTMLElement} element
 * @param {Pick<JobView, "progress" | "state">} job
 */
export function overall(element, { progress, state }) {
  if (element.firstChild === null) {
    fill(element, bar("progress of the job"), h("span", { "data-part": "said" }));
  }
  const said = part(element, "said");
  const sum = sums(progress);
  setBar(element, sum.bytes, sum.expectedBytes);
  if (progress === undefined) setText(said, "Beginning");
  else if (sum.begun === 0) setText(said, checkText(progress) ?? "Beginning");
  else {
    const pace = state === "paused" ? "" : `, ${rate(sum.perSecond)}`;
    const left = sum.leftOver === 0 ? "" : `, ${count(sum.leftOver)} not restored`;
    setText(said, `${plural(sum.records, "record")} in ${plural(sum.begun, "scope")}${pace}${left}`);
  }
}

/** @param {Progress | undefined} progress */
export function checkText(progress) {
  const { check, surveyed } = progress ?? {};
  if (surveyed !== undefined)
    return `Reading ${scopeLabel(surveyed.scope)}: ${plural(surveyed.records, "record")} looked at`;
  if (check === undefined) return undefined;
  const amount = `${plural(check.files, "file")}, ${bytes(check.bytes)}`;
  return check.isDone
    ? `Dump checked: ${amount}, whole`
    : `Checking the dump: ${amount} so far. Nothing is written before it is whole.`;
}

/** @param {string} label */
function bar(label) {
  return h("progress", { "data-part": "bar", max: "1000", value: "0", "aria-label": label });
}

/**
 * @param {Element} element
 * @param {number} done
 * @param {number} all
 */
function setBar(element, done, all) {
  const found = /** @type {HTMLProgressElement} */ (part(element, "bar"));
  const share = all === 0 ? 0 : Math.min(done / all, 1);
  // Rounded down: what shows as done is done.
  const value = Math.floor(share * 1000);
  if (found.value !== value) found.value = value;
  found.hidden = all === 0;
}

/** The scopes under way, those left with trouble, and the others that ended. */
export class ScopeList {
  #active = h("ul", { class: "scopes" });
  #ended = h("ul", { class: "scopes ended" });
  #activeTitle = h("h3");
  #endedTitle = h("h3");

  constructor() {
    this.element = h("div", {}, this.#activeTitle, this.#active, this.#endedTitle, this.#ended);
  }

  /**
   * @param {Progress | undefined} progress
   * @param {boolean} isLive whether anything goes on
   */
  show(progress, isLive) {
    const scopes = progress?.scopes ?? [];
    const active = scopes.filter(({ isFinished }) => !isFinished);
    const ended = scopes.filter(({ isFinished }) => isFinished);
    setText(this.#activeTitle, `${isLive ? "Under way" : "Not ended"} (${active.length})`);
    setText(this.#endedTitle, `Done (${ended.length})`);
    this.#activeTitle.hidden = active.length === 0;
    this.#endedTitle.hidden = ended.length === 0;
    this.element.dataset["live"] = String(isLive);
    keyed(this.#active, active, isLive ? LIVE : STILL);
    // What needs a look must not be looked for.
    const troubled = (/** @type {ScopeProgress} */ scope) => Number(leftOver(scope.outcomes) + scope.differing > 0);
    keyed(
      this.#ended,
      [...ended].sort((a, b) => troubled(b) - troubled(a)),
      DONE,
    );
  }
}

/** @param {boolean} isLive @returns {import("./dom.js").Rows<ScopeProgress>} */
function rows(isLive) {
  return {
    key: ({ scope, isComparison }) => `${isComparison} ${scope}`,
    create: ({ scope, isComparison }) =>
      h(
        "li",
        {},
        h(
          "div",
          { class: "line" },
          h("bdi", { class: "name" }, scopeLabel(scope)),
          h("span", { class: "percent", "data-part": "percent" }),
        ),
        bar(`${scopeLabel(scope)}: ${isComparison ? "compared" : "read"}`),
        h("p", { class: "numbers", "data-part": "numbers" }),
        h("p", { class: "trouble", "data-part": "trouble" }),
      ),
    update: (row, scope) => {
      const { bytes: done, expectedBytes } = scope;
      setBar(row, doneBytes(scope), expectedBytes);
      setText(part(row, "percent"), expectedBytes === 0 ? "" : `${percent(done, expectedBytes)} %`);
      setText(part(row, "numbers"), [...numbersOf(scope), ...(isLive ? paceOf(scope) : [])].join(" · "));
      showTrouble(row, scope);
    },
  };
}

const LIVE = rows(true);
const STILL = rows(false);

/** Without a bar: it is full. @type {import("./dom.js").Rows<ScopeProgress>} */
const DONE = {
  key: STILL.key,
  create: ({ scope }) =>
    h(
      "li",
      {},
      h(
        "p",
        {},
        h("bdi", { class: "name" }, scopeLabel(scope)),
        " ",
        h("span", { class: "numbers", "data-part": "numbers" }),
      ),
      h("p", { class: "trouble", "data-part": "trouble" }),
    ),
  update: (row, scope) => {
    setText(part(row, "numbers"), numbersOf(scope).join(" · "));
    showTrouble(row, scope);
  },
};

/** Rounded down: what shows as all is all. @param {number} done @param {number} all */
function percent(done, all) {
  return Math.floor((Math.min(done, all) / all) * 100);
}

/**
 * @param {HTMLElement} row
 * @param {ScopeProgress} scope
 */
function showTrouble(row, scope) {
  const trouble = part(row, "trouble");
  setText(trouble, troubleOf(scope));
  trouble.hidden = trouble.textContent === "";
}

/** @param {ScopeProgress} scope */
function numbersOf({ records, bytes: done, expectedBytes, outcomes, isComparison, isFinished }) {
  const skipped = SKIPPED.filter(([kind]) => outcomes[kind] > 0).map(
    ([kind, name]) => `${count(outcomes[kind])} ${name}`,
  );
  return [
    `${plural(records, "record")}${isComparison ? " compared" : ""}`,
    isFinished ? bytes(done) : `${bytes(done)} of ${bytes(expectedBytes)}`,
    ...skipped,
  ];
}

/** @param {ScopeProgress} scope */
function paceOf({ perSecond, secondsLeft }) {
  return [
    rate(perSecond),
    secondsLeft === undefined ? "time left not known" : `about ${duration(secondsLeft * 1000)} left`,
  ];
}

const LEFT = OUTCOMES.filter(([kind]) => kind === "rejected" || kind === "failed" || kind === "ambiguous");
const SKIPPED = OUTCOMES.filter(([kind]) => kind.startsWith("skipped"));

/** @param {ScopeProgress} scope */
function troubleOf({ outcomes, differing }) {
  const said = LEFT.filter(([kind]) => outcomes[kind] > 0).map(([kind, name]) => `${count(outcomes[kind])} ${name}`);
  return [...said, ...(differing === 0 ? [] : [`${count(differing)} differ from the dump`])].join(" · ");
}
