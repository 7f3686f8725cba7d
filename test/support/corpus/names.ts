/** File names and what explains them: segments, KEYMAP.jsonl, expiry files. A name that cannot be known is structural. */
import { type DumpFile, fallbackOf, s3Object, segmentOf, tableSchema } from "../dump-builder.js";
import { BOM, type LegalCase, type RefusedCase, soundWith } from "./case.js";
import { bucket, hash, list, object, set, string, zset } from "./holdings.js";

const LONG = "k".repeat(241);
const FALLBACK = fallbackOf(LONG);
const at = (name: string, path: string, content: DumpFile = "x", ...says: string[]): RefusedCase => ({
  name,
  dump: soundWith({ [path]: content }),
  says: [path, ...says],
});
const strings = (name: string, segment: string) => at(name, `redis/db_0/strings/${segment}.bin`);
const table = (name: string, directory: string, tableName: string): RefusedCase => ({
  name,
  dump: soundWith({ [`dynamodb/${directory}/_schema.json`]: tableSchema(tableName) }),
  says: [`dynamodb/${directory}`],
});

const segments: readonly RefusedCase[] = [
  strings("an escape is in lower case", "a%3ab"),
  strings("an escape is cut off", "a%4"),
  strings("a per cent sign stands alone", "100%"),
  strings("an escape has no digits", "a%GG"),
  strings("a space is not escaped", "two words"),
  strings("a tilde is not escaped", "a~b"),
  strings("a letter beyond ASCII is not escaped", "\u00e9"),
  {
    name: "a control character is not escaped",
    dump: soundWith({ "redis/db_0/strings/a\u0001b.bin": "x" }),
    says: ["redis/db_0/strings/a\\u{1}b.bin"],
  },
  strings("a letter is escaped without need", "%41bc"),
  strings("a dot is escaped without need", "%2E%2E"),
  strings("a segment has 241 bytes", LONG),
  strings("a key has the form of a binary key of a table", "b64.AAEC"),
  strings("a fallback name has no KEYMAP", FALLBACK.segment),
  {
    name: "a fallback name has no line in KEYMAP",
    dump: soundWith({
      [`redis/db_0/strings/${FALLBACK.segment}.bin`]: "x",
      "redis/db_0/KEYMAP.jsonl": [fallbackOf("another").line],
    }),
    says: [`redis/db_0/strings/${FALLBACK.segment}.bin`, "KEYMAP"],
  },
  at("a string has the ending of a hash", "redis/db_0/strings/a.json"),
  at("a hash has no ending", "redis/db_0/hashes/a"),
  at("a stream has the ending of a hash", "redis/db_0/streams/a.json"),
  at("a key lies a directory deeper", "redis/db_0/strings/a/b.bin"),
  at("an item lies two directories deep", "dynamodb/sound-table/items/a/b/c.json", { id: { S: "b" } }),
  at("an item has another ending", "dynamodb/sound-table/items/a.txt", { id: { S: "b" } }),
  at("an item's name has an escape in lower case", "dynamodb/sound-table/items/a%2f.json", { id: { S: "a/" } }),
  at("a partition's name has an unescaped byte", "dynamodb/sound-table/items/a b/c.json", { id: { S: "b" } }),
];

const directories: readonly RefusedCase[] = [
  ...["db_01", "db_-1", "db_x", "db_", "DB_0", "db_99999999999", "0", "db_1%20"].map((name) => ({
    name: `a database is called ${name}`,
    dump: soundWith({ [`redis/${name}/strings/k.bin`]: "v" }),
    says: [`redis/${name}`],
  })),
  table("a table's directory has an escape in lower case", "caf%c3%a9", "caf\u00e9"),
  table("a table's directory has an escape without need", "%2E%2E", ".."),
  table("a table's directory is not UTF-8 behind its escape", "%FF", "\u00ff"),
  table("a table's directory has the form of a binary key", "b64.AAEC", "b64.AAEC"),
  table("a table's fallback directory is another name's", fallbackOf("other").segment, "orders"),
  {
    name: "two directories are one table's",
    dump: soundWith({ [`dynamodb/${fallbackOf("sound-table").segment}/_schema.json`]: tableSchema("sound-table") }),
    says: ["sound-table"],
  },
];

const keymapLine = (fields: Readonly<Record<string, unknown>>) => ({ ...FALLBACK.line, ...fields });

/** A database's KEYMAP of one line beside the file that needs it. */
function redisKeymap(name: string, line: unknown, ...says: string[]): RefusedCase {
  const files = {
    [`redis/db_0/strings/${FALLBACK.segment}.bin`]: "x",
    "redis/db_0/KEYMAP.jsonl": [FALLBACK.line, line],
  };
  return { name: `a database's: ${name}`, dump: soundWith(files), says: ["redis/db_0/KEYMAP.jsonl:2", ...says] };
}

