/**
 * The Lua scripts that make a write one atomic step on the server: condition, value and expiry together.
 *
 * They run on Redis and on elastickv, whose interpreter knows fewer commands; on both, `unpack` takes the arguments of
 * one chunk (2,000) but not many more. They answer words, never raise, so that one record's refusal leaves the others
 * of its call alone. An answer that starts with `!` is the server's refusal.
 *
 * Expiry arguments: `N` none, `A` absolute milliseconds, `R` remaining milliseconds, `P` take the key's expiry away,
 * `X` the time is past: the key is to be gone.
 *
 * A number `most` says that the server takes away a larger set, hash or sorted set only in several steps: DEL leaves
 * parts that show after the script, and RENAME and SET onto one mix them with the new value. Before such a write the
 * scripts delete and answer `again`, until what is left is small enough. Empty: it takes away all at once.
 */

/** How the scripts are told about what may stand under the key. */
export type ScriptMode = "put" | "overwrite" | "absent" | "merge";

/** The scripts' `hindrance`, for where there is no script: why what stands under the key keeps a record out. */
export function hindranceOf(type: string, mode: ScriptMode, kind: string): "wrong-type" | "exists" | undefined {
  if (mode === "put" || type === "none") return undefined;
  if (type !== kind) return "wrong-type";
  return mode === "absent" ? "exists" : undefined;
}

/** Common to all. Answers of TYPE are tables or strings, depending on the interpreter. */
const PRELUDE = `
local function typeof(key)
  local t = redis.call('TYPE', key)
  if type(t) == 'table' then t = t.ok end
  return t
end
local function refused(reply)
  if type(reply) == 'table' and reply.err then return '!' .. reply.err end
  return nil
end
local function expire(key, how, ms)
  if how == 'A' then redis.call('PEXPIREAT', key, ms)
  elseif how == 'R' then redis.call('PEXPIRE', key, ms)
  elseif how == 'P' then redis.call('PERSIST', key)
  end
end
-- A collection that is replaced under a merge keeps the expiry that the target gave it, when the dump has none.
local function inherit(temp, key, mode, kind, how)
  if mode ~= 'overwrite' or kind == 'string' or how ~= 'N' then return end
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', temp, left) end
end
local function crowded(key, most)
  if most == '' then return false end
  local count = ({hash = 'HLEN', set = 'SCARD', zset = 'ZCARD'})[typeof(key)]
  return count ~= nil and redis.call(count, key) > tonumber(most)
end
local function hindrance(key, mode, kind)
  if mode == 'put' then return nil end
  local t = typeof(key)
  if t == 'none' then return nil end
  if t ~= kind then return 'wrong-type' end
  if mode == 'absent' then return 'exists' end
  return nil
end
`;

/**
 * Writes whole small records. KEYS: key, temporary key, a pair a record. ARGV: most, then for each record mode, type,
 * command, expiry, milliseconds, number of arguments, arguments. Answers a word a record: `ok`, `exists`, `wrong-type`,
 * `deleted` (past), `expired` (between decision and write), `again`, `crowded` (nothing done: to be built and put in
 * place by COMMIT, which keeps the expiry between its steps), `!…`.
 */
export const WRITE_WHOLE = `${PRELUDE}
local function write(key, temp, mode, kind, command, how, ms, args)
  local why = hindrance(key, mode, kind)
  if why then return why end
  if (how == 'X' or command == 'SET') and crowded(key, ARGV[1]) then
    redis.call('DEL', key)
    return 'again'
  end
  if how == 'X' then
    redis.call('DEL', key)
    return 'deleted'
  end
  if command == 'SET' then
    local reply
    if how == 'A' then reply = redis.pcall('SET', key, args[1], 'PXAT', ms)
    elseif how == 'R' then reply = redis.pcall('SET', key, args[1], 'PX', ms)
    else reply = redis.pcall('SET', key, args[1]) end
    return refused(reply) or 'ok'
  end
  if mode == 'merge' and redis.call('EXISTS', key) == 1 then
    local why = refused(redis.pcall(command, key, unpack(args)))
    if why then return why end
    expire(key, how, ms)
    return 'ok'
  end
  if crowded(key, ARGV[1]) then return 'crowded' end
  -- A first DEL would hide from a full server that this script adds data: it asks only before the first write.
  if redis.call('EXISTS', temp) == 1 then redis.call('DEL', temp) end
  local why = refused(redis.pcall(command, temp, unpack(args)))
  if why then
    redis.call('DEL', temp)
    return why
  end
  if how ~= 'P' then expire(temp, how, ms) end
  inherit(temp, key, mode, kind, how)
  if redis.call('EXISTS', temp) == 0 then return 'expired' end
  redis.call('RENAME', temp, key)
  return 'ok'
end
local out, at = {}, 2
for i = 1, #KEYS, 2 do
  local n = tonumber(ARGV[at + 5])
  local args = {}
  for j = 1, n do args[j] = ARGV[at + 5 + j] end
  out[#out + 1] = write(KEYS[i], KEYS[i + 1], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], args)
  at = at + 6 + n
end
return out
`;

