/** Markup in which every value is text unless it was made here: what a dump or a target said can be no markup. */
import { escapeControls } from "../../model/display.js";

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Markup | string | number | undefined | readonly (Markup | string)[];

/** A template whose values are escaped, for content and for attributes in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const text = parts.reduce((all, part, i) => `${all}${part}${i < values.length ? textOf(values[i]) : ""}`, "");
  return new Markup(text);
}

function textOf(value: Value): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map((each) => textOf(each)).join("");
  return escapeHtml(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters, and those that turn the direction of text, are shown as what they are. */
function escapeHtml(text: string): string {
  return escapeControls(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
