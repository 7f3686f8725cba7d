/** Finds a file that stands in the tree under two names. Links from outside, as backup tools make them, do no harm. */
import { SpillingSet } from "../support/spilling-set.js";

export class LinkCheck {
  readonly #seen: SpillingSet;

  /** `workDirectory` takes what does not fit into memory: in a dump that was copied by links every file has two. */
  constructor(workDirectory: string) {
    this.#seen = new SpillingSet(workDirectory);
  }

  /** Of a file that has another name: true when that one was shown before. */
  isAnother(identity: string): boolean {
    return !this.#seen.add(identity);
  }

  /** Repeatable. */
  close(): void {
    this.#seen.close();
  }
}