/**
 * Writes whole records of one type by their commands, on a server that takes everything away at once. What takes a single
 * command is written in place; the others are made under a spare key, so that none is seen or left half-way, and one that
 * has expired since is refused. KEYS: spare key, keys. ARGV: mode, type, then for each record how much follows for it, and
 * of each command name, number of arguments, arguments behind the key. A list of one command has no expiry of its own.
 * Answers a word a record: the status `OK`, `exists`, `wrong-type`, `!…` (nothing of it is there, unless it was merged).
 */
export const WRITE_BY_COMMANDS = `${PRELUDE}
local spare, mode, kind = KEYS[1], ARGV[1], ARGV[2]
local function run(key, from, to)
  while from < to do
    local last = from + 1 + tonumber(ARGV[from + 1])
    local why = refused(redis.pcall(ARGV[from], key, unpack(ARGV, from + 2, last)))
    if why then return why end
    from = last + 1
  end
  return nil
end
local function replace(key, from, to, how)
  local why = run(spare, from, to)
  if not why then
    inherit(spare, key, mode, kind, how)
    why = refused(redis.pcall('RENAME', spare, key))
  end
  if why and redis.call('EXISTS', spare) == 1 then redis.call('DEL', spare) end
  return why
end
local function write(key, from, to)
  local why = hindrance(key, mode, kind)
  if why then return why end
  local isThere = mode ~= 'absent' and redis.call('EXISTS', key) == 1
  if kind == 'string' or mode == 'merge' and isThere then return run(key, from, to) end
  local isOne = from + 1 + tonumber(ARGV[from + 1]) == to
  if isOne and not isThere then return run(key, from, to) end
  return replace(key, from, to, isOne and 'N' or '')
end
if redis.call('EXISTS', spare) == 1 then redis.call('DEL', spare) end
local out, at = {}, 3
for i = 2, #KEYS do
  local to = at + tonumber(ARGV[at])
  out[i - 1] = write(KEYS[i], at + 1, to) or {ok = 'OK'}
  at = to + 1
end
return out
`;

/**
 * Puts a finished temporary key in its place. KEYS: temporary key, key, and perhaps the marker hash.
 * ARGV: mode, type, expiry, milliseconds, number of elements (empty: not counted), most, marker field. Answers `ok`,
 * `gone` (no temporary key), `torn` (other elements than were put into it), `exists`, `wrong-type`, `deleted`, `expired`,
 * `again`. Leaves the temporary key alone unless it is used up.
 */
export const COMMIT = `${PRELUDE}
local temp, key = KEYS[1], KEYS[2]
if redis.call('EXISTS', temp) == 0 then return 'gone' end
local count = ({list = 'LLEN', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', stream = 'XLEN'})[ARGV[2]]
if count and ARGV[5] ~= '' and redis.call(count, temp) ~= tonumber(ARGV[5]) then return 'torn' end
local why = hindrance(key, ARGV[1], ARGV[2])
if why then return why end
if crowded(key, ARGV[6]) then
  -- The key's expiry goes with the first step.
  inherit(temp, key, ARGV[1], ARGV[2], ARGV[3])
  redis.call('DEL', key)
  return 'again'
end
if ARGV[3] == 'X' then
  redis.call('DEL', temp)
  redis.call('DEL', key)
  return 'deleted'
end
if ARGV[3] ~= 'P' then expire(temp, ARGV[3], ARGV[4]) end
inherit(temp, key, ARGV[1], ARGV[2], ARGV[3])
if redis.call('EXISTS', temp) == 0 then return 'expired' end
redis.call('RENAME', temp, key)
if KEYS[3] then redis.call('HSET', KEYS[3], ARGV[7], 'whole') end
return 'ok'
`;

/**
 * Adds one chunk to a collection that must be there. KEYS: key. ARGV: type, command, expiry, milliseconds, most,
 * arguments. Answers `ok`, `gone`, `wrong-type`, `deleted`, `again`, `!…`.
 */
