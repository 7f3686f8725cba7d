/**
 * The journal interface: what a run has to remember to be taken up again.
 *
 * Invariants, whatever the implementation keeps it in:
 * - a scope's phases only go forward: admitted, emptying, emptied, writing, finishing, done;
 * - a scope is admitted once: what its target held then is never asked again;
 * - an intent is kept before the write it announces is sent;
 * - a position is kept only together with, or after, the outcomes of all records up to it.
 * A crash may therefore repeat records, never skip one; and which records it may repeat is known.
 */
import type { Outcome } from "../../model/outcome.js";
import type { ScopePresence } from "../../model/policy.js";
import type { Position } from "../../model/position.js";
import type { Scope } from "../../model/scope.js";
import type { ScopeDecision } from "../../modes/mode.js";
import type { ListedRecord } from "../listed-record.js";
import type { Tally } from "../tally.js";

export const SCOPE_PHASES = ["admitted", "emptying", "emptied", "writing", "finishing", "done"] as const;
export type ScopePhase = (typeof SCOPE_PHASES)[number];

/** What the target held when the scope's turn had come, and what the mode made of that. */
export interface Admission {
  readonly presence: ScopePresence;
  readonly decision: ScopeDecision;
}

/** How a scope was made ready for its records. */
export interface Readiness {
  readonly warnings: readonly string[];
  /** How all its records end, without being sent: the scope is left alone, or could not be made ready. */
  readonly everyRecord?: Outcome;
  /** Why it could not be made ready. */
  readonly error?: string;
}

/** The end of some records of a scope, which the journal keeps whole or not at all. */
export interface Settlement {
  /** In any order. `sequence` numbers a scope's records from 0 in reading order, those that are left out included. */
  readonly records: readonly { readonly sequence: number; readonly after: Position }[];
  /** Counts of these records. */
  readonly tally: Tally;
  /** Those among them that are not plainly restored. */
  readonly listed: readonly ListedRecord[];
  /** How long the job has worked on the scope, in milliseconds. */
  readonly workedMs: number;
}

/** What earlier processes of the job left of a scope. */
export interface RecoveredScope {
  readonly phase: ScopePhase;
  readonly admission: Admission;
  /** Absent before the phase `writing`. */
  readonly readiness?: Readiness;
  /** Reading goes on behind it; absent: from the start. */
  readonly settledUpTo?: Position;
  /** The number of the first record behind it. */
  readonly nextSequence: number;
  /** Counts of everything that is settled. */
  readonly tally: Tally;
  readonly workedMs: number;
}

/** The journal of one scope's records, by their numbers. */
export interface RecordJournal {
  /** Records that were announced and have no outcome, without those of a rewind. */
  readonly underWay: number;

  /** Behind the last record that may have been written and has no outcome; 0 where there is none. */
  readonly underWayUpTo: number;

  /** Whether the record was settled before it was read: by an earlier process, beyond its position. */
  isSettled(sequence: number): boolean;

  /** Unix milliseconds at which the record was first announced: it may have been written. Undefined: it was not. */
  announcedAt(sequence: number): number | undefined;

  /** Tells where a record ends that is settled and was read again. */
  passed(record: { readonly sequence: number; readonly after: Position }): void;

  /**
   * Announces records about to be written; those that an earlier process announced may be announced again.
   * Resolves once that is kept.
   */
  intent(sequences: readonly number[]): Promise<void>;

  /** Takes an announcement back: these records were not sent. */
  withdraw(sequences: readonly number[]): Promise<void>;

  /** Keeps how records ended; it is kept at the latest when the next intent is, or soon after. */
  settled(settlement: Settlement): Promise<void>;
}

export interface Journal {
  /** What earlier processes of the job left of the scope; undefined when it was not admitted by one. */
  recovered(scope: Scope): RecoveredScope | undefined;

  /** Begins a scope. Resolves once that is kept. @throws RestoreError INTERNAL when it was admitted before */
  admit(scope: Scope, admission: Admission): Promise<void>;

  /** Moves a scope on. Resolves once that is kept. @throws RestoreError INTERNAL when a phase would go back */
  phase(scope: Scope, phase: Exclude<ScopePhase, "admitted" | "writing">): Promise<void>;

  /** Moves a scope on to `writing`. Resolves once that is kept. */
  ready(scope: Scope, readiness: Readiness): Promise<void>;

  /** What becomes of the scope's records. Looked up once for all of them; goes on over a rewind. */
  records(scope: Scope): RecordJournal;

  /**
   * Forgets how a scope's records ended, but not that they were announced: it is written again from its start.
   * Resolves once that is kept.
   */
  rewind(scope: Scope): Promise<void>;

  /** Words that a replayer wants to find again, by name, in each scope. */
  notes(scope: Scope): ReadonlyMap<string, string>;

  /** Sets a note, or takes it away. Resolves once that is kept. */
  note(scope: Scope, name: string, value: string | undefined): Promise<void>;

  /**
   * Writes down what is not yet kept, and lets go of files.
   * @throws RestoreError LOCAL_IO; INTERNAL when a scope that is done has records without an outcome
   */
  close(): Promise<void>;
}
