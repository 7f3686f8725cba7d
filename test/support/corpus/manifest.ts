/** MANIFEST.json: what it may not say, and what it may. Sealed like any other file unless a case says otherwise. */
import { type DumpDescription, MANIFEST, tableSchema } from "../dump-builder.js";
import { BOM, deep, type LegalCase, type RefusedCase, SOUND_FILES, shell, soundWith } from "./case.js";
import { bucket, object, string } from "./holdings.js";

const ADAPTERS = '"adapters":{"dynamodb":{},"s3":{},"redis":{},"sqs":{}}';

/** The whole manifest of the sound dump as text, to be damaged as text. */
const TEXT = JSON.stringify({ ...MANIFEST, live: { read_ts: 7 }, adapters: 0 }).replace('"adapters":0', ADAPTERS);

function written(name: string, manifest: string | Buffer, ...says: string[]): RefusedCase {
  return { name, dump: { manifest, files: SOUND_FILES }, says: ["MANIFEST.json", ...says] };
}

function replaced(name: string, from: string, to: string, ...says: string[]): RefusedCase {
  if (!TEXT.includes(from)) throw new Error(`${from} does not stand in the manifest`);
  return written(name, TEXT.replace(from, to), ...says);
}

/** `fields` laid over the sound manifest. */
function field(name: string, fields: Readonly<Record<string, unknown>>, ...says: string[]): RefusedCase {
  return { name, dump: { manifest: fields, files: SOUND_FILES }, says: ["MANIFEST.json", ...says] };
}

/** A version is not a fault of the manifest: the message says which one this build reads. */
function version(name: string, format_version: unknown): RefusedCase {
  const says = [`format version ${String(format_version)}`, "version 1"];
  return { name, dump: { manifest: { format_version }, files: SOUND_FILES }, says };
}

const syntax: readonly RefusedCase[] = [
  { name: "there is none", damage: shell("rm MANIFEST.json"), says: ["MANIFEST.json", "partial"] },
  written("it is empty", ""),
  written("it is null", "null"),
  written("it is an array", "[]"),
  written("it is cut off", TEXT.slice(0, -20)),
  written("another object follows", `${TEXT}{}`),
  written("a NUL follows", `${TEXT}\0`),
  written("a byte order mark stands before it", BOM + TEXT, "byte order mark"),
  written("it is UTF-16", Buffer.from(BOM + TEXT, "utf16le")),
  written("it is not UTF-8", Buffer.from(`{"cluster_id":"\xff",${TEXT.slice(1)}`, "latin1")),
  written("it holds a lone surrogate", `{"cluster_id":"\\ud800",${TEXT.slice(1)}`),
  written("it holds a control character", `{"cluster_id":"\n",${TEXT.slice(1)}`),
  written("a name stands twice", `{"format_version":1,${TEXT.slice(1)}`, "twice"),
  replaced("a name stands twice further down", '"read_ts":7', '"read_ts":7,"read_ts":8', "twice"),
  written("it nests a hundred thousand levels deep", `{"extra":${deep(100_000)},${TEXT.slice(1)}`, "deeper"),
  written("it has a comma too many", TEXT.replace(/\}$/, ",}")),
  written("it has a comment", `/* by hand */ ${TEXT}`),
  written("a number has a leading zero", `{"snapshot_index":007,${TEXT.slice(1)}`),
  written("a number is NaN", `{"snapshot_index":NaN,${TEXT.slice(1)}`),
];

const versions: readonly RefusedCase[] = [
  field("format_version is missing", { format_version: undefined }, "format_version"),
  field("format_version is null", { format_version: null }, "format_version"),
  field("format_version is text", { format_version: "1" }, "format_version"),
  field("format_version is true", { format_version: true }, "format_version"),
  replaced("format_version is a fraction", '"format_version":1', '"format_version":1.5', "format_version"),
  replaced("format_version has an exponent", '"format_version":1', '"format_version":1e0', "format_version"),
  version("format_version is 0", 0),
  version("format_version is 2", 2),
  version("format_version is above 64 bits, and no 1", 2n ** 64n + 1n),
  { ...version("format_version is 2 and all else unknown", 2), dump: { manifest: '{"format_version":2,"phase":7}' } },
  replaced("format_version has a million digits", '"format_version":1', `"format_version":${"1".repeat(1_000_000)}`),
];

