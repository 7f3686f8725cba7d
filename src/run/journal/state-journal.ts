/** A journal over a place that keeps entries: it makes them, and knows what they amount to. Where they go is `keep`'s. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Position } from "../../model/position.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { Entry } from "./entries.js";
import type { Admission, Journal, Readiness, RecoveredScope, ScopePhase, Settlement } from "./journal.js";
import { rangesOf } from "./ranges.js";
import { ScopeState } from "./state.js";

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

export class StateJournal implements Journal {
  readonly #keeper: EntryKeeper;
  readonly #clock: Pick<Clock, "now">;
  readonly #states: Map<string, ScopeState>;

  /** `states`: by label; the journal goes on from there, and changes them. */
  constructor(keeper: EntryKeeper, clock: Pick<Clock, "now">, states: Map<string, ScopeState> = new Map()) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#states = states;
  }

  recovered(scope: Scope): RecoveredScope | undefined {
    const state = this.#states.get(scopeLabel(scope));
    if (state?.admission === undefined) return undefined;
    const { phase, admission, readiness, settledUpTo, nextSequence, tally, workedMs } = state;
    return {
      phase,
      admission,
      ...(readiness === undefined ? {} : { readiness }),
      ...(settledUpTo === undefined ? {} : { settledUpTo }),
      nextSequence,
      tally,
      workedMs,
    };
  }

  async admit(scope: Scope, admission: Admission): Promise<void> {
    await this.#keep({ type: "admitted", scope: scopeLabel(scope), admission }, true);
  }

  async phase(scope: Scope, phase: ScopePhase): Promise<void> {
    if (this.#state(scope).phase === phase) return;
    await this.#keep({ type: "phase", scope: scopeLabel(scope), phase }, true);
  }

  async ready(scope: Scope, { warnings, ...rest }: Readiness): Promise<void> {
    const readiness = { warnings: [...warnings], ...rest } as Extract<Entry, { type: "ready" }>["readiness"];
    await this.#keep({ type: "ready", scope: scopeLabel(scope), readiness }, true);
  }

  async intent(scope: Scope, sequences: readonly number[]): Promise<void> {
    const records = ranges(sequences);
    await this.#keep({ type: "intent", scope: scopeLabel(scope), records, at: this.#now() }, true);
  }

  async withdraw(scope: Scope, sequences: readonly number[]): Promise<void> {
    if (sequences.length === 0) return;
    await this.#keep({ type: "withdrawn", scope: scopeLabel(scope), records: ranges(sequences) }, false);
  }

  async settled(scope: Scope, { records, tally, listed, workedMs }: Settlement): Promise<void> {
    const state = this.#state(scope);
    const upTo = state.advance(records);
    const entry = {
      type: "settled" as const,
      scope: scopeLabel(scope),
      records: ranges(records.map(({ sequence }) => sequence)),
      ...(upTo === undefined ? {} : { upTo }),
      tally: tally.toJSON(),
      ...(listed.length === 0 ? {} : { listed: listed as Extract<Entry, { type: "settled" }>["listed"] & object }),
      workedMs: Math.max(0, Math.round(workedMs)),
    };
    state.settle(entry, new Map(records.map(({ sequence, after }) => [sequence, after])));
    await this.#keeper.keep(entry, false);
  }

  isSettled(scope: Scope, sequence: number): boolean {
    return this.#state(scope).isSettled(sequence);
  }

  passed(scope: Scope, { sequence, after }: { readonly sequence: number; readonly after: Position }): void {
    this.#state(scope).passed(sequence, after);
  }

  announcedAt(scope: Scope, sequence: number): number | undefined {
    return this.#state(scope).announcedAt(sequence);
  }

  async rewind(scope: Scope): Promise<void> {
    await this.#keep({ type: "rewound", scope: scopeLabel(scope), at: this.#now() }, true);
  }

  notes(scope: Scope): ReadonlyMap<string, string> {
    return this.#state(scope).notes;
  }

  async note(scope: Scope, name: string, value: string | undefined): Promise<void> {
    const noted = value === undefined ? {} : { value };
    await this.#keep({ type: "note", scope: scopeLabel(scope), name, ...noted }, true);
  }

  async close(): Promise<void> {
    await this.#keeper.close();
    for (const { label, phase, open } of this.#states.values()) {
      if (phase === "done" && open > 0) {
        throw new RestoreError("INTERNAL", `${label} was finished with ${open} records unsettled`);
      }
    }
  }

  async #keep(entry: Exclude<Entry, { type: "checkpoint" | "settled" }>, durable: boolean): Promise<void> {
    this.#stateOf(entry.scope).apply(entry);
    await this.#keeper.keep(entry, durable);
  }

  /** As entries hold it, also where the machine's clock stands before 1970. */
  #now(): number {
    return Math.max(0, Math.round(this.#clock.now()));
  }

  #state(scope: Scope): ScopeState {
    return this.#stateOf(scopeLabel(scope));
  }

  #stateOf(label: string): ScopeState {
    let state = this.#states.get(label);
    if (state === undefined) {
      state = new ScopeState(label);
      this.#states.set(label, state);
    }
    return state;
  }
}

function ranges(sequences: readonly number[]): [number, number][] {
  return rangesOf(sequences).map(([first, last]) => [first, last]);
}
