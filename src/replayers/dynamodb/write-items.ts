/**
 * Writes the items of one batch and settles each of them.
 *
 * `put`: rounds of BatchWriteItem within the target's limits, side by side; one after another where a key stands twice in
 * the batch. Items that come back unprocessed are sent again, with pauses. An item that may be at fault itself goes alone,
 * through PutItem, whose answer is about nothing else: after a refusal the batch is halved until the refused item stands
 * alone; items that stay unprocessed while nothing moves are put one by one, for some servers (elastickv) leave undone
 * what they should refuse.
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
import type { RawAnswer } from "../exchange.js";
import { stoppedBy } from "../replayer.js";
import { CONDITION_FAILED, SERVER_ERROR, TABLE_NOT_FOUND } from "./classify-error.js";
import type { DynamoDbClient } from "./client.js";
import {
  asItem,
  EXISTS,
  failure,
  type Item,
  outcomeOf,
  rejection,
  roundsOf,
  settle,
  tooLarge,
  unprocessed,
  unsettled,
} from "./item.js";
import { isSameItem, readBack } from "./read-back.js";
import { BATCH_OVERHEAD_BYTES, batchBody, compactJson, putBody, putIfAbsentBody, putNeverBody } from "./requests.js";
import { asOutage, isServerError } from "./server-errors.js";
import { sideBySide } from "./side-by-side.js";
import type { Tables } from "./tables.js";

/** Rounds in a row that leave every item of a batch unprocessed, before its items are put one by one. */
const IDLE_ROUNDS = 4;

export type PutAction = "put" | "put-if-absent";

export interface ItemWriterInit {
  readonly client: DynamoDbClient;
  readonly calls: Calls;
  readonly tables: Tables;
  readonly classify: (error: unknown, operation: string) => RestoreError;
  /** BatchWriteItem requests of one batch that may be under way at once. */
  readonly parallelBatches: number;
  /** PutItem requests of one batch that may be under way at once. */
  readonly parallelPuts: number;
}

export class ItemWriter {
  /** Largest request body the target takes. */
  bodyBytes: number;
  readonly #init: ItemWriterInit;
  /** The item that the target took last, or found in its place. */
  #lastTaken: { readonly table: string; readonly text: Buffer } | undefined;

  constructor(init: ItemWriterInit, bodyBytes: number) {
    this.#init = init;
    this.bodyBytes = bodyBytes;
  }

  /** One outcome a record, in order. @throws RestoreError or WriteStopped when the target takes no writes */
  async put(scope: TableScope, records: readonly ItemRecord[]): Promise<Outcome[]> {
    const { parallelBatches } = this.#init;
    return await this.#inRounds(records, parallelBatches, (round) => this.#batch(scope, round));
  }

  /** One outcome a record, in order. @throws RestoreError or WriteStopped when the target takes no writes */
  async putIfAbsent(scope: TableScope, records: readonly ItemRecord[]): Promise<Outcome[]> {
    return await this.#inRounds(records, 1, (round) => this.#each(round, (item) => this.#putIfAbsent(scope, item)));
  }

