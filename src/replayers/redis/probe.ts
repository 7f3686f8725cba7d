/**
 * What a Redis-like target is and can do, asked from it: INFO and COMMAND INFO, nothing that touches a key.
 *
 * elastickv exits on SCAN, on KEYS with a wildcard and on DBSIZE, so these are never sent to it, nor to anything that is
 * not recognised. A line of INFO that starts with `raft_leader` tells it apart; it also says `redis_version`.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { escapeForDisplay } from "../../model/display.js";
import { present } from "../../support/present.js";
import type { MemoryState } from "../replayer.js";
import type { Asker } from "./link.js";
import { freedByFlush, memoryOf } from "./memory.js";
import { neverWrittenKey } from "./own-keys.js";
import { missingRights, type Needs } from "./rights.js";
import type { Shard } from "./wire.js";

export interface Abilities {
  /** `Redis 7.0.15`, `elastickv`. */
  readonly server: string;
  readonly elastickv: boolean;
  /** A node of a Redis Cluster: keys are on the node of their slot, and there is no database but 0. */
  readonly clustered: boolean;
  /** May be listed and counted, and has databases beside 0. False for elastickv and whatever is not recognised. */
  readonly listable: boolean;
  /** Takes absolute times (PXAT, PEXPIREAT); else remaining times are computed at the moment of the write. */
  readonly absoluteTimes: boolean;
  /** Longest remaining time in milliseconds, where times are remaining ones. */
  readonly longestMs: bigint;
  readonly xsetid: boolean;
  readonly xgroup: boolean;
  readonly pfmerge: boolean;
  readonly persist: boolean;
  readonly unlink: boolean;
  /** Tells when a key expires (PEXPIRETIME, since Redis 7.0); else only how much time is left. */
  readonly expireTime: boolean;
  /** FLUSHDB leaves nothing behind. elastickv's leaves the streams. */
  readonly flushesAll: boolean;
  /** Sketches of HyperLogLogs can be kept; else only member sets. */
  readonly sketches: boolean;
  /** Stream fields and HyperLogLog members must be UTF-8. */
  readonly utf8Only: boolean;
  /** Elements beyond which a collection can be written but neither renamed nor deleted. */
  readonly renameLimit?: number;
  /** Elements beyond which a set, hash or sorted set is not deleted or replaced in one step. */
  readonly deleteLimit?: number;
  /** `maxmemory` with an eviction policy: acknowledged writes may be dropped. A sentence for people. */
  readonly evicts?: string;
  readonly memory?: MemoryState;
  /** Guesses what flushing a database of so many keys gives back. */
  readonly freedBy: (keys: number) => number;
  readonly fallbacks: readonly string[];
}

const ASKED = [
  "eval",
  "getex",
  "pexpireat",
  "xsetid",
  "xgroup",
  "pfmerge",
  "persist",
  "unlink",
  "pexpiretime",
  "scan",
  "dbsize",
];
const INT64_MAX = 2n ** 63n - 1n;
/** 2^63-1 nanoseconds in milliseconds: elastickv counts durations in nanoseconds. */
const ELASTICKV_LONGEST_MS = 9_223_372_036_854n;
/** elastickv reads a collection whole to rename or delete it, up to this many elements. */
const ELASTICKV_RENAME_LIMIT = 100_000;
/** elastickv's DEL, RENAME and SET leave parts of a larger set, hash or sorted set (it reads them in pages of 1,024). */
const ELASTICKV_DELETE_LIMIT = 1_000;

export interface Probing {
  readonly endpoint: string;
  /** How scopes will be emptied. */
  readonly emptying: Needs["emptying"];
  /** Of a cluster's node. */
  readonly shard?: Shard;
}

/**
 * Repeatable, changes nothing. A node of a cluster that is asked without being known as one says just that: what else it
 * can do is not looked at. @throws RestoreError TARGET_UNREACHABLE, TARGET_CREDENTIALS, TARGET_UNFIT
 */
