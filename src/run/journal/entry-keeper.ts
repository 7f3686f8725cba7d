/** Where a journal's entries go. */
import type { Entry } from "./entries.js";

export interface EntryKeeper {
  /**
   * Keeps an entry behind those before it. `durable`: resolves once it would survive a power loss; else it may resolve
   * at once, and is kept soon after or with the next durable entry.
   * @throws RestoreError LOCAL_IO; then nothing more can be kept
   */
  keep(entry: Entry, durable: boolean): Promise<void>;
  /** Keeps everything. Repeatable. */
  close(): Promise<void>;
}
