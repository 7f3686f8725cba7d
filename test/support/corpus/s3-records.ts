/** Objects of one bucket, each with a sidecar that is malformed, refused, or odd and legal. */
import { type DumpFile, s3Object } from "../dump-builder.js";
import { BOM, type RecordCase } from "./case.js";
import { bucket, object } from "./holdings.js";

const BUCKET = "corpus-objects";
const SUFFIX = ".elastickv-meta.json";
const sized = (fields: Readonly<Record<string, unknown>>) => ({ format_version: 1, size_bytes: 4, ...fields });

/** A body of four bytes, and this sidecar. */
function rejected(key: string, sidecar: DumpFile, reason: string, by: "reader" | "target" = "reader"): RecordCase {
  const path = `s3/${BUCKET}/${key}`;
  const files = { [path]: "body", [path + SUFFIX]: sidecar };
  return { name: `object: ${key}`, files, ends: [{ path, outcome: "rejected", reason, by }] };
}

function restored(
  key: string,
  sidecar: DumpFile,
  facets: Readonly<Record<string, string>> = {},
  note?: string,
): RecordCase {
  const path = `s3/${BUCKET}/${key}`;
  const ends = note === undefined ? [] : [{ path, outcome: "restored" as const, reason: note }];
  const files = { [path]: "body", [path + SUFFIX]: sidecar };
  return { name: `object: ${key}`, files, ends, holds: [object(BUCKET, key, "body", facets)] };
}

const sidecars: readonly RecordCase[] = [
  rejected("an empty sidecar", "", "malformed-json"),
  rejected("a sidecar cut off", '{"size_bytes":4', "malformed-json"),
  rejected("a sidecar that is an array", "[]", "malformed-record"),
  rejected("a sidecar with a byte order mark", `${BOM}{"size_bytes":4}`, "byte-order-mark"),
  rejected("a sidecar not in UTF-8", Buffer.from('{"size_bytes":4,"etag":"\xff"}', "latin1"), "bad-utf8"),
  rejected("a size twice", '{"size_bytes":4,"size_bytes":4}', "duplicate-key"),
  rejected("a newer sidecar", sized({ format_version: 2 }), "malformed-record"),
  rejected("no size", { format_version: 1 }, "malformed-record"),
  rejected("a size that is text", sized({ size_bytes: "4" }), "malformed-record"),
  rejected("a size that is a fraction", '{"size_bytes":4.5}', "malformed-record"),
  rejected("a size with an exponent", '{"size_bytes":4e0}', "malformed-record"),
  rejected("a size too small", sized({ size_bytes: 3 }), "size-mismatch"),
  rejected("a size too large", sized({ size_bytes: 5 }), "size-mismatch"),
  rejected("a negative size", sized({ size_bytes: -4 }), "size-mismatch"),
  rejected("a size beyond 2^53", sized({ size_bytes: 2n ** 63n }), "malformed-record"),
  rejected("a content type that is a number", sized({ content_type: 1 }), "malformed-record"),
  rejected("an etag that is null's opposite", sized({ etag: true }), "malformed-record"),
  rejected("metadata that is an array", sized({ user_metadata: [] }), "malformed-record"),
  rejected("a metadata value that is a number", sized({ user_metadata: { a: 1 } }), "malformed-record"),
  rejected("a metadata name twice", '{"size_bytes":4,"user_metadata":{"a":"1","a":"2"}}', "duplicate-key"),
];

const user = (user_metadata: Readonly<Record<string, string>>) => sized({ user_metadata });

