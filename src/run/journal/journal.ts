/**
 * The journal interface: what a run has to remember to be taken up again.
 *
 * Invariants, whatever the implementation keeps it in:
 * - a scope's phases only go forward: admitted, emptying, emptied, writing, finishing, done;
 * - an intent is kept before the write it announces is sent;
 * - a position is kept only after the outcomes of all records up to it.
 * A crash may therefore repeat records, never skip one.
 */
import type { Outcome } from "../../model/outcome.js";
import type { Position } from "../../model/position.js";
import type { Scope } from "../../model/scope.js";

export const SCOPE_PHASES = ["admitted", "emptying", "emptied", "writing", "finishing", "done"] as const;
export type ScopePhase = (typeof SCOPE_PHASES)[number];

/** One record's end, as the journal keeps it. `sequence` numbers the records of a scope from 0 in reading order. */
export interface SettledRecord {
  readonly sequence: number;
  readonly after: Position;
  readonly outcome: Outcome;
}

export interface Journal {
  /** Moves a scope on. @throws RestoreError INTERNAL when a phase would go back */
  phase(scope: Scope, phase: ScopePhase): Promise<void>;
  /** Announces records `sequences` (ascending) about to be written. Resolves once that is kept. */
  intent(scope: Scope, sequences: readonly number[]): Promise<void>;
  /** Keeps outcomes, in any order. Resolves once they are kept. */
  settled(scope: Scope, records: readonly SettledRecord[]): Promise<void>;
  /** The position up to which every record of the scope is settled; undefined before the first. */
  settledUpTo(scope: Scope): Position | undefined;
  /** @throws RestoreError INTERNAL when a scope that is done has announced records without an outcome */
  close(): Promise<void>;
}
