/**
 * Reads what the target holds under records' keys: with BatchGetItem, a hundred keys at once, and with GetItem where the
 * target has no such operation, does not allow it or cannot answer it for one of the keys. Changes nothing.
 *
 * Keys that come back unprocessed are asked for again: at once where the answer was as large as answers get, after a
 * pause where it was not; keys that stay unprocessed are asked for one by one.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import type { JsonObject } from "../../support/json.js";
import type { Calls } from "../calls.js";
import { batchOf } from "./answers.js";
import { isDenied, isMissingOperation, isRefusedKey, OTHER_KEY_REASONS, TABLE_NOT_FOUND } from "./classify-error.js";
import type { DynamoDbClient } from "./client.js";
import { keyOfItem, keyOfRecord } from "./keys.js";
import { readBack } from "./read-back.js";
import { type Asked, batchGetBody, getBody } from "./requests.js";
import { asOutage, isServerError } from "./server-errors.js";
import { sideBySide } from "./side-by-side.js";

/** The most that BatchGetItem takes. */
export const BATCH_KEYS = 100;
/** Rounds in a row that leave every key of a batch unprocessed, before they are asked for one by one. */
const IDLE_ROUNDS = 4;
/** An answer of at least this size was cut for its size: BatchGetItem reads 1 MB of a partition, and 16 MB in all. */
const CUT_ANSWER_BYTES = 1_000_000;

export type Found =
  | { readonly kind: "item"; readonly item: JsonObject }
  /** `error`: the target can have none under this key, or has no such table. */
  | { readonly kind: "none"; readonly error?: RestoreError }
  /** It could not be read. */
  | { readonly kind: "unknown"; readonly error: RestoreError };

export interface ItemReaderInit {
  readonly client: DynamoDbClient;
  readonly calls: Calls;
  /** GetItem requests of one batch that may be under way at once. */
  readonly parallelGets: number;
}

export interface Reading {
  readonly scope: TableScope;
  /** Of each item no attribute but those of its key. */
  readonly keyOnly: boolean;
  /** Called once for every record, by its place, as the answers come. */
  readonly found: (at: number, found: Found) => void;
}

/** A key, with the places of the records that have it. */
interface Wanted {
  readonly key: string;
  readonly record: ItemRecord;
  readonly places: number[];
}

export class ItemReader {
  readonly #init: ItemReaderInit;
  #lacksBatches = false;
  /** A record whose key the target answered for by itself. */
  #lastRead: { readonly table: string; readonly record: ItemRecord } | undefined;

  constructor(init: ItemReaderInit) {
    this.#init = init;
  }

  /** @throws RestoreError that ends the run */
  async read(records: readonly ItemRecord[], reading: Reading): Promise<void> {
    const wanted = byKey(records);
    for (let at = 0; at < wanted.length; at += BATCH_KEYS) {
      const some = wanted.slice(at, at + BATCH_KEYS);
      const left = this.#lacksBatches || some.length === 1 ? some : await this.#batch(some, reading);
      await sideBySide(left, this.#init.parallelGets, (one) => this.#one(one, reading));
    }
  }

  /** Returns the keys that are to be asked for one by one. */
  async #batch(wanted: readonly Wanted[], reading: Reading): Promise<readonly Wanted[]> {
    const round: Round = { left: wanted, idle: 0 };
    try {
      while (round.left.length > 0 && round.idle < IDLE_ROUNDS) await this.#send(round, reading);
      return round.left;
    } catch (error) {
      if (!(error instanceof RestoreError)) throw error;
      if (isMissingOperation(error) || isDenied(error)) this.#lacksBatches = true;
      else if (error.retry === "fatal" && !isServerError(error)) throw error;
      if (!concernsAll(error)) return round.left;
      for (const one of round.left) tell(one, reading, { kind: "none", error });
      return [];
    }
  }

