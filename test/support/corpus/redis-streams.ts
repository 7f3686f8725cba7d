/** Streams, HyperLogLogs, and keys as such: of two types, with times beside them, with names that could steer a terminal. */
import type { RecordCase } from "./case.js";
import { hyperLogLog, list, stream, string } from "./holdings.js";
import { B64, pathOf, RAW, rejected, restored, skipped, v1 } from "./redis-case.js";

const streams: readonly RecordCase[] = [
  ...[
    ["an id without a sequence", { id: "5", fields: { a: "1" } }, "invalid-id"],
    ["an id beyond 64 bits", { id: "18446744073709551616-0", fields: { a: "1" } }, "invalid-id"],
    ["an id with a sign", { id: "-1-0", fields: { a: "1" } }, "invalid-id"],
    ["an id with a leading zero", { id: "05-0", fields: { a: "1" } }, "invalid-id"],
    ["an id that asks for the next", { id: "5-*", fields: { a: "1" } }, "invalid-id"],
    ["an id that is a number", { id: 5, fields: { a: "1" } }, "malformed-record"],
    ["no fields", { id: "5-0", fields: {} }, "no-fields"],
    ["fields that are null", { id: "5-0", fields: null }, "malformed-record"],
    ["a field that is a number", { id: "5-0", fields: { a: 1 } }, "malformed-record"],
    ["the same id again", { id: "1-0", fields: { a: "1" } }, "id-not-ascending"],
    ["an id that does not rise", { id: "0-9", fields: { a: "1" } }, "id-not-ascending"],
    ["a line that is no JSON", '{"id":"5-0"', "malformed-json"],
    ["a blank line", "", "malformed-json"],
  ].map(([name, line, reason]): RecordCase => {
    const key = `entry: ${String(name)}`;
    const path = pathOf("stream", key);
    const lines = [{ id: "1-0", fields: { a: "1" } }, line, { id: "9-0", fields: { b: "2" } }];
    return {
      name: `stream: ${String(name)}, and the others are written`,
      files: { [path]: lines },
      ends: [{ path, outcome: "rejected", reason: String(reason) }],
      holds: [
        stream(
          key,
          [
            ["1-0", ["a", "1"]],
            ["9-0", ["b", "2"]],
          ],
          "9-0",
        ),
      ],
    };
  }),
  rejected(
    "stream",
    "two meta lines",
    [{ id: "1-0", fields: { a: "1" } }, { _meta: true }, { _meta: true }],
    "malformed-record",
  ),
  rejected("stream", "meta that is false", [{ id: "1-0", fields: { a: "1" } }, { _meta: false }], "malformed-record"),
  rejected("stream", "meta of a newer version", [{ _meta: true, format_version: 2 }], "malformed-record"),
  rejected(
    "stream",
    "a last id beyond 64 bits",
    [{ _meta: true, last_ms: 2n ** 64n, last_seq: 0 }],
    "malformed-record",
  ),
  rejected(
    "stream",
    "a time that is text",
    [
      { id: "1-0", fields: { a: "1" } },
      { _meta: true, expire_at_ms: "1" },
    ],
    "malformed-record",
  ),
  skipped(
    "stream",
    "a time in 1970",
    [
      { id: "1-0", fields: { a: "1" } },
      { _meta: true, expire_at_ms: 1 },
    ],
    "skipped-expired",
  ),
  restored(
    "stream",
    "the design's form without meta",
    [{ id: "1-0", fields: { a: "1", b: B64 } }],
    stream("the design's form without meta", [["1-0", ["a", "1", "b", RAW]]], "1-0"),
  ),
  restored(
    "stream",
    "meta first, names that repeat",
    [
      { _meta: true, length: 1, last_ms: 1, last_seq: 0 },
      {
        id: "1-0",
        fields: [
          { name: "a", value: "1" },
          { name: "a", value: "2" },
        ],
      },
    ],
    stream("meta first, names that repeat", [["1-0", ["a", "1", "a", "2"]]], "1-0"),
  ),
  restored(
    "stream",
    "the last ids there are",
    [
      { id: "18446744073709551615-18446744073709551614", fields: { a: "1" } },
      { id: "18446744073709551615-18446744073709551615", fields: { "": "" } },
    ],
    stream(
      "the last ids there are",
      [
        ["18446744073709551615-18446744073709551614", ["a", "1"]],
        ["18446744073709551615-18446744073709551615", ["", ""]],
      ],
      "18446744073709551615-18446744073709551615",
    ),
  ),
  restored(
    "stream",
    "stale meta",
    [
      { id: "1-0", fields: { a: "1" } },
      { id: "2-0", fields: { a: "1" } },
      { _meta: true, length: 1, last_ms: 1, last_seq: 0 },
    ],
    stream(
      "stale meta",
      [
        ["1-0", ["a", "1"]],
        ["2-0", ["a", "1"]],
      ],
      "2-0",
    ),
    "stale-meta",
  ),
  restored(
    "stream",
    "a last id that was handed out and trimmed",
    [
      { id: "1-0", fields: { a: "1" } },
      { _meta: true, length: 1, last_ms: 7n, last_seq: 2n ** 64n - 1n },
    ],
    stream("a last id that was handed out and trimmed", [["1-0", ["a", "1"]]], "7-18446744073709551615"),
  ),
  restored(
    "stream",
    "no entries",
    [{ _meta: true, length: 0, last_ms: 7, last_seq: 3, expire_at_ms: null }],
    stream("no entries", [], "7-3"),
  ),
  restored("stream", "nothing at all", "", stream("nothing at all", [], "0-0")),
  restored(
    "stream",
    "no entries ever",
    [{ _meta: true, length: 0, last_ms: 0, last_seq: 0, expire_at_ms: null }],
    stream("no entries ever", [], "0-0"),
  ),
];

