/** Hashes, lists, sets, sorted sets and strings: malformed in every way, and odd ones that restore exactly. */
import { BOM, deep, type RecordCase } from "./case.js";
import { hash, list, set, string, zset } from "./holdings.js";
import { B64, RAW, rejected, restored, skipped, v1 } from "./redis-case.js";

/** What no collection's file may be, tried on a list. */
const files: readonly RecordCase[] = [
  rejected("list", "an empty file", "", "malformed-json"),
  rejected("list", "no JSON", "items: a", "malformed-json"),
  rejected("list", "cut off", '{"format_version":1,"items":["a","b"', "malformed-json"),
  rejected("list", "cut off in a string", '{"format_version":1,"items":["a', "malformed-json"),
  rejected("list", "two values", '{"items":["a"]}{"items":["b"]}', "malformed-json"),
  rejected("list", "an array", '["a"]', "malformed-json"),
  rejected("list", "a comma at the end", '{"items":["a",]}', "malformed-json"),
  rejected("list", "no comma", '{"items":["a" "b"]}', "malformed-json"),
  rejected("list", "single quotes", "{'items':['a']}", "malformed-json"),
  rejected("list", "a raw control character", '{"items":["a\u0001"]}', "malformed-json"),
  rejected("list", "an unknown escape", '{"items":["\\x41"]}', "malformed-json"),
  rejected("list", "a byte order mark", `${BOM}{"items":["a"]}`, "byte-order-mark"),
  rejected("list", "bad UTF-8", Buffer.from('{"items":["\xc3("]}', "latin1"), "bad-utf8"),
  rejected("list", "overlong UTF-8", Buffer.from('{"items":["\xc0\xaf"]}', "latin1"), "bad-utf8"),
  rejected("list", "a surrogate in UTF-8", Buffer.from('{"items":["\xed\xa0\x80"]}', "latin1"), "bad-utf8"),
  rejected("list", "a lone surrogate", '{"items":["\\ud83d"]}', "lone-surrogate"),
  rejected("list", "surrogates in the wrong order", '{"items":["\\ude00\\ud83d"]}', "lone-surrogate"),
  rejected("list", "the elements twice", '{"items":["a"],"items":["b"]}', "duplicate-key"),
  rejected("list", "the version twice", '{"format_version":1,"format_version":1,"items":["a"]}', "duplicate-key"),
  rejected("list", "an element too deep", `{"items":[${deep(100_000)}]}`, "too-deep"),
  rejected("list", "something beside too deep", `{"items":["a"],"x":${deep(100_000)}}`, "too-deep"),
  rejected(
    "list",
    "two megabytes beside the elements",
    `{"items":["a"],"x":"${"x".repeat(2_000_000)}"}`,
    "limit-exceeded",
  ),
  rejected("list", "a newer version", { format_version: 2, items: ["a"] }, "malformed-record"),
  rejected("list", "a version that is text", { format_version: "1", items: ["a"] }, "malformed-record"),
];

const elements: readonly RecordCase[] = [
  rejected("list", "no elements", v1({}), "malformed-record"),
  rejected("list", "elements that are text", v1({ items: "abc" }), "malformed-record"),
  rejected("list", "elements that are an object", v1({ items: { a: "b" } }), "malformed-record"),
  rejected("list", "a number", v1({ items: ["a", 5] }), "malformed-record"),
  rejected("list", "a null", v1({ items: [null] }), "malformed-record"),
  rejected("list", "an element of lists", v1({ items: [["a"]] }), "malformed-record"),
  rejected("list", "base64 that is padded", v1({ items: [{ base64: "_w==" }] }), "malformed-record"),
  rejected("list", "base64 of the standard alphabet", v1({ items: [{ base64: "+/+/" }] }), "malformed-record"),
  rejected("list", "half a byte of base64", v1({ items: [{ base64: "A" }] }), "malformed-record"),
  rejected("list", "base64 that is a number", v1({ items: [{ base64: 1 }] }), "malformed-record"),
  rejected("list", "base64 with something beside", v1({ items: [{ base64: "_w", x: 1 }] }), "malformed-record"),
  rejected("list", "another encoding", v1({ items: [{ hex: "ff" }] }), "malformed-record"),
  rejected("set", "a member twice", v1({ members: ["a", "a"] }), "duplicate-element"),
  rejected("set", "a member twice, once in base64", v1({ members: ["a", { base64: "YQ" }] }), "duplicate-element"),
  rejected(
    "hash",
    "a field twice",
    v1({
      fields: [
        { name: "a", value: "1" },
        { name: "a", value: "2" },
      ],
    }),
    "duplicate-element",
  ),
  rejected("hash", "a name twice", '{"fields":{"a":"1","a":"2"}}', "duplicate-element"),
  rejected("hash", "a name twice, once escaped", '{"fields":{"a":"1","\\u0061":"2"}}', "duplicate-element"),
  rejected("hash", "a value that is a number", v1({ fields: { a: 1 } }), "malformed-record"),
  rejected("hash", "a field without a value", v1({ fields: [{ name: "a" }] }), "malformed-record"),
  rejected("hash", "a field without a name", v1({ fields: [{ value: "a" }] }), "malformed-record"),
  rejected("hash", "fields that are pairs", v1({ fields: [["a", "1"]] }), "malformed-record"),
  rejected(
    "zset",
    "a member twice",
    v1({
      members: [
        { member: "a", score: 1 },
        { member: "a", score: 2 },
      ],
    }),
    "duplicate-element",
  ),
  rejected("zset", "no score", v1({ members: [{ member: "a" }] }), "malformed-record"),
  rejected("zset", "no member", v1({ members: [{ score: 1 }] }), "malformed-record"),
  rejected("zset", "members that are text", v1({ members: ["a"] }), "malformed-record"),
  ...["nan", "NaN", "1", "Infinity", "+INF", ""].map((score) =>
    rejected(
      "zset",
      `the score ${JSON.stringify(score)}`,
      v1({ members: [{ member: "a", score }] }),
      "malformed-record",
    ),
  ),
  rejected("zset", "the score null", v1({ members: [{ member: "a", score: null }] }), "malformed-record"),
  rejected("zset", "the score 1e400", '{"members":[{"member":"a","score":1e400}]}', "score-out-of-range"),
  rejected(
    "zset",
    "the score 9007199254740993",
    '{"members":[{"member":"a","score":9007199254740993}]}',
    "score-out-of-range",
  ),
  rejected("zset", "the score .5", '{"members":[{"member":"a","score":.5}]}', "malformed-json"),
  skipped("list", "none", v1({ items: [] }), "skipped-empty"),
  skipped("hash", "none, as an array", v1({ fields: [] }), "skipped-empty"),
  skipped("hash", "none, as an object", v1({ fields: {} }), "skipped-empty"),
  skipped("set", "none", v1({ members: [] }), "skipped-empty"),
  skipped("zset", "none", v1({ members: [] }), "skipped-empty"),
];

