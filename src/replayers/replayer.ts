/**
 * The replayer interface: everything the engine asks of a target. One implementation an adapter.
 *
 * The engine calls, in this order: `probe` (once), `inspect` for every scope, then for each scope `create` or `empty`,
 * `write` for every batch (several at once, at most `capabilities.concurrency`), `finish`, and at the end `close`.
 */
import type { Outcome } from "../model/outcome.js";
import type { ScopePresence, WritePolicy } from "../model/policy.js";
import type { RecordByAdapter, SentRecord } from "../model/record.js";
import type { Adapter, Scope, ScopeByAdapter } from "../model/scope.js";
import type { Clock } from "../support/clock.js";
import type { CallStats, Pacer } from "./calls.js";
import type { Verifier } from "./verifier.js";

/** What this target can do: asked from it, never guessed from its name. Printed by the plan. */
export interface Capabilities {
  /** What the target says it is: `Redis 7.0.15`, `elastickv`, `S3 (MinIO)`. For people. */
  readonly server: string;
  /** Largest batch for one `write`. `perRequest`: of its records in one request, where a write may send several at once. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly perRequest?: number };
  /** How many `write` calls may be under way at once for one scope. */
  readonly concurrency: number;
  /** False: records of SCOPE_LANE have no order, so batches of them may be under way at once. Default true. */
  readonly keepsOrder?: boolean;
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
  /** Aborts once the run is to stop: nothing is begun any more, nothing more is emptied. */
  readonly signal?: AbortSignal;
  /** Aborts some time after `signal`: requests of writes that are under way go on until then. Default: `signal`. */
  readonly writeSignal?: AbortSignal;
  /** What the replayer wants to find again when the job is taken up by another process. */
  readonly notebook: Notebook;
}

/** Durable words by scope and name; kept across processes of a job. */
export interface Notebook {
  /** Of one scope: whose names begin so. */
  find(scope: Scope, prefix: string): ReadonlyMap<string, string>;
  /** Sets a note or, without a value, takes it away. Resolves once it is durable. */
  note(scope: Scope, name: string, value?: string): Promise<void>;
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
   * cannot be written to (OUTAGE, TARGET_FULL) and ends the run: `WriteStopped`, where ends of some records are known
   * all the same, else nothing is known of any.
   * Retries are inside, through `Calls`. A record with `announcedAt` may have been written before, by this job.
   */
  write(scope: ScopeByAdapter[A], batch: readonly SentRecord<A>[]): Promise<Outcome[]>;

  /**
   * As `write`, for a batch whose announcement is on its way to the disk: what a request needs is made meanwhile. Nothing
   * is sent before `announced` has resolved, and nothing where it rejects. Absent where there is little to make.
   */
  writeOnceAnnounced?(
    scope: ScopeByAdapter[A],
    batch: readonly SentRecord<A>[],
    announced: Promise<void>,
  ): Promise<Outcome[]>;

  /**
   * A key of the dump that will not be written (its record is faulty): a replace that deletes what the dump lacks spares
   * it. Undefined is a key that can no longer be known: then nothing may be deleted.
   */
  spare?(scope: ScopeByAdapter[A], key: Buffer | undefined): Promise<void>;

  /** After the last record of every scope of the adapter: what must wait for all (redrive policies, queue delays). Repeatable. */
  finish(scope: ScopeByAdapter[A]): Promise<ScopeNotes>;

  /**
   * Which process of the target holds the scope, for targets that may forget what they answered as done when they are
   * restarted. When it is another one than at the scope's first record, the scope is written again from its start,
   * without being emptied. Undefined where the target keeps what it answers, or does not tell.
   */
  incarnation?(scope: ScopeByAdapter[A]): Promise<string | undefined>;

  /** Compares the target with the dump. */
  readonly verifier: Verifier<A>;

  /**
   * How `write` would end these records now, in the batch's order: asks what a write would come upon, and writes nothing.
   * A scope that is created or emptied holds nothing then, whatever it holds now. Exact on a target that nobody else
   * writes to, but for what only the target itself finds when it is sent.
   */
  foresee(
    scope: ScopeByAdapter[A],
    batch: readonly RecordByAdapter[A][],
    takeover: "create" | "empty" | "keep",
  ): Promise<Outcome[]>;

  /** What emptying the scope takes away beside its records and does not bring back, a phrase each. Changes nothing. */
  losses(scope: ScopeByAdapter[A]): Promise<readonly string[]>;

  /**
   * Deletes the scope with everything in it. Only for a scope that a drill made, under a name of its own. Repeatable: one
   * that is gone is fine. Where scopes cannot be deleted (a Redis database) it is emptied.
   */
  remove(scope: ScopeByAdapter[A]): Promise<void>;

  /** Removes what a write of this record that was cut off may have left on the target, beside the record. Repeatable. */
  discard?(scope: ScopeByAdapter[A], record: SentRecord<A>): Promise<void>;

  /**
   * For a job that is let go of, in place of `finish`: removes what it keeps on the target beside the scope's records
   * until its end. No process takes it up after that. Repeatable. Answers what stays, or is not as the dump has it.
   */
  abandon?(scope: ScopeByAdapter[A]): Promise<ScopeNotes>;

  /** Frees sockets, timers and temporary things on the target. Repeatable, never throws. */
  close(): Promise<void>;
}

/** For a run that writes nothing. */
export const NO_NOTEBOOK: Notebook = { find: () => new Map(), note: () => Promise.resolve() };

/** How a record of a batch stands when its write was stopped: an outcome, surely not sent, or nobody knows. */
export type EndAtStop = Outcome | "not-sent" | "unknown";

/** A write that was stopped before all of its records had an outcome, with what is known of them. */
export class WriteStopped extends Error {
  /** One a record, in the batch's order. */
  readonly ends: readonly EndAtStop[];

  /** `cause`: what ends the run. */
  constructor(cause: unknown, ends: readonly EndAtStop[]) {
    super("the write was stopped", { cause });
    this.ends = ends;
  }
}

/** What a write throws that is stopped by `cause`. */
export function stoppedBy(cause: unknown, ends: readonly EndAtStop[]): unknown {
  return ends.every((end) => end === "unknown") ? cause : new WriteStopped(cause, ends);
}

/** What a scope operation could not do as the dump says. */
export interface ScopeNotes {
  readonly warnings: readonly string[];
}

export const NO_NOTES: ScopeNotes = { warnings: [] };