const MAGIC = Buffer.from([0x00, 0x52, 0x53, 0x01]);
const members = (...bytes: number[]) => Buffer.concat([MAGIC, Buffer.from(bytes)]);

const sketches: readonly RecordCase[] = [
  rejected("hll", "an empty file", "", "unknown-hll"),
  rejected("hll", "another magic", "HLL!abc", "unknown-hll"),
  rejected("hll", "half the magic", MAGIC.subarray(0, 3), "unknown-hll"),
  rejected("hll", "a member that is cut off", members(0x0a, 5, 0x61), "malformed-hll"),
  rejected("hll", "a length that is cut off", members(0x0a, 0x80), "malformed-hll"),
  rejected(
    "hll",
    "a length of two to the 63",
    members(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    "limit-exceeded",
  ),
  rejected("hll", "a number that does not end", members(0x0a, ...Array<number>(12).fill(0xff)), "malformed-hll"),
  rejected("hll", "members that are numbers", members(0x08, 1), "malformed-hll"),
  rejected("hll", "a field 0", members(0x02, 1, 0x61), "malformed-hll"),
  rejected("hll", "a group", members(0x0b, 0x0c), "malformed-hll"),
  {
    name: "hll: a sketch that is none",
    files: { [pathOf("hll", "sketch of nothing")]: "HYLL but no sketch" },
    ends: [{ path: pathOf("hll", "sketch of nothing"), outcome: "rejected", reason: "invalid-sketch", by: "target" }],
  },
  restored("hll", "no members", MAGIC, hyperLogLog("no members", [])),
  restored(
    "hll",
    "members of any bytes",
    members(0x0a, 1, 0xff, 0x0a, 0, 0x0a, 1, 0x61, 0x0a, 1, 0x61),
    hyperLogLog("members of any bytes", [RAW.subarray(0, 1), "", "a"]),
  ),
  restored(
    "hll",
    "a field of a newer version",
    members(0x0a, 1, 0x61, 0x10, 7, 0x1a, 1, 0x62),
    hyperLogLog("a field of a newer version", ["a"]),
  ),
];

const TWICE = "one key as a list and as a string";
const doubles: readonly RecordCase[] = [
  {
    name: "a key of two types: the first in the order of paths wins",
    files: { [pathOf("list", TWICE)]: v1({ items: ["a"] }), [pathOf("string", TWICE)]: "b" },
    ends: [{ path: pathOf("string", TWICE), outcome: "rejected", reason: "duplicate-record" }],
    holds: [list(TWICE, ["a"])],
  },
  {
    name: "keys with times of their own in strings_ttl.jsonl",
    files: { [pathOf("string", "past")]: "x", [pathOf("string", "future")]: "y", [pathOf("string", "minus")]: "z" },
    lines: {
      "redis/db_0/strings_ttl.jsonl": [
        { key: "future", expire_at_ms: 4102444800000 },
        { key: "minus", expire_at_ms: -1 },
        { key: "past", expire_at_ms: 1 },
      ],
    },
    ends: [
      { path: pathOf("string", "past"), outcome: "skipped-expired" },
      { path: pathOf("string", "minus"), outcome: "skipped-expired" },
    ],
    holds: [string("future", "y", { expiry: 4102444800000n })],
  },
  {
    name: "a HyperLogLog with a time in hll_ttl.jsonl, beside a string without one",
    files: { [pathOf("hll", "timed")]: members(0x0a, 1, 0x61), [pathOf("string", "timed too")]: "x" },
    lines: { "redis/db_0/hll_ttl.jsonl": [{ key: "timed", expire_at_ms: 4102444800000 }] },
    holds: [hyperLogLog("timed", ["a"], { expiry: 4102444800000n }), string("timed too", "x")],
  },
  ...["\u001b[2J\u001b[31mred", "\u202egpj.exe", "two\nlines", "\u0000\u0007", "\u2028line", "back\\slash"].map(
    (key): RecordCase => ({
      ...rejected("list", key, "{", "malformed-json"),
      name: `a name that could steer a terminal: ${JSON.stringify(key)}`,
    }),
  ),
];

export const STREAM_RECORDS = [...streams, ...sketches, ...doubles];