export async function probeRedis(link: Asker, { endpoint, emptying, shard }: Probing): Promise<Abilities> {
  const said = await ask(link, "INFO", []);
  const info = parseInfo(said);
  const commands = await knownCommands(link);
  const abilities = abilitiesOf(info, commands);
  const noScripts = () =>
    unfit("has no EVAL, without which no write can be conditional", "Name a server that runs Lua scripts.");
  const unfit = (message: string, hint: string): RestoreError =>
    new RestoreError("TARGET_UNFIT", `${endpoint} ${message}`, { where: { adapter: "redis", endpoint }, hint });
  if (commands !== undefined && !commands.has("eval")) throw noScripts();
  if (abilities.clustered && shard === undefined) return abilities;
  if (!abilities.elastickv && (info.get("role") === "slave" || info.get("role") === "replica")) {
    throw unfit("is a replica and takes no writes", "Name the primary with --redis-url.");
  }
  const temporaryKey = neverWrittenKey(shard);
  if (!(await runsScripts(link, endpoint, temporaryKey))) throw noScripts();
  if (abilities.elastickv) return abilities;
  const clustered = shard !== undefined;
  await assertRights(link, endpoint, { temporaryKey, clustered, counted: abilities.listable, emptying });
  await assertTakesWrites(link);
  return said === undefined ? { ...abilities, fallbacks: [UNTOLD, ...abilities.fallbacks] } : abilities;
}

const UNTOLD = "the server does not answer INFO to this user, so what it is cannot be known: with Redis, grant +info";

/** @throws RestoreError TARGET_CREDENTIALS naming the commands that the user may not use */
async function assertRights(link: Asker, endpoint: string, needs: Needs): Promise<void> {
  const missing = await refusable(missingRights(link, needs));
  if (missing === undefined || missing.length === 0) return;
  const names = missing.join(", ");
  const rights = missing.map((name) => `+${name.toLowerCase()}`).join(" ");
  throw new RestoreError(
    "TARGET_CREDENTIALS",
    `the user may not use ${names} at ${endpoint}, on temporary keys at least`,
    {
      where: { adapter: "redis", endpoint },
      hint: `Nothing was written. ACL SETUSER <user> ~elastickv-restore:* ${rights}, and the dump's own keys.`,
    },
  );
}

/**
 * Redis 7 refuses a script with this first line for whatever would refuse a write (a replica, too few replicas, a disk
 * that cannot be saved to), before it runs; older ones do not know the line. A full server may yet be emptied.
 * @throws RestoreError TARGET_UNFIT, TARGET_UNREACHABLE
 */
async function assertTakesWrites(link: Asker): Promise<void> {
  try {
    await refusable(link.command("EVAL", ["#!lua\nreturn 1", "0"]));
  } catch (error) {
    if (!(error instanceof RestoreError) || error.code !== "TARGET_FULL") throw error;
    if (!error.message.includes("MISCONF")) return;
    const { message, where } = error;
    throw new RestoreError("TARGET_UNFIT", message, {
      where,
      hint: "Nothing was written. Mend the server's disk, or send it CONFIG SET stop-writes-on-bgsave-error no.",
      cause: error,
    });
  }
}

/**
 * A user who may not run scripts, or not on temporary keys, is told so before anything is emptied. The key is named, not
 * touched. @throws RestoreError TARGET_CREDENTIALS, TARGET_UNREACHABLE
 */
async function runsScripts(link: Asker, endpoint: string, temporaryKey: string): Promise<boolean> {
  try {
    // Not 1, which whatever answers everything alike could have for an answer too.
    const answer = await link.command("EVAL", ["return 4711", "1", temporaryKey]);
    if (answer === 4711) return true;
  } catch (error) {
    if (error instanceof RestoreError && error.code === "RECORD_REFUSED") return false;
    throw unreachable(error);
  }
  throw new RestoreError("TARGET_UNREACHABLE", `${endpoint} does not answer as Redis does`, {
    where: { adapter: "redis", endpoint, operation: "EVAL" },
    hint: "Check --redis-url and that the server is up.",
    retry: "fatal",
  });
}

