/**
 * Whether the user may do what a run will ask for: told before anything is emptied or written. The server judges by its
 * own rules, in a script that runs nothing (`redis.acl_check_cmd`, since Redis 7). Servers without it tell a missing
 * right only at the command that needs it, which ends the run.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { displayBytes } from "../../model/display.js";
import type { RedisRecord } from "../../model/record.js";
import type { Asker } from "./link.js";

/** KEYS: none. ARGV: key, then commands. A command is asked with its key in every place that may hold one. */
const MISSING_COMMANDS = `
if not redis.acl_check_cmd then return {} end
local missing = {}
for i = 2, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[i], '[^ ]+') do
    if word == 'KEY' then word = ARGV[1] end
    words[#words + 1] = word
  end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  if known and not may then missing[#missing + 1] = words[1] end
end
return missing
`;

/** ARGV: keys. Answers the place of the first that may not be both read and written, 0 for none. */
const FIRST_FORBIDDEN = `
if not redis.acl_check_cmd then return 0 end
for i = 1, #ARGV do
  if not redis.acl_check_cmd('SET', ARGV[i], '', 'GET') then return i end
end
return 0
`;

/** What the writing of records of all types may ask for, condition, expiry and the look after a lost answer included. */
const ALWAYS = [
  "PING",
  "SELECT 0",
  ...["TYPE KEY", "EXISTS KEY", "DEL KEY", "RENAME KEY KEY"],
  ...["PEXPIRE KEY 1", "PEXPIREAT KEY 1", "PERSIST KEY", "PTTL KEY"],
  ...["SET KEY 1", "GET KEY", "STRLEN KEY", "GETRANGE KEY 0 1"],
  ...["RPUSH KEY 1", "LLEN KEY", "LRANGE KEY 0 1"],
  ...["HSET KEY 1 1", "HGET KEY 1", "HMGET KEY 1", "HLEN KEY"],
  ...["SADD KEY 1", "SCARD KEY", "SISMEMBER KEY 1"],
  ...["ZADD KEY 1 1", "ZCARD KEY", "ZSCORE KEY 1"],
  ...["XADD KEY * 1 1", "XLEN KEY", "XRANGE KEY - +", "XREVRANGE KEY + -", "XINFO STREAM KEY", "XSETID KEY 1-1"],
  ...["XGROUP CREATE KEY 1 0", "XGROUP DESTROY KEY 1"],
  ...["PFADD KEY 1", "PFCOUNT KEY", "PFMERGE KEY KEY"],
];
const BY_EMPTYING = { none: [], flush: ["FLUSHDB"], "per-key": ["SCAN 0", "UNLINK KEY"] } as const;

/** Any pattern that takes this for a key takes every key, as far as can be guessed. */
const ANY_KEY = Buffer.from([0, 255, 0]);
const ASKED_AT_ONCE = 500;

/** Asked of a cluster, and of the node that a slot is on its way to. */
const OF_CLUSTER = ["CLUSTER SLOTS", "CLUSTER NODES", "ASKING"];

/** `counted`: whether the run counts keys. `emptying`: how scopes will be emptied. */
export interface Needs {
  readonly clustered: boolean;
  readonly temporaryKey: string;
  readonly counted: boolean;
  readonly emptying: keyof typeof BY_EMPTYING;
}

/** Commands that the user lacks, or may not use on temporary keys. Repeatable, changes nothing. */
export async function missingRights(
  link: Asker,
  { temporaryKey, clustered, counted, emptying }: Needs,
): Promise<string[]> {
  const asked = [...ALWAYS, ...(counted ? ["DBSIZE"] : []), ...BY_EMPTYING[emptying], ...(clustered ? OF_CLUSTER : [])];
  const reply = await link.command("EVAL", [MISSING_COMMANDS, "0", temporaryKey, ...asked]);
  return Array.isArray(reply) ? [...new Set(reply.map(String))] : [];
}

/**
 * Asks for the dump's own keys where the user may not touch all keys there are. Repeatable, changes nothing.
 * @throws RestoreError TARGET_CREDENTIALS naming the first key that the user may not read and write
 */
export async function assertKeysAllowed(
  link: Asker,
  endpoint: string,
  ownRecords: () => AsyncIterable<RedisRecord>,
): Promise<void> {
  if ((await firstForbidden(link, [ANY_KEY])) === undefined) return;
  let keys: Buffer[] = [];
  const check = async (): Promise<void> => {
    const key = await firstForbidden(link, keys);
    keys = [];
    if (key !== undefined) throw forbidden(key, endpoint);
  };
  for await (const { key } of ownRecords()) {
    keys.push(key);
    if (keys.length >= ASKED_AT_ONCE) await check();
  }
  await check();
}

async function firstForbidden(link: Asker, keys: readonly Buffer[]): Promise<Buffer | undefined> {
  if (keys.length === 0) return undefined;
  const place = await link.command("EVAL", [FIRST_FORBIDDEN, "0", ...keys]);
  return keys[Number(place) - 1];
}

function forbidden(key: Buffer, endpoint: string): RestoreError {
  return new RestoreError(
    "TARGET_CREDENTIALS",
    `the user may not read and write "${displayBytes(key)}" at ${endpoint}, a key of the dump`,
    {
      where: { adapter: "redis", endpoint },
      hint: "Nothing was written. Give the user the dump's keys with ACL SETUSER (~pattern), or leave keys out with --exclude.",
    },
  );
}