const expiring = (expire_at_ms: unknown) => ({ format_version: 1, items: ["a"], expire_at_ms });
const expiries: readonly RecordCase[] = [
  rejected("list", "a time that is text", expiring("1"), "malformed-record"),
  rejected("list", "a time that is a fraction", '{"items":["a"],"expire_at_ms":4102444800000.5}', "malformed-record"),
  rejected("list", "a time with an exponent", '{"items":["a"],"expire_at_ms":4e12}', "malformed-record"),
  rejected("list", "a time above 2^63-1", expiring(2n ** 63n), "malformed-record"),
  rejected(
    "list",
    "a time of a million digits",
    `{"items":["a"],"expire_at_ms":${"9".repeat(1_000_000)}}`,
    "malformed-record",
  ),
  skipped("list", "the time 0", expiring(0), "skipped-expired"),
  skipped("list", "a time before all time", expiring(-(10n ** 30n)), "skipped-expired"),
  skipped("list", "a time in 1970", expiring(1), "skipped-expired"),
  restored("list", "no time", { format_version: 1, items: ["a"] }, list("no time", ["a"])),
  restored(
    "list",
    "a time in 2100",
    expiring(4102444800000),
    list("a time in 2100", ["a"], { expiry: 4102444800000n }),
  ),
];

const odd: readonly RecordCase[] = [
  restored(
    "list",
    "the same again and again, empty and binary",
    v1({ items: ["a", "a", "", B64, "a"] }),
    list("the same again and again, empty and binary", ["a", "a", "", RAW, "a"]),
  ),
  restored(
    "list",
    "text in base64",
    v1({ items: [{ base64: "aGk" }, { base64: "" }] }),
    list("text in base64", ["hi", ""]),
  ),
  restored(
    "list",
    "white space and unknown fields",
    ' \r\n{ "x" : [ { } ] , "items" :\t[ "a" , "b" ] }\n ',
    list("white space and unknown fields", ["a", "b"]),
  ),
  restored("list", "escapes", '{"items":["\\u0000\\/\\ud83d\\ude00\\b"]}', list("escapes", ["\0/\u{1f600}\b"])),
  restored(
    "hash",
    "fields of JavaScript",
    '{"fields":{"__proto__":"1","constructor":"2","toString":"3"}}',
    hash("fields of JavaScript", [
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
    ]),
  ),
  restored(
    "hash",
    "an empty name and binary values",
    v1({ fields: { "": B64, b: "" } }),
    hash("an empty name and binary values", [
      ["", RAW],
      ["b", ""],
    ]),
  ),
  restored(
    "hash",
    "binary names",
    v1({
      fields: [
        { name: B64, value: B64 },
        { value: "v", name: "n" },
      ],
    }),
    hash("binary names", [
      [RAW, RAW],
      ["n", "v"],
    ]),
  ),
  restored(
    "set",
    "names that differ in form alone",
    v1({ members: ["\u00e9", "e\u0301", "E", "e", B64] }),
    set("names that differ in form alone", ["\u00e9", "e\u0301", "E", "e", RAW]),
  ),
  restored(
    "zset",
    "scores at every edge",
    '{"members":[{"member":"a","score":"+inf"},{"score":"-inf","member":"b"},{"member":"c","score":"inf"},{"member":"d","score":-0.0},{"member":"e","score":1.7976931348623157e308},{"member":"f","score":5e-324},{"member":"g","score":0.1},{"member":"h","score":9007199254740992},{"member":"","score":1E+2}]}',
    zset("scores at every edge", [
      ["a", "+inf"],
      ["b", "-inf"],
      ["c", "inf"],
      ["d", "0"],
      ["e", "1.7976931348623157e308"],
      ["f", "5e-324"],
      ["g", "0.1"],
      ["h", "9007199254740992"],
      ["", "100"],
    ]),
  ),
  restored("string", "nothing", "", string("nothing", "")),
  restored("string", "bytes", Buffer.from([0, 255, 10, 13, 0]), string("bytes", Buffer.from([0, 255, 10, 13, 0]))),
  restored("string", "what looks like JSON", "{", string("what looks like JSON", "{")),
];

export const COLLECTION_RECORDS = [...files, ...elements, ...expiries, ...odd];
