/** Finds a file that stands in the tree under two names. Links from outside, as backup tools make them, do no harm. */
import { FingerprintSet } from "../support/fingerprints.js";
import type { HashedFile } from "./hash-pool.js";

export class LinkCheck {
  readonly #seen = new FingerprintSet();

  /** True when a file that was shown before has the same inode. */
  isAnother({ links, identity }: HashedFile): boolean {
    return links > 1 && !this.#seen.add(identity);
  }
}