const PHASE0 = { phase: "phase0-snapshot-decode", live: undefined, source: { fsm_path: "snapshot" } };

const phases: readonly RefusedCase[] = [
  field("phase is unknown", { phase: "phase2-streaming" }, "phase2-streaming"),
  field("phase is empty", { phase: "" }, "phase"),
  field("phase is a number", { phase: 1 }, "phase"),
  field("phase 0 has live", { ...PHASE0, live: MANIFEST.live }, "live"),
  field("phase 1 has source", { source: { fsm_path: "snapshot" } }, "source"),
  field("phase 1 has no live", { live: undefined }, "live"),
  field("live is null", { live: null }, "live"),
  field("live is text", { live: "yes" }, "live"),
  field("live has no read_ts", { live: { pin_token_sha256: "6b86b273" } }, "read_ts"),
  field("read_ts is 0", { live: { read_ts: 0 } }, "read_ts"),
  field("read_ts is negative", { live: { read_ts: -1 } }, "read_ts"),
  field("read_ts is above 64 bits", { live: { read_ts: 2n ** 64n } }, "read_ts"),
  field("read_ts is text", { live: { read_ts: "7" } }, "read_ts"),
  field("phase is missing and source stands there", { phase: undefined, live: undefined, source: {} }, "source"),
  field("snapshot_index is negative", { snapshot_index: -1 }, "snapshot_index"),
  field("last_commit_ts is text", { last_commit_ts: "116481768215991743" }, "last_commit_ts"),
];

const time = (name: string, wall_time_iso: unknown) => field(`the time ${name}`, { wall_time_iso }, "wall_time_iso");

const times: readonly RefusedCase[] = [
  time("is missing", undefined),
  time("is a number", 1777477330),
  time("is a date alone", "2026-04-29"),
  time("has no offset", "2026-04-29T15:42:11"),
  time("has ten fraction digits", "2026-04-29T15:42:11.0123456789Z"),
  time("has a point and no fraction", "2026-04-29T15:42:11.Z"),
  time("is in month 13", "2026-13-29T15:42:11Z"),
  time("is on 30 February", "2026-02-30T15:42:11Z"),
  time("is at 25 hours", "2026-04-29T25:42:11Z"),
  time("has an offset of 99 hours", "2026-04-29T15:42:11+99:00"),
  time("is followed by a line", "2026-04-29T15:42:11Z\n"),
];

const without = (name: string, value: unknown) => ({ exclusions: { ...MANIFEST.exclusions, [name]: value } });

const policies: readonly RefusedCase[] = [
  field("exclusions are missing", { exclusions: undefined }, "exclusions"),
  field("exclusions are null", { exclusions: null }, "exclusions"),
  field("exclusions are an array", { exclusions: [] }, "exclusions"),
  ...Object.keys(MANIFEST.exclusions).map((name) => field(`${name} is missing`, without(name, undefined), name)),
  field("include_orphans is null", without("include_orphans", null), "include_orphans"),
  field("include_orphans is text", without("include_orphans", "false"), "include_orphans"),
  field("checksum_algorithm is sha512", { checksum_algorithm: "sha512" }, "sha512", "sha256"),
  field("checksum_algorithm is missing", { checksum_algorithm: undefined }, "checksum_algorithm"),
  field("checksum_algorithm is empty", { checksum_algorithm: "" }, "checksum_algorithm"),
  field("checksum_format is another", { checksum_format: "bsd" }, "bsd", "sha256sum"),
  field("the charset is another", { encoded_filename_charset: "base32" }, "base32"),
  field("colliding keys are renamed in another way", { s3_collision_strategy: "hash-suffix" }, "hash-suffix"),
  field("s3_collision_strategy is a number", { s3_collision_strategy: 1 }, "s3_collision_strategy"),
  field("key_segment_max_bytes is text", { key_segment_max_bytes: "240" }, "key_segment_max_bytes"),
  field("dynamodb_layout is true", { dynamodb_layout: true }, "dynamodb_layout"),
  field("s3_meta_suffix is missing", { s3_meta_suffix: undefined }, "s3_meta_suffix"),
  field("s3_meta_suffix is empty", { s3_meta_suffix: "" }, "s3_meta_suffix"),
  field("s3_meta_suffix leads out of the dump", { s3_meta_suffix: "/../../x" }, "s3_meta_suffix"),
];

