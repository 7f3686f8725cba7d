/** What a check found wrong: the first problems in the order of their paths, and how many there are. */
import type { ErrorCode } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { compareUtf8 } from "../support/byte-order.js";
import { UNREADABLE_HINT } from "./tree-fault.js";

interface Problem {
  readonly code: ErrorCode;
  readonly path: string;
  readonly what: string;
}

/** A dump can have a problem for every row of CHECKSUMS. */
const PROBLEMS_SHOWN = 20;

export class Problems {
  #first: Problem[] = [];
  #count = 0;

  /** In the order of their paths. */
  add(code: ErrorCode, path: string, what: string): void {
    if (this.#count++ < PROBLEMS_SHOWN) this.#first.push({ code, path, what });
  }

  /**
   * Takes in what another look at the dump found, which knows better where both speak of one path; `twice` says of how
   * many paths they do.
   */
  join(other: Problems, twice: number): void {
    const known = new Set(other.#first.map(({ path }) => path));
    this.#first = [...this.#first.filter(({ path }) => !known.has(path)), ...other.#first]
      .sort((a, b) => compareUtf8(a.path, b.path))
      .slice(0, PROBLEMS_SHOWN);
    this.#count += other.#count - twice;
  }

  /** @throws RestoreError with the first one's code, when there are any */
  assertNone(root: string): void {
    const [first] = this.#first;
    if (first === undefined) return;
    const { code, path } = first;
    const shown = this.#first.map((problem) => `${escapeForDisplay(problem.path)} ${problem.what}`);
    const more = this.#count - shown.length;
    throw new RestoreError(code, [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"), {
      where: { path },
      hint:
        code === "DUMP_UNREADABLE"
          ? UNREADABLE_HINT
          : `Copy the dump again. If the changes are yours, \`elastickv-restore reseal ${root}\` lists them and writes CHECKSUMS anew.`,
    });
  }
}
