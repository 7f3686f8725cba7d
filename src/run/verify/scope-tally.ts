/** What is known of one scope so far: how its records stand, what was found, what the target does not tell. */
import type { Difference } from "../../model/difference.js";
import type { Place } from "../../model/position.js";
import type { Scope } from "../../model/scope.js";
import { noStandings, type Standing, type Standings } from "./counts.js";
import { type FoundList, foundIn } from "./found.js";

export interface TallyStart {
  readonly standings: Standings;
  readonly unproven: [what: string, records: number][];
  readonly bytes: number;
  readonly differences: number;
}

export class ScopeTally {
  readonly standings: Standings;
  readonly unproven: Map<string, number>;
  /** Payload of the records that were compared. */
  bytes: number;
  /** Of this scope, in the list. */
  differences: number;
  /** Of the reader. */
  warnings: readonly string[] = [];
  /** Jobs that keep something beside the records. */
  readonly keepers = new Set<string>();
  readonly #scope: Scope;
  readonly #found: FoundList;

  constructor(scope: Scope, found: FoundList, start?: TallyStart) {
    this.#scope = scope;
    this.#found = found;
    this.standings = { ...(start?.standings ?? noStandings()) };
    this.unproven = new Map(start?.unproven ?? []);
    this.bytes = start?.bytes ?? 0;
    this.differences = start?.differences ?? 0;
  }

  get state(): TallyStart {
    return {
      standings: { ...this.standings },
      unproven: [...this.unproven],
      bytes: this.bytes,
      differences: this.differences,
    };
  }

  count(standing: Standing, record: { readonly bytes: number }): void {
    this.standings[standing]++;
    this.bytes += record.bytes;
  }

  /** `records`: of how many; 0 where it concerns the scope. */
  cannotTell(what: string, records: number): void {
    this.unproven.set(what, (this.unproven.get(what) ?? 0) + records);
  }

  /** Adds a line to the list. @throws RestoreError LOCAL_IO */
  async found(difference: Difference, record?: { readonly key?: string; readonly place?: Place }): Promise<void> {
    this.differences++;
    await this.#found.add(foundIn(this.#scope, difference, record));
  }
}
