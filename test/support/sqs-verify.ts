/** What a verifier says of one queue, as tests look at it. */
import type { MessageRecord } from "../../src/model/record.js";
import type { QueueScope } from "../../src/model/scope.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import type { Comparing, Verifier, WholeComparison } from "../../src/replayers/verifier.js";

export interface Verified extends WholeComparison {
  /** `kind` or `kind at` of each, behind the record's or message's key where it is the dump's: sorted. */
  readonly differences: readonly string[];
  readonly details: readonly string[];
}

type Compare = NonNullable<Verifier<"sqs">["compareAll"]>;

export function verifierOf(replayer: Replayer<"sqs">): Verifier<"sqs"> & { readonly compareAll: Compare } {
  const { verifier } = replayer;
  if (verifier?.compareAll === undefined) throw new Error("there is no verifier");
  return { ...bound(verifier), compareAll: verifier.compareAll.bind(verifier) };
}

function bound(verifier: Verifier<"sqs">): Verifier<"sqs"> {
  const { mend, mendFirst } = verifier;
  return {
    batch: verifier.batch,
    settings: (scope, how) => verifier.settings(scope, how),
    ...(mend === undefined ? {} : { mend: (scope) => mend.call(verifier, scope) }),
    ...(mendFirst === undefined ? {} : { mendFirst: (scope) => mendFirst.call(verifier, scope) }),
  };
}

export function comparing(messages: Comparing["messages"], parts: Partial<Comparing> = {}): Comparing {
  return { allowMore: false, toleranceMs: 1_000, download: false, messages, ...parts };
}

export async function verify(
  replayer: Replayer<"sqs">,
  scope: QueueScope,
  records: readonly MessageRecord[],
  how: Comparing,
): Promise<Verified> {
  const differences: string[] = [];
  const details: string[] = [];
  const whole = await verifierOf(replayer).compareAll(
    scope,
    () => streamOf(records),
    how,
    (found) => {
      const { kind, at } = found.difference;
      const key = found.record === undefined ? [] : [found.displayKey];
      differences.push([...key, kind, ...(at === undefined ? [] : [at])].join(" "));
      details.push(found.difference.detail);
    },
  );
  return { ...whole, differences: differences.sort(), details };
}

async function* streamOf(records: readonly MessageRecord[]): AsyncGenerator<MessageRecord> {
  yield* records;
}
