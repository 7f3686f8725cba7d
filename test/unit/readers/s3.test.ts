import { describe, expect, it } from "vitest";
import type { DumpRecord } from "../../../src/model/record.js";
import type { BucketScope } from "../../../src/model/scope.js";
import { type DumpFile, s3Object } from "../../support/dump-builder.js";
import { collect, EVERYTHING, faultOf, readRecords, withBuilt, withDump } from "../../support/read-dump.js";

type Files = { readonly [path: string]: DumpFile };

const BUCKET = { "s3/b/_bucket.json": { format_version: 1, name: "b" } };

/** `original` in the form of a KEYMAP line. */
const mapped = (encoded: string, original: string, kind = "s3-leaf-data") => ({
  encoded,
  original: Buffer.from(original).toString("base64url"),
  kind,
});

function readBucket(files: Files, options = {}): Promise<{ scope: BucketScope; records: DumpRecord[] }> {
  return withBuilt({ files }, (path) =>
    withDump(
      path,
      async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes(EVERYTHING);
        if (scope?.adapter !== "s3") throw new Error("no bucket");
        return { scope, records: await collect(readRecords(dump, scope)) };
      },
      options,
    ),
  );
}

const keysOf = (records: readonly DumpRecord[]) =>
  records.map((record) => (record.kind === "object" ? record.key : record.kind));

describe("objects", () => {
  it("are files with a sidecar, with its metadata and the ETag without quotes", async () => {
    const sidecar = {
      content_encoding: "gzip",
      cache_control: "",
      content_disposition: null,
      user_metadata: { __proto__x: "a", "9": "nine", "1": "one" },
      unknown_field: 1,
    };
    const { records } = await readBucket({ ...BUCKET, ...s3Object("s3/b/dir/ü ~%41.txt", "hello", sidecar) });
    expect(records).toMatchObject([
      {
        key: "dir/ü ~%41.txt",
        bytes: 5,
        etag: "5d41402abc4b2a76b9719d911017c592",
        metadata: { contentType: "text/plain", contentEncoding: "gzip" },
      },
    ]);
    expect(records[0]).not.toHaveProperty("metadata.cacheControl");
  });

  it("take an ETag without quotes and none at all", async () => {
    const { records } = await readBucket({
      ...BUCKET,
      ...s3Object("s3/b/a", "", { etag: "0-3" }),
      ...s3Object("s3/b/b", "", { etag: "" }),
    });
    expect(records[0]).toMatchObject({ etag: "0-3" });
    expect(records[1]).not.toHaveProperty("etag");
  });

  it("come in the bytewise order of their paths", async () => {
    const files = { ...BUCKET, ...s3Object("s3/b/a/x", "1"), ...s3Object("s3/b/a-b", "2"), ...s3Object("s3/b/Z", "3") };
    expect(keysOf((await readBucket(files)).records)).toEqual(["Z", "a-b", "a/x"]);
  });

  it("without a sidecar are restored with default metadata and a note", async () => {
    const { scope, records } = await readBucket({ ...BUCKET, "s3/b/added.txt": "by hand" });
    expect(records).toMatchObject([
      { key: "added.txt", metadata: { user: [] }, notes: [{ kind: "default-metadata" }] },
    ]);
    expect(scope.warnings.join()).toMatch(/added\.txt: has no sidecar/);
  });

  it("may be called like a sidecar: a sidecar is an object when it has a sidecar itself", async () => {
    const files = { ...BUCKET, ...s3Object("s3/b/x", "1"), ...s3Object("s3/b/y.elastickv-meta.json", "2") };
    expect(keysOf((await readBucket(files)).records)).toEqual(["x", "y.elastickv-meta.json"]);
  });

  it("use the manifest's suffix, not the usual one", async () => {
    const files = { ...BUCKET, "s3/b/x": "1", "s3/b/x.meta": { size_bytes: 1, content_type: "a/b" } };
    const { records } = await withBuilt({ files, manifest: { s3_meta_suffix: ".meta" } }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes(EVERYTHING);
        if (scope === undefined) throw new Error("no bucket");
        return { records: await collect(readRecords(dump, scope)) };
      }),
    );
    expect(records).toMatchObject([{ key: "x", metadata: { contentType: "a/b" } }]);
  });

  it("below _orphans and _incomplete_uploads are forensics unless they have a sidecar", async () => {
    const files = {
      ...BUCKET,
      "s3/b/_orphans/k/1.bin": "x",
      "s3/b/_incomplete_uploads/records.jsonl": "x",
      ...s3Object("s3/b/_orphans/mine", "1"),
    };
    const { scope, records } = await readBucket(files);
    expect(keysOf(records)).toEqual(["_orphans/mine"]);
    expect(scope.warnings.join()).toMatch(/forensics/);
  });

  it.each([
    ["a size that is not the body's", { size_bytes: 7 }, "size-mismatch"],
    ["a newer format", { format_version: 2 }, "malformed-record"],
    ["no size", { size_bytes: undefined }, "malformed-record"],
    ["metadata that is no text", { user_metadata: { a: 1 } }, "malformed-record"],
  ])("are rejected with %s, alone", async (_what, sidecar, reason) => {
    const { records } = await readBucket({
      ...BUCKET,
      ...s3Object("s3/b/bad", "1", sidecar),
      ...s3Object("s3/b/good", "2"),
    });
    expect(records).toMatchObject([
      { kind: "faulty", outcome: "rejected", reason, displayKey: "bad" },
      { key: "good" },
    ]);
  });

  it("are rejected when the sidecar is no JSON", async () => {
    const { records } = await readBucket({
      ...BUCKET,
      "s3/b/x": "1",
      "s3/b/x.elastickv-meta.json": '{"etag":1,"etag":2}',
    });
    expect(records).toMatchObject([{ kind: "faulty", reason: "duplicate-key" }]);
  });
});

