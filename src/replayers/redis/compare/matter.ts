/** What the comparisons of a key's content have in common. */
import type { Requests } from "../link.js";
import type { Abilities } from "../probe.js";
import type { Findings } from "./findings.js";

export interface Reader {
  readonly link: Requests;
  readonly abilities: Abilities;
  /** For what does not fit into memory. */
  readonly workDirectory: string;
}

/** What is compared, and how. */
export interface Matter {
  readonly reader: Reader;
  readonly findings: Findings;
  /** Elements that the dump lacks may be there as well. */
  readonly allowMore: boolean;
  /** The dump's list was appended to the target's. */
  readonly isAppended: boolean;
}
