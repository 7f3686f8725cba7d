/** A scripted replayer: records what it is given, and answers when and how the test says. */
import { type Outcome, RESTORED } from "../../src/model/outcome.js";
import type { WritableRecord } from "../../src/model/record.js";
import type { Adapter, Scope } from "../../src/model/scope.js";
import type { Replayer, ScopeNotes, ScopeState } from "../../src/replayers/replayer.js";
import { NO_NOTES } from "../../src/replayers/replayer.js";

export interface FakeCall {
  /** 0-based, in the order of the calls. */
  readonly index: number;
  readonly scope: Scope;
  readonly keys: readonly string[];
  readonly lanes: readonly (string | undefined)[];
}

/** What a write does: answers, throws, or waits for something of the test's first. */
export type WriteScript = (call: FakeCall) => Promise<Outcome[]> | Outcome[];

export interface FakeScript {
  readonly adapter?: Adapter;
  readonly write?: WriteScript;
  /** Absent: nothing is there. */
  readonly inspect?: (scope: Scope) => ScopeState;
  readonly create?: (scope: Scope) => Promise<ScopeNotes>;
  readonly empty?: (scope: Scope) => Promise<ScopeNotes>;
  readonly keep?: (scope: Scope, state: ScopeState) => Promise<ScopeNotes>;
  readonly finish?: (scope: Scope) => Promise<ScopeNotes>;
  readonly incarnation?: (scope: Scope) => string | undefined;
  /** Absent: all would be restored. */
  readonly foresee?: (batch: readonly WritableRecord[], takeover: string) => Promise<Outcome[]> | Outcome[];
  readonly losses?: (scope: Scope) => Promise<readonly string[]>;
}

export class FakeReplayer {
  readonly adapter: Adapter;
  readonly endpoint = "fake://target";
  readonly stats = { requests: 0, retries: 0, throttled: 0 };
  /** Everything that was asked, in order: `create orders`, `write orders k1,k2`. */
  readonly log: string[] = [];
  readonly calls: FakeCall[] = [];
  readonly spared: (string | undefined)[] = [];
  /** Keys under way now, and the most calls that were at once. */
  readonly inFlight = new Map<number, FakeCall>();
  mostAtOnce = 0;
  readonly #script: FakeScript;

  constructor(script: FakeScript = {}) {
    this.#script = script;
    this.adapter = script.adapter ?? "dynamodb";
  }

  /** The engine's interface; the fake takes the scopes and records of any adapter. */
  get asReplayer(): Replayer {
    return this as unknown as Replayer;
  }

  async inspect(scope: Scope): Promise<ScopeState> {
    return this.#script.inspect?.(scope) ?? { presence: "absent", warnings: [] };
  }

  async create(scope: Scope): Promise<ScopeNotes> {
    this.log.push(`create ${scope.name}`);
    return (await this.#script.create?.(scope)) ?? NO_NOTES;
  }

  async empty(scope: Scope): Promise<ScopeNotes> {
    this.log.push(`empty ${scope.name}`);
    return (await this.#script.empty?.(scope)) ?? NO_NOTES;
  }

  async reopen(scope: Scope, takeover: string): Promise<ScopeNotes> {
    this.log.push(`reopen ${scope.name} ${takeover}`);
    return NO_NOTES;
  }

  async keep(scope: Scope, state: ScopeState): Promise<ScopeNotes> {
    this.log.push(`keep ${scope.name}`);
    return (await this.#script.keep?.(scope, state)) ?? NO_NOTES;
  }

  async finish(scope: Scope): Promise<ScopeNotes> {
    this.log.push(`finish ${scope.name}`);
    return (await this.#script.finish?.(scope)) ?? NO_NOTES;
  }

  async incarnation(scope: Scope): Promise<string | undefined> {
    return this.#script.incarnation?.(scope);
  }

  async spare(_scope: Scope, key: Buffer | undefined): Promise<void> {
    this.spared.push(key?.toString());
  }

  async write(scope: Scope, batch: readonly WritableRecord[]): Promise<Outcome[]> {
    const call: FakeCall = {
      index: this.calls.length,
      scope,
      keys: batch.map(({ displayKey }) => displayKey),
      lanes: batch.map(({ lane }) => lane),
    };
    this.calls.push(call);
    this.log.push(`write ${scope.name} ${call.keys.join(",")}`);
    this.inFlight.set(call.index, call);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.inFlight.size);
    try {
      return (await this.#script.write?.(call)) ?? call.keys.map(() => RESTORED);
    } finally {
      this.inFlight.delete(call.index);
    }
  }

  async close(): Promise<void> {
    this.log.push("close");
  }

  async foresee(_scope: Scope, batch: readonly WritableRecord[], takeover: string): Promise<Outcome[]> {
    this.log.push(`foresee ${takeover} ${batch.map(({ displayKey }) => displayKey).join(",")}`);
    return (await this.#script.foresee?.(batch, takeover)) ?? batch.map(() => RESTORED);
  }

  async losses(scope: Scope): Promise<readonly string[]> {
    return (await this.#script.losses?.(scope)) ?? [];
  }
}

/** Holds whoever awaits `opened` until `open` is called. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settleTurns(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
