/** What a comparison comes upon: differences, listed up to a number and counted beyond it, and what cannot be told. */

import type { Difference, DifferenceKind } from "../../../model/difference.js";
import { displayBytes } from "../../../model/display.js";
import type { Comparison } from "../../verifier.js";

/** Differences of one record that are listed. */
export const LISTED = 100;
/** Characters of an element's name that are shown. */
const SHOWN = 200;

export class Findings {
  /** One difference is enough: which ones there are is of no interest. */
  readonly oneIsEnough: boolean;
  readonly #differences: Difference[] = [];
  readonly #unproven: string[] = [];
  #count = 0;

  /** `whether`: the first difference is enough. `where`: all of them are wanted. */
  constructor(wanted: "whether" | "where" = "where") {
    this.oneIsEnough = wanted === "whether";
  }

  get count(): number {
    return this.#count;
  }

  /** Nothing that is found from here on changes anything. */
  get isSettled(): boolean {
    return this.oneIsEnough && this.#count > 0;
  }

  get isUnproven(): boolean {
    return this.#unproven.length > 0;
  }

  /** `at` absent: the whole record. */
  add(kind: DifferenceKind, detail: string, at?: string): void {
    this.#count++;
    if (this.#differences.length >= LISTED) return;
    this.#differences.push({ kind, detail, ...(at === undefined ? {} : { at }) });
  }

  /** Differences of which is known only that there are so many. */
  addUnlisted(count: number): void {
    this.#count += count;
  }

  /** What the target does not tell. */
  cannotTell(sentence: string): void {
    this.#unproven.push(sentence);
  }

  comparison(): Comparison {
    return {
      differences: this.#differences,
      ...(this.#count > this.#differences.length ? { differenceCount: this.#count } : {}),
      ...(this.isUnproven ? { unproven: this.#unproven } : {}),
    };
  }
}

/** `field "name"`: an element as a path. */
export function pathOf(noun: string, name: Buffer): string {
  const text = displayBytes(name);
  return `${noun} "${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}"`;
}
