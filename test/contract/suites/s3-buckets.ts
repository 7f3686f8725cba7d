/** Buckets: what is found, made, emptied and kept. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { bucketScope, noRecords, objectRecord, recordsOf } from "../../support/s3-records.js";
import type { S3Server } from "../../support/servers/s3.js";
import { s3Bench } from "../../support/servers/s3-bench.js";

export function s3Buckets(server: S3Server): void {
  const bench = s3Bench(server);

  async function existing(name = bench.uniqueName()): Promise<string> {
    await bench.client.send(new CreateBucketCommand({ Bucket: name }));
    return name;
  }

  async function put(bucket: string, key: string, body = "theirs"): Promise<void> {
    await bench.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  }

  async function withVersions(bucket: string): Promise<void> {
    await bench.client.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
  }

  async function leftIn(bucket: string) {
    if (server.isElastickv === true) return await listedIn(bucket);
    const { Versions = [], DeleteMarkers = [] } = await bench.client.send(
      new ListObjectVersionsCommand({ Bucket: bucket }),
    );
    const { Uploads = [] } = await bench.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return { versions: Versions.length, markers: DeleteMarkers.length, uploads: Uploads.length };
  }

  /** Of a server that has no versions and lists no pending uploads. */
  async function listedIn(bucket: string) {
    const { KeyCount = 0 } = await bench.client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return { versions: KeyCount, markers: 0, uploads: 0 };
  }

  describe("the probe", () => {
    it("names the server and finds no way round needed", async () => {
      const capabilities = await bench.replayerFor("put").probe();
      expect(capabilities).toMatchObject({ server: "S3 (MinIO)", canCount: true, fallbacks: [] });
    });

    it("says that credentials are wrong", async () => {
      const replayer = bench.replayerFor("put", { credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" } });
      await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
    });

    it("says that a secret is wrong", async () => {
      const accessKeyId = bench.server.credentials?.accessKeyId ?? "";
      const replayer = bench.replayerFor("put", { credentials: { accessKeyId, secretAccessKey: "nothing" } });
      await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
    });

    it("says that nobody answers", async () => {
      const replayer = bench.replayerFor("put", { endpoint: { url: "http://127.0.0.1:9" } }, { maxRetryTimeMs: 100 });
      await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
    });
  });

  describe("inspecting a bucket", () => {
    it("finds one that is absent", async () => {
      expect(await bench.replayerFor("put").inspect(bucketScope(bench.uniqueName()), noRecords)).toMatchObject({
        presence: "absent",
      });
    });

    it("finds one that is empty", async () => {
      const scope = bucketScope(await existing());
      expect(await bench.replayerFor("put").inspect(scope, noRecords)).toMatchObject({ presence: "empty" });
    });

    it("counts the objects of one that holds some", async () => {
      const scope = bucketScope(await existing());
      await put(scope.target, "a");
      await put(scope.target, "b/c");
      const state = await bench.replayerFor("put").inspect(scope, noRecords);
      expect(state).toMatchObject({ presence: "holds-records", count: { value: 2, exact: false } });
    });

    it("takes one with nothing but a delete marker for one that holds records", async () => {
      const scope = bucketScope(await existing());
      await withVersions(scope.target);
      const { VersionId } = await bench.client.send(
        new PutObjectCommand({ Bucket: scope.target, Key: "gone", Body: "x" }),
      );
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "gone" }));
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "gone", VersionId }));
      expect(await leftIn(scope.target)).toMatchObject({ versions: 0, markers: 1 });
      expect(await bench.replayerFor("put").inspect(scope, noRecords)).toMatchObject({ presence: "holds-records" });
    });

    it("asks for the dump's own keys in one that lists nothing, and finds none", async () => {
      const scope = bucketScope(await existing());
      const own = () => recordsOf(objectRecord("path/to/obj"), objectRecord("a//b"), objectRecord("plain"));
      expect(await bench.replayerFor("put").inspect(scope, own)).toMatchObject({ presence: "empty" });
    });

    it("cannot be replaced where its versions may be locked, for emptying it could end half-way", async () => {
      const name = bench.uniqueName();
      await bench.client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
      expect((await bench.replayerFor("put").inspect(bucketScope(name), noRecords)).unmakeable).toMatchObject({
        why: expect.stringContaining("Object Lock"),
        hint: expect.stringContaining("--mode merge"),
      });
      expect(
        (await bench.replayerFor("put").inspect(bucketScope(await existing()), noRecords)).unmakeable,
      ).toBeUndefined();
    });

    it.each(["UP_CASE", "ab", "a..b", "192.168.1.1", "-lead", "x".repeat(64)])(
      "says that no bucket can be called %s, and how to rename it",
      async (name) => {
        await expect(bench.replayerFor("put").inspect(bucketScope(name), noRecords)).rejects.toMatchObject({
          code: "TARGET_SCOPE_IMPOSSIBLE",
          hint: expect.stringContaining(`--rename s3:${name}=`),
        });
      },
    );
  });

  describe("creating a bucket", () => {
    it("makes a private one, and again", async () => {
      const scope = bucketScope(bench.uniqueName());
      expect(await bench.replayerFor("put").create(scope)).toEqual({ warnings: [] });
      expect(await bench.replayerFor("put").create(scope)).toEqual({ warnings: [] });
      await bench.client.send(new HeadBucketCommand({ Bucket: scope.target }));
    });

    it.each(["Enabled", "Suspended"] as const)("sets versioning to %s", async (versioning) => {
      const scope = bucketScope(bench.uniqueName(), { versioning });
      expect(await bench.replayerFor("put").create(scope)).toEqual({ warnings: [] });
      const { Status } = await bench.client.send(new GetBucketVersioningCommand({ Bucket: scope.target }));
      expect(Status).toBe(versioning);
    });

    it("leaves a public bucket private unless it is allowed, and says so", async () => {
      const scope = bucketScope(bench.uniqueName(), { acl: "public-read" });
      expect((await bench.replayerFor("put").create(scope)).warnings).toEqual([
        expect.stringContaining("--allow-public"),
      ]);
      const { Grants = [] } = await bench.client.send(new GetBucketAclCommand({ Bucket: scope.target }));
      expect(Grants).toHaveLength(1);
    });

    it("says that a public ACL could not be set where it is allowed", async () => {
      const scope = bucketScope(bench.uniqueName(), { acl: "public-read" });
      const { warnings } = await bench.replayerFor("put", { allowPublic: true }).create(scope);
      expect(warnings).toEqual([expect.stringContaining("public-read could not be set")]);
    });

    it("leaves a policy out unless it is asked for", async () => {
      const policy = (bucket: string) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { AWS: ["*"] },
              Action: ["s3:GetObject"],
              Resource: [`arn:aws:s3:::${bucket}/*`],
            },
          ],
        });
      const without = bucketScope(bench.uniqueName(), { policy: policy("x") });
      expect((await bench.replayerFor("put").create(without)).warnings).toEqual([
        expect.stringContaining("--apply-policies"),
      ]);
      const name = bench.uniqueName();
      const applied = await bench
        .replayerFor("put", { applyPolicies: true })
        .create(bucketScope(name, { policy: policy(name) }));
      expect(applied.warnings).toEqual([]);
      await put(name, "seen");
      expect((await fetch(`${bench.server.endpoint}/${name}/seen`)).status).toBe(200);
    });
  });

  describe("emptying a bucket", () => {
    it("deletes objects, also those that others hide, and keeps the bucket", async () => {
      const name = await existing();
      for (const key of ["path/to", "path/to/obj", "path/to/obj/deeper", "ünï/ファイル", "a b+c&=?", "dir/"]) {
        await put(name, key);
      }
      expect(await bench.replayerFor("put").empty(bucketScope(name))).toEqual({ warnings: [] });
      expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
      const own = () => recordsOf(objectRecord("path/to/obj"), objectRecord("path/to/obj/deeper"));
      expect(await bench.replayerFor("put").inspect(bucketScope(name), own)).toMatchObject({ presence: "empty" });
    });

    it("deletes keys that no request in XML can name", async () => {
      const name = await existing();
      for (const key of ["\u0013", "a/\u0001\u001f", "a/\uffff", "plain", "line\r\n"]) await put(name, key);
      await bench.replayerFor("put").empty(bucketScope(name));
      expect(await bench.replayerFor("put").inspect(bucketScope(name), noRecords)).toMatchObject({ presence: "empty" });
    });

    it("deletes versions, delete markers and pending uploads", async () => {
      const name = await existing();
      await withVersions(name);
      await put(name, "a");
      await put(name, "a");
      await bench.client.send(new DeleteObjectCommand({ Bucket: name, Key: "a" }));
      await bench.client.send(new CreateMultipartUploadCommand({ Bucket: name, Key: "pending/ü" }));
      await bench.replayerFor("put").empty(bucketScope(name, { versioning: "Suspended" }));
      expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
      const { Status } = await bench.client.send(new GetBucketVersioningCommand({ Bucket: name }));
      expect(Status).toBe("Suspended");
    });

    it("deletes more than a listing shows at once", async () => {
      const name = await existing();
      const replayer = bench.replayerFor("put");
      const records = Array.from({ length: 1_050 }, (_, i) => objectRecord(`k/${i}`));
      await replayer.write(bucketScope(name), records);
      await replayer.empty(bucketScope(name));
      expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
    }, 60_000);
  });

  describe("keeping a bucket", () => {
    it("says how its settings differ and changes nothing", async () => {
      const name = await existing();
      const replayer = bench.replayerFor("put");
      const scope = bucketScope(name, { acl: "public-read", versioning: "Enabled" });
      const { warnings } = await replayer.keep(scope, await replayer.inspect(scope, noRecords));
      expect(warnings).toEqual([
        "kept as it is: it is private here",
        "kept as it is: versioning is off here, was Enabled",
      ]);
      const { Status } = await bench.client.send(new GetBucketVersioningCommand({ Bucket: name }));
      expect(Status).toBeUndefined();
    });
  });
}
