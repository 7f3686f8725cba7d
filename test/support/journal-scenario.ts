/** Random histories of a journal: what a run may do to it, beside a copy in memory that says what it has to amount to. */
import fc from "fast-check";
import type { Scope } from "../../src/model/scope.js";
import { type Journal, SCOPE_PHASES } from "../../src/run/journal/journal.js";
import type { ScopeState } from "../../src/run/journal/state.js";
import type { ListedRecord } from "../../src/run/listed-record.js";
import { Tally } from "../../src/run/tally.js";
import { CREATED, memoryJournal } from "./memory-journal.js";
import { tableScope } from "./records.js";

const SCOPES = [tableScope("orders"), tableScope("users"), tableScope('a "b" ü')];

export type Step =
  | { readonly do: "intent" | "settle" | "withdraw"; readonly scope: number; readonly pick: readonly number[] }
  | { readonly do: "note"; readonly scope: number; readonly name: number; readonly value?: string }
  | { readonly do: "onward" | "rewind" | "pause" | "wait"; readonly scope: number };

const scope = fc.nat({ max: SCOPES.length - 1 });
const pick = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("intent" as const), scope, pick }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("settle" as const), scope, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("withdraw" as const), scope, pick }) },
  {
    weight: 2,
    arbitrary: fc.record(
      { do: fc.constant("note" as const), scope, name: fc.nat({ max: 2 }), value: fc.string({ maxLength: 700 }) },
      { requiredKeys: ["do", "scope", "name"] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("onward" as const), scope }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("rewind" as const), scope }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "wait" as const), scope }) },
);

export const history = fc.array(step, { minLength: 10, maxLength: 70, size: "max" });

/** What a journal amounts to, comparable. */
export interface Picture {
  readonly scopes: unknown;
  readonly listed: readonly string[];
}

export function pictureOf(states: ReadonlyMap<string, ScopeState>): unknown {
  return [...states.values()]
    .filter(({ admission }) => admission !== undefined)
    .map((state) => state.toJSON())
    .sort((a, b) => (a.scope < b.scope ? -1 : 1));
}

/** Plays a history into a journal. */
export class Scenario {
  /** After each entry, the first for none. */
  readonly pictures: Picture[] = [{ scopes: [], listed: [] }];
  /** How many entries were promised to be kept, at which time. */
  readonly promised: { readonly time: number; readonly entries: number }[] = [];
  readonly #journal: Journal;
  readonly #time: () => number;
  readonly #states = new Map<string, ScopeState>();
  readonly #memory = memoryJournal([], this.#states);
  readonly #announced = new Map<Scope, Set<number>>();
  readonly #next = new Map<Scope, number>();
  #listed: string[] = [];
  #waits: Promise<void>[] = [];

  constructor(journal: Journal, time: () => number = () => 0) {
    this.#journal = journal;
    this.#time = time;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#play(each);
    await Promise.all(this.#waits);
  }

  async #play(step: Step): Promise<void> {
    if (step.do === "wait") {
      await Promise.all(this.#waits.splice(0));
      return;
    }
    if (step.do === "pause") {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    const scope = SCOPES[step.scope] ?? tableScope();
    if (this.#memory.journal.recovered(scope) === undefined) this.#both((journal) => journal.admit(scope, CREATED));
    const announced = this.#announced.get(scope) ?? new Set();
    this.#announced.set(scope, announced);
    switch (step.do) {
      case "intent":
        return this.#intend(scope, announced, step.pick.length);
      case "settle":
      case "withdraw": {
        const chosen = [...new Set(step.pick)].flatMap((i) => [...announced][i] ?? []);
        if (chosen.length > 0) this.#end(step.do, scope, chosen);
        for (const sequence of chosen) announced.delete(sequence);
        return;
      }
      case "note":
        return this.#both((journal) => journal.note(scope, `n${step.name}`, step.value));
      case "onward":
        return this.#onward(scope);
      case "rewind":
        this.#both((journal) => journal.rewind(scope), [{ rewound: `dynamodb:${scope.name}` }]);
        announced.clear();
        this.#next.set(scope, 0);
        return;
    }
  }

  #intend(scope: Scope, announced: Set<number>, count: number): void {
    const next = this.#next.get(scope) ?? 0;
    const sequences = Array.from({ length: count }, (_, i) => next + i);
    this.#next.set(scope, next + count);
    for (const sequence of sequences) announced.add(sequence);
    this.#both((journal) => journal.records(scope).intent(sequences));
  }

  #onward(scope: Scope): void {
    const phase = this.#memory.journal.recovered(scope)?.phase ?? "admitted";
    const next = SCOPE_PHASES[SCOPE_PHASES.indexOf(phase) + 1];
    if (next === undefined || next === "admitted") return;
    this.#both((journal) =>
      next === "writing" ? journal.ready(scope, { warnings: ["w"] }) : journal.phase(scope, next),
    );
  }

  #end(how: "settle" | "withdraw", scope: Scope, sequences: readonly number[]): void {
    if (how === "withdraw") {
      this.#both((journal) => journal.records(scope).withdraw(sequences), [], false);
      return;
    }
    const tally = new Tally();
    const listed: ListedRecord[] = [];
    for (const sequence of sequences) {
      const outcome =
        sequence % 3 === 0 ? ({ kind: "rejected", reason: "odd" } as const) : ({ kind: "restored" } as const);
      tally.add({ bytes: 1 }, outcome, []);
      if (outcome.kind === "restored") continue;
      const { adapter, name } = scope;
      listed.push({ adapter, scope: name, path: "items.jsonl", line: sequence + 1, key: "k", outcome: "rejected" });
    }
    const records = sequences.map((sequence) => ({ sequence, after: { path: "items.jsonl", line: sequence + 1 } }));
    this.#both((journal) => journal.records(scope).settled({ records, tally, listed, workedMs: 3 }), listed, false);
  }

  /** One entry, in the journal and in the copy. `isPromised`: it is kept once the journal says so. */
  #both(act: (journal: Journal) => Promise<void>, lines: readonly object[] = [], isPromised = true): void {
    const kept = act(this.#journal);
    void act(this.#memory.journal);
    this.#listed = [...this.#listed, ...lines.map((line) => JSON.stringify(line))];
    const entries = this.pictures.push({ scopes: pictureOf(this.#states), listed: this.#listed }) - 1;
    this.#waits.push(isPromised ? kept.then(() => void this.promised.push({ time: this.#time(), entries })) : kept);
  }
}
