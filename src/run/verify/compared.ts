/**
 * Compares a scope's records with the target, many at once, and yields what came out in the dump's order. Bounded in
 * records and bytes, whatever the scope holds.
 */
import type { WritableRecord } from "../../model/record.js";
import type { Scope } from "../../model/scope.js";
import type { Comparing, Comparison, Verifier } from "../../replayers/verifier.js";

/** A record to be compared, or one of which is known how it stands. */
export type Entry<K> = { readonly ask: WritableRecord } | { readonly known: K };

export type Answer<K> = { readonly record: WritableRecord; readonly comparison: Comparison } | { readonly known: K };

export interface ComparedInit<K> {
  readonly scope: Scope;
  readonly entries: AsyncIterable<Entry<K>>;
  readonly verifier: Pick<Verifier, "batch"> & Required<Pick<Verifier, "compare">>;
  readonly comparing: Comparing;
  /** Batches at once; asked anew for each. */
  readonly concurrency: number;
}

/** @throws what the entries throw, and what ends a run */
export async function* compared<K>(init: ComparedInit<K>): AsyncGenerator<Answer<K>> {
  const { records, bytes } = init.verifier.batch;
  const underWay: Promise<Answer<K>[]>[] = [];
  let batch: Entry<K>[] = [];
  let size = 0;
  const begin = (): void => {
    const answers = compareBatch(batch, init);
    // Whoever waits for it is told; a run that ends before that must not crash.
    answers.catch(() => undefined);
    underWay.push(answers);
    [batch, size] = [[], 0];
  };
  for await (const entry of init.entries) {
    batch.push(entry);
    if ("ask" in entry) size += entry.ask.bytes;
    if (batch.length < records && size < bytes) continue;
    begin();
    while (underWay.length >= init.concurrency) yield* (await underWay.shift()) ?? [];
  }
  if (batch.length > 0) begin();
  for (const answers of underWay) yield* await answers;
}

async function compareBatch<K>(
  batch: readonly Entry<K>[],
  { scope, verifier, comparing }: ComparedInit<K>,
): Promise<Answer<K>[]> {
  const asked = batch.flatMap((entry) => ("ask" in entry ? [entry.ask] : []));
  const comparisons = asked.length === 0 ? [] : await verifier.compare(scope, asked, comparing);
  let at = 0;
  return batch.map((entry) => {
    if ("known" in entry) return entry;
    return { record: entry.ask, comparison: comparisons[at++] ?? NOT_ANSWERED };
  });
}

const NOT_ANSWERED: Comparison = { differences: [], unproven: ["the target did not tell"] };