const adapters = (name: string, value: unknown, ...says: string[]): RefusedCase => ({
  name,
  dump: { manifest: { adapters: value }, files: SOUND_FILES },
  says: ["MANIFEST.json", ...says],
});
const ALL = { dynamodb: {}, s3: {}, redis: {}, sqs: {} };

const listings: readonly RefusedCase[] = [
  adapters("adapters are missing", undefined, "adapters"),
  adapters("adapters are null", null, "adapters"),
  adapters("adapters are a list of names", ["redis"], "adapters"),
  adapters("an adapter is true", { ...ALL, redis: true }, "adapters.redis"),
  adapters("tables are an object", { ...ALL, dynamodb: { tables: {} } }, "tables"),
  adapters("a table is a number", { ...ALL, dynamodb: { tables: [1] } }, "tables"),
  adapters("a table is listed twice", { ...ALL, dynamodb: { tables: ["sound-table", "sound-table"] } }, "twice"),
  adapters("a database is listed twice, in both ways", { ...ALL, redis: { databases: [0, "db_0"] } }, "twice"),
  adapters("a database is negative", { ...ALL, redis: { databases: [-1] } }, "databases"),
  adapters("a database is half", { ...ALL, redis: { databases: [0.5] } }, "databases"),
  adapters("a database has a name", { ...ALL, redis: { databases: ["main"] } }, "main"),
  adapters("a listed table has no directory", { ...ALL, dynamodb: { tables: ["sound-table", "gone"] } }, "gone"),
  adapters("a listed database has no directory", { ...ALL, redis: { databases: [0, 7] } }, "db_7"),
  adapters("a bucket is not listed", { ...ALL, s3: { buckets: [] } }, "s3/sound-bucket"),
  adapters("a queue is not listed", { ...ALL, sqs: { queues: [] } }, "sqs/sound-queue"),
  adapters("an excluded adapter has files", { dynamodb: {}, s3: {}, sqs: {} }, "redis", "redis/db_0"),
  adapters("no adapter was dumped and files are there", {}, "dynamodb"),
  adapters("a listed name leads out of the dump", { ...ALL, s3: { buckets: ["../../etc"] } }, "../../etc"),
];

export const MANIFEST_REFUSED = [...syntax, ...versions, ...phases, ...times, ...policies, ...listings];

const REDIS = { "redis/db_0/strings/k.bin": "v" };

function legal(name: string, manifest: DumpDescription["manifest"], ...warns: string[]): LegalCase {
  const described = manifest === undefined ? {} : { manifest };
  return { name, dump: { ...described, files: REDIS }, holds: [string("k", "v")], warns };
}