  async #inRounds(
    records: readonly ItemRecord[],
    parallel: number,
    send: (round: readonly Item[]) => Promise<void>,
  ): Promise<Outcome[]> {
    const items = records.map((record) => this.#item(record));
    try {
      await sideBySide(roundsOf(unsettled(items), this.#itemBytes), hasKeyTwice(items) ? 1 : parallel, send);
    } catch (error) {
      const ends = items.map(({ outcome }) => outcome ?? "unknown");
      throw stoppedBy(error, ends);
    }
    return items.map(outcomeOf);
  }

  /** For items of one request together. */
  get #itemBytes(): number {
    return this.bodyBytes - BATCH_OVERHEAD_BYTES;
  }

  #item(record: ItemRecord): Item {
    const item = asItem(record);
    if (item.text.length > this.#itemBytes) item.text = compactJson(item.text);
    return item;
  }

  /** How the record ends when it is not even sent; undefined when it is. */
  unsent(scope: TableScope, record: ItemRecord, action: PutAction): Outcome | undefined {
    const item = this.#item(record);
    if (item.outcome !== undefined) return item.outcome;
    const bytes = bodyOf(scope, item, action).length;
    return bytes > this.bodyBytes ? tooLarge(bytes, this.bodyBytes) : undefined;
  }

  async #batch(scope: TableScope, items: readonly Item[]): Promise<void> {
    const [first] = items;
    if (first === undefined) return;
    if (items.length === 1) return await this.#put(scope, first);
    const error = await this.#sendBatch(scope, items).catch(batchFault);
    if (error?.reason === TABLE_NOT_FOUND) settle(unsettled(items), failure(error));
    const left = unsettled(items);
    if (error?.code !== "RECORD_REFUSED") return await this.#each(left, (item) => this.#put(scope, item));
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
      this.#restored(
        scope,
        left.filter((item) => !undone.includes(item)),
      );
      left = undone;
      if (left.length > 0 && idleRounds < IDLE_ROUNDS) throw putOff(left.length);
    });
    return undefined;
  }

  async #put(scope: TableScope, item: Item): Promise<void> {
    const body = bodyOf(scope, item, "put");
    if (body.length > this.bodyBytes) return settle([item], tooLarge(body.length, this.bodyBytes));
    try {
      await this.#init.calls.run({ operation: "PutItem", scope: scope.target, bytes: item.text.length }, () =>
        this.#sent(scope, "PutItem", () => this.#init.client.putItem(scope.target, body)),
      );
      this.#restored(scope, [item]);
    } catch (error) {
      item.outcome = await this.#ownFault(scope, error);
    }
  }

  async #putIfAbsent(scope: TableScope, item: Item): Promise<void> {
    const body = bodyOf(scope, item, "put-if-absent");
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
      this.#restored(scope, [item]);
    } catch (error) {
      const exists = error instanceof RestoreError && error.reason === CONDITION_FAILED;
      if (!exists) item.outcome = await this.#ownFault(scope, error);
      else {
        this.#taken(scope, item);
        item.outcome = doubtful ? await this.#ownOrOther(scope, item) : EXISTS;
      }
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

  #restored(scope: TableScope, items: readonly Item[]): void {
    const last = items.at(-1);
    if (last !== undefined) this.#taken(scope, last);
    settle(items, RESTORED);
  }

  #taken({ target: table }: TableScope, { text }: Item): void {
    this.#lastTaken = { table, text };
  }

  /** The item's outcome for an error of its own request. @throws the error when it is about more than the item */
  async #ownFault(scope: TableScope, error: unknown): Promise<Outcome> {
    if (!(error instanceof RestoreError)) throw error;
    if (error.code === "RECORD_REFUSED") return rejection(error);
    if (isServerError(error)) {
      if (!(await this.#takesWrites(scope))) throw asOutage(error);
      return { kind: "failed", reason: SERVER_ERROR, detail: error.message };
    }
    if (error.retry === "fatal") throw error;
    return failure(error);
  }

  /**
   * Whether the target takes other writes of this table now: that one was taken while an item kept failing can be from
   * before the outage. Asked once, with a put that can never be carried out, of an item that stands there.
   */
  async #takesWrites(scope: TableScope): Promise<boolean> {
    const { target: table, schema } = scope;
    if (this.#lastTaken?.table !== table) return false;
    const body = putNeverBody(table, this.#lastTaken.text, schema.key.hash.name);
    try {
      await this.#init.calls.run({ operation: "PutItem", scope: table, failingSince: 0 }, () =>
        this.#init.client.putItem(table, body),
      );
      return true;
    } catch (error) {
      if (!(error instanceof RestoreError) || error.code === "INTERRUPTED") throw error;
      return error.reason === CONDITION_FAILED;
    }
  }

  async #each(items: readonly Item[], task: (item: Item) => Promise<void>): Promise<void> {
    await sideBySide(items, this.#init.parallelPuts, task);
  }
}

/** Then a later item replaces an earlier one. */
function hasKeyTwice(items: readonly Item[]): boolean {
  return new Set(items.map(({ key }) => key)).size < items.length;
}

function bodyOf({ target, schema }: TableScope, { text }: Item, action: PutAction): Buffer {
  return action === "put" ? putBody(target, text) : putIfAbsentBody(target, text, schema.key.hash.name);
}

/** What became of a batch as a whole. @throws the error when no item of it can be at fault */
function batchFault(error: unknown): RestoreError {
  if (!(error instanceof RestoreError) || (error.retry === "fatal" && !isServerError(error))) throw error;
  return error;
}

function putOff(items: number): RestoreError {
  return new RestoreError("THROTTLED", `${items} items were left unprocessed`, { retry: "yes", reason: "throttled" });
}