const redisKeymaps: readonly RefusedCase[] = [
  redisKeymap("a line is no JSON", "{"),
  redisKeymap("a line is blank", ""),
  redisKeymap("a line is an array", []),
  redisKeymap("something follows in a line", `${JSON.stringify(FALLBACK.line)} {}`),
  redisKeymap("a byte order mark stands in a line", BOM + JSON.stringify(FALLBACK.line)),
  redisKeymap("a name stands twice", `{"kind":"sha-fallback",${JSON.stringify(FALLBACK.line).slice(1)}`, "twice"),
  ...["encoded", "original", "kind"].flatMap((field) => [
    redisKeymap(`${field} is missing`, keymapLine({ [field]: undefined }), field),
    redisKeymap(`${field} is null`, keymapLine({ [field]: null }), field),
    redisKeymap(`${field} is a number`, keymapLine({ [field]: 7 }), field),
  ]),
  redisKeymap("original is padded", keymapLine({ original: "YQ==" }), "original"),
  redisKeymap("original is standard base64", keymapLine({ original: "+/+/" }), "original"),
  redisKeymap("original is half a byte", keymapLine({ original: "Y" }), "original"),
  redisKeymap("original is not the name's", keymapLine({ original: Buffer.from("other").toString("base64url") })),
  redisKeymap("the kind is unknown", keymapLine({ kind: "md5-fallback" }), "md5-fallback"),
];

const s3Line = (original: string | Buffer, fields: Readonly<Record<string, unknown>> = {}) => ({
  encoded: "a.elastickv-leaf-data",
  original: Buffer.from(original).toString("base64url"),
  kind: "s3-leaf-data",
  ...fields,
});

function s3Keymap(name: string, lines: readonly unknown[], line: number, ...says: string[]): RefusedCase {
  const files = {
    ...s3Object("s3/sound-bucket/a.elastickv-leaf-data", "x"),
    ...s3Object("s3/sound-bucket/b.elastickv-meta.json.user-data", "y"),
    "s3/sound-bucket/KEYMAP.jsonl": lines,
  };
  return {
    name: `a bucket's: ${name}`,
    dump: soundWith(files),
    says: [`s3/sound-bucket/KEYMAP.jsonl:${line}`, ...says],
  };
}

const s3Keymaps: readonly RefusedCase[] = [
  s3Keymap("a line is no JSON", ["{"], 1),
  s3Keymap("original is null", [s3Line("a", { original: null })], 1, "original"),
  s3Keymap("the kind is unknown", [s3Line("a", { kind: "s3-other" })], 1, "s3-other"),
  s3Keymap("a name stands in two lines", [s3Line("a"), s3Line("b")], 2, "twice"),
  s3Keymap("a name has no file", [s3Line("c", { encoded: "c.elastickv-leaf-data" })], 1, "c.elastickv-leaf-data"),
  s3Keymap("a name leads out of the bucket", [s3Line("c", { encoded: "../../MANIFEST.json.elastickv-leaf-data" })], 1),
  s3Keymap("a name is a sidecar's", [s3Line("c", { encoded: "object.elastickv-meta.json", kind: "sha-fallback" })], 1),
  s3Keymap("original is empty", [s3Line("")], 1),
  s3Keymap("original holds NUL", [s3Line("a\0b")], 1, "NUL"),
  s3Keymap("original has an empty segment", [s3Line("a//b")], 1, "segment"),
  s3Keymap("original begins with a slash", [s3Line("/a")], 1, "segment"),
  s3Keymap("original ends in a slash", [s3Line("a/")], 1, "segment"),
  s3Keymap("original has a . segment", [s3Line("a/./b")], 1, "segment"),
  s3Keymap("original has a .. segment", [s3Line("../b")], 1, "segment"),
  s3Keymap("original is not UTF-8", [s3Line(Buffer.from([0x61, 0xff]))], 1, "UTF-8"),
  s3Keymap("a leaf's name lacks its ending", [s3Line("object", { encoded: "object" })], 1),
  s3Keymap(
    "a renamed sidecar's original lacks the suffix",
    [s3Line("b", { encoded: "b.elastickv-meta.json.user-data", kind: "meta-suffix-rename" })],
    1,
  ),
  s3Keymap(
    "a renamed sidecar's name lacks its ending",
    [s3Line("b.elastickv-meta.json", { kind: "meta-suffix-rename" })],
    1,
  ),
];

function ttl(name: string, lines: DumpFile, line: number, ...says: string[]): RefusedCase {
  return {
    name: `an expiry file: ${name}`,
    dump: soundWith({ "redis/db_0/strings_ttl.jsonl": lines }),
    says: [`redis/db_0/strings_ttl.jsonl:${line}`, ...says],
  };
}

