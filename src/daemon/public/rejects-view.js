/** Records that are not plainly restored, or differ: to search and to browse, a page after another. */
import { ask, withQuery } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { field, problemOf, section, select } from "./pieces.js";
import { OUTCOMES, plural, printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {Readonly<Record<string, unknown>>} Row
 */

const PAGE = 25;

/**
 * @param {JobView} job
 * @param {import("./app.js").ViewContext} context
 */
export function rejectsSection(job, context) {
  return new Rejects(job, context).element;
}

class Rejects {
  #job;
  #signal;
  /** @type {AbortController | undefined} */
  #asking;
  /** @type {string | undefined} */
  #next;
  #count = 0;
  #search = h("input", { id: "rejects-search", type: "search", autocomplete: "off", spellcheck: "false" });
  #outcome;
  #said = h("p", { class: "note" });
  #rows = h("tbody");
  #table;
  #more = h("button", { type: "button", hidden: true }, "Show more");
  #trouble = h("div");

  /**
   * @param {JobView} job
   * @param {import("./app.js").ViewContext} context
   */
  constructor(job, { signal }) {
    this.#job = job;
    this.#signal = signal;
    const isRestore = job.kind === "apply" || job.kind === "drill";
    const outcomes = OUTCOMES.map(
      ([kind, name]) => /** @type {const} */ ([kind, kind === "restored" ? "restored, with a remark" : name]),
    );
    this.#outcome = select("rejects-outcome", [["", "any outcome"], ...outcomes]);
    this.#more.addEventListener("click", () => void this.#load(true));
    this.#outcome.addEventListener("change", () => void this.#load(false));
    const titles = [isRestore ? "outcome" : "difference", "scope", "key", "why", "place in the dump"];
    this.#table = h(
      "div",
      { class: "wide cards", tabindex: "0", role: "region", "aria-label": "Records" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            titles.map((title) => h("th", { scope: "col" }, title)),
          ),
        ),
        this.#rows,
      ),
    );
    const form = h(
      "form",
      {
        class: "filters",
        role: "search",
        "aria-label": "Records",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void this.#load(false);
        },
      },
      field("Search key, place, reason", this.#search),
      isRestore ? field("Outcome", this.#outcome) : null,
      h("button", { type: "submit" }, "Search"),
    );
    this.element = section(
      isRestore ? "Records not plainly restored" : "Differences",
      form,
      this.#trouble,
      this.#said,
      this.#table,
      this.#more,
    );
    void this.#load(false);
  }

  /** @param {boolean} isMore */
  async #load(isMore) {
    this.#asking?.abort();
    this.#asking = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#asking.signal]);
    const query = {
      q: this.#search.value.trim(),
      outcome: this.#outcome.value,
      limit: PAGE,
      cursor: isMore ? this.#next : undefined,
    };
    try {
      /** @type {{ rejects: readonly Row[], next?: string }} */
      const { rejects, next } = await ask(withQuery(`/v1/jobs/${this.#job.id}/rejects`, query), { signal });
      fill(this.#trouble);
      this.#take(rejects, next, isMore);
    } catch (error) {
      if (!signal.aborted) fill(this.#trouble, problemOf(error, "These records cannot be shown"));
    }
  }

  /**
   * @param {readonly Row[]} rejects
   * @param {string | undefined} next
   * @param {boolean} isMore
   */
  #take(rejects, next, isMore) {
    const rows = rejects.map(rowOf);
    if (isMore) this.#rows.append(...rows);
    else fill(this.#rows, rows);
    this.#count = rejects.length + (isMore ? this.#count : 0);
    this.#next = next;
    const said =
      this.#count === 0
        ? "No record is like this."
        : `${plural(this.#count, "record")} shown${next === undefined ? "" : ", and there are more"}.`;
    fill(this.#said, said);
    announce(said);
    this.#table.hidden = this.#count === 0;
    this.#more.hidden = next === undefined;
    if (isMore) rows[0]?.querySelector("th")?.focus();
  }
}

/** @param {Row} row of a list of rejects, or of differences */
function rowOf(row) {
  const { outcome, kind, adapter, scope, target, key, at, path, line, reason, detail, notes } = row;
  const name = OUTCOMES.find(([known]) => known === outcome)?.[1] ?? printable(outcome ?? kind ?? "");
  const place = path === undefined ? "" : `${printable(path)}${line === undefined ? "" : `:${printable(line)}`}`;
  const remarks = Array.isArray(notes)
    ? notes.map((note) => [note.kind, note.detail].filter(Boolean).map(printable).join(": "))
    : [];
  const why = [reason, at, detail].filter((text) => text !== undefined).map(printable);
  const renamed = target === undefined || target === scope ? "" : ` → ${printable(target)}`;
  const cells = [
    ["scope", `${printable(adapter)}: ${printable(scope)}${renamed}`],
    ["key", printable(key ?? "")],
    ["why", [...why, ...remarks].join(": ")],
    ["place", place],
  ];
  return h(
    "tr",
    {},
    h("th", { scope: "row", tabindex: "-1" }, name),
    cells.map(([title, text]) =>
      h("td", { class: title === "why" ? "" : "code", "data-title": title }, h("bdi", {}, text)),
    ),
  );
}
