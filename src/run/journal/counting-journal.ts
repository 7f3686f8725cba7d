/**
 * A journal that counts: it holds a run to the journal's invariants and knows how far each scope is settled, in memory.
 * It does not survive the process: a run that is killed has to be started again.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Position } from "../../model/position.js";
import { type Scope, scopeLabel } from "../../model/scope.js";
import { type Journal, SCOPE_PHASES, type ScopePhase, type SettledRecord } from "./journal.js";

interface ScopeEntry {
  phase: ScopePhase;
  announced: Set<number>;
  /** Settled out of order, waiting for those before them. */
  ahead: Map<number, Position>;
  nextSequence: number;
  settledUpTo: Position | undefined;
}

export class CountingJournal implements Journal {
  readonly #scopes = new Map<string, ScopeEntry>();

  async phase(scope: Scope, phase: ScopePhase): Promise<void> {
    const entry = this.#entry(scope);
    if (SCOPE_PHASES.indexOf(phase) < SCOPE_PHASES.indexOf(entry.phase)) {
      throw broken(scope, `phase ${entry.phase} cannot be followed by ${phase}`);
    }
    entry.phase = phase;
  }

  async intent(scope: Scope, sequences: readonly number[]): Promise<void> {
    const { announced } = this.#entry(scope);
    for (const sequence of sequences) {
      if (announced.has(sequence)) throw broken(scope, `record ${sequence} was announced twice`);
      announced.add(sequence);
    }
  }

  async settled(scope: Scope, records: readonly SettledRecord[]): Promise<void> {
    const entry = this.#entry(scope);
    for (const { sequence, after } of records) {
      if (sequence < entry.nextSequence || entry.ahead.has(sequence)) {
        throw broken(scope, `record ${sequence} was settled twice`);
      }
      entry.announced.delete(sequence);
      entry.ahead.set(sequence, after);
    }
    for (let after = entry.ahead.get(entry.nextSequence); after !== undefined; ) {
      entry.ahead.delete(entry.nextSequence++);
      entry.settledUpTo = after;
      after = entry.ahead.get(entry.nextSequence);
    }
  }

  settledUpTo(scope: Scope): Position | undefined {
    return this.#entry(scope).settledUpTo;
  }

  async close(): Promise<void> {
    for (const [label, entry] of this.#scopes) {
      const open = entry.announced.size + entry.ahead.size;
      if (entry.phase === "done" && open > 0) {
        throw new RestoreError("INTERNAL", `${label} was finished with ${open} records unsettled`);
      }
    }
  }

  #entry(scope: Scope): ScopeEntry {
    const label = scopeLabel(scope);
    let entry = this.#scopes.get(label);
    if (entry === undefined) {
      entry = { phase: "admitted", announced: new Set(), ahead: new Map(), nextSequence: 0, settledUpTo: undefined };
      this.#scopes.set(label, entry);
    }
    return entry;
  }
}

function broken(scope: Scope, what: string): RestoreError {
  return new RestoreError("INTERNAL", `journal of ${scopeLabel(scope)}: ${what}`, { retry: "fatal" });
}
