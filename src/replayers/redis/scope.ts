/** What stands in a database before the run, and how it is emptied: at once, or key by key at the end. */
import { interrupted } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import { displayBytes } from "../../model/display.js";
import type { RedisRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import type { ScopeState } from "../replayer.js";
import type { Asker, Link, Requests } from "./link.js";
import type { Abilities } from "./probe.js";
import { assertKeysAllowed } from "./rights.js";
import type { Shard } from "./wire.js";

const ASKED_AT_ONCE = 500;
const SCANNED_AT_ONCE = 1_000;
const MAX_PASSES = 5;

export interface Target {
  readonly link: Link;
  readonly abilities: Abilities;
  readonly endpoint: string;
}

/** @throws RestoreError TARGET_SCOPE_IMPOSSIBLE when the target has no such database */
export async function inspectDatabase(
  target: Target,
  scope: DatabaseScope,
  ownRecords: () => AsyncIterable<RedisRecord>,
): Promise<ScopeState> {
  const { link, abilities, endpoint } = target;
  if (abilities.clustered) assertOnlyDatabase(target, scope);
  const assertAllowed = async (): Promise<void> => {
    if (!abilities.elastickv) await assertKeysAllowed(link, endpoint, ownRecords);
  };
  const warnings = abilities.evicts === undefined ? [] : [abilities.evicts];
  if (!abilities.listable) {
    assertOnlyDatabase(target, scope);
    await assertAllowed();
    const held = await holdsAny(link, ownRecords());
    return { presence: held ? "holds-records" : "empty", warnings };
  }
  // First: it tells a database that is not there.
  const count = await counted(target, scope);
  await assertAllowed();
  const freed = abilities.memory === undefined ? {} : { freedBytes: abilities.freedBy(count) };
  return { presence: count > 0 ? "holds-records" : "empty", count: { value: count, exact: true }, ...freed, warnings };
}

/** A cluster has no other; elastickv answers OK to SELECT and stays in database 0: all would be merged into it. */
function assertOnlyDatabase({ endpoint, abilities }: Target, scope: DatabaseScope): void {
  if (scope.targetDatabase === 0) return;
  throw new RestoreError(
    "TARGET_SCOPE_IMPOSSIBLE",
    `${endpoint} (${abilities.server}) has no database but 0, and the dump's goes to ${scope.targetDatabase}`,
    impossible(scope, endpoint),
  );
}

async function counted({ link, endpoint }: Target, scope: DatabaseScope): Promise<number> {
  try {
    return await countedKeys(link);
  } catch (error) {
    if (!(error instanceof RestoreError) || error.code !== "RECORD_REFUSED" || scope.targetDatabase === 0) throw error;
    throw new RestoreError(
      "TARGET_SCOPE_IMPOSSIBLE",
      `${endpoint} has no database ${scope.targetDatabase}: ${error.message}`,
      { ...impossible(scope, endpoint), cause: error },
    );
  }
}

async function countedKeys(link: Link): Promise<number> {
  let count = 0;
  for (const shard of await link.shards()) count += Number(await link.at(shard).command("DBSIZE", []));
  return count;
}

function impossible(scope: DatabaseScope, endpoint: string) {
  return {
    where: { adapter: "redis", scope: scope.name, endpoint },
    hint: `Send it elsewhere with --rename redis:${scope.database}=0, or leave it out with --scope.`,
  };
}

/** Whether one of the dump's keys stands on the target. */
async function holdsAny(link: Link, records: AsyncIterable<RedisRecord>): Promise<boolean> {
  let keys: Buffer[] = [];
  for await (const { key } of records) {
    keys.push(key);
    if (keys.length < ASKED_AT_ONCE) continue;
    if (await exists(link, keys)) return true;
    keys = [];
  }
  return keys.length > 0 && (await exists(link, keys));
}

async function exists(link: Link, keys: readonly Buffer[]): Promise<boolean> {
  const replies = await link.request({ build: () => keys.map((key) => ({ name: "EXISTS", args: [key] })) });
  const refused = replies.find((reply) => reply instanceof Error);
  if (refused !== undefined) throw link.classify(refused, "EXISTS");
  return replies.some((reply) => Number(reply) > 0);
}

interface Deletion {
  /** Keys that stay. */
  readonly spares: (key: Buffer) => boolean;
  /** Keys that are the run's business; others stay. */
  readonly selects: (displayKey: string) => boolean;
  /** Nothing is deleted any more once it aborts. */
  readonly signal?: AbortSignal;
}

/** Empties the database. Keys that move to another node of a cluster meanwhile escape once, so it is looked again. */
export async function flush(link: Link): Promise<void> {
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    for (const shard of await link.shards()) await link.at(shard).command("FLUSHDB", []);
    if (!link.clustered || (await countedKeys(link)) === 0) return;
  }
}

