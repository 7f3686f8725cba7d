/**
 * The replayer interface: everything the engine asks of a target. One implementation an adapter.
 *
 * The engine calls, in this order: `probe` (once), `inspect` for every scope, then for each scope `create` or `empty`,
 * `write` for every batch (several at once, at most `capabilities.concurrency`), `finish`, and at the end `close`.
 */
import type { Outcome } from "../model/outcome.js";
import type { ScopePresence, WritePolicy } from "../model/policy.js";
import type { RecordByAdapter } from "../model/record.js";
import type { Adapter, ScopeByAdapter } from "../model/scope.js";
import type { Clock } from "../support/clock.js";
import type { CallStats, Pacer } from "./calls.js";

/** What this target can do: asked from it, never guessed from its name. Printed by the plan. */
export interface Capabilities {
  /** What the target says it is: `Redis 7.0.15`, `elastickv`, `S3 (MinIO)`. For people. */
  readonly server: string;
  /** Largest batch for one `write`. */
  readonly batch: { readonly records: number; readonly bytes: number };
  /** How many `write` calls may be under way at once for one scope. */
  readonly concurrency: number;
  /** False where listing or counting would harm the target: emptiness is then asked of the dump's own keys. */
  readonly canCount: boolean;
  /** Ways round what the target lacks, in a sentence each. */
  readonly fallbacks: readonly string[];
  /** Where what the target holds is bounded by a setting of its own. */
  readonly memory?: MemoryState;
}

/** A target that holds its data in memory, and how much of it at most. */
export interface MemoryState {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** The rule by which it drops records when memory is short, acknowledged ones too. Absent: it takes no more then. */
  readonly dropsBy?: string;
}

/** What stands on the target under a scope's name. */
export interface ScopeState {
  readonly presence: ScopePresence;
  /** Records that it holds: exact, an estimate, or unknown. For people. */
  readonly count?: { readonly value: number; readonly exact: boolean };
  /** Memory that emptying the scope gives back, at a guess; absent where there is no limit. */
  readonly freedBytes?: number;
  /** Why the dump's records cannot go into the scope that exists (another key schema, say). Refused with status 5. */
  readonly incompatible?: string;
  /** How the settings of the scope that exists differ where records still fit (indexes, say). Refused without a mode. */
  readonly differs?: string;
  /** Why the target would not make the scope, or make it anew. Refused with status 5 where the mode creates or empties it. */
  readonly unmakeable?: { readonly why: string; readonly hint: string };
  readonly warnings: readonly string[];
}

/** What every replayer is made with, beside its endpoint and its own options. */
export interface ReplayerContext {
  readonly policy: WritePolicy;
  readonly clock: Clock;
  readonly pacer: Pacer;
  readonly maxRetryTimeMs: number;
  /** An existing directory for what does not fit into memory. Every file is removed again by `close`. */
  readonly workDirectory: string;
  /** Overrides `Capabilities.concurrency`. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

export interface Replayer<A extends Adapter = Adapter> {
  readonly adapter: A;
  /** For messages: the endpoint without secrets. */
  readonly endpoint: string;
  /** Requests sent, retried and put off so far, over all scopes. */
  readonly stats: CallStats;

  /**
   * Connects, checks the credentials and learns what the target can do. Repeatable, changes nothing.
   * @throws RestoreError TARGET_UNREACHABLE, TARGET_CREDENTIALS, TARGET_UNFIT
   */
  probe(): Promise<Capabilities>;

  /**
   * Whether a scope of this (target) name is there, holds anything and fits. Repeatable, changes nothing.
   * `ownRecords` reads the dump's records of the scope, for targets that can only be asked key by key.
   * @throws RestoreError TARGET_SCOPE_IMPOSSIBLE when the target can never hold a scope of this name
   */
  inspect(scope: ScopeByAdapter[A], ownRecords: () => AsyncIterable<RecordByAdapter[A]>): Promise<ScopeState>;

  /** Creates an absent scope and waits until it takes writes. A scope that is there by now is fine if it fits. Repeatable. */
  create(scope: ScopeByAdapter[A]): Promise<ScopeNotes>;

  /** Makes an existing scope hold nothing, with the dump's settings. Deletes. Repeatable until the first record is written. */
  empty(scope: ScopeByAdapter[A]): Promise<ScopeNotes>;

  /**
   * For a scope that an earlier process of the same job prepared by `takeover`, in place of that call: takes it up again,
   * deletes nothing. Absent where `create` and `keep` do for it. Repeatable.
   */
  reopen?(scope: ScopeByAdapter[A], takeover: "create" | "empty" | "keep"): Promise<ScopeNotes>;

  /** Called once for a scope that is kept as it is, before its first record: compare settings, warn. Changes nothing. */
  keep(scope: ScopeByAdapter[A], state: ScopeState): Promise<ScopeNotes>;

  /**
   * Writes a batch and answers one outcome per record, in the batch's order. Records of a batch have different lanes.
   * A record's own fault is its outcome (`rejected`, `failed`), never an exception; an exception means that the target
   * cannot be written to (OUTAGE, TARGET_FULL) and ends the run with the batch not reached.
   * Retries are inside, through `Calls`. May run twice for the same batch as far as the adapter's protocol allows.
   */
  write(scope: ScopeByAdapter[A], batch: readonly RecordByAdapter[A][]): Promise<Outcome[]>;

  /**
   * A key of the dump that will not be written (its record is faulty): a replace that deletes what the dump lacks spares
   * it. Undefined is a key that can no longer be known: then nothing may be deleted.
   */
  spare?(scope: ScopeByAdapter[A], key: Buffer | undefined): void;

  /** After the last record of every scope of the adapter: what must wait for all (redrive policies, queue delays). Repeatable. */
  finish(scope: ScopeByAdapter[A]): Promise<ScopeNotes>;

  /**
   * A sentence when writes that were answered as done may be gone again (a server that keeps them in memory restarted);
   * the scope has then to be written again from its start, without being emptied. Asked after the last record.
   */
  mayHaveLost?(scope: ScopeByAdapter[A]): string | undefined;

  /** Frees sockets, timers and temporary things on the target. Repeatable, never throws. */
  close(): Promise<void>;
}

/** What a scope operation could not do as the dump says. */
export interface ScopeNotes {
  readonly warnings: readonly string[];
}

export const NO_NOTES: ScopeNotes = { warnings: [] };
