/** Finds a file that stands in the tree under two names. Links from outside, as backup tools make them, do no harm. */
import { SpillingSet } from "../support/spilling-set.js";
import type { HashedFile } from "./hash-pool.js";

export class LinkCheck {
  readonly #seen: SpillingSet;

  /** `workDirectory` takes what does not fit into memory: in a dump that was copied by links every file has two. */
  constructor(workDirectory: string) {
    this.#seen = new SpillingSet(workDirectory);
  }

  /** True when a file that was shown before has the same inode. */
  isAnother({ links, identity }: HashedFile): boolean {
    return links > 1 && !this.#seen.add(identity);
  }

  /** Repeatable. */
  close(): void {
    this.#seen.close();
  }
}
