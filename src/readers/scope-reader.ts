/**
 * The scope reader interface: a scope's records, in a stated order, in bounded memory.
 */

import type { Position } from "../model/position.js";
import type { DumpRecord, UnjudgedCollection } from "../model/record.js";
import type { Adapter } from "../model/scope.js";

export interface ScopeReader<A extends Adapter = Adapter> {
  /**
   * The scope's records in ascending order of position; with `from`, only those behind it. Some at a time, as they lie in
   * memory: a promise for each would cost more than all that is done to most of them. Every record carries the position
   * after it. A record that cannot be read is yielded as `faulty`, in its place; the iteration goes on.
   * May be called again for a second reading.
   * @throws RestoreError for what spoils more than one record: a sidecar of the scope that changed after the check
   */
  batches(from?: Position): AsyncIterable<readonly DumpRecord<A>[]>;

  /** As `batches`, for who writes them: collections in large files are not judged yet. Absent where none are yielded so. */
  batchesToWrite?(from?: Position): AsyncIterable<readonly (DumpRecord<A> | UnjudgedCollection)[]>;

  /** What was noticed about the scope beside its records; complete once `batches()` has ended (TTL lines without a key). */
  readonly warnings: readonly string[];
}