/**
 * Deletes every key that is selected and not spared. SCAN may show a key twice and misses none that stays where it is; in
 * a cluster it is gone through again until nothing is found and nothing has moved. Repeatable.
 * False: keys moved all the time, so that some may have been missed.
 */
export async function deleteOthers(target: Target, deletion: Deletion): Promise<boolean> {
  const { link } = target;
  let settled = false;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const layout = await link.layout();
    let deleted = 0;
    for (const shard of await link.shards()) deleted += await deleteOthersAt(shard, target, deletion);
    settled = (await link.layout()) === layout;
    if (!link.clustered || (settled && deleted === 0)) return true;
  }
  return settled;
}

async function deleteOthersAt(
  shard: Shard,
  { link, abilities }: Target,
  { spares, selects, signal }: Deletion,
): Promise<number> {
  const remove = abilities.unlink ? "UNLINK" : "DEL";
  let deleted = 0;
  for await (const keys of scannedKeys(link.at(shard))) {
    if (signal?.aborted === true) throw interrupted();
    const others = keys.filter((key) => !spares(key) && selects(displayBytes(key)));
    deleted += others.length;
    await removeKeys(link, remove, others);
  }
  return deleted;
}

/** All keys of a server or a node, in pages; one that stays is missed by none, and may come twice. */
export async function* scannedKeys(link: Asker): AsyncGenerator<readonly Buffer[]> {
  let cursor = "0";
  do {
    const reply = await link.command("SCAN", [cursor, "COUNT", String(SCANNED_AT_ONCE)]);
    if (!Array.isArray(reply)) throw new RestoreError("CALL_FAILED", "SCAN gave no cursor");
    cursor = String(reply[0]);
    const found: unknown = reply[1];
    yield (Array.isArray(found) ? found : []).filter((key): key is Buffer => Buffer.isBuffer(key));
  } while (cursor !== "0");
}

/** Repeatable. */
export async function removeKeys(link: Requests, remove: "DEL" | "UNLINK", keys: readonly Buffer[]): Promise<void> {
  for (let from = 0; from < keys.length; from += ASKED_AT_ONCE) {
    const some = keys.slice(from, from + ASKED_AT_ONCE);
    const calls = link.clustered ? some.map((key) => [key]) : [some];
    const replies = await link.request({ build: () => calls.map((args) => ({ name: remove, args })) });
    const refused = replies.find((reply) => reply instanceof Error);
    if (refused !== undefined) throw link.classify(refused, remove);
  }
}

/**
 * Deletes the dump's streams where FLUSHDB leaves them. Repeatable.
 * @throws RestoreError TARGET_UNFIT where the dump's records are not at hand
 */
export async function removeStreams(
  { link, abilities, endpoint }: Target,
  scope: DatabaseScope,
  ownRecords: (() => AsyncIterable<RedisRecord>) | undefined,
): Promise<void> {
  if (ownRecords === undefined) {
    throw new RestoreError(
      "TARGET_UNFIT",
      `FLUSHDB of ${abilities.server} leaves streams, and which there are is not known`,
      {
        where: { adapter: "redis", scope: scope.name, endpoint },
        hint: "Delete the dump's streams there by their names.",
      },
    );
  }
  let keys: Buffer[] = [];
  for await (const { kind, key } of ownRecords()) {
    if (kind === "stream") keys.push(key);
    if (keys.length < ASKED_AT_ONCE) continue;
    await removeKeys(link, "DEL", keys);
    keys = [];
  }
  if (keys.length > 0) await removeKeys(link, "DEL", keys);
}
