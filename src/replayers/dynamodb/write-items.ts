/**
 * Writes the items of one batch and settles each of them.
 *
 * `put`: rounds of BatchWriteItem within the target's limits, no key twice in a round. Items that come back unprocessed
 * are sent again, with pauses. An item that may be at fault itself goes alone, through PutItem, whose answer is about
 * nothing else: after a refusal the batch is halved until the refused item stands alone; items that stay unprocessed
 * while nothing moves are put one by one, for some servers (elastickv) leave undone what they should refuse.
 *
 * `putIfAbsent`: a conditional PutItem an item, some side by side. When an answer was lost, or an earlier process of the
 * job may have sent it, and the request finds an item, that item is read and compared: equal is ours.
 *
 * Both may run twice for the same items. Errors that are nobody's own end the batch as exceptions, once every request
 * under way has ended.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type Outcome, RESTORED } from "../../model/outcome.js";
import type { ItemRecord } from "../../model/record.js";
import type { TableScope } from "../../model/scope.js";
import { awsErrorStatus } from "../aws-client.js";
import type { Calls } from "../calls.js";
import { stoppedBy } from "../replayer.js";
import { CONDITION_FAILED, SERVER_ERROR, TABLE_NOT_FOUND } from "./classify-error.js";
import type { DynamoDbClient, RawAnswer } from "./client.js";
import {
  asItem,
  EXISTS,
  failure,
  type Item,
  outcomeOf,
  rejection,
  settle,
  tooLarge,
  unprocessed,
  unsettled,
} from "./item.js";
import { isSameItem, readBack } from "./read-back.js";
import {
  BATCH_OVERHEAD_BYTES,
  batchBody,
  compactJson,
  ITEM_OVERHEAD_BYTES,
  putBody,
  putIfAbsentBody,
} from "./requests.js";
import type { Tables } from "./tables.js";

export const BATCH_ITEMS = 25;
/** Rounds in a row that leave every item of a batch unprocessed, before its items are put one by one. */
const IDLE_ROUNDS = 4;

export interface ItemWriterInit {
  readonly client: DynamoDbClient;
  readonly calls: Calls;
  readonly tables: Tables;
  readonly classify: (error: unknown, operation: string) => RestoreError;
  /** PutItem requests of one batch that may be under way at once. */
  readonly parallelPuts: number;
}

export class ItemWriter {
  /** Largest request body the target takes. */
  bodyBytes: number;
  readonly #init: ItemWriterInit;
  /** Items written so far, by anybody: shows that the target takes writes. */
  #written = 0;

  constructor(init: ItemWriterInit, bodyBytes: number) {
    this.#init = init;
    this.bodyBytes = bodyBytes;
  }

  /** One outcome a record, in order. @throws RestoreError or WriteStopped when the target takes no writes */
  async put(scope: TableScope, records: readonly ItemRecord[]): Promise<Outcome[]> {
    return await this.#inRounds(records, (round) => this.#batch(scope, round));
  }

  /** One outcome a record, in order. @throws RestoreError or WriteStopped when the target takes no writes */
  async putIfAbsent(scope: TableScope, records: readonly ItemRecord[]): Promise<Outcome[]> {
    return await this.#inRounds(records, (round) => this.#eachOf(round, (item) => this.#putIfAbsent(scope, item)));
  }

  async #inRounds(records: readonly ItemRecord[], send: (round: readonly Item[]) => Promise<void>): Promise<Outcome[]> {
    const items = records.map(asItem);
    try {
      for (const round of this.#rounds(unsettled(items))) await send(round);
    } catch (error) {
      const ends = items.map(({ outcome }) => outcome ?? "unknown");
      throw stoppedBy(error, ends);
    }
    return items.map(outcomeOf);
  }

