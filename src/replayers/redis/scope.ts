/** What stands in a database before the run, and how it is emptied: at once, or key by key at the end. */
import { RestoreError } from "../../errors/restore-error.js";
import { displayBytes } from "../../model/display.js";
import type { RedisRecord } from "../../model/record.js";
import type { DatabaseScope } from "../../model/scope.js";
import type { ScopeState } from "../replayer.js";
import type { Link } from "./link.js";
import type { Abilities } from "./probe.js";

const ASKED_AT_ONCE = 500;
const SCANNED_AT_ONCE = 1_000;

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
  const { link, abilities } = target;
  const warnings = abilities.evicts === undefined ? [] : [abilities.evicts];
  if (!abilities.listable) {
    assertOnlyDatabase(target, scope);
    const held = await holdsAny(link, ownRecords());
    return { presence: held ? "holds-records" : "empty", warnings };
  }
  const count = Number(await counted(target, scope));
  return { presence: count > 0 ? "holds-records" : "empty", count: { value: count, exact: true }, warnings };
}

/** elastickv answers OK to SELECT and stays in database 0: everything would be merged into it. */
function assertOnlyDatabase({ endpoint, abilities }: Target, scope: DatabaseScope): void {
  if (scope.targetDatabase === 0) return;
  throw new RestoreError(
    "TARGET_SCOPE_IMPOSSIBLE",
    `${endpoint} (${abilities.server}) has no database but 0, and the dump's goes to ${scope.targetDatabase}`,
    impossible(scope, endpoint),
  );
}

async function counted({ link, endpoint }: Target, scope: DatabaseScope) {
  try {
    return await link.command("DBSIZE", []);
  } catch (error) {
    if (!(error instanceof RestoreError) || error.code !== "RECORD_REFUSED" || scope.targetDatabase === 0) throw error;
    throw new RestoreError(
      "TARGET_SCOPE_IMPOSSIBLE",
      `${endpoint} has no database ${scope.targetDatabase}: ${error.message}`,
      { ...impossible(scope, endpoint), cause: error },
    );
  }
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
}

/** Deletes every key that is selected and not spared. SCAN may show a key twice and misses none that stays. Repeatable. */
export async function deleteOthers({ link, abilities }: Target, { spares, selects }: Deletion): Promise<number> {
  const remove = abilities.unlink ? "UNLINK" : "DEL";
  let deleted = 0;
  let cursor = "0";
  do {
    const reply = await link.command("SCAN", [cursor, "COUNT", String(SCANNED_AT_ONCE)]);
    if (!Array.isArray(reply)) throw new RestoreError("CALL_FAILED", "SCAN gave no cursor");
    cursor = String(reply[0]);
    const found: unknown = reply[1];
    const keys = (Array.isArray(found) ? found : []).filter((key): key is Buffer => Buffer.isBuffer(key));
    const others = keys.filter((key) => !spares(key) && selects(displayBytes(key)));
    if (others.length > 0) deleted += Number(await link.command(remove, others));
  } while (cursor !== "0");
  return deleted;
}
