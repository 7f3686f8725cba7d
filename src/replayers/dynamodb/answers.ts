/** What stands in the answers to requests for items, parsed as strictly as the dump itself. */
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import type { KeySchema } from "../../model/scope.js";
import {
  type JsonObject,
  JsonSyntaxError,
  type JsonValue,
  type LocatedJson,
  parseLocated,
} from "../../support/json.js";
import { keyOfItem } from "./keys.js";

/** The item of a GetItem, or undefined. @throws RestoreError CALL_FAILED when it is no answer */
export function itemOf(body: Buffer): JsonObject | undefined {
  const item = parseAnswer(body, "GetItem").members.get("Item");
  return item instanceof Map ? item : undefined;
}

export interface BatchAnswer {
  readonly items: readonly JsonObject[];
  /** Of those that were not looked for; undefined for one whose key cannot be told. */
  readonly undone: readonly (string | undefined)[];
}

/** Of a BatchGetItem of one table. @throws RestoreError CALL_FAILED when it is no answer */
export function batchOf(body: Buffer, key: KeySchema): BatchAnswer {
  const { members } = parseAnswer(body, "BatchGetItem");
  const undone = each(members.get("UnprocessedKeys")).flatMap((request) => list(member(request, "Keys")));
  return {
    items: each(members.get("Responses")).flatMap(list).filter(isObject),
    undone: undone.map((attributes) => keyIn(attributes, key)),
  };
}

export interface ScanAnswer {
  readonly items: readonly JsonObject[];
  /** As it stands in the answer, for the next request; absent on the last page. */
  readonly next?: Buffer;
}

/** @throws RestoreError CALL_FAILED when it is no answer */
export function pageOf(body: Buffer): ScanAnswer {
  const { members, ranges } = parseAnswer(body, "Scan");
  const items = list(members.get("Items")).filter(isObject);
  const next = members.get("LastEvaluatedKey");
  if (!(next instanceof Map) || next.size === 0) return { items };
  const [start, end] = ranges.get("LastEvaluatedKey") ?? [0, 0];
  return { items, next: body.subarray(start, end) };
}

/** The keys of what a BatchWriteItem left undone; undefined for one whose key cannot be told. */
export function unprocessedKeys(body: Buffer, key: KeySchema): (string | undefined)[] {
  return each(parseAnswer(body, "BatchWriteItem").members.get("UnprocessedItems"))
    .flatMap(list)
    .map((request) => {
      const put = member(member(request, "PutRequest"), "Item");
      return keyIn(put ?? member(member(request, "DeleteRequest"), "Key"), key);
    });
}

function keyIn(attributes: JsonValue | undefined, key: KeySchema): string | undefined {
  return isObject(attributes) ? keyOfItem(attributes, key) : undefined;
}

interface Answer {
  readonly members: JsonObject;
  readonly ranges: LocatedJson["ranges"];
}

function parseAnswer(body: Buffer, operation: string): Answer {
  const { value: members, ranges } = located(body, operation);
  if (members instanceof Map) return { members, ranges };
  throw unreadable(operation, "is not an object");
}

function located(body: Buffer, operation: string): LocatedJson {
  try {
    return parseLocated(body);
  } catch (error) {
    // elastickv answers with status 200 and nothing at all where an item holds an empty set.
    throw unreadable(operation, body.length === 0 ? "is empty" : whyNot(error));
  }
}

/** Without the place, which is another one for each item. */
function whyNot(error: unknown): string {
  return error instanceof JsonSyntaxError ? `is no JSON as it should be (${error.reason})` : messageOf(error);
}

function unreadable(operation: string, why: string): RestoreError {
  return new RestoreError("CALL_FAILED", `the answer to ${operation} ${why}`, { reason: "unexpected-answer" });
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) ? value.get(name) : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** What an object holds of each table. */
function each(value: JsonValue | undefined): readonly JsonValue[] {
  return isObject(value) ? [...value.values()] : [];
}
