/** A bucket beside the dump: every kind of damage is found where it is, and what a restore made raises no alarm. */
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import type { ObjectRecord } from "../../../src/model/record.js";
import type { BucketScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { S3Target } from "../../../src/replayers/s3/replayer.js";
import type { Comparing, Comparison } from "../../../src/replayers/verifier.js";
import {
  bucketScope,
  bufferContent,
  etagOfParts,
  MIB,
  md5,
  type ObjectInit,
  objectRecord,
  patterned,
} from "../../support/s3-records.js";
import type { S3Server } from "../../support/servers/s3.js";
import { s3Bench } from "../../support/servers/s3-bench.js";

const HOW: Comparing = { allowMore: false, toleranceMs: 0, download: false, messages: "no" };
const DOWNLOAD: Comparing = { ...HOW, download: true };
const EQUAL: Comparison = { differences: [] };

const METADATA = {
  contentType: "text/plain; charset=utf-8",
  contentEncoding: "gzip",
  cacheControl: "max-age=60",
  contentDisposition: 'attachment; filename="ü.txt"',
  user: [
    ["caption", "ü ファイル 😀"],
    ["Plain", "value"],
    ["empty", ""],
    ["words", "=?UTF-8?B?w7w=?="],
    ["two", "a  b_c"],
  ],
} as const;

type Metadata = NonNullable<ObjectInit["metadata"]>;

export function s3Verifier(server: S3Server): void {
  const bench = s3Bench(server);
  let scope: BucketScope;

  beforeEach(async () => {
    scope = bucketScope(bench.uniqueName());
    await bench.client.send(new CreateBucketCommand({ Bucket: scope.target }));
  });

  function replayerFor(options: Partial<S3Target> = {}): Replayer<"s3"> {
    return bench.replayerFor("put", options, { maxRetryTimeMs: 1_000 });
  }

  function verifierFor(options: Partial<S3Target> = {}) {
    const { verifier } = replayerFor(options);
    if (verifier?.compare === undefined || verifier.held === undefined || verifier.keyOf === undefined)
      throw new Error();
    if (verifier.deleteKeys === undefined || verifier.mend === undefined) throw new Error("it mends nothing");
    return verifier as Required<typeof verifier>;
  }

  async function restore(records: readonly ObjectRecord[], options: Partial<S3Target> = {}): Promise<void> {
    const replayer = bench.replayerFor("put", options);
    for (let at = 0; at < records.length; at += 16) {
      for (const outcome of await replayer.write(scope, records.slice(at, at + 16))) {
        expect(outcome).toMatchObject({ kind: "restored" });
      }
    }
  }

  async function compare(record: ObjectRecord, how = HOW): Promise<Comparison | undefined> {
    return (await verifierFor().compare(scope, [record], how))[0];
  }

  async function heldKeys(): Promise<string[]> {
    const keys: string[] = [];
    const held = verifierFor().held(scope);
    if (typeof held === "string") throw new Error(held);
    for await (const page of held) keys.push(...page.map(({ key }) => key.toString()));
    return keys.sort();
  }

  async function put(key: string, body: string | Buffer = "theirs"): Promise<void> {
    await bench.client.send(new PutObjectCommand({ Bucket: scope.target, Key: key, Body: body }));
  }

  async function isThere(key: string): Promise<boolean> {
    return await bench.client.send(new HeadObjectCommand({ Bucket: scope.target, Key: key })).then(
      () => true,
      () => false,
    );
  }

  describe("an object as the restore left it raises no alarm", () => {
    it("with every header and metadata", async () => {
      const record = objectRecord("a/ü", { body: "text", etag: md5("text"), metadata: METADATA });
      await restore([record]);
      expect(await compare(record)).toEqual(EQUAL);
      expect(await compare(record, DOWNLOAD)).toEqual(EQUAL);
    });

    it("without any", async () => {
      const record = objectRecord("bare", { body: "text" });
      await restore([record]);
      expect(await compare(record)).toEqual(EQUAL);
    });

    it("when it is empty", async () => {
      const record = objectRecord("empty", { etag: md5("") });
      await restore([record]);
      expect(await compare(record)).toEqual(EQUAL);
    });

    it.each(["dir/", "dir/below", "a b+c&=?", "k#f%20%", "back\\slash", "tab\there", "ctl\u0001", "ünï/ファイル"])(
      "under the key %j",
      async (key) => {
        const record = objectRecord(key, { body: key });
        await restore([record]);
        expect(await compare(record)).toEqual(EQUAL);
        expect(await heldKeys()).toEqual([key]);
      },
    );

    it("below another object's key", async () => {
      const records = [objectRecord("path/to", { body: "1" }), objectRecord("path/to/obj", { body: "2" })];
      await restore(records);
      expect(await verifierFor().compare(scope, records, HOW)).toEqual([EQUAL, EQUAL]);
    });

    it.each([
      ["the dump's parts", 5 * MIB, 11 * MIB + 5],
      ["one part", 6 * MIB, 6 * MIB],
    ])("in %s", async (_what, partBytes, size) => {
      const body = patterned(size);
      const record = objectRecord("parts", { body, etag: etagOfParts(body, partBytes) });
      await restore([record]);
      expect(await compare(record)).toEqual(EQUAL);
    });

    it("in other parts than the dump's ETag tells of", async () => {
      const body = patterned(2 * MIB);
      const record = objectRecord("parts", { body, etag: md5(body) });
      await restore([record], { multipartThresholdBytes: MIB });
      expect(await compare(record)).toEqual(EQUAL);
    });

    it("when somebody uploaded the same bytes in parts of another size", async () => {
      const body = patterned(17 * MIB);
      const record = objectRecord("parts", { body, etag: etagOfParts(body, 8 * MIB) });
      await restore([objectRecord("parts", { body, etag: etagOfParts(body, 7 * MIB) })]);
      expect(await compare(record)).toEqual(EQUAL);
    });

    it("when somebody uploaded the same bytes in parts of unequal sizes", async () => {
      const [Bucket, Key] = [scope.target, "parts"];
      const sizes = [6 * MIB + 3, 5 * MIB + 1, 7];
      const body = patterned(sizes.reduce((sum, bytes) => sum + bytes, 0));
      const { UploadId } = await bench.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const Parts = [];
      let start = 0;
      for (const [i, bytes] of sizes.entries()) {
        const part = { Bucket, Key, UploadId, PartNumber: i + 1, Body: body.subarray(start, start + bytes) };
        Parts.push({ ETag: (await bench.client.send(new UploadPartCommand(part))).ETag, PartNumber: i + 1 });
        start += bytes;
      }
      const MultipartUpload = { Parts };
      await bench.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
      expect(await compare(objectRecord(Key, { body }), DOWNLOAD)).toEqual(EQUAL);
      expect(await compare(objectRecord(Key, { body }))).toEqual(EQUAL);
    });

    it("by its bytes, whatever ETag the dump has", async () => {
      const record = objectRecord("a", { body: "new!", etag: md5("old!") });
      await restore([record]);
      expect(await compare(record)).toEqual(EQUAL);
    });
  });

  describe("damage is found with its place", () => {
    const whole = { body: "text", etag: md5("text"), metadata: METADATA } as const;
    const withHeaders = (headers: Metadata): ObjectInit => ({ ...whole, metadata: { ...METADATA, ...headers } });
    const without = (name: keyof Metadata): ObjectInit => {
      const { [name]: _left, ...metadata } = METADATA;
      return { ...whole, metadata };
    };
    const withUser = (change: (user: (readonly [string, string])[]) => (readonly [string, string])[]): ObjectInit =>
      withHeaders({ user: change([...METADATA.user]) });
    const renamed = (name: string, value: string) =>
      withUser((user) => user.map(([own, old]) => [own, own === name ? value : old]));

    it.each<[what: string, damaged: ObjectInit, kind: string, at: string | undefined]>([
      ["another byte", { ...whole, body: "texT", etag: md5("texT") }, "body", undefined],
      ["a cut body", { ...whole, body: "tex", etag: md5("tex") }, "body", undefined],
      ["a longer body", { ...whole, body: "text\n", etag: md5("text\n") }, "body", undefined],
      ["another content type", withHeaders({ contentType: "text/plain" }), "metadata", "header content-type"],
      ["another content encoding", withHeaders({ contentEncoding: "br" }), "metadata", "header content-encoding"],
      ["no content encoding", without("contentEncoding"), "missing-part", "header content-encoding"],
      ["another cache control", withHeaders({ cacheControl: "no-store" }), "metadata", "header cache-control"],
      ["no cache control", without("cacheControl"), "missing-part", "header cache-control"],
      [
        "another content disposition",
        withHeaders({ contentDisposition: 'attachment; filename="u.txt"' }),
        "metadata",
        "header content-disposition",
      ],
      ["no content disposition", without("contentDisposition"), "missing-part", "header content-disposition"],
      ["another metadata value", renamed("caption", "u ファイル 😀"), "metadata", "metadata caption"],
      ["a value in other letters", renamed("Plain", "Value"), "metadata", "metadata Plain"],
      ["a value that was empty", renamed("empty", "no more"), "metadata", "metadata empty"],
      ["a metadata less", withUser((user) => user.slice(1)), "missing-part", "metadata caption"],
      ["a metadata more", withUser((user) => [...user, ["more", ""]]), "extra-part", "metadata more"],
    ])("%s", async (_what, damaged, kind, at) => {
      await restore([objectRecord("a", damaged)]);
      const comparison = await compare(objectRecord("a", whole));
      expect(comparison).toEqual({
        differences: [{ kind, ...(at === undefined ? {} : { at }), detail: expect.any(String) }],
      });
    });

    it.each<[what: string, damaged: Metadata, at: string]>([
      ["a content type", { contentType: "text/html" }, "header content-type"],
      ["a content encoding", { contentEncoding: "br" }, "header content-encoding"],
      ["a cache control", { cacheControl: "no-store" }, "header cache-control"],
      ["a content disposition", { contentDisposition: "inline" }, "header content-disposition"],
    ])("%s that the dump has not", async (_what, metadata, at) => {
      await restore([objectRecord("a", { body: "x", metadata })]);
      expect((await compare(objectRecord("a", { body: "x" })))?.differences).toMatchObject([
        { kind: "extra-part", at },
      ]);
    });

    it("everything at once", async () => {
      await restore([objectRecord("a", { body: "other", metadata: { user: [["caption", "x"]] } })]);
      const { differences = [] } = (await compare(objectRecord("a", whole))) ?? {};
      expect(differences.map(({ kind, at }) => [kind, at])).toEqual([
        ["body", undefined],
        ["metadata", "header content-type"],
        ["missing-part", "header content-encoding"],
        ["missing-part", "header cache-control"],
        ["missing-part", "header content-disposition"],
        ["metadata", "metadata caption"],
        ["missing-part", "metadata Plain"],
        ["missing-part", "metadata empty"],
        ["missing-part", "metadata words"],
        ["missing-part", "metadata two"],
      ]);
    });

    it("an object that is gone", async () => {
      const record = objectRecord("gone", whole);
      await restore([record]);
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "gone" }));
      expect((await compare(record))?.differences).toMatchObject([{ kind: "missing" }]);
    });

    it("an object of which only what lies below it is there", async () => {
      await put("dir/below");
      const records = [objectRecord("dir"), objectRecord("dir/"), objectRecord("dir/below", { body: "theirs" })];
      const found = await verifierFor().compare(scope, records, HOW);
      expect(found.map(({ differences }) => differences.map(({ kind }) => kind))).toEqual([
        ["missing"],
        ["missing"],
        [],
      ]);
    });

    describe("a byte of an object in parts", () => {
      const body = patterned(11 * MIB);
      const damaged = Buffer.from(body);
      damaged.writeUInt8(damaged.readUInt8(7 * MIB) ^ 1, 7 * MIB);
      const record = objectRecord("a", { body, etag: etagOfParts(body, 5 * MIB) });

      beforeEach(() => restore([objectRecord("a", { body: damaged, etag: etagOfParts(damaged, 5 * MIB) })]));

      it("when objects are read", async () => {
        expect((await compare(record, DOWNLOAD))?.differences).toMatchObject([{ kind: "body" }]);
      });

      it("when they are not, for its ETag tells of it", async () => {
        expect(await compare(record)).toEqual({ differences: [{ kind: "body", detail: expect.any(String) }] });
      });
    });
  });

  describe("a key that the target would rewrite", () => {
    it.each(["/lead", "a//b", "x/../y", "dir__XLDIR__", "..", "z".repeat(256)])(
      "%j is not found under another object's key",
      async (key) => {
        for (const other of ["lead", "a/b", "y", "dir/"]) await put(other, "ours");
        const found = await compare(objectRecord(key, { body: "ours" }));
        expect(found?.differences).toMatchObject([{ kind: "missing" }]);
        expect(found?.unproven).toBeUndefined();
      },
    );
  });

  it("content of the dump that cannot be read leaves its object unproven and others are compared", async () => {
    const records = [objectRecord("a", { body: "a" }), objectRecord("b", { body: "b" })];
    await restore(records);
    const changed = {
      ...bufferContent("a"),
      async *blocks() {
        await Promise.resolve();
        yield Buffer.alloc(0);
        throw new RestoreError("CHANGED_AFTER_CHECK", "it changed", { reason: "changed-after-check" });
      },
    };
    const found = await verifierFor().compare(
      scope,
      [objectRecord("a", { body: changed }), objectRecord("b", { body: "b" })],
      HOW,
    );
    expect(found).toEqual([{ differences: [], unproven: [expect.stringContaining("not what was checked")] }, EQUAL]);
  });

  describe("what the bucket holds", () => {
    it("is listed by the same keys as the records have", async () => {
      const keys = [
        "a",
        "dir/",
        "dir/x",
        "a b+c&=?",
        "ünï",
        "tab\t",
        "line\r\nbreak",
        "\n",
        " ",
        " \n\t\r",
        "\u0001",
        "a\u0001",
        "a\u0002\u001f",
        "a\ufffd",
        "z\uffff",
      ];
      for (const key of keys) await put(key);
      const verifier = verifierFor();
      const own = keys.map((key) => verifier.keyOf(scope, objectRecord(key)).toString());
      expect(await heldKeys()).toEqual(own.sort());
    });

    it("is listed beyond the first page", async () => {
      await restore(Array.from({ length: 1_050 }, (_, i) => objectRecord(`k/${i}`)));
      expect(new Set(await heldKeys()).size).toBe(1_050);
    }, 60_000);

    it("is deleted by key, and nothing else", async () => {
      const extra = ["extra", "dir/", "a b+c", "ctl\u0001", "ünï"];
      for (const key of [...extra, "kept", "lead"]) await put(key);
      const keys = [...extra, "/lead", "never there"].map((key) => Buffer.from(key));
      await verifierFor().deleteKeys(scope, keys);
      await verifierFor().deleteKeys(scope, keys);
      expect(await heldKeys()).toEqual(["kept", "lead"]);
    });

    it("is deleted by key more than a request takes", async () => {
      const keys = Array.from({ length: 1_050 }, (_, i) => `k/${i}`);
      await restore([...keys, "kept"].map((key) => objectRecord(key)));
      await verifierFor().deleteKeys(
        scope,
        keys.map((key) => Buffer.from(key)),
      );
      expect(await heldKeys()).toEqual(["kept"]);
    }, 60_000);

    it("stays as versions when it is deleted in a bucket that has them", async () => {
      await withVersioning("Enabled");
      await put("extra");
      await verifierFor().deleteKeys(scope, [Buffer.from("extra")]);
      expect(await isThere("extra")).toBe(false);
      const { Versions = [] } = await bench.client.send(new ListObjectVersionsCommand({ Bucket: scope.target }));
      expect(Versions).toHaveLength(1);
    });
  });

  describe("the bucket itself", () => {
    it("is as the dump has it", async () => {
      expect(await verifierFor().settings(scope, HOW)).toMatchObject({ exists: true, differences: [] });
    });

    it("is not there", async () => {
      const absent = bucketScope(bench.uniqueName());
      expect(await verifierFor().settings(absent, HOW)).toEqual({ exists: false, differences: [], unproven: [] });
    });

    it.each([
      ["Enabled", undefined],
      ["Enabled", "Suspended"],
      ["Suspended", "Enabled"],
    ] as const)("has other versioning, which is mended: %s, not %s", async (versioning, held) => {
      if (held !== undefined) await withVersioning(held);
      const wanted = bucketScope(scope.name, { versioning });
      expect((await verifierFor().settings(wanted, HOW)).differences).toMatchObject([
        { kind: "setting", at: "versioning" },
      ]);
      expect(await verifierFor().mend(wanted)).toEqual([]);
      expect((await verifierFor().settings(wanted, HOW)).differences).toEqual([]);
    });

    it("may have versioning of which the dump says nothing", async () => {
      await withVersioning("Enabled");
      expect((await verifierFor().settings(scope, HOW)).differences).toEqual([]);
    });

    it("is public, which the dump's was not, and is mended", async () => {
      await replayerFor({ allowPublic: true }).create(bucketScope(scope.name, { acl: "public-read" }));
      expect((await verifierFor().settings(scope, HOW)).differences).toMatchObject([{ kind: "setting", at: "ACL" }]);
      expect(await verifierFor().mend(scope)).toEqual([]);
      expect((await verifierFor().settings(scope, HOW)).differences).toEqual([]);
    });

    it("is private where it may be public, and becomes public only where that is allowed", async () => {
      const wanted = bucketScope(scope.name, { acl: "public-read" });
      expect((await verifierFor().settings(wanted, HOW)).differences).toEqual([]);
      expect(await verifierFor().mend(wanted)).toEqual([]);
      const allowed = verifierFor({ allowPublic: true });
      expect((await allowed.settings(wanted, HOW)).differences).toMatchObject([{ kind: "setting", at: "ACL" }]);
      expect(await allowed.mend(wanted)).toEqual([]);
      expect((await allowed.settings(wanted, HOW)).differences).toEqual([]);
    });

    it("lacks the policy, which counts and is mended only where policies are set", async () => {
      const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject" };
      const Statement = [{ ...statement, Sid: "read", Resource: `arn:aws:s3:::${scope.target}/*` }];
      const wanted = bucketScope(scope.name, { policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
      expect((await verifierFor().settings(wanted, HOW)).differences).toEqual([]);
      expect(await verifierFor().mend(wanted)).toEqual([]);
      const applying = verifierFor({ applyPolicies: true });
      expect((await applying.settings(wanted, HOW)).differences).toMatchObject([{ kind: "setting", at: "policy" }]);
      expect(await applying.mend(wanted)).toEqual([]);
      expect((await applying.settings(wanted, HOW)).differences).toEqual([]);
    });

    it("is not compared where the dump does not tell its settings", async () => {
      const { settings: _none, ...bare } = scope;
      expect(await verifierFor().settings(bare, HOW)).toMatchObject({
        exists: true,
        differences: [],
        unproven: expect.arrayContaining([expect.stringContaining("the dump does not tell")]),
      });
    });
  });

  async function withVersioning(status: "Enabled" | "Suspended"): Promise<void> {
    const VersioningConfiguration = { Status: status };
    await bench.client.send(new PutBucketVersioningCommand({ Bucket: scope.target, VersioningConfiguration }));
  }
}
