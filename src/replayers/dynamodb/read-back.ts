/** Items as the target holds them, and items in its answers, for comparison with the dump's. */
import { RestoreError } from "../../errors/restore-error.js";
import type { ItemRecord } from "../../model/record.js";
import type { KeySchema } from "../../model/scope.js";
import { type JsonObject, type JsonValue, parseJson } from "../../support/json.js";
import type { Calls } from "../calls.js";
import type { DynamoDbClient } from "./client.js";
import { getBody } from "./requests.js";
import { canonicalItem, canonicalKey } from "./same-item.js";

/** DynamoDB nests 32 levels, each of them two of JSON, inside an answer's own. */
const ANSWER_DEPTH = 128;

/** The item under the record's key, or undefined. */
export async function readBack(
  target: { readonly client: DynamoDbClient; readonly calls: Calls },
  scope: { readonly table: string; readonly key: KeySchema },
  record: ItemRecord,
): Promise<JsonObject | undefined> {
  const body = getBody(scope.table, scope.key, record.keyText);
  const answer = await target.calls.run({ operation: "GetItem", scope: scope.table }, () =>
    target.client.getItem(scope.table, body),
  );
  const item = parseAnswer(answer.body, "GetItem").get("Item");
  return item instanceof Map ? item : undefined;
}

/** Whether an item of the target is the dump's. */
export function isSameItem(record: ItemRecord, item: JsonObject): boolean {
  const own = parseJson(record.text, { maxDepth: ANSWER_DEPTH });
  return own instanceof Map && canonicalItem(own) === canonicalItem(item);
}

/** What two records share exactly when their keys are one key to the target. */
export function keyOfRecord({ keyText }: ItemRecord): string {
  const parts = keyText.range === undefined ? [keyText.hash] : [keyText.hash, keyText.range];
  return canonicalKey(parts.map((part) => parseJson(part)));
}

/** The keys of the items that a BatchWriteItem left undone; undefined for one whose key cannot be told. */
export function unprocessedKeys(body: Buffer, key: KeySchema): (string | undefined)[] {
  const tables = parseAnswer(body, "BatchWriteItem").get("UnprocessedItems");
  if (!(tables instanceof Map)) return [];
  return [...tables.values()]
    .flatMap((requests) => (Array.isArray(requests) ? requests : []))
    .map((request) => {
      const item = member(member(request, "PutRequest"), "Item");
      return item instanceof Map ? keyOfItem(item, key) : undefined;
    });
}

function keyOfItem(item: JsonObject, { hash, range }: KeySchema): string | undefined {
  const parts = (range === undefined ? [hash] : [hash, range]).map(({ name }) => item.get(name));
  const told = parts.filter((part) => part !== undefined);
  return told.length === parts.length ? canonicalKey(told) : undefined;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

function parseAnswer(body: Buffer, operation: string): JsonObject {
  const answer = parseJson(body, { maxDepth: ANSWER_DEPTH });
  if (answer instanceof Map) return answer;
  throw new RestoreError("CALL_FAILED", `the answer to ${operation} is not an object`, { reason: "unexpected-answer" });
}
