/** Items on their way to a target, and the outcomes that they can have there. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import { behindSpace } from "../../support/json-text.js";
import type { RawAnswer } from "../exchange.js";
import { unprocessedKeys } from "./answers.js";
import { keyOfRecord } from "./keys.js";
import { ITEM_OVERHEAD_BYTES } from "./requests.js";

/** The most that BatchWriteItem takes. */
export const BATCH_ITEMS = 25;

export interface Item {
  readonly record: ItemRecord;
  /** Shared exactly with records that the target takes for the same item. */
  readonly key: string;
  /** What is sent. */
  text: Buffer;
  /** Absent until the record has ended. */
  outcome?: Outcome;
}

/** The outcome under a condition that did not hold. */
export const EXISTS: Outcome = { kind: "skipped-existing", reason: "exists" };

const EMPTY_SET: Outcome = {
  kind: "rejected",
  reason: "empty-set",
  detail: "a set of it is empty, which no item can hold",
};

/**
 * elastickv takes an empty set and then answers every read that meets the item with nothing at all; DynamoDB refuses the
 * whole batch. So it is not sent. Within a string, the quotes of this pattern would be escaped; the letters may be.
 */
const EMPTY_SET_PATTERN = /"(?:[SNB]|\\u00(?:53|4[eE]|42))(?:S|\\u0053)"\s*:\s*\[\s*\]/;

export function asItem(record: ItemRecord): Item {
  const item: Item = { record, key: keyOfRecord(record), text: record.text };
  if (mayHoldEmptyList(record.text) && EMPTY_SET_PATTERN.test(record.text.toString("latin1"))) item.outcome = EMPTY_SET;
  return item;
}

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** False for nearly every item, without looking at all of its text as the pattern does. */
function mayHoldEmptyList(text: Buffer): boolean {
  for (let at = text.indexOf(OPEN_LIST); at >= 0; at = text.indexOf(OPEN_LIST, at)) {
    at = behindSpace(text, at + 1);
    if (text[at] === CLOSE_LIST) return true;
  }
  return false;
}

/** What goes in one request each: no more than the target takes, `bytes` in all, and no key twice. In order. */
export function roundsOf(items: readonly Item[], bytes: number): Item[][] {
  const rounds: Item[][] = [];
  let [round, keys, held]: [Item[], Set<string>, number] = [[], new Set(), 0];
  for (const item of items) {
    const size = item.text.length + ITEM_OVERHEAD_BYTES;
    if (round.length > 0 && (round.length >= BATCH_ITEMS || held + size > bytes || keys.has(item.key))) {
      rounds.push(round);
      [round, keys, held] = [[], new Set(), 0];
    }
    round.push(item);
    keys.add(item.key);
    held += size;
  }
  if (round.length > 0) rounds.push(round);
  return rounds;
}

export function outcomeOf({ outcome, record }: Item): Outcome {
  if (outcome === undefined) throw new RestoreError("INTERNAL", `no outcome for ${record.place.path}`);
  return outcome;
}

export function unsettled(items: readonly Item[]): Item[] {
  return items.filter(({ outcome }) => outcome === undefined);
}

export function settle(items: readonly Item[], outcome: Outcome): void {
  for (const item of items) item.outcome = outcome;
}

/** The items that the answer names as undone; all of them when it names one that was not sent, for puts may be repeated. */
export function unprocessed(answer: RawAnswer, scope: TableScope, sent: readonly Item[]): readonly Item[] {
  const keys = unprocessedKeys(answer.body, scope.schema.key);
  if (keys.length === 0) return [];
  const byKey = new Map(sent.map((item) => [item.key, item]));
  const undone = keys.map((key) => (key === undefined ? undefined : byKey.get(key)));
  return undone.includes(undefined) ? sent : sent.filter((item) => undone.includes(item));
}

export function rejection(error: RestoreError): Outcome {
  return { kind: "rejected", reason: error.reason ?? "refused-by-target", detail: error.message };
}

/** Not sent: a server may cut the connection on it, which would look like an outage. */
export function tooLarge(bytes: number, most: number): Outcome {
  const detail = `its request would have ${bytes} bytes, this target takes ${most}`;
  return { kind: "rejected", reason: "item-too-large", detail };
}

export function failure(error: RestoreError): Outcome {
  return { kind: "failed", reason: error.reason ?? "kept-failing", detail: error.message };
}
