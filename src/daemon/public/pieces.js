/** Pieces that several views are made of. */
import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { ago, instant, printable } from "./words.js";

/**
 * @typedef {import("./dom.js").Child} Child
 * @typedef {import("./words.js").Tone} Tone
 */

/** @param {{ text: string, tone: Tone, mark: string }} standing */
export function badge({ text, tone, mark }) {
  return h("span", { class: `badge ${tone}` }, h("span", { class: "mark", "aria-hidden": "true" }, mark), text);
}

/** @param {readonly (readonly [name: string, value: Child] | undefined)[]} rows */
export function facts(rows) {
  const shown = rows.filter((row) => row !== undefined);
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** @param {readonly (readonly [value: string, name: string, tone?: Tone])[]} all */
export function tiles(all) {
  return h(
    "ul",
    { class: "tiles" },
    all.map(([value, name, tone = "calm"]) =>
      h("li", { class: `tile ${tone}` }, h("b", {}, value), " ", h("span", {}, name)),
    ),
  );
}

/** @param {string} iso */
export function timeText(iso) {
  return h("time", { datetime: iso }, `${instant(iso)}, ${ago(iso)}`);
}

/**
 * @param {string} title
 * @param {...Child} children
 */
export function section(title, ...children) {
  return h("section", {}, h("h2", {}, title), children);
}

/**
 * Something that is wrong, with what helps.
 * @param {string} title
 * @param {{ message: string, code?: string | undefined, hint?: string | undefined, where?: Readonly<Record<string, string | number>> | undefined }} error
 */
export function problem(title, { message, code, hint, where = {} }) {
  const places = Object.entries(where).map(([name, value]) => h("li", {}, `${name}: `, h("bdi", {}, printable(value))));
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("p", {}, h("strong", {}, title)),
    h("p", { class: "said" }, printable(message)),
    places.length === 0 ? null : h("ul", { class: "plain" }, places),
    hint === undefined ? null : h("p", {}, h("strong", {}, "What helps: "), printable(hint)),
    code === undefined ? null : h("p", { class: "small" }, `Error code ${printable(code)}`),
  );
}

/** @param {unknown} error that a question ended with */
export function problemOf(error, title = "That did not work") {
  if (error instanceof ApiError) return problem(title, error);
  return problem(title, { message: error instanceof Error ? error.message : String(error) });
}

/**
 * A table that may be wider than the screen, and then moves by itself.
 * @param {string} name
 * @param {readonly (readonly [title: string, kind?: "number"])[]} columns
 * @param {readonly (readonly Child[])[]} rows
 */
export function table(name, columns, rows) {
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": name },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            row.map((cell, at) => tableCell(cell, at, columns[at]?.[1])),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {Child} cell
 * @param {number} at
 * @param {string | undefined} kind
 */
function tableCell(cell, at, kind) {
  return at === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: kind }, cell);
}

/** @param {readonly string[]} texts */
export function sentences(texts) {
  return h(
    "ul",
    {},
    texts.map((text) => h("li", {}, printable(text))),
  );
}

/**
 * A field with its label, and what there is to know before filling it in.
 * @param {string} label
 * @param {HTMLElement} control whose id names it
 * @param {string} [help]
 */
export function field(label, control, help) {
  if (help !== undefined) control.setAttribute("aria-describedby", `${control.id}-help`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    help === undefined ? null : h("p", { class: "help", id: `${control.id}-help` }, help),
  );
}

/**
 * @param {string} id
 * @param {readonly (readonly [value: string, text: string])[]} options
 * @param {string} [chosen]
 */
export function select(id, options, chosen) {
  return h(
    "select",
    { id, name: id },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
}
