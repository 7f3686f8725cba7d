/** Objects: their bytes, metadata, keys and ETags, and what stands there already. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
} from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { RestoreError } from "../../../src/errors/restore-error.js";
import type { WriteAction } from "../../../src/model/policy.js";
import type { Content } from "../../../src/model/record.js";
import type { BucketScope } from "../../../src/model/scope.js";
import type { Replayer } from "../../../src/replayers/replayer.js";
import type { S3Target } from "../../../src/replayers/s3/replayer.js";
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

export function s3Objects(server: S3Server): void {
  const bench = s3Bench(server);
  let scope: BucketScope;

  beforeEach(async () => {
    scope = bucketScope(bench.uniqueName());
    await bench.client.send(new CreateBucketCommand({ Bucket: scope.target }));
  });

  function replayerFor(action: WriteAction, options: Partial<S3Target> = {}): Replayer<"s3"> {
    return bench.replayerFor(action, options, { maxRetryTimeMs: 1_000 });
  }

  async function write(action: WriteAction, key: string, init: ObjectInit = {}, options: Partial<S3Target> = {}) {
    const [outcome] = await replayerFor(action, options).write(scope, [objectRecord(key, init)]);
    return outcome;
  }

  /** Undefined when nothing stands under the key. */
  async function held(key: string) {
    try {
      const answer = await bench.client.send(new GetObjectCommand({ Bucket: scope.target, Key: key }));
      const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      return { ...answer, body, etag: answer.ETag?.replaceAll('"', "") };
    } catch {
      return undefined;
    }
  }

  async function pendingUploads(): Promise<number> {
    // It lists none: there only the rest of what these tests say is looked at.
    if (server.isElastickv === true) return 0;
    return (await bench.client.send(new ListMultipartUploadsCommand({ Bucket: scope.target }))).Uploads?.length ?? 0;
  }

  const ALL = ["put", "overwrite", "put-if-absent"] as const;

  describe.each(ALL)("an object that the bucket lacks, %s", (action) => {
    it("is written with its bytes", async () => {
      const body = patterned(3 * MIB + 17);
      expect(await write(action, "a/b", { body, etag: md5(body) })).toEqual({ kind: "restored" });
      const object = await held("a/b");
      expect(object?.body.equals(body)).toBe(true);
      expect(object?.etag).toBe(md5(body));
    });

    it("is written in parts that give its ETag", async () => {
      const body = patterned(11 * MIB + 5);
      const etag = etagOfParts(body, 5 * MIB);
      expect(await write(action, "parts", { body, etag })).toEqual({ kind: "restored" });
      const object = await held("parts");
      expect(object?.etag).toBe(etag);
      expect(object?.body.equals(body)).toBe(true);
      expect(await pendingUploads()).toBe(0);
    });

    it("may be empty", async () => {
      expect(await write(action, "empty", { etag: md5("") })).toEqual({ kind: "restored" });
      expect(await held("empty")).toMatchObject({ etag: md5(""), ContentLength: 0 });
    });
  });

  describe("an object that the bucket has", () => {
    it.each(["put", "overwrite"] as const)("%s replaces it whole", async (action) => {
      await write("put", "a", { body: "theirs", metadata: { contentType: "text/old", user: [["old", "1"]] } });
      expect(await write(action, "a", { body: "ours", metadata: { user: [["new", "2"]] } })).toEqual({
        kind: "restored",
      });
      const object = await held("a");
      expect(object?.body.toString()).toBe("ours");
      expect(object).toMatchObject({ Metadata: { new: "2" }, ContentType: expect.not.stringContaining("text/old") });
    });

    it.each([
      ["small", Buffer.from("ours")],
      ["larger", patterned(MIB)],
    ])("skip-existing leaves a differing %s one untouched", async (_size, body) => {
      await write("put", "a", { body: "theirs" });
      expect(await write("put-if-absent", "a", { body })).toEqual({ kind: "skipped-existing", reason: "exists" });
      expect((await held("a"))?.body.toString()).toBe("theirs");
    });

    it("skip-existing leaves it untouched where parts would be sent", async () => {
      await write("put", "a", { body: "theirs" });
      const body = patterned(6 * MIB);
      const etag = etagOfParts(body, 5 * MIB);
      expect(await write("put-if-absent", "a", { body, etag })).toEqual({ kind: "skipped-existing", reason: "exists" });
      expect((await held("a"))?.body.toString()).toBe("theirs");
      expect(await pendingUploads()).toBe(0);
    });

    it("merge does not send an equal one again", async () => {
      const init = {
        body: "same",
        etag: md5("same"),
        metadata: { contentType: "text/plain", user: [["k", "ü"]] },
      } as const;
      await write("put", "a", init);
      const before = (await held("a"))?.LastModified;
      const replayer = replayerFor("overwrite");
      await replayer.probe();
      const requests = replayer.stats.requests;
      expect(await replayer.write(scope, [objectRecord("a", init)])).toEqual([
        { kind: "restored", reason: "already-equal" },
      ]);
      expect(replayer.stats.requests - requests).toBe(1);
      expect((await held("a"))?.LastModified).toEqual(before);
    });

    it("merge does not send an equal one in parts again", async () => {
      const body = patterned(12 * MIB);
      const init = { body, etag: etagOfParts(body, 8 * MIB) };
      await write("put", "a", init);
      expect(await write("overwrite", "a", init)).toEqual({ kind: "restored", reason: "already-equal" });
    });

    it("merge sends one again whose metadata differ", async () => {
      await write("put", "a", { body: "same", metadata: { user: [["k", "old"]] } });
      expect(await write("overwrite", "a", { body: "same", metadata: { user: [["k", "new"]] } })).toEqual({
        kind: "restored",
      });
      expect(await held("a")).toMatchObject({ Metadata: { k: "new" } });
    });

    it("merge sends one again whose ETag in the dump is not that of its bytes", async () => {
      await write("put", "a", { body: "old!" });
      expect(await write("overwrite", "a", { body: "new!", etag: md5("old!") })).toMatchObject({ kind: "restored" });
      expect((await held("a"))?.body.toString()).toBe("new!");
    });
  });

  describe("metadata", () => {
    it("arrive as they were", async () => {
      const metadata = {
        contentType: "text/plain; charset=utf-8",
        contentEncoding: "gzip",
        cacheControl: "max-age=60",
        contentDisposition: 'attachment; filename="a.txt"',
        user: [
          ["plain", "value"],
          ["empty", ""],
          ["two", "a  b"],
          ["__proto__", "kept"],
          ["constructor", "kept too"],
          ["words", "=?UTF-8?B?w7w=?="],
        ],
      } as const;
      expect(await write("put", "a", { body: "x", metadata })).toEqual({ kind: "restored" });
      expect(await write("overwrite", "a", { body: "x", metadata })).toMatchObject({ reason: "already-equal" });
      const answer = await rawHeaders("a");
      expect(answer.get("content-type")).toBe(metadata.contentType);
      expect(answer.get("content-encoding")).toBe("gzip");
      expect(answer.get("cache-control")).toBe("max-age=60");
      expect(answer.get("content-disposition")).toBe('attachment; filename="a.txt"');
      for (const [name, value] of metadata.user) expect(answer.get(`x-amz-meta-${name}`)).toBe(value);
    });

    it("arrive as they were with an upload in parts", async () => {
      const body = patterned(6 * MIB);
      const metadata = { cacheControl: "no-store", contentEncoding: "br", user: [["k", "v"]] } as const;
      await write("put", "a", { body, etag: etagOfParts(body, 5 * MIB), metadata });
      const answer = await held("a");
      expect(answer).toMatchObject({ CacheControl: "no-store", ContentEncoding: "br", Metadata: { k: "v" } });
    });

    it("hold the same text outside ASCII", async () => {
      const metadata = {
        contentDisposition: 'attachment; filename="ü ファイル"',
        user: [["k", "ü ファイル 😀"]],
      } as const;
      expect(await write("put", "a", { body: "x", metadata })).toEqual({ kind: "restored" });
      expect(await write("overwrite", "a", { body: "x", metadata })).toMatchObject({ reason: "already-equal" });
      const answer = await rawHeaders("a");
      expect(Buffer.from(answer.get("content-disposition") ?? "", "latin1").toString()).toBe(
        metadata.contentDisposition,
      );
      expect(answer.get("x-amz-meta-k")).toBe("=?UTF-8?q?=C3=BC_=E3=83=95=E3=82=A1=E3=82=A4=E3=83=AB_=F0=9F=98=80?=");
    });

    it("get no content type where the dump has none", async () => {
      await write("put", "a", { body: "x" });
      expect((await held("a"))?.ContentType).toBe("binary/octet-stream");
    });

    it.each([
      [
        "names that differ by case",
        [
          ["A", "1"],
          ["a", "2"],
        ],
        "metadata-name",
      ],
      ["a name that no header can have", [["a b", "1"]], "metadata-name"],
      ["a line break", [["a", "1\r\nx-amz-meta-b: 2"]], "metadata-value"],
      ["white space at an end", [["a", " 1"]], "metadata-value"],
      ["more than 2 KB", [["a", "v".repeat(2_048)]], "metadata-too-large"],
    ] as const)("with %s are rejected and the object that stands there stays", async (_what, user, reason) => {
      await write("put", "a", { body: "theirs" });
      expect(await write("put", "a", { body: "ours", metadata: { user } })).toMatchObject({ kind: "rejected", reason });
      expect((await held("a"))?.body.toString()).toBe("theirs");
    });

    /** The headers of the answer as they came, names in lower case. */
    async function rawHeaders(key: string): Promise<Map<string, string>> {
      const command = new HeadObjectCommand({ Bucket: scope.target, Key: key });
      let headers: Record<string, string> = {};
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          headers = (result.response as { headers: Record<string, string> }).headers;
          return result;
        },
        { step: "deserialize", priority: "low" },
      );
      await bench.client.send(command);
      return new Map(Object.entries(headers));
    }
  });

  describe("keys", () => {
    it.each([
      "ünï/ファイル",
      "a b+c&=?",
      "dir/",
      "k#f%20%",
      "back\\slash",
      "~!@$^*()'\"<>|",
      "tab\there",
      "ctl\u0001",
      "y/".concat("z".repeat(255)),
    ])("%j arrives under its own name", async (key) => {
      expect(await write("put", key, { body: key })).toEqual({ kind: "restored" });
      expect((await held(key))?.body.toString()).toBe(key);
    });

    it("below another key stand beside it", async () => {
      await write("put", "path/to", { body: "upper" });
      await write("put", "path/to/obj", { body: "lower" });
      expect((await held("path/to"))?.body.toString()).toBe("upper");
      expect((await held("path/to/obj"))?.body.toString()).toBe("lower");
    });

    it.each([
      ["/lead", "key-rewritten"],
      ["a//b", "key-refused"],
      ["x/./y", "key-refused"],
      ["x/../y", "key-refused"],
      ["..", "key-refused"],
      ["z".repeat(256), "key-refused"],
      ["long/".repeat(210), "key-too-long"],
      ["", "key-refused"],
      ["lone\ud800", "key-refused"],
    ])("%j is rejected and no other object is overwritten", async (key, reason) => {
      for (const other of ["lead", "a/b", "x/y", "y"]) await write("put", other, { body: "theirs" });
      expect(await write("put", key, { body: "ours" })).toMatchObject({ kind: "rejected", reason });
      for (const other of ["lead", "a/b", "x/y", "y"]) expect((await held(other))?.body.toString()).toBe("theirs");
    });
  });

  describe("an ETag", () => {
    it.each([
      ["5 MiB", 5 * MIB, 17 * MIB],
      ["8 MiB", 8 * MIB, 17 * MIB],
      ["7 MiB", 7 * MIB, 17 * MIB],
      ["one part", 6 * MIB, 6 * MIB],
      ["one small part", 6 * MIB, 10],
      ["three equal thirds", 6 * MIB + 1, 18 * MIB + 3],
    ])("of parts of %s comes out the same", async (_what, partBytes, size) => {
      const body = patterned(size);
      const etag = etagOfParts(body, partBytes);
      expect(await write("put", "a", { body, etag })).toEqual({ kind: "restored" });
      expect((await held("a"))?.etag).toBe(etag);
    });

    it("that no equal parts explain changes and is noted", async () => {
      const body = patterned(11 * MIB);
      const etag = `${"0".repeat(32)}-2`;
      expect(await write("put", "a", { body, etag })).toMatchObject({
        kind: "restored",
        notes: [{ kind: "etag-changed" }],
      });
      expect((await held("a"))?.body.equals(body)).toBe(true);
    });

    it("that is an MD5 changes above the threshold and is noted", async () => {
      const body = patterned(2 * MIB);
      const outcome = await write("put", "a", { body, etag: md5(body) }, { multipartThresholdBytes: MIB });
      expect(outcome).toMatchObject({ kind: "restored", notes: [{ kind: "etag-changed" }] });
      expect((await held("a"))?.etag).toMatch(/-1$/);
    });

    it("that is an MD5 stays above the threshold where it is to be kept", async () => {
      const body = patterned(2 * MIB);
      const options = { multipartThresholdBytes: MIB, keepEtag: true };
      expect(await write("put", "a", { body, etag: md5(body) }, options)).toEqual({ kind: "restored" });
      expect((await held("a"))?.etag).toBe(md5(body));
    });
  });

  describe("content that is not what was checked", () => {
    const wrong = "0".repeat(64);

    it.each([10, 3 * MIB])("is refused by the server itself, at %i bytes", async (size) => {
      const outcome = await write("put", "a", { body: bufferContent(patterned(size), wrong) });
      expect(outcome).toMatchObject({ kind: "failed", detail: expect.stringContaining("SHA256Mismatch") });
      expect(await held("a")).toBeUndefined();
    });

    it.each(["one piece", "parts"])("ends the upload in %s and the record fails", async (how) => {
      const bytes = patterned(12 * MIB);
      const etag = how === "parts" ? etagOfParts(bytes, 5 * MIB) : md5(bytes);
      await write("put", "a", { body: "theirs" });
      const outcome = await write("put", "a", { body: changing(bytes, 7 * MIB), etag });
      expect(outcome).toMatchObject({ kind: "failed", reason: "changed-after-check" });
      expect((await held("a"))?.body.toString()).toBe("theirs");
      expect(await pendingUploads()).toBe(0);
    });

    it("fails alone in its batch", async () => {
      const bytes = patterned(2 * MIB);
      const batch = [
        objectRecord("a", { body: "a" }),
        objectRecord("b", { body: changing(bytes, MIB) }),
        objectRecord("c"),
      ];
      const outcomes = await replayerFor("put").write(scope, batch);
      expect(outcomes.map(({ kind }) => kind)).toEqual(["restored", "failed", "restored"]);
    });

    /** Fails in the block at `failAt`, when it is read to be sent. */
    function changing(bytes: Buffer, failAt: number): Content {
      const whole = bufferContent(bytes);
      return {
        ...whole,
        async *blocks(range) {
          let at = range?.start ?? 0;
          for await (const block of whole.blocks(range)) {
            if (at <= failAt && failAt < at + block.length) {
              throw new RestoreError("CHANGED_AFTER_CHECK", "it changed", { reason: "changed-after-check" });
            }
            at += block.length;
            yield block;
          }
        },
      };
    }
  });
}
