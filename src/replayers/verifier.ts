/**
 * The verifier interface: what proving asks of a target that was restored into. One implementation an adapter, reached
 * through its replayer, over the same connections, limits and retries. Reads; what changes anything says so.
 *
 * The target may be in use: what is read at two moments may be of two states. Whoever calls looks again at what differs
 * before it counts.
 */
import type { Difference } from "../model/difference.js";
import type { RecordByAdapter } from "../model/record.js";
import type { Adapter, ScopeByAdapter } from "../model/scope.js";

/** What counts as a difference, and how far to go to find one. */
export interface Comparing {
  /** What the dump lacks may be there as well (elements of a collection too): the dump was merged into what was there. */
  readonly allowMore: boolean;
  /** Milliseconds by which an expiry may differ. */
  readonly toleranceMs: number;
  /** Read objects whose digest the target does not tell. */
  readonly download: boolean;
  /** Receive messages: to give them back, or, where the queue is thrown away afterwards, for good. */
  readonly messages: "no" | "return" | "consume";
}

/** A record of the dump beside what the target holds under its key. */
export interface Comparison {
  /** None: the target holds the record. The first hundred, where there are more. */
  readonly differences: readonly Difference[];
  /** All of them, where `differences` does not hold them all. */
  readonly differenceCount?: number;
  /** Its time is past, so it is rightly not there. `differences` is empty then. */
  readonly expired?: true;
  /** What of the record the target does not tell, a sentence each. Beside `differences`, it is neither equal nor not. */
  readonly unproven?: readonly string[];
}

export const EQUAL: Comparison = { differences: [] };

/** A scope beside the target's of its name, without its records. */
export interface ScopeComparison {
  /** False: there is none of this name, and nothing else can be asked of it. */
  readonly exists: boolean;
  readonly differences: readonly Difference[];
  /** What of the scope cannot be known from this target, a sentence each. */
  readonly unproven: readonly string[];
}

/** A record that the target holds. */
export interface HeldKey {
  /** As `Verifier.keyOf` gives it. */
  readonly key: Buffer;
  /** Printable. */
  readonly displayKey: string;
  /** The id of the job of this product that keeps it for itself: until the job is over, it needs what stands there. */
  readonly job?: string;
}

/** A difference of a scope whose records are compared all at once. */
export interface FoundDifference<A extends Adapter = Adapter> {
  /** The dump's record; absent for what the dump lacks, and for what concerns no single record. */
  readonly record?: RecordByAdapter[A];
  /** Printable; empty for what concerns no single record. */
  readonly displayKey: string;
  readonly difference: Difference;
}

export interface WholeComparison {
  /** Records of the dump that the target was seen to hold. */
  readonly equal: number;
  /** Records of the dump of which it cannot be told. */
  readonly unproven: number;
  /** Why, and what else cannot be known, a sentence each. */
  readonly notes: readonly string[];
}

export interface Verifier<A extends Adapter = Adapter> {
  /** The largest batch for one `compare`; as many may be under way at once as `Capabilities.concurrency` says. */
  readonly batch: { readonly records: number; readonly bytes: number };

  /** Compares settings. Repeatable, changes nothing. */
  settings(scope: ScopeByAdapter[A], how: Comparing): Promise<ScopeComparison>;

  /**
   * One comparison a record, in the batch's order. Changes nothing.
   * @throws RestoreError that ends the run, as `Replayer.write`; a single record whose reading fails is `unproven`
   */
  compare?(scope: ScopeByAdapter[A], batch: readonly RecordByAdapter[A][], how: Comparing): Promise<Comparison[]>;

  /**
   * In place of `compare` and `held`, where a protocol gives records no key to ask for: compares all of them, calling
   * `found` for each difference. `records` may be called several times. With `how.messages` "no" only counts are
   * compared, and nothing is changed. Else it is called once: "consume" leaves nothing to look at again, and each receipt
   * that is given back counts against a message.
   */
  compareAll?(
    scope: ScopeByAdapter[A],
    records: () => AsyncIterable<RecordByAdapter[A]>,
    how: Comparing,
    found: (difference: FoundDifference<A>) => void | Promise<void>,
  ): Promise<WholeComparison>;

  /** What two records have in common exactly when they are one to the target. Only where there is `compare`. */
  keyOf?(scope: ScopeByAdapter[A], record: RecordByAdapter[A]): Buffer;

  /** Everything that the scope holds, by key, in pages. A string in place of it: why the target cannot be listed. */
  held?(scope: ScopeByAdapter[A]): AsyncIterable<readonly HeldKey[]> | string;

  /**
   * Sets settings to the dump's where they differ and can be set on a scope that exists. Writes. Repeatable.
   * @returns what still differs and why, a sentence each
   */
  mend?(scope: ScopeByAdapter[A]): Promise<readonly string[]>;

  /**
   * Sets, of what `mend` sets, what has to stand before records are written. `mend` sets the rest once they are: it would
   * change what becomes of them. Absent: all of it can stand before. Writes. Repeatable.
   */
  mendFirst?(scope: ScopeByAdapter[A]): Promise<void>;

  /** Deletes records that the dump lacks, by their keys. Repeatable. */
  deleteKeys?(scope: ScopeByAdapter[A], keys: readonly Buffer[]): Promise<void>;
}
