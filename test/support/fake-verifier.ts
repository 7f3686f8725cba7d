/** A scripted verifier: what the target holds is a function of how often one has looked. */

import type { WritableRecord } from "../../src/model/record.js";
import type { Scope } from "../../src/model/scope.js";
import {
  type Comparing,
  type Comparison,
  EQUAL,
  type FoundDifference,
  type HeldKey,
  type ScopeComparison,
  type Verifier,
  type WholeComparison,
} from "../../src/replayers/verifier.js";

export interface VerifierScript {
  readonly batch?: { readonly records: number; readonly bytes: number };
  /** `look`: 1-based, how often this record was asked for. */
  readonly compare?: (record: WritableRecord, look: number) => Comparison | Promise<Comparison>;
  readonly settings?: (look: number) => ScopeComparison;
  /** Keys that the target holds; `listing`: 1-based. Absent: the target cannot be listed. */
  readonly held?: (listing: number) => readonly string[];
  readonly compareAll?: (
    records: () => AsyncIterable<WritableRecord>,
    found: (difference: FoundDifference) => void | Promise<void>,
    look: number,
  ) => Promise<WholeComparison>;
}

export class FakeVerifier {
  /** Keys of each batch, in the order in which they were begun. */
  readonly batches: string[][] = [];
  readonly batch: { readonly records: number; readonly bytes: number };
  readonly compareAll: Verifier["compareAll"];
  mostAtOnce = 0;
  listings = 0;
  readonly #script: VerifierScript;
  readonly #looks = new Map<string, number>();
  #settings = 0;
  #whole = 0;
  #underWay = 0;

  constructor(script: VerifierScript = {}) {
    this.#script = script;
    this.batch = script.batch ?? { records: 2, bytes: 1024 * 1024 };
    const { compareAll } = script;
    if (compareAll !== undefined) {
      this.compareAll = (_scope, records, _how, found) => compareAll(records, found, ++this.#whole);
    }
  }

  async settings(_scope: Scope, _how: Comparing): Promise<ScopeComparison> {
    return this.#script.settings?.(++this.#settings) ?? { exists: true, differences: [], unproven: [] };
  }

  async compare(_scope: Scope, batch: readonly WritableRecord[]): Promise<Comparison[]> {
    this.batches.push(batch.map(({ displayKey }) => displayKey));
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    try {
      return await Promise.all(batch.map((record) => this.#compareOne(record)));
    } finally {
      this.#underWay--;
    }
  }

  keyOf(_scope: Scope, { displayKey }: WritableRecord): Buffer {
    return Buffer.from(displayKey);
  }

  held(_scope: Scope): AsyncIterable<readonly HeldKey[]> | string {
    const { held } = this.#script;
    return held === undefined ? "the fake cannot be listed" : this.#pages(held);
  }

  async *#pages(held: (listing: number) => readonly string[]): AsyncGenerator<HeldKey[]> {
    for (const key of held(++this.listings)) yield [{ key: Buffer.from(key), displayKey: key }];
  }

  async #compareOne(record: WritableRecord): Promise<Comparison> {
    const look = (this.#looks.get(record.displayKey) ?? 0) + 1;
    this.#looks.set(record.displayKey, look);
    return (await this.#script.compare?.(record, look)) ?? EQUAL;
  }
}