const ttls: readonly RefusedCase[] = [
  ttl("a line is no JSON", ['{"key":"sound"'], 1),
  ttl("a line is blank", [{ key: "sound", expire_at_ms: 1 }, ""], 2),
  ttl("a byte order mark stands before it", `${BOM}{"key":"sound","expire_at_ms":1}\n`, 1),
  ttl("the key is missing", [{ expire_at_ms: 1 }], 1, "key"),
  ttl("the key is a number", [{ key: 1, expire_at_ms: 1 }], 1, "key"),
  ttl("the time is missing", [{ key: "sound" }], 1, "expire_at_ms"),
  ttl("the time is text", [{ key: "sound", expire_at_ms: "1" }], 1, "expire_at_ms"),
  ttl("the time is a fraction", ['{"key":"sound","expire_at_ms":1.5}'], 1, "expire_at_ms"),
  ttl("the time has an exponent", ['{"key":"sound","expire_at_ms":1e3}'], 1, "expire_at_ms"),
  ttl("the time is above 2^63-1", [{ key: "sound", expire_at_ms: 2n ** 63n }], 1, "expire_at_ms"),
  ttl(
    "a key has two times",
    [
      { key: "sound", expire_at_ms: 1 },
      { key: "sound", expire_at_ms: 2 },
    ],
    2,
    "sound",
  ),
  {
    name: "an expiry file: a sketch has two times",
    dump: soundWith({
      "redis/db_0/hll_ttl.jsonl": [
        { key: "h", expire_at_ms: 1 },
        { key: "h", expire_at_ms: 2 },
      ],
    }),
    says: ["redis/db_0/hll_ttl.jsonl:2"],
  },
];

export const NAMES_REFUSED = [...segments, ...directories, ...redisKeymaps, ...s3Keymaps, ...ttls];

const SPECIAL = [`${"0".repeat(32)}__x`, "b64.AAEC", "x".repeat(241), "\u00e9".repeat(81), "y".repeat(1024 * 1024)];
const PLAIN = ["z".repeat(240), "B64.AAEC", `${"A".repeat(32)}__x`, `${"0".repeat(31)}__x`, ""];
const BINARY = Buffer.from([0xff, 0x00, 0x80]);

export const NAMES_LEGAL: readonly LegalCase[] = [
  {
    name: "keys that only KEYMAP holds, whose lines repeat and outnumber them",
    dump: {
      files: {
        ...Object.fromEntries(
          SPECIAL.map((key, index) => [`redis/db_0/strings/${fallbackOf(key).segment}.bin`, `${index}`]),
        ),
        "redis/db_0/KEYMAP.jsonl": [...SPECIAL, SPECIAL[0] ?? "", "nobody"].map((key) => fallbackOf(key).line),
      },
    },
    holds: SPECIAL.map((key, index) => string(key, `${index}`)),
  },
  {
    name: "keys that nearly look like special forms",
    dump: {
      files: Object.fromEntries(PLAIN.map((key, index) => [`redis/db_0/strings/${segmentOf(key)}.bin`, `${index}`])),
    },
    holds: PLAIN.map((key, index) => string(key, `${index}`)),
  },
  {
    name: "a key that is no text, and the empty key, in several databases",
    dump: {
      files: {
        [`redis/db_0/hashes/${segmentOf(BINARY)}.json`]: { format_version: 1, fields: { a: "1" } },
        "redis/db_1/lists/.json": { format_version: 1, items: ["x"] },
        "redis/db_2/sets/.json": { format_version: 1, members: ["x"] },
        "redis/db_3/zsets/.json": { format_version: 1, members: [{ member: "x", score: 1 }] },
      },
    },
    holds: [
      hash(BINARY, [["a", "1"]]),
      list("", ["x"], { db: 1 }),
      set("", ["x"], { db: 2 }),
      zset("", [["x", "1"]], { db: 3 }),
    ],
  },
  {
    name: "objects that were stored under other names",
    dump: {
      files: {
        "s3/corpus-keymap/_bucket.json": { format_version: 1, name: "corpus-keymap" },
        ...s3Object("s3/corpus-keymap/path/to.elastickv-leaf-data", "leaf"),
        ...s3Object("s3/corpus-keymap/note.elastickv-meta.json.user-data", "note"),
        ...s3Object("s3/corpus-keymap/odd.elastickv-leaf-data", "unmapped"),
        "s3/corpus-keymap/KEYMAP.jsonl": [
          s3Line("path/to", { encoded: "path/to.elastickv-leaf-data" }),
          s3Line("note.elastickv-meta.json", {
            encoded: "note.elastickv-meta.json.user-data",
            kind: "meta-suffix-rename",
          }),
        ],
      },
    },
    holds: [
      bucket("corpus-keymap"),
      object("corpus-keymap", "path/to", "leaf"),
      object("corpus-keymap", "note.elastickv-meta.json", "note"),
      object("corpus-keymap", "odd.elastickv-leaf-data", "unmapped"),
    ],
    warns: ["odd.elastickv-leaf-data"],
  },
  {
    name: "expiry lines that repeat, or whose key is not there",
    dump: {
      files: {
        "redis/db_0/strings/k.bin": "v",
        "redis/db_0/strings_ttl.jsonl": [
          { key: "gone", expire_at_ms: 1 },
          { key: "k", expire_at_ms: 4102444800000 },
          { key: "k", expire_at_ms: 4102444800000 },
        ],
      },
    },
    holds: [string("k", "v", { expiry: 4102444800000n })],
    warns: ["strings_ttl.jsonl"],
  },
];