describe("KEYMAP", () => {
  it("gives renamed objects their keys back", async () => {
    const files = {
      ...BUCKET,
      ...s3Object("s3/b/path/to.elastickv-leaf-data", "1"),
      ...s3Object("s3/b/path/to/obj", "2"),
      ...s3Object("s3/b/m.elastickv-meta.json.user-data", "3"),
      "s3/b/KEYMAP.jsonl": [
        mapped("path/to.elastickv-leaf-data", "path/to"),
        mapped("m.elastickv-meta.json.user-data", "m.elastickv-meta.json", "meta-suffix-rename"),
      ],
    };
    const { scope, records } = await readBucket(files);
    expect(keysOf(records)).toEqual(["m.elastickv-meta.json", "path/to", "path/to/obj"]);
    expect(scope.warnings).toEqual([]);
  });

  it("that is missing is warned of for every name that looks renamed", async () => {
    const { scope, records } = await readBucket({ ...BUCKET, ...s3Object("s3/b/a.elastickv-leaf-data", "1") });
    expect(keysOf(records)).toEqual(["a.elastickv-leaf-data"]);
    expect(scope.warnings.join()).toMatch(/a\.elastickv-leaf-data.*KEYMAP/);
  });

  it("rejects the second of two objects with one key, also when reading begins between them", async () => {
    const files = {
      ...BUCKET,
      ...s3Object("s3/b/a.elastickv-leaf-data", "1"),
      ...s3Object("s3/b/z", "2"),
      "s3/b/KEYMAP.jsonl": [mapped("a.elastickv-leaf-data", "z")],
    };
    const { records } = await readBucket(files);
    expect(records).toMatchObject([
      { key: "z", place: { path: "s3/b/a.elastickv-leaf-data" } },
      { kind: "faulty", reason: "duplicate-record" },
    ]);
    await withBuilt({ files }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes(EVERYTHING);
        if (scope === undefined || records[0] === undefined) throw new Error("nothing read");
        expect(await collect(readRecords(dump, scope, records[0].after))).toMatchObject([
          { reason: "duplicate-record" },
        ]);
      }),
    );
  });

  it.each([
    ["an unknown kind", [mapped("x.elastickv-leaf-data", "x", "other")]],
    ["a name without a file", [mapped("gone.elastickv-leaf-data", "gone")]],
    ["a name twice", [mapped("x.elastickv-leaf-data", "x"), mapped("x.elastickv-leaf-data", "y")]],
    ["an empty original", [mapped("x.elastickv-leaf-data", "")]],
    ["an original with NUL", [mapped("x.elastickv-leaf-data", "a\0b")]],
    ["an original that climbs", [mapped("x.elastickv-leaf-data", "a/../b")]],
    ["an original with an empty segment", [mapped("x.elastickv-leaf-data", "a//b")]],
    ["a leaf without the suffix", [mapped("y", "x")]],
    ["a meta rename whose original lacks the suffix", [mapped("x.user-data", "x", "meta-suffix-rename")]],
    ["an original in standard base64", [{ ...mapped("x.elastickv-leaf-data", "x"), original: "eA==" }]],
  ])("is refused with %s", async (_what, lines) => {
    const files = {
      ...BUCKET,
      "s3/b/KEYMAP.jsonl": lines,
      ...s3Object("s3/b/x.elastickv-leaf-data", "1"),
      ...s3Object("s3/b/y", "2"),
      ...s3Object("s3/b/x.user-data", "3"),
    };
    expect((await faultOf({ files })).code).toBe("KEYMAP_INVALID");
  });
});

