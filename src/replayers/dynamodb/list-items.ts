/** Lists the keys of a table's items, page by page, and deletes items by their keys. */
import { RestoreError } from "../../errors/restore-error.js";
import type { TableScope } from "../../model/scope.js";
import type { Calls } from "../calls.js";
import type { HeldKey } from "../verifier.js";
import { pageOf, type ScanAnswer, unprocessedKeys } from "./answers.js";
import { TABLE_NOT_FOUND } from "./classify-error.js";
import type { DynamoDbClient } from "./client.js";
import { BATCH_ITEMS } from "./item.js";
import { displayKeyOf, keyJson, keyOfItem } from "./keys.js";
import { deleteBody, scanBody } from "./requests.js";
import { sideBySide } from "./side-by-side.js";

/** A page has this many keys at most, and is the answer to reading 1 MB: both bound what is in memory. */
const PAGE_ITEMS = 1_000;

export interface Target {
  readonly client: DynamoDbClient;
  readonly calls: Calls;
}

export interface Listing {
  readonly scope: TableScope;
  /** False where the target may not be asked for single attributes of these names: whole items come then. */
  readonly keyOnly: boolean;
  readonly pageItems?: number;
}

/** Ends where the table is gone. @throws RestoreError when the target cannot be asked */
export async function* heldKeys(target: Target, listing: Listing): AsyncGenerator<readonly HeldKey[]> {
  const { key } = listing.scope.schema;
  let start: Buffer | undefined;
  do {
    const page = await readPage(target, listing, start);
    if (page === undefined) return;
    if (page.items.length > 0) {
      yield page.items.map((item) => {
        const canonical = keyOfItem(item, key);
        if (canonical === undefined) throw unlisted("holds an item without its key");
        return { key: Buffer.from(canonical), displayKey: displayKeyOf(item, key) };
      });
    }
    if (start !== undefined && page.next?.equals(start) === true) throw unlisted("begins the same page again");
    start = page.next;
  } while (start !== undefined);
}

async function readPage(
  { client, calls }: Target,
  { scope, keyOnly, pageItems = PAGE_ITEMS }: Listing,
  start: Buffer | undefined,
): Promise<ScanAnswer | undefined> {
  const { target: table, schema } = scope;
  const body = scanBody({ table, key: schema.key, keyOnly }, pageItems, start);
  try {
    const answer = await calls.run({ operation: "Scan", scope: table }, () => client.scan(table, body));
    return pageOf(answer.body);
  } catch (error) {
    if (error instanceof RestoreError && error.reason === TABLE_NOT_FOUND) return undefined;
    throw error;
  }
}

function unlisted(what: string): RestoreError {
  return new RestoreError("CALL_FAILED", `the answer to Scan ${what}`, { reason: "unexpected-answer" });
}

/** `keys`: as `keyOfItem` gives them. What is gone already is fine. @throws RestoreError when the target does not delete */
export async function deleteItems(
  target: Target,
  scope: TableScope,
  { keys, parallel }: { readonly keys: readonly Buffer[]; readonly parallel: number },
): Promise<void> {
  const distinct = [...new Set(keys.map(String))];
  const batches: string[][] = [];
  for (let at = 0; at < distinct.length; at += BATCH_ITEMS) batches.push(distinct.slice(at, at + BATCH_ITEMS));
  await sideBySide(batches, parallel, async (batch) => await deleteBatch(target, scope, batch));
}

async function deleteBatch({ client, calls }: Target, scope: TableScope, keys: readonly string[]): Promise<void> {
  const { target: table, schema } = scope;
  let left = keys;
  try {
    await calls.run({ operation: "BatchWriteItem", scope: table, ops: () => left.length }, async () => {
      const jsons = left.map((key) => keyJson(schema.key, key));
      const { body } = await client.batchWriteItem(table, deleteBody(table, jsons));
      const undone = unprocessedKeys(body, schema.key);
      if (undone.length === 0) return;
      if (!undone.includes(undefined)) left = left.filter((key) => undone.includes(key));
      throw new RestoreError("THROTTLED", `${undone.length} items were not deleted`, {
        retry: "yes",
        reason: "throttled",
      });
    });
  } catch (error) {
    if (!(error instanceof RestoreError) || error.reason !== TABLE_NOT_FOUND) throw error;
  }
}
