/** Damages to Redis keys: a key each. */
import type { Redis } from "ioredis";
import type { DumpFile } from "../dump-builder.js";
import { type Damage, foundAs } from "./damage.js";

const ROOT = "redis/db_0";
/** Expiry times: far enough for every test, in whole seconds. */
const EXPIRES_AT = Math.ceil(Date.now() / 1000) * 1000 + 36_000_000;

type Files = (key: string) => Readonly<Record<string, DumpFile>>;

function damaged(key: string, files: Files, damage: (redis: Redis) => Promise<unknown>, ...found: string[]) {
  return { key, files: files(key), damage, found: foundAs({ scope: "redis:db_0", key }, ...found) };
}

const string =
  (value: string): Files =>
  (key) => ({ [`${ROOT}/strings/${key}.bin`]: value });
const json =
  (directory: string, content: object): Files =>
  (key) => ({ [`${ROOT}/${directory}/${key}.json`]: { format_version: 1, ...content } });
const hash = json("hashes", { fields: { name: "alice", role: "admin" } });
const list = json("lists", { items: ["a", "b", "c", "d"] });
const set = json("sets", { members: ["a", "b", "c"] });
const zset = json("zsets", {
  members: [
    { member: "a", score: 0.1 },
    { member: "b", score: "+inf" },
  ],
});
const timedHash = json("hashes", { fields: { name: "alice" }, expire_at_ms: EXPIRES_AT });
const stream: Files = (key) => ({
  [`${ROOT}/streams/${key}.jsonl`]: [
    { id: "5-1", fields: { a: "1", b: "2" } },
    { id: "5-2", fields: { c: "3" } },
    { id: "6-0", fields: { d: "4" } },
    { _meta: true, length: 3, last_ms: 7, last_seq: 0, expire_at_ms: null },
  ],
});
const counter: Files = (key) => ({
  [`${ROOT}/hll/${key}.bin`]: Buffer.from("\u0000RS\u0001\n\u0001a\n\u0001b\n\u0001c", "latin1"),
});

/** Strings have their times in a file beside them. */
const TIMED = ["expires-early", "expires-late", "expires-never"];
const timed = string("for ten hours");

const again = async (redis: Redis, key: string, make: () => Promise<unknown>) => {
  await redis.del(key);
  await make();
};

/** The stream with another first entry. */
const streamWith = async (redis: Redis, key: string, ...first: string[]) => {
  await again(redis, key, () => redis.xadd(key, "5-1", ...first));
  await redis.xadd(key, "5-2", "c", "3");
  await redis.xadd(key, "6-0", "d", "4");
  await redis.call("XSETID", key, "7-0");
};

export const REDIS_DAMAGES: readonly Damage<Redis>[] = [
  damaged("is-gone", string("x"), (redis) => redis.del("is-gone"), "missing"),
  damaged("byte", string("some bytes"), (redis) => redis.set("byte", "some bites"), "value byte 6"),
  damaged("longer", string("some"), (redis) => redis.append("longer", "more"), "value"),
  damaged("emptied", string("some"), (redis) => redis.set("emptied", ""), "value"),
  damaged(
    "other-type",
    string("some"),
    (redis) => again(redis, "other-type", () => redis.rpush("other-type", "some")),
    "type",
  ),
  damaged("expires-early", timed, (redis) => redis.pexpireat("expires-early", EXPIRES_AT - 1_000), "expiry"),
  damaged("expires-late", timed, (redis) => redis.pexpireat("expires-late", EXPIRES_AT + 1_000), "expiry"),
  damaged("expires-never", timed, (redis) => redis.persist("expires-never"), "expiry"),
  damaged("hash-expires-never", timedHash, (redis) => redis.persist("hash-expires-never"), "expiry"),
  damaged("expires-now", string("for ever"), (redis) => redis.pexpireat("expires-now", EXPIRES_AT), "expiry"),
  damaged("hash-value", hash, (redis) => redis.hset("hash-value", "name", "bob"), 'value field "name"'),
  damaged("hash-less", hash, (redis) => redis.hdel("hash-less", "role"), 'missing-part field "role"'),
  damaged("hash-more", hash, (redis) => redis.hset("hash-more", "extra", "1"), 'extra-part field "extra"'),
  damaged(
    "hash-renamed-field",
    hash,
    async (redis) => {
      await redis.hdel("hash-renamed-field", "role");
      await redis.hset("hash-renamed-field", "Role", "admin");
    },
    'missing-part field "role"',
    'extra-part field "Role"',
  ),
  damaged(
    "list-order",
    list,
    (redis) => again(redis, "list-order", () => redis.rpush("list-order", "a", "c", "b", "d")),
    "order index 1",
  ),
  damaged("list-element", list, (redis) => redis.lset("list-element", 2, "C"), "value index 2"),
  damaged("list-more", list, (redis) => redis.rpush("list-more", "e"), "extra-part index 4"),
  damaged("list-first", list, (redis) => redis.lpush("list-first", "z"), "extra-part index 0"),
  damaged("list-twice", list, (redis) => redis.linsert("list-twice", "BEFORE", "c", "b"), "extra-part index 2"),
  damaged("list-less", list, (redis) => redis.lrem("list-less", 1, "b"), "missing-part index 1"),
  damaged("set-less", set, (redis) => redis.srem("set-less", "b"), 'missing-part member "b"'),
  damaged("set-more", set, (redis) => redis.sadd("set-more", "z"), 'extra-part member "z"'),
  damaged("zset-score", zset, (redis) => redis.zadd("zset-score", "0.10000000000000002", "a"), 'score member "a"'),
  damaged("zset-infinity", zset, (redis) => redis.zadd("zset-infinity", "1e308", "b"), 'score member "b"'),
  damaged("zset-less", zset, (redis) => redis.zrem("zset-less", "a"), 'missing-part member "a"'),
  damaged("zset-more", zset, (redis) => redis.zadd("zset-more", 1, "z"), 'extra-part member "z"'),
  damaged(
    "stream-field",
    stream,
    (redis) => streamWith(redis, "stream-field", "a", "1", "b", "TWO"),
    "value entry 5-1",
  ),
  damaged("stream-order", stream, (redis) => streamWith(redis, "stream-order", "b", "2", "a", "1"), "order entry 5-1"),
  damaged("stream-less", stream, (redis) => redis.xdel("stream-less", "5-2"), "missing-part entry 5-2"),
  damaged("stream-more", stream, (redis) => redis.xadd("stream-more", "8-0", "e", "5"), "extra-part entry 8-0"),
  damaged("stream-last-id", stream, (redis) => redis.call("XSETID", "stream-last-id", "9-9"), "last-id"),
  damaged(
    "counter-less",
    counter,
    (redis) => again(redis, "counter-less", () => redis.pfadd("counter-less", "a", "c")),
    'missing-part member "b"',
  ),
  damaged("counter-more", counter, (redis) => redis.pfadd("counter-more", "z"), "extra-part"),
  damaged(
    "stranger",
    () => ({}),
    (redis) => redis.set("stranger", "1"),
    "extra",
  ),
];

/** A record of each type that nobody damages, and the times of strings. */
export const REDIS_FILES: Readonly<Record<string, DumpFile>> = {
  [`${ROOT}/strings_ttl.jsonl`]: TIMED.map((key) => ({ key, expire_at_ms: EXPIRES_AT })),
  ...string("left alone")("untouched-string"),
  ...hash("untouched-hash"),
  ...list("untouched-list"),
  ...set("untouched-set"),
  ...zset("untouched-zset"),
  ...stream("untouched-stream"),
  ...counter("untouched-counter"),
};
