/** How items would end if they were written now: what is never sent, and what stands under their keys already. */
import type { Outcome } from "../../model/outcome.js";
import { RESTORED } from "../../model/outcome.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import { TABLE_NOT_FOUND } from "./classify-error.js";
import { EXISTS, failure, rejection } from "./item.js";
import { keyOfRecord } from "./keys.js";
import type { Found, ItemReader } from "./read-items.js";
import type { ItemWriter, PutAction } from "./write-items.js";

export interface Foresight {
  readonly reader: ItemReader;
  readonly writer: ItemWriter;
  readonly action: PutAction;
  /** The table holds what it holds now; else nothing. */
  readonly isKept: boolean;
  /** Whether the target can be asked for the attributes of the key alone. */
  readonly keyOnly: boolean;
}

/** One outcome a record, in order. Writes nothing. @throws RestoreError when the target cannot be asked */
export async function foreseeItems(
  scope: TableScope,
  records: readonly ItemRecord[],
  { reader, writer, action, isKept, keyOnly }: Foresight,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = records.map((record) => writer.unsent(scope, record, action) ?? RESTORED);
  if (action === "put") return outcomes;
  const sent = [...records.keys()].filter((at) => outcomes[at] === RESTORED);
  const asked = sent.flatMap((at) => records[at] ?? []);
  if (isKept) {
    const found = (i: number, what: Found) => {
      outcomes[sent[i] ?? -1] = outcomeFor(what);
    };
    await reader.read(asked, { scope, keyOnly, found });
  }
  // Of two records with one key the first is written, and the second one finds it.
  const keys = new Set<string>();
  for (const [i, record] of asked.entries()) {
    const at = sent[i] ?? -1;
    const key = keyOfRecord(record);
    if (outcomes[at] === RESTORED && keys.has(key)) outcomes[at] = EXISTS;
    keys.add(key);
  }
  return outcomes;
}

function outcomeFor(found: Found): Outcome {
  if (found.kind === "item") return EXISTS;
  if (found.error === undefined) return RESTORED;
  return found.kind === "none" && found.error.reason !== TABLE_NOT_FOUND
    ? rejection(found.error)
    : failure(found.error);
}