/** What the target, or HTTP itself, could not give back as it is. */
const headers: readonly RecordCase[] = [
  rejected("metadata names that differ by case", user({ Name: "1", name: "2" }), "metadata-name", "target"),
  rejected("a metadata name with a space", user({ "a b": "1" }), "metadata-name", "target"),
  rejected("a metadata name with a colon and a line", user({ "a:\r\nx-evil": "1" }), "metadata-name", "target"),
  rejected("an empty metadata name", user({ "": "1" }), "metadata-name", "target"),
  rejected("a metadata name beyond ASCII", user({ "\u00e9": "1" }), "metadata-name", "target"),
  rejected("a metadata value with a line", user({ a: "1\r\nx-amz-acl: public-read" }), "metadata-value", "target"),
  rejected("a metadata value with NUL", user({ a: "1\0" }), "metadata-value", "target"),
  rejected("a metadata value with a space before it", user({ a: " 1" }), "metadata-value", "target"),
  rejected("metadata over 2 KB", user({ a: "x".repeat(2100) }), "metadata-too-large", "target"),
  rejected(
    "a content type with a line",
    sized({ content_type: "text/plain\r\nx-evil: 1" }),
    "metadata-value",
    "target",
  ),
  rejected(
    "a disposition with an escape sequence",
    sized({ content_disposition: "\u001b[2J" }),
    "metadata-value",
    "target",
  ),
];

const odd: readonly RecordCase[] = [
  restored("a bare sidecar", { size_bytes: 4 }),
  restored(
    "everything empty or null",
    sized({ etag: "", content_type: null, content_encoding: "", cache_control: null, user_metadata: null, extra: {} }),
  ),
  restored(
    "everything there is",
    sized({
      content_type: "a/b; c=d",
      content_encoding: "gzip",
      cache_control: "no-cache",
      content_disposition: 'attachment; filename="x"',
      user_metadata: { a: "1", "b-c": "2 3" },
    }),
    {
      content_type: "a/b; c=d",
      content_encoding: "gzip",
      cache_control: "no-cache",
      content_disposition: 'attachment; filename="x"',
      "user_metadata a": "1",
      "user_metadata b-c": "2 3",
    },
  ),
  restored("a time of last change that is none", sized({ last_modified: "yesterday" })),
  restored("an etag that is another body's", sized({ etag: "0".repeat(32) }), {}, "etag-changed"),
  // No __proto__: it arrives, but the client with which it is read back loses it.
  restored("metadata called as what JavaScript has", user({ constructor: "1", valueOf: "2" }), {
    "user_metadata constructor": "1",
    "user_metadata valueof": "2",
  }),
  restored("an etag of one part", sized({ etag: '"980d35430001d8835cd38d70e5845a9f-1"' }), {
    etag: "980d35430001d8835cd38d70e5845a9f-1",
  }),
  restored("an etag without quotes", sized({ etag: "841a2d689ad86bd1611447453c22c6fc" })),
  {
    name: "object: a body without a sidecar",
    files: { [`s3/${BUCKET}/bare`]: "body" },
    ends: [{ path: `s3/${BUCKET}/bare`, outcome: "restored", reason: "default-metadata" }],
    holds: [object(BUCKET, "bare", "body", {})],
  },
  { name: "object: nothing", files: s3Object(`s3/${BUCKET}/nothing`, ""), holds: [object(BUCKET, "nothing", "")] },
];

const keymapped = (original: string) => ({
  original: Buffer.from(original).toString("base64url"),
  kind: "sha-fallback",
});
const renamed = (
  name: string,
  encoded: string,
  original: string,
  reason: string,
  by: "reader" | "target",
): RecordCase => ({
  name: `object: ${name}`,
  files: s3Object(`s3/${BUCKET}/${encoded}`, "body"),
  lines: { [`s3/${BUCKET}/KEYMAP.jsonl`]: [{ encoded, ...keymapped(original) }] },
  ends: [{ path: `s3/${BUCKET}/${encoded}`, outcome: "rejected", reason, by }],
});

const keys: readonly RecordCase[] = [
  renamed("a key that another file has", "zz-twin", "bare", "duplicate-record", "reader"),
  renamed("a key of 1,025 bytes", "zz-long", `${"a/".repeat(512)}b`, "key-too-long", "target"),
  renamed("a component of 256 bytes", "zz-component", "c".repeat(256), "key-refused", "target"),
];

const scope: RecordCase = {
  name: "the bucket of all these objects",
  files: { [`s3/${BUCKET}/_bucket.json`]: { format_version: 1, name: BUCKET } },
  holds: [bucket(BUCKET)],
};

export const S3_RECORDS = [scope, ...sidecars, ...headers, ...odd, ...keys];