  /** One BatchGetItem that is answered, in part perhaps. */
  async #send(round: Round, reading: Reading): Promise<void> {
    const { target: table, schema } = reading.scope;
    const asked: Asked = { table, key: schema.key, keyOnly: reading.keyOnly };
    const bytes = () => (reading.keyOnly ? 0 : round.left.reduce((sum, { record }) => sum + record.text.length, 0));
    const options = { operation: "BatchGetItem", scope: table, ops: () => round.left.length, bytes };
    await this.#init.calls.run(options, async () => {
      const keyTexts = round.left.map(({ record }) => record.keyText);
      const { body } = await this.#init.client.batchGetItem(table, batchGetBody(asked, keyTexts));
      const undone = take(body, round.left, reading);
      round.idle = undone.length < round.left.length ? 0 : round.idle + 1;
      round.left = undone;
      if (undone.length > 0 && body.length < CUT_ANSWER_BYTES && round.idle < IDLE_ROUNDS) throw putOff(undone.length);
    });
  }

  /** Whether the target answers for another item of this table now. Asked once. */
  async #isAnswering({ target: table, schema }: TableScope): Promise<boolean> {
    const { client, calls } = this.#init;
    if (this.#lastRead?.table !== table) return false;
    const body = getBody({ table, key: schema.key, keyOnly: false }, this.#lastRead.record.keyText);
    try {
      await calls.run({ operation: "GetItem", scope: table, failingSince: 0 }, () => client.getItem(table, body));
      return true;
    } catch (error) {
      if (!(error instanceof RestoreError) || error.code === "INTERRUPTED") throw error;
      return false;
    }
  }

  async #one(one: Wanted, reading: Reading): Promise<void> {
    const { target: table, schema } = reading.scope;
    try {
      const options = { keyOnly: reading.keyOnly };
      const item = await readBack(this.#init, { table, key: schema.key }, one.record, options);
      this.#lastRead = { table, record: one.record };
      tell(one, reading, item === undefined ? { kind: "none" } : { kind: "item", item });
    } catch (error) {
      if (!(error instanceof RestoreError)) throw error;
      if (isServerError(error)) {
        if (!(await this.#isAnswering(reading.scope))) throw asOutage(error);
      } else if (error.retry === "fatal") throw error;
      const isNone = error.reason === TABLE_NOT_FOUND || isRefusedKey(error);
      tell(one, reading, { kind: isNone ? "none" : "unknown", error });
    }
  }
}

/** How far a batch came. */
interface Round {
  left: readonly Wanted[];
  /** Answers in a row that held none of them. */
  idle: number;
}

/** In the records' order; AWS refuses a key that stands twice in a request. */
function byKey(records: readonly ItemRecord[]): Wanted[] {
  const wanted = new Map<string, Wanted>();
  for (const [at, record] of records.entries()) {
    const key = keyOfRecord(record);
    const same = wanted.get(key);
    if (same === undefined) wanted.set(key, { key, record, places: [at] });
    else same.places.push(at);
  }
  return [...wanted.values()];
}

/** Tells what the answer holds and, of what was looked for, what it lacks. Returns what was not looked for. */
function take(body: Buffer, wanted: readonly Wanted[], reading: Reading): Wanted[] {
  const { key } = reading.scope.schema;
  const { items, undone } = batchOf(body, key);
  const held = new Map(items.map((item) => [keyOfItem(item, key), item]));
  if (held.has(undefined)) throw unexpected("an item without its key");
  const keys = new Set(undone);
  const isUndone = (one: Wanted) => !held.has(one.key) && (keys.has(undefined) || keys.has(one.key));
  for (const one of wanted) {
    if (isUndone(one)) continue;
    const item = held.get(one.key);
    tell(one, reading, item === undefined ? { kind: "none" } : { kind: "item", item });
  }
  return wanted.filter(isUndone);
}

function tell({ places }: Wanted, { found }: Reading, what: Found): void {
  for (const at of places) found(at, what);
}

/** Not about one of the keys: there is no table, or it has another key. */
function concernsAll({ reason }: RestoreError): boolean {
  return reason === TABLE_NOT_FOUND || (reason !== undefined && OTHER_KEY_REASONS.has(reason));
}

function unexpected(what: string): RestoreError {
  return new RestoreError("CALL_FAILED", `the answer to BatchGetItem has ${what}`, { reason: "unexpected-answer" });
}

function putOff(keys: number): RestoreError {
  return new RestoreError("THROTTLED", `${keys} keys were left unprocessed`, { retry: "yes", reason: "throttled" });
}
