/** Buckets of objects with awkward keys and metadata, among them those that the dump has to store under another name. */
import { createHash } from "node:crypto";

import fc from "fast-check";

import { segmentOf } from "../dump-builder.js";
import { someText } from "../fuzz.js";
import { type JsonSource, jsonText } from "./json-text.js";
import { type DumpKind, type DumpPart, joined, type Shape, scopeNames, seldom } from "./parts.js";

const SUFFIX = ".elastickv-meta.json";
const LEAF = ".elastickv-leaf-data";
const RENAMED = ".user-data";

/** Bytes of a component of a file's name, less the longest suffix. */
const MOST_COMPONENT_BYTES = 255 - SUFFIX.length - LEAF.length;
const MOST_KEY_BYTES = 900;

const component = fc
  .oneof(
    { arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), weight: 4 },
    { arbitrary: someText(8), weight: 2 },
    {
      arbitrary: fc.constantFrom(
        "_orphans",
        "_incomplete_uploads",
        "__proto__",
        "a b+c&d=?#%41",
        "...",
        "-",
        "~",
        "é",
        "e\u0301",
      ),
      weight: 1,
    },
  )
  .filter((name) => !/[/\0]/.test(name) && !["", ".", ".."].includes(name))
  .filter((name) => Buffer.byteLength(name) <= MOST_COMPONENT_BYTES);

const key = seldom(
  10,
  component.map((name) => `${name}${SUFFIX}`),
  fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
).filter((name) => Buffer.byteLength(name) <= MOST_KEY_BYTES);

const word = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const value = fc.oneof(word, fc.constantFrom("ü ファイル 😀", 'a,b;c="d"'));

const sidecar = fc.record(
  {
    content_type: fc.constantFrom("text/plain", "image/png", 'application/x-y; charset="ü"'.replace("ü", "u")),
    content_encoding: fc.constantFrom("gzip", "br, gzip"),
    cache_control: fc.constantFrom("no-cache", "public, max-age=3600"),
    content_disposition: fc.constantFrom('attachment; filename="a b.txt"', "inline"),
    user_metadata: fc
      .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/), value), {
        maxLength: 4,
        selector: ([name]) => name.toLowerCase(),
      })
      .map((members): JsonSource => new Map(members)),
  },
  { requiredKeys: [] },
);

const body = seldom(12, fc.uint8Array({ minLength: 100_000, maxLength: 120_000 }), fc.uint8Array({ maxLength: 80 }));

/** elastickv's listings have no way to write these. */
const NOT_XML = /[^\t\n\r\u{20}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

interface S3Object {
  readonly key: string;
  readonly body: Buffer;
  readonly sidecar: Readonly<Record<string, JsonSource | undefined>>;
}

const object: fc.Arbitrary<S3Object> = fc.record({ key, body: body.map((bytes) => Buffer.from(bytes)), sidecar });

export function buckets({ shape, isForElastickv }: DumpKind): fc.Arbitrary<DumpPart> {
  const objects = fc
    .tuple(fc.uniqueArray(object, { maxLength: 10, selector: (each) => each.key }), fc.nat(2), component)
    .map(([all, below, name]) => withOneBelow(all, below, name))
    .map((all) => (isForElastickv ? all.filter((each) => !NOT_XML.test(each.key)) : all));
  return scopeNames(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/, 2)
    .chain((names) =>
      fc.tuple(
        ...names.map((name) => objects.map((all): DumpPart => ({ files: bucketFiles(name, all, shape), absent: [] }))),
      ),
    )
    .map(joined);
}

/** Often an object that lies below another one's name, as S3 allows and file systems do not. */
function withOneBelow(objects: readonly S3Object[], which: number, name: string): readonly S3Object[] {
  const above = objects[which];
  if (above === undefined) return objects;
  const key = `${above.key}/${name}`;
  if (Buffer.byteLength(key) > MOST_KEY_BYTES || objects.some((each) => each.key === key)) return objects;
  return [...objects, { key, body: Buffer.from("below"), sidecar: {} }];
}

function bucketFiles(name: string, objects: readonly S3Object[], shape: Shape): Record<string, string | Buffer> {
  const root = `s3/${segmentOf(name)}`;
  const files: Record<string, string | Buffer> = { [`${root}/_bucket.json`]: jsonText({ format_version: 1, name }) };
  const taken = new Set(objects.flatMap(({ key }) => directoriesOf(key)));
  const keymap: string[] = [];
  for (const { key, body, sidecar } of objects) {
    const isLeaf = taken.has(key);
    const isRenamed = key.endsWith(SUFFIX);
    const path = `${key}${isLeaf ? LEAF : isRenamed ? RENAMED : ""}`;
    if (path !== key) {
      const kind = isLeaf ? "s3-leaf-data" : "meta-suffix-rename";
      keymap.push(JSON.stringify({ encoded: path, original: Buffer.from(key).toString("base64url"), kind }));
    }
    files[`${root}/${path}`] = body;
    const etag = createHash("md5").update(body).digest("hex");
    files[`${root}/${path}${SUFFIX}`] = jsonText({
      format_version: 1,
      etag: shape === "shipped" ? `"${etag}"` : etag,
      size_bytes: body.length,
      ...sidecar,
    });
  }
  if (keymap.length > 0) files[`${root}/KEYMAP.jsonl`] = keymap.map((line) => `${line}\n`).join("");
  return files;
}

function directoriesOf(key: string): string[] {
  const parts = key.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}