  #rounds(items: readonly Item[]): Item[][] {
    const limit = this.bodyBytes - BATCH_OVERHEAD_BYTES;
    const rounds: Item[][] = [];
    let [round, keys, bytes]: [Item[], Set<string>, number] = [[], new Set(), 0];
    for (const item of items) {
      if (item.text.length > limit) item.text = compactJson(item.text);
      const size = item.text.length + ITEM_OVERHEAD_BYTES;
      if (round.length > 0 && (round.length >= BATCH_ITEMS || bytes + size > limit || keys.has(item.key))) {
        rounds.push(round);
        [round, keys, bytes] = [[], new Set(), 0];
      }
      round.push(item);
      keys.add(item.key);
      bytes += size;
    }
    if (round.length > 0) rounds.push(round);
    return rounds;
  }

  async #batch(scope: TableScope, items: readonly Item[]): Promise<void> {
    const [first] = items;
    if (first === undefined) return;
    if (items.length === 1) return await this.#put(scope, first);
    const error = await this.#sendBatch(scope, items).catch(batchFault);
    if (error?.reason === TABLE_NOT_FOUND) settle(unsettled(items), failure(error));
    const left = unsettled(items);
    if (error?.code !== "RECORD_REFUSED") return await this.#eachOf(left, (item) => this.#put(scope, item));
    const half = Math.ceil(left.length / 2);
    await this.#batch(scope, left.slice(0, half));
    await this.#batch(scope, left.slice(half));
  }

  /** Returns when all items are written, or those that are left do not move. */
  async #sendBatch(scope: TableScope, items: readonly Item[]): Promise<undefined> {
    let left = items;
    let idleRounds = 0;
    const size = () => left.reduce((bytes, item) => bytes + item.text.length, 0);
    const options = { operation: "BatchWriteItem", scope: scope.target, ops: () => left.length, bytes: size };
    await this.#init.calls.run(options, async () => {
      const body = batchBody(
        scope.target,
        left.map(({ text }) => text),
      );
      const send = () => this.#init.client.batchWriteItem(scope.target, body);
      const answer = await this.#sent(scope, "BatchWriteItem", send);
      const undone = unprocessed(answer, scope, left);
      idleRounds = undone.length < left.length ? 0 : idleRounds + 1;
      this.#restored(left.filter((item) => !undone.includes(item)));
      left = undone;
      if (left.length > 0 && idleRounds < IDLE_ROUNDS) throw putOff(left.length);
    });
    return undefined;
  }

  async #put(scope: TableScope, item: Item): Promise<void> {
    const writtenBefore = this.#written;
    const body = putBody(scope.target, item.text);
    if (body.length > this.bodyBytes) return settle([item], tooLarge(body.length, this.bodyBytes));
    try {
      await this.#init.calls.run({ operation: "PutItem", scope: scope.target, bytes: item.text.length }, () =>
        this.#sent(scope, "PutItem", () => this.#init.client.putItem(scope.target, body)),
      );
      this.#restored([item]);
    } catch (error) {
      item.outcome = this.#ownFault(error, writtenBefore);
    }
  }

  async #putIfAbsent(scope: TableScope, item: Item): Promise<void> {
    const writtenBefore = this.#written;
    const body = putIfAbsentBody(scope.target, item.text, scope.schema.key.hash.name);
    if (body.length > this.bodyBytes) return settle([item], tooLarge(body.length, this.bodyBytes));
    // An earlier process of the job may have put it.
    let doubtful = item.record.announcedAt !== undefined;
    const send = async () => {
      try {
        return await this.#init.client.putItem(scope.target, body);
      } catch (error) {
        doubtful ||= this.#mayHaveArrived(error);
        throw error;
      }
    };
    try {
      await this.#init.calls.run({ operation: "PutItem", scope: scope.target, bytes: item.text.length }, () =>
        this.#sent(scope, "PutItem", send),
      );
      this.#restored([item]);
    } catch (error) {
      const exists = error instanceof RestoreError && error.reason === CONDITION_FAILED;
      if (!exists) item.outcome = this.#ownFault(error, writtenBefore);
      else item.outcome = doubtful ? await this.#ownOrOther(scope, item) : EXISTS;
    }
  }

  #mayHaveArrived(thrown: unknown): boolean {
    const error = this.#init.classify(thrown, "PutItem");
    if (error.code === "CONNECTION") return error.reason !== "not-sent";
    return error.code === "THROTTLED" && (awsErrorStatus(thrown) ?? 0) >= 500;
  }

  /** The answer to an earlier attempt was lost, and now an item stands under the key. */
  async #ownOrOther(scope: TableScope, item: Item): Promise<Outcome> {
    const { target: table, schema } = scope;
    try {
      const found = await readBack(this.#init, { table, key: schema.key }, item.record);
      return found !== undefined && isSameItem(item.record, found) ? RESTORED : EXISTS;
    } catch (error) {
      if (!(error instanceof RestoreError) || error.retry === "fatal") throw error;
      const detail = `the answer to PutItem was lost, and the item could not be read back: ${error.message}`;
      return { kind: "ambiguous", reason: "reply-lost", detail };
    }
  }

  /** A table that is being made can be described before it takes items. */
  async #sent(scope: TableScope, operation: string, send: () => Promise<RawAnswer>): Promise<RawAnswer> {
    try {
      return await send();
    } catch (thrown) {
      const error = this.#init.classify(thrown, operation);
      if (error.reason !== TABLE_NOT_FOUND) throw error;
      if ((await this.#init.tables.find(scope.target, { isNested: true })) === undefined) throw error;
      throw new RestoreError("THROTTLED", `the table ${scope.target} takes no items yet`, { retry: "yes" });
    }
  }

  #restored(items: readonly Item[]): void {
    this.#written += items.length;
    settle(items, RESTORED);
  }

  /** The item's outcome for an error of its own request. @throws the error when it is about more than the item */
  #ownFault(error: unknown, writtenBefore: number): Outcome {
    if (!(error instanceof RestoreError)) throw error;
    if (error.code === "RECORD_REFUSED") return rejection(error);
    // The target kept failing for this item alone while others were written: no outage.
    if (isServerError(error) && this.#written > writtenBefore) {
      return { kind: "failed", reason: SERVER_ERROR, detail: error.message };
    }
    if (error.retry === "fatal") throw error;
    return failure(error);
  }

  /** Runs all, some at once; the first exception is thrown when nothing is under way any more. */
  async #eachOf(items: readonly Item[], task: (item: Item) => Promise<void>): Promise<void> {
    const queue = items.values();
    const failures: unknown[] = [];
    const worker = async () => {
      for (const item of queue) {
        if (failures.length > 0) return;
        await task(item).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#init.parallelPuts, items.length) }, worker));
    if (failures.length > 0) throw failures[0];
  }
}

/** What became of a batch as a whole. @throws the error when no item of it can be at fault */
function batchFault(error: unknown): RestoreError {
  if (!(error instanceof RestoreError) || (error.retry === "fatal" && !isServerError(error))) throw error;
  return error;
}

function putOff(items: number): RestoreError {
  return new RestoreError("THROTTLED", `${items} items were left unprocessed`, { retry: "yes", reason: "throttled" });
}

/** An outage that is known from the server's own answers only. */
function isServerError(error: RestoreError): boolean {
  return error.code === "OUTAGE" && error.cause instanceof RestoreError && error.cause.reason === SERVER_ERROR;
}