describe("a bucket", () => {
  it("has the settings of its _bucket.json", async () => {
    const bucket = {
      format_version: 1,
      name: "b",
      acl: "public-read",
      versioning: "Enabled",
      policy_json: "{}",
      region: "eu",
    };
    const { scope } = await readBucket({ "s3/b/_bucket.json": bucket });
    expect(scope.settings).toEqual({ acl: "public-read", versioning: "Enabled", policy: "{}", region: "eu" });
  });

  it("has plain settings where _bucket.json says nothing, and no versions when they are disabled", async () => {
    const { scope } = await readBucket({
      "s3/b/_bucket.json": { name: "b", versioning: "Disabled", policy_json: null },
    });
    expect(scope.settings).toEqual({ acl: "private" });
  });

  it("is refused without _bucket.json unless orphans are allowed", async () => {
    const files = { "s3/b": null, ...s3Object("s3/b/x", "1") };
    const error = await faultOf({ files });
    expect([error.code, error.exitStatus]).toEqual(["SCOPE_INVALID", 4]);
    const { scope, records } = await readBucket(files, { allowOrphanBuckets: true });
    expect(scope).not.toHaveProperty("settings");
    expect(records).toHaveLength(1);
  });

  it("is made with defaults when a user's object stands in the place of _bucket.json", async () => {
    const { scope, records } = await readBucket({
      ...s3Object("s3/b/_bucket.json", "mine"),
      ...s3Object("s3/b/KEYMAP.jsonl", "mine"),
    });
    expect(keysOf(records)).toEqual(["KEYMAP.jsonl", "_bucket.json"]);
    expect(scope).not.toHaveProperty("settings");
    expect(scope.warnings).toHaveLength(2);
  });

  it.each([
    ["another name", { name: "c" }, "SCOPE_INVALID"],
    ["a newer format", { name: "b", format_version: 2 }, "SCHEMA_INVALID"],
    ["an unknown ACL", { name: "b", acl: "public-read-write" }, "SCHEMA_INVALID"],
    ["no name", {}, "SCHEMA_INVALID"],
  ])("is refused with %s in _bucket.json", async (_what, bucket, code) => {
    expect((await faultOf({ files: { "s3/b/_bucket.json": bucket } })).code).toBe(code);
  });

  it("is refused with a sidecar that has no body", async () => {
    const error = await faultOf({ files: { ...BUCKET, "s3/b/x.elastickv-meta.json": { size_bytes: 0 } } });
    expect([error.code, error.exitStatus]).toEqual(["SCOPE_INVALID", 4]);
  });
});