/** Lines `name:value`. */
export function parseInfo(text: string | undefined): ReadonlyMap<string, string> {
  const lines = (text ?? "").split(/\r?\n/).filter((line) => line.includes(":") && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

/** `commands`: lower-case names of those asked for that are there; absent when the target would not tell. */
export function abilitiesOf(info: ReadonlyMap<string, string>, commands: ReadonlySet<string> | undefined): Abilities {
  const elastickv = [...info.keys()].some((name) => name.startsWith("raft_leader"));
  const redis = !elastickv && info.has("redis_version") && info.has("run_id");
  const has = (name: string): boolean => commands?.has(name) ?? redis;
  // PXAT came with Redis 6.2, and so did GETEX, whose presence can be asked.
  const absoluteTimes = !elastickv && has("getex") && has("pexpireat");
  const abilities = {
    server: serverName(info, elastickv),
    elastickv,
    clustered: redis && info.get("cluster_enabled") === "1",
    listable: redis && has("scan") && has("dbsize"),
    absoluteTimes,
    longestMs: redis ? INT64_MAX : ELASTICKV_LONGEST_MS,
    xsetid: !elastickv && has("xsetid"),
    xgroup: !elastickv && has("xgroup"),
    pfmerge: !elastickv && has("pfmerge"),
    persist: !elastickv && has("persist"),
    unlink: !elastickv && has("unlink"),
    expireTime: !elastickv && has("pexpiretime"),
    flushesAll: !elastickv,
    sketches: redis,
    utf8Only: elastickv,
    ...(elastickv ? { renameLimit: ELASTICKV_RENAME_LIMIT, deleteLimit: ELASTICKV_DELETE_LIMIT } : {}),
    freedBy: (keys: number) => freedByFlush(info, keys),
    ...present({ memory: memoryOf(info) }),
    ...evictionOf(info),
  };
  return { ...abilities, fallbacks: fallbacksOf(abilities) };
}

function serverName(info: ReadonlyMap<string, string>, elastickv: boolean): string {
  if (elastickv) return "elastickv";
  const valkey = info.get("valkey_version");
  if (valkey !== undefined) return escapeForDisplay(`Valkey ${valkey}`);
  const version = info.get("redis_version");
  return version === undefined ? "unknown Redis-like server" : escapeForDisplay(`Redis ${version}`);
}

function evictionOf(info: ReadonlyMap<string, string>): Pick<Abilities, "evicts"> {
  const limit = info.get("maxmemory") ?? "0";
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (limit === "0" || policy === "noeviction") return {};
  const used = info.get("used_memory") ?? "an unknown number of";
  return {
    evicts: `the server drops keys by ${escapeForDisplay(policy)} when memory is short (${used} of ${limit} bytes are used), also keys just restored: set maxmemory-policy noeviction for the restore`,
  };
}

export function fallbacksOf(abilities: Omit<Abilities, "fallbacks">): string[] {
  const lacks: readonly (readonly [boolean, string])[] = [
    [!abilities.absoluteTimes, "expiry times are sent as the milliseconds that remain at the moment of the write"],
    [!abilities.listable, "the target is not listed: emptiness is asked of the dump's own keys"],
    [!abilities.xsetid, "a stream's last id above its top entry cannot be set, and is listed as last-id-not-restored"],
    [!abilities.sketches, "HyperLogLog sketches of Redis are rejected; member sets are added one by one"],
    [abilities.utf8Only, "stream entries and HyperLogLog members that are not UTF-8 are rejected"],
    [!abilities.flushesAll, "FLUSHDB leaves streams there: replace keeps the streams that the dump lacks"],
    [abilities.elastickv, "HyperLogLogs are written in place, because renaming one there makes it a string"],
    [abilities.renameLimit !== undefined, "collections over 100,000 elements are written in place, not renamed"],
    [
      abilities.deleteLimit !== undefined,
      "a set, hash or sorted set of over 1,000 members that is replaced there is deleted first, in steps of its own",
    ],
    [!abilities.persist, "an expiry that a merged collection has on the target cannot be taken away"],
  ];
  const sentences = lacks.filter(([lacking]) => lacking).map(([, sentence]) => sentence);
  return abilities.evicts === undefined ? sentences : [...sentences, abilities.evicts];
}

async function knownCommands(link: Asker): Promise<ReadonlySet<string> | undefined> {
  const replies = await refusable(link.command("COMMAND", ["INFO", ...ASKED]));
  if (!Array.isArray(replies)) return undefined;
  return new Set(ASKED.filter((_, i) => Array.isArray(replies[i]) && replies[i].length > 0));
}

async function ask(link: Asker, name: string, args: readonly string[]): Promise<string | undefined> {
  const reply = await refusable(link.command(name, args));
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}

/** A user who may write but not ask is no reason to stop. */
async function refusable<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RestoreError && error.code === "RECORD_REFUSED") return undefined;
    if (error instanceof RestoreError && /NOPERM/.test(error.message)) return undefined;
    throw unreachable(error);
  }
}

/** As what it shows before anything was written. */
export function unreachable(error: unknown): unknown {
  if (!(error instanceof RestoreError) || (error.code !== "OUTAGE" && error.code !== "CALL_FAILED")) return error;
  return new RestoreError("TARGET_UNREACHABLE", error.message, {
    where: error.where,
    hint: "Check --redis-url and that the server is up.",
    retry: "fatal",
    cause: error,
  });
}
