/** What a write will come upon, told beforehand: the outcomes that the write then has, and nothing is changed by asking. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import type { WriteAction } from "../../../src/model/policy.js";
import type { ObjectRecord } from "../../../src/model/record.js";
import type { BucketScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { S3Target } from "../../../src/replayers/s3/replayer.js";
import {
  bucketScope,
  etagOfParts,
  MIB,
  md5,
  type ObjectInit,
  objectRecord,
  patterned,
} from "../../support/s3-records.js";
import type { S3Server } from "../../support/servers/s3.js";
import { s3Bench } from "../../support/servers/s3-bench.js";

const ACTIONS = ["put", "overwrite", "put-if-absent"] as const;

const SMALL = { body: "same", etag: md5("same"), metadata: { contentType: "text/plain", user: [["k", "ü"]] } } as const;
const LARGE_BODY = patterned(MIB + 1);
const LARGE = { ...SMALL, body: LARGE_BODY, etag: md5(LARGE_BODY) };
const PARTS_BODY = patterned(6 * MIB);
const PARTS = { ...SMALL, body: PARTS_BODY, etag: etagOfParts(PARTS_BODY, 5 * MIB) };

export function s3Foresee(server: S3Server): void {
  const bench = s3Bench(server);
  let scope: BucketScope;

  beforeEach(async () => {
    scope = bucketScope(bench.uniqueName());
    await bench.client.send(new CreateBucketCommand({ Bucket: scope.target }));
  });

  type Planning = Replayer<"s3"> & Required<Pick<Replayer<"s3">, "foresee" | "losses" | "remove">>;

  function replayerFor(action: WriteAction, options: Partial<S3Target> = {}): Planning {
    const replayer = bench.replayerFor(action, options, { maxRetryTimeMs: 30_000 });
    if (replayer.foresee === undefined || replayer.losses === undefined || replayer.remove === undefined) {
      throw new Error("it foresees nothing");
    }
    return replayer as Planning;
  }

  async function put(key: string, init: ObjectInit): Promise<void> {
    const [outcome] = await replayerFor("put").write(scope, [objectRecord(key, init)]);
    expect(outcome).toMatchObject({ kind: "restored" });
  }

  async function listed(): Promise<unknown> {
    const { Contents = [] } = await bench.client.send(new ListObjectsV2Command({ Bucket: scope.target }));
    return Contents.map(({ Key, ETag, LastModified }) => [Key, ETag, LastModified]);
  }

  /** Foresees and writes by processes that know nothing of one another. */
  async function bothWays(
    action: WriteAction,
    records: readonly ObjectRecord[],
    options: Partial<S3Target> = {},
  ): Promise<void> {
    const before = await listed();
    const foreseen = await replayerFor(action, options).foresee(scope, records, "keep");
    expect(await listed()).toEqual(before);
    expect(foreseen).toEqual(await replayerFor(action, options).write(scope, records));
  }

  describe.each(ACTIONS)("in a bucket that is kept, %s, what is foreseen is what comes", (action) => {
    it.each<[what: string, record: ObjectInit]>([
      ["a small object", SMALL],
      ["a larger one", LARGE],
      ["one in parts", PARTS],
    ])("of %s", async (_what, init) => {
      const body = Buffer.from(init.body as Buffer | string);
      body.writeUInt8(body.readUInt8(1) ^ 1, 1);
      const otherBytes = { ...init, body, etag: init === PARTS ? etagOfParts(body, 5 * MIB) : md5(body) };
      await put("equal", init);
      await put("other-bytes", otherBytes);
      await put("other-metadata", { ...init, metadata: { ...init.metadata, user: [["k", "u"]] } });
      await put("more-metadata", { ...init, metadata: { ...init.metadata, cacheControl: "no-store" } });
      await put("shorter", { body: "s" });
      const keys = ["equal", "other-bytes", "other-metadata", "more-metadata", "shorter", "absent"];
      await bothWays(
        action,
        keys.map((key) => objectRecord(key, init)),
      );
    });

    it("of ETags that change, and of those that do not", async () => {
      const body = patterned(6 * MIB);
      await bothWays(action, [
        objectRecord("none", { body: "x" }),
        objectRecord("another", { body: "x", etag: md5("y") }),
        objectRecord("upper", { body: "x", etag: md5("x").toUpperCase() }),
        objectRecord("unexplained", { body, etag: `${"0".repeat(32)}-2` }),
        objectRecord("one-part", { body, etag: etagOfParts(body, 6 * MIB) }),
        objectRecord("wrong-part", { body, etag: `${"0".repeat(32)}-1` }),
        objectRecord("opaque", { body: "x", etag: "something" }),
      ]);
    });

    it("of an ETag above the threshold for parts", async () => {
      const body = patterned(2 * MIB);
      const records = [objectRecord("a", { body, etag: md5(body) })];
      await bothWays(action, records, { multipartThresholdBytes: MIB });
    });

    it("of what the target cannot hold", async () => {
      const user = (...pairs: readonly (readonly [string, string])[]): ObjectInit => ({ metadata: { user: pairs } });
      const records = [
        ...["", "/lead", "a//b", "x/./y", "x/../y", "..", "dir__XLDIR__", "lone\ud800", "back\\slash"].map((key) =>
          objectRecord(key),
        ),
        objectRecord("case", user(["A", "1"], ["a", "2"])),
        objectRecord("name", user(["a b", "1"])),
        objectRecord("break", user(["a", "1\r\n"])),
        objectRecord("tab", user(["a", "1\t2"])),
        objectRecord("edge", user(["a", " 1"])),
        objectRecord("size", user(["a", "v".repeat(2_048)])),
        objectRecord("wide", user(["a", "ü\u3000ü"])),
        objectRecord("header", { metadata: { user: [], contentDisposition: 'attachment; filename="ü"' } }),
        objectRecord("chunked", { metadata: { user: [], contentEncoding: "aws-chunked" } }),
        objectRecord("fine"),
      ];
      await bothWays(action, records);
    });
  });

  describe.each(["create", "empty"] as const)("in a bucket that a run will %s", (takeover) => {
    it("nothing counts that stands there now", async () => {
      for (const key of ["equal", "other"]) await put(key, key === "equal" ? SMALL : { body: "theirs" });
      const records = ["equal", "other", "absent"].map((key) => objectRecord(key, SMALL));
      for (const action of ACTIONS) {
        expect(await replayerFor(action).foresee(scope, records, takeover)).toEqual([
          { kind: "restored" },
          { kind: "restored" },
          { kind: "restored" },
        ]);
      }
    });

    it("what cannot be held is foreseen", async () => {
      const records = [objectRecord("a//b"), objectRecord("case", { metadata: { user: [["a b", "1"]] } })];
      expect(await replayerFor("put").foresee(bucketScope(bench.uniqueName()), records, takeover)).toMatchObject([
        { kind: "rejected", reason: "key-refused" },
        { kind: "rejected", reason: "metadata-name" },
      ]);
    });
  });

  describe("what emptying takes away beside the objects", () => {
    it("is nothing in a plain bucket", async () => {
      await put("a", SMALL);
      expect(await replayerFor("put").losses(scope)).toEqual([]);
    });

    it("is versions and delete markers, counted", async () => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await bench.client.send(new PutBucketVersioningCommand({ Bucket: scope.target, VersioningConfiguration }));
      for (const key of ["a", "a", "a", "b", "c"]) await put(key, SMALL);
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "b" }));
      // Two of `a`, one of `b`, and its marker.
      expect(await replayerFor("put").losses(scope)).toEqual(["4 earlier versions and delete markers"]);
    });

    it("is pending uploads, counted", async () => {
      for (const key of ["a", "b/ü"]) {
        await bench.client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: key }));
      }
      expect(await replayerFor("put").losses(scope)).toEqual([
        "2 pending uploads in parts, with the parts sent so far",
      ]);
    });
  });

  describe("removing a bucket", () => {
    it("takes all that it holds, and does so again", async () => {
      for (const key of ["path/to", "path/to/obj", "dir/", "ünï", "a b+c"]) await put(key, SMALL);
      await replayerFor("put").remove(scope);
      await expect(bench.client.send(new HeadBucketCommand({ Bucket: scope.target }))).rejects.toThrow();
      await replayerFor("put").remove(scope);
    });

    it("takes versions and pending uploads", async () => {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await bench.client.send(new PutBucketVersioningCommand({ Bucket: scope.target, VersioningConfiguration }));
      for (const key of ["a", "a", "b"]) await put(key, SMALL);
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "b" }));
      await bench.client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: "pending" }));
      await replayerFor("put").remove(scope);
      await expect(bench.client.send(new HeadBucketCommand({ Bucket: scope.target }))).rejects.toThrow();
    });

    it("leaves other buckets alone", async () => {
      const other = bench.uniqueName();
      await bench.client.send(new CreateBucketCommand({ Bucket: other }));
      await bench.client.send(new PutObjectCommand({ Bucket: other, Key: "theirs", Body: "x" }));
      await replayerFor("put").remove(scope);
      const { KeyCount } = await bench.client.send(new ListObjectsV2Command({ Bucket: other }));
      expect(KeyCount).toBe(1);
    });
  });
}
