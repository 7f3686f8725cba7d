import { describe, expect, it } from "vitest";
import type { RecordAssertion } from "../../../../src/run/drill/assertion-schema.js";
import { mismatchOf } from "../../../../src/run/drill/recorded-value.js";
import type { TransformRecord } from "../../../../src/run/transform/plain-records.js";

const b = (text: string): Buffer => Buffer.from(text);
const redis = { adapter: "redis", scope: "db_0", key: b("k") } as const;

const RECORDS = {
  string: { ...redis, kind: "string", value: b("hello") },
  binary: { ...redis, kind: "string", value: Buffer.from([0xff, 0x00]) },
  hash: { ...redis, kind: "hash", fields: [{ name: b("f"), value: b("v") }] },
  list: { ...redis, kind: "list", items: [b("a"), b("b"), b("c")] },
  set: { ...redis, kind: "set", members: [b("m")] },
  zset: { ...redis, kind: "zset", members: [{ member: b("m"), score: "1.50" }] },
  stream: { ...redis, kind: "stream", entries: [{ id: "7-1", fields: [{ name: b("e"), value: b("login") }] }] },
  item: {
    ...{ adapter: "dynamodb", scope: "orders", kind: "item", key: "a" },
    item: {
      total: { N: "12.50" },
      done: { BOOL: true },
      lines: { L: [{ M: { sku: { S: "x-1" } } }] },
      "dotted.name": { S: "whole" },
      tags: { SS: ["a", "b"] },
      nothing: { NULL: true },
    },
  },
  object: {
    ...{ adapter: "s3", scope: "photos", kind: "object", key: "cat.txt", body: b("meow") },
    metadata: { contentType: "text/plain", user: [{ name: "Caption", value: "a cat" }] },
  },
} satisfies Record<string, TransformRecord>;

type Asked = Omit<RecordAssertion, "key" | "kind" | "scope">;

function mismatch(record: keyof typeof RECORDS, asked: Asked): string | undefined {
  return mismatchOf(RECORDS[record], { kind: "record", scope: "redis:db_0", key: "k", ...asked });
}

describe("a record as it was asserted", () => {
  it.each<[keyof typeof RECORDS, Asked]>([
    ["string", {}],
    ["string", { type: "string", equals: "hello" }],
    ["string", { matches: "^hel+o$" }],
    ["binary", { equals: "/wA=" }],
    ["hash", { field: "f", equals: "v" }],
    ["list", { index: 1, equals: "b" }],
    ["list", { index: -1, equals: "c" }],
    ["set", { member: "m" }],
    ["zset", { member: "m", equals: "1.5" }],
    ["stream", { entry: "7-1" }],
    ["stream", { entry: "7-1", field: "e", equals: "login" }],
    ["item", { attribute: "total", equals: "12.5" }],
    ["item", { attribute: "done", equals: "true" }],
    ["item", { attribute: "lines[0].sku", equals: "x-1" }],
    ["item", { attribute: "dotted.name", equals: "whole" }],
    ["item", { attribute: "tags", equals: '["a","b"]' }],
    ["item", { attribute: "nothing", equals: "null" }],
    ["object", { equals: "meow" }],
    ["object", { header: "content-type", matches: "^text/" }],
    ["object", { header: "content-length", equals: "4" }],
    ["object", { metadata: "caption", equals: "a cat" }],
  ])("holds: %s %j", (record, asked) => {
    expect(mismatch(record, asked)).toBeUndefined();
  });

  it.each<[keyof typeof RECORDS, Asked, RegExp]>([
    ["string", { type: "hash" }, /its type is string, not hash/],
    ["string", { equals: "hullo" }, /its value is another one/],
    ["string", { matches: "^x" }, /does not match \^x/],
    ["string", { field: "f", equals: "v" }, /of type string, the value can be compared, not its field/],
    ["hash", { equals: "v" }, /of type hash, a field can be compared, not the whole/],
    ["hash", { field: "g", equals: "v" }, /no field g/],
    ["list", { index: 3, equals: "d" }, /3 elements/],
    ["set", { member: "x" }, /no member x/],
    ["zset", { member: "m", equals: "1.51" }, /member m is another/],
    ["stream", { entry: "7-2" }, /no entry 7-2/],
    ["stream", { entry: "7-1", field: "x", equals: "y" }, /has no field x/],
    ["item", { attribute: "lines[1].sku", equals: "x" }, /no attribute lines\[1\]\.sku/],
    ["item", { attribute: "constructor", equals: "x" }, /no attribute constructor/],
    ["item", { attribute: "total", equals: "12.51" }, /attribute total is another/],
    ["item", { equals: "x" }, /of type item, an attribute can be compared/],
    ["object", { header: "cache-control", equals: "x" }, /no header cache-control/],
    ["object", { metadata: "other", equals: "x" }, /no metadata other/],
  ])("does not hold: %s %j", (record, asked, why) => {
    expect(mismatch(record, asked)).toMatch(why);
  });

  it("tells size and digest of a body that is not in memory", () => {
    const sha256 = "ab".repeat(32);
    const asked = (more: Asked) =>
      mismatchOf(
        { ...RECORDS.object, body: null },
        { kind: "record", scope: "s3:photos", key: "k", ...more },
        { size: 5_000_000_000, sha256 },
      );
    expect(asked({ header: "content-length", equals: "5000000000" })).toBeUndefined();
    expect(asked({ equals: `sha256:${sha256}` })).toBeUndefined();
    expect(asked({ equals: `sha256:${"cd".repeat(32)}` })).toMatch(/another one/);
    expect(asked({ equals: "meow" })).toMatch(/too large/);
  });
});
