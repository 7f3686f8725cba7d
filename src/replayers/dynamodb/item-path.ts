/** Where in an item a value stands, for people: `lines[0].sku`, `["odd name"].x`. */
import { escapeForDisplay } from "../../model/display.js";

export interface ItemPath {
  readonly parent?: ItemPath;
  /** An attribute's or a map member's name, or a place in a list. */
  readonly step: string | number;
}

const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_-]*$/u;
/** Names may have 64 KB. */
const LONGEST_NAME = 100;

export function formatPath(path: ItemPath): string {
  const steps: string[] = [];
  for (let at: ItemPath | undefined = path; at !== undefined; at = at.parent) {
    steps.unshift(formatStep(at.step, at.parent === undefined));
  }
  return steps.join("");
}

function formatStep(step: string | number, isFirst: boolean): string {
  if (typeof step === "number") return `[${step}]`;
  const name = step.length > LONGEST_NAME ? `${step.slice(0, LONGEST_NAME)}…` : step;
  if (!PLAIN_NAME.test(name)) return `["${escapeForDisplay(name).replaceAll('"', '\\"')}"]`;
  return isFirst ? name : `.${name}`;
}
