/** The item that the target holds under a record's key, and whether it is the dump's. */
import type { ItemRecord } from "../../model/record.js";
import type { KeySchema } from "../../model/scope.js";
import { type JsonObject, parseJson } from "../../support/json.js";
import type { Calls } from "../calls.js";
import { itemOf } from "./answers.js";
import type { DynamoDbClient } from "./client.js";
import { type ItemDifferences, itemDifferences } from "./item-differences.js";
import { getBody } from "./requests.js";

export interface ReadBackOptions {
  /** Only whether there is one matters: no attribute but those of the key is asked for. */
  readonly keyOnly?: boolean;
}

/** The item under the record's key, or undefined. @throws RestoreError, as `Calls.run`, or when the answer is none */
export async function readBack(
  target: { readonly client: DynamoDbClient; readonly calls: Calls },
  scope: { readonly table: string; readonly key: KeySchema },
  record: ItemRecord,
  { keyOnly = false }: ReadBackOptions = {},
): Promise<JsonObject | undefined> {
  const body = getBody({ ...scope, keyOnly }, record.keyText);
  const bytes = keyOnly ? 0 : record.text.length;
  const answer = await target.calls.run({ operation: "GetItem", scope: scope.table, bytes }, () =>
    target.client.getItem(scope.table, body),
  );
  return itemOf(answer.body);
}

/** Whether an item of the target is the dump's. */
export function isSameItem(record: ItemRecord, item: JsonObject): boolean {
  return differencesFrom(record, item).count === 0;
}

/** Where an item of the target differs from the dump's. */
export function differencesFrom({ text }: ItemRecord, item: JsonObject): ItemDifferences {
  const own = parseJson(text);
  return itemDifferences(own instanceof Map ? own : new Map(), item);
}
