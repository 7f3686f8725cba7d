/** A journal over a place that keeps entries: it makes them, and knows what they amount to. Where they go is `keep`'s. */
import { RestoreError } from "../../errors/restore-error.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { Entry } from "./entries.js";
import type { EntryKeeper } from "./entry-keeper.js";
import type { Admission, Journal, Readiness, RecordJournal, RecoveredScope, ScopePhase } from "./journal.js";
import { ScopeState } from "./state.js";
import { StateRecords } from "./state-records.js";

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
    await this.#keep({ type: "admitted", scope: scopeLabel(scope), admission });
  }

  async phase(scope: Scope, phase: ScopePhase): Promise<void> {
    if (this.#state(scope).phase === phase) return;
    await this.#keep({ type: "phase", scope: scopeLabel(scope), phase });
  }

  async ready(scope: Scope, { warnings, ...rest }: Readiness): Promise<void> {
    const readiness = { warnings: [...warnings], ...rest } as Extract<Entry, { type: "ready" }>["readiness"];
    await this.#keep({ type: "ready", scope: scopeLabel(scope), readiness });
  }

  records(scope: Scope): RecordJournal {
    return new StateRecords({ state: this.#state(scope), keeper: this.#keeper, now: () => this.#now() });
  }

  async rewind(scope: Scope): Promise<void> {
    await this.#keep({ type: "rewound", scope: scopeLabel(scope), at: this.#now() });
  }

  notes(scope: Scope): ReadonlyMap<string, string> {
    return this.#state(scope).notes;
  }

  async note(scope: Scope, name: string, value: string | undefined): Promise<void> {
    const noted = value === undefined ? {} : { value };
    await this.#keep({ type: "note", scope: scopeLabel(scope), name, ...noted });
  }

  async close(): Promise<void> {
    await this.#keeper.close();
    for (const { label, phase, open } of this.#states.values()) {
      if (phase === "done" && open > 0) {
        throw new RestoreError("INTERNAL", `${label} was finished with ${open} records unsettled`);
      }
    }
  }

  async #keep(entry: Exclude<Entry, { type: "checkpoint" | "settled" }>): Promise<void> {
    this.#stateOf(entry.scope).apply(entry);
    await this.#keeper.keep(entry, true);
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