export const ADD_TO_EXISTING = `${PRELUDE}
local key, kind, command, how, ms = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = typeof(key)
if t == 'none' then return 'gone' end
if t ~= kind then return 'wrong-type' end
if how == 'X' then
  local parts = crowded(key, ARGV[5])
  redis.call('DEL', key)
  return parts and 'again' or 'deleted'
end
local why = refused(redis.pcall(command, key, unpack(ARGV, 6)))
if why then return why end
expire(key, how, ms)
return 'ok'
`;

/** Unites a sketch with what stands under the key. KEYS: key, sketch. ARGV: expiry, milliseconds. */
export const MERGE_SKETCH = `${PRELUDE}
if redis.call('EXISTS', KEYS[2]) == 0 then return 'gone' end
local t = typeof(KEYS[1])
if t ~= 'none' and t ~= 'string' then return 'wrong-type' end
if ARGV[1] == 'X' then
  redis.call('DEL', KEYS[1])
  return 'deleted'
end
local why = refused(redis.pcall('PFMERGE', KEYS[1], KEYS[2]))
if why then return why end
expire(KEYS[1], ARGV[1], ARGV[2])
return 'ok'
`;

/**
 * Appends one chunk to a list exactly once: the marker counts the chunks that are in. KEYS: list, marker hash.
 * ARGV: field, chunk (from 1), must exist (1 or 0), expiry, milliseconds, items. Answers word and the remaining
 * milliseconds that the list had before (-1 none, -2 no list).
 */
export const APPEND_TO_LIST = `${PRELUDE}
local key, markers, field = KEYS[1], KEYS[2], ARGV[1]
local done = tonumber(redis.call('HGET', markers, field) or '0') or 0
if done >= tonumber(ARGV[2]) then return {'ok', -1} end
local t = typeof(key)
if t ~= 'none' and t ~= 'list' then return {'wrong-type', -1} end
if t == 'none' and ARGV[3] == '1' then return {'gone', -2} end
local left = redis.call('PTTL', key)
if ARGV[4] == 'X' then
  redis.call('DEL', key)
  return {'deleted', left}
end
local why = refused(redis.pcall('RPUSH', key, unpack(ARGV, 6)))
if why then return {why, left} end
redis.call('HSET', markers, field, ARGV[2])
expire(key, ARGV[4], ARGV[5])
return {'ok', left}
`;

/**
 * Adds stream entries under their own ids. KEYS: stream. ARGV: must exist (1 or 0), then for each entry id, number of
 * fields, fields. Answers `{'gone'}`, `{'wrong-type'}` or `{'ok', index, refusal, index, refusal …}` (from 1).
 */
export const ADD_ENTRIES = `${PRELUDE}
local key = KEYS[1]
local t = typeof(key)
if t == 'none' and ARGV[1] == '1' then return {'gone'} end
if t ~= 'none' and t ~= 'stream' then return {'wrong-type'} end
local out, at, index = {'ok'}, 2, 1
while at <= #ARGV do
  local n = tonumber(ARGV[at + 1])
  local fields = {}
  for j = 1, n do fields[j] = ARGV[at + 1 + j] end
  local why = refused(redis.pcall('XADD', key, ARGV[at], unpack(fields)))
  if why then
    out[#out + 1] = tostring(index)
    out[#out + 1] = why
  end
  at, index = at + 2 + n, index + 1
end
return out
`;

/**
 * Appends stream entries under new ids exactly once: the marker keeps the ids. KEYS: stream, marker hash.
 * ARGV: field, must exist (1 or 0), expiry, milliseconds, then for each entry number of fields, fields.
 * Answers word, remaining milliseconds before, and the new ids (or `!refusal`), a line each.
 */
export const APPEND_ENTRIES = `${PRELUDE}
local key, markers, field = KEYS[1], KEYS[2], ARGV[1]
local had = redis.call('HGET', markers, field)
if had then return {'ok', -1, had} end
local t = typeof(key)
if t ~= 'none' and t ~= 'stream' then return {'wrong-type', -1, ''} end
if t == 'none' and ARGV[2] == '1' then return {'gone', -2, ''} end
local left = redis.call('PTTL', key)
if ARGV[3] == 'X' then
  redis.call('DEL', key)
  return {'deleted', left, ''}
end
local ids, at = {}, 5
while at <= #ARGV do
  local n = tonumber(ARGV[at])
  local fields = {}
  for j = 1, n do fields[j] = ARGV[at + j] end
  local reply = redis.pcall('XADD', key, '*', unpack(fields))
  local why = refused(reply)
  if why then reply = string.gsub(why, '[\\r\\n]', ' ') end
  ids[#ids + 1] = reply
  at = at + 1 + n
end
local joined = table.concat(ids, '\\n')
redis.call('HSET', markers, field, joined)
expire(key, ARGV[3], ARGV[4])
return {'ok', left, joined}
`;