export const MANIFEST_LEGAL: readonly LegalCase[] = [
  legal("phase 0, digits beyond 2^53", { ...PHASE0, last_commit_ts: 2n ** 64n - 1n, snapshot_index: 1n }, "one moment"),
  legal("phase 0 without source", { phase: "phase0-snapshot-decode", live: undefined }, "one moment"),
  legal("a time before Christ's", { wall_time_iso: "0000-02-29T00:00:00-23:59" }),
  legal("no phase, as in the design's example", { phase: undefined, live: undefined }, "phase"),
  legal("no phase beside live", { phase: undefined }, "phase"),
  legal("unknown fields of a newer minor version", { extra: { deep: [1, { x: null }] }, format_minor: 9 }),
  legal("the design's extra fields", { commit_ts: 7n, shards: [{ raft_group_id: 1 }], backup_ts_ttl_ms: 1 }),
  legal("read_ts at the top of 64 bits", { live: { read_ts: 2n ** 64n - 1n, pin_token_sha256: "00" } }),
  legal("a time in nanoseconds", { wall_time_iso: "2026-04-29T15:42:11.807766082Z" }),
  legal("a time with an offset and without a fraction", { wall_time_iso: "2026-04-30T00:42:11+09:00" }),
  legal("a time in lower case", { wall_time_iso: "2026-04-29t15:42:11z" }),
  legal("databases listed as numbers", { adapters: { redis: { databases: [0] } } }),
  legal("databases listed by name", { adapters: { redis: { databases: ["db_0"] } } }),
  legal("an adapter without a directory", { adapters: { redis: {}, sqs: {}, s3: { buckets: [] } } }),
  legal("an adapter that this build does not know", { adapters: { redis: {}, cassandra: {} } }, "cassandra"),
  legal("a layout that the files do not have", { dynamodb_layout: "jsonl" }),
  legal("a layout that this build does not know", { dynamodb_layout: "parquet\u202e" }, "parquet\\u{202e}"),
  legal("shorter segments", { key_segment_max_bytes: 100 }),
  legal("longer segments", { key_segment_max_bytes: 255 }, "255", "240"),
  legal("nothing said of layout, segments and collisions", {
    dynamodb_layout: undefined,
    key_segment_max_bytes: undefined,
    s3_collision_strategy: undefined,
  }),
  legal("rename_s3_collisions", without("rename_s3_collisions", true)),
  legal(
    "white space around it",
    ` \r\n\t${JSON.stringify({ ...MANIFEST, live: { read_ts: 7 }, adapters: { redis: {} } }, null, 4)}\n\n`,
  ),
  { name: "a dump of nothing", dump: {}, holds: [] },
  {
    name: "another suffix for sidecars",
    dump: {
      manifest: { s3_meta_suffix: ".meta" },
      files: {
        "s3/corpus-suffix/_bucket.json": { format_version: 1, name: "corpus-suffix" },
        "s3/corpus-suffix/a": "body",
        "s3/corpus-suffix/a.meta": { format_version: 1, size_bytes: 4, content_type: "text/x" },
      },
    },
    holds: [bucket("corpus-suffix"), object("corpus-suffix", "a", "body", { content_type: "text/x" })],
  },
  {
    name: "a root directory that this build does not know",
    dump: { adapters: { redis: {} }, files: { ...REDIS, "cassandra/rows.json": "{}" } },
    holds: [string("k", "v")],
    warns: ["cassandra"],
  },
];

/** Not the manifest's own fault, but found with it. */
export const DUMP_REFUSED: readonly RefusedCase[] = [
  {
    name: "it is whole, a file is not, and the target could not take a table: the dump's fault is told",
    dump: soundWith({ "dynamodb/ab/_schema.json": tableSchema("ab") }),
    damage: shell("printf x >> s3/sound-bucket/object"),
    says: ["s3/sound-bucket/object", "digest"],
  },
  {
    name: "it is whole, a record is not, and the target could not take a table: the target's fault is told",
    dump: soundWith({ "dynamodb/ab/_schema.json": tableSchema("ab"), "redis/db_0/lists/l.json": "{" }),
    status: 5,
    verified: 3,
    says: ["ab", "--rename"],
  },
  { name: "its directory is empty", damage: shell("rm -r -- *"), says: ["MANIFEST.json"] },
  {
    ...written("the manifest is damaged on the way", `${TEXT} `),
    damage: shell("printf ' ' >> MANIFEST.json"),
    says: ["MANIFEST.json", "digest"],
  },
  {
    name: "--require-consistent meets phase 0",
    dump: { ...soundWith({}), manifest: PHASE0 },
    options: ["--require-consistent"],
    verified: 0,
    says: ["--require-consistent"],
  },
];
