import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/model/policy.js";
import type { Replayer } from "../../src/replayers/replayer.js";
import { createS3Replayer, type S3Target } from "../../src/replayers/s3/replayer.js";
import { startMinio } from "../../testcontainers/minio.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { contextFor } from "../support/replayer-context.js";
import { bucketScope, noRecords, objectRecord, plainClient, recordsOf } from "../support/s3-records.js";

let server: RunningServer;
let client: S3Client;
const open: Replayer<"s3">[] = [];
let buckets = 0;

beforeAll(async () => {
  server = await startMinio();
  client = plainClient(server);
}, 300_000);
afterAll(async () => {
  client?.destroy();
  await server?.stop();
});
afterEach(async () => {
  for (const replayer of open.splice(0)) await replayer.close();
});

function replayerFor(action: WriteAction = "put", options: Partial<S3Target> = {}): Replayer<"s3"> {
  const credentials = server.credentials ?? { accessKeyId: "none", secretAccessKey: "none" };
  const replayer = createS3Replayer(
    { endpoint: { url: server.endpoint }, credentials, ...options },
    contextFor(action),
  );
  open.push(replayer);
  return replayer;
}

function newName(): string {
  return `scope-${process.pid}-${++buckets}`;
}

async function existing(name = newName()): Promise<string> {
  await client.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

async function put(bucket: string, key: string, body = "theirs"): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

async function withVersions(bucket: string): Promise<void> {
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
}

async function leftIn(bucket: string) {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return { versions: Versions.length, markers: DeleteMarkers.length, uploads: Uploads.length };
}

describe("the probe", () => {
  it("names the server and finds no way round needed", async () => {
    const capabilities = await replayerFor().probe();
    expect(capabilities).toMatchObject({ server: "S3 (MinIO)", canCount: true, fallbacks: [] });
  });

  it("says that credentials are wrong", async () => {
    const replayer = replayerFor("put", { credentials: { accessKeyId: "nobody", secretAccessKey: "nothing" } });
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });

  it("says that a secret is wrong", async () => {
    const accessKeyId = server.credentials?.accessKeyId ?? "";
    const replayer = replayerFor("put", { credentials: { accessKeyId, secretAccessKey: "nothing" } });
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });

  it("says that nobody answers", async () => {
    const replayer = createS3Replayer(
      { endpoint: { url: "http://127.0.0.1:9" }, credentials: { accessKeyId: "a", secretAccessKey: "b" } },
      contextFor("put", { maxRetryTimeMs: 100 }),
    );
    open.push(replayer);
    await expect(replayer.probe()).rejects.toMatchObject({ code: "TARGET_UNREACHABLE" });
  });
});

describe("inspecting a bucket", () => {
  it("finds one that is absent", async () => {
    expect(await replayerFor().inspect(bucketScope(newName()), noRecords)).toMatchObject({ presence: "absent" });
  });

  it("finds one that is empty", async () => {
    const scope = bucketScope(await existing());
    expect(await replayerFor().inspect(scope, noRecords)).toMatchObject({ presence: "empty" });
  });

  it("counts the objects of one that holds some", async () => {
    const scope = bucketScope(await existing());
    await put(scope.target, "a");
    await put(scope.target, "b/c");
    const state = await replayerFor().inspect(scope, noRecords);
    expect(state).toMatchObject({ presence: "holds-records", count: { value: 2, exact: false } });
  });

  it("takes one with nothing but a delete marker for one that holds records", async () => {
    const scope = bucketScope(await existing());
    await withVersions(scope.target);
    const { VersionId } = await client.send(new PutObjectCommand({ Bucket: scope.target, Key: "gone", Body: "x" }));
    await client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "gone" }));
    await client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: "gone", VersionId }));
    expect(await leftIn(scope.target)).toMatchObject({ versions: 0, markers: 1 });
    expect(await replayerFor().inspect(scope, noRecords)).toMatchObject({ presence: "holds-records" });
  });

  it("asks for the dump's own keys in one that lists nothing, and finds none", async () => {
    const scope = bucketScope(await existing());
    const own = () => recordsOf(objectRecord("path/to/obj"), objectRecord("a//b"), objectRecord("plain"));
    expect(await replayerFor().inspect(scope, own)).toMatchObject({ presence: "empty" });
  });

  it.each(["UP_CASE", "ab", "a..b", "192.168.1.1", "-lead", "x".repeat(64)])(
    "says that no bucket can be called %s, and how to rename it",
    async (name) => {
      await expect(replayerFor().inspect(bucketScope(name), noRecords)).rejects.toMatchObject({
        code: "TARGET_SCOPE_IMPOSSIBLE",
        hint: expect.stringContaining(`--rename s3:${name}=`),
      });
    },
  );
});

describe("creating a bucket", () => {
  it("makes a private one, and again", async () => {
    const scope = bucketScope(newName());
    expect(await replayerFor().create(scope)).toEqual({ warnings: [] });
    expect(await replayerFor().create(scope)).toEqual({ warnings: [] });
    await client.send(new HeadBucketCommand({ Bucket: scope.target }));
  });

  it.each(["Enabled", "Suspended"] as const)("sets versioning to %s", async (versioning) => {
    const scope = bucketScope(newName(), { versioning });
    expect(await replayerFor().create(scope)).toEqual({ warnings: [] });
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: scope.target }));
    expect(Status).toBe(versioning);
  });

  it("leaves a public bucket private unless it is allowed, and says so", async () => {
    const scope = bucketScope(newName(), { acl: "public-read" });
    expect((await replayerFor().create(scope)).warnings).toEqual([expect.stringContaining("--allow-public")]);
    const { Grants = [] } = await client.send(new GetBucketAclCommand({ Bucket: scope.target }));
    expect(Grants).toHaveLength(1);
  });

  it("says that MinIO knows no public ACL where it is allowed", async () => {
    const scope = bucketScope(newName(), { acl: "public-read" });
    const { warnings } = await replayerFor("put", { allowPublic: true }).create(scope);
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
    const without = bucketScope(newName(), { policy: policy("x") });
    expect((await replayerFor().create(without)).warnings).toEqual([expect.stringContaining("--apply-policies")]);
    const name = newName();
    const applied = await replayerFor("put", { applyPolicies: true }).create(
      bucketScope(name, { policy: policy(name) }),
    );
    expect(applied.warnings).toEqual([]);
    await put(name, "seen");
    expect((await fetch(`${server.endpoint}/${name}/seen`)).status).toBe(200);
  });
});

describe("emptying a bucket", () => {
  it("deletes objects, also those that others hide, and keeps the bucket", async () => {
    const name = await existing();
    for (const key of ["path/to", "path/to/obj", "path/to/obj/deeper", "ünï/ファイル", "a b+c&=?", "dir/"]) {
      await put(name, key);
    }
    expect(await replayerFor().empty(bucketScope(name))).toEqual({ warnings: [] });
    expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
    const own = () => recordsOf(objectRecord("path/to/obj"), objectRecord("path/to/obj/deeper"));
    expect(await replayerFor().inspect(bucketScope(name), own)).toMatchObject({ presence: "empty" });
  });

  it("deletes keys that no request in XML can name", async () => {
    const name = await existing();
    for (const key of ["\u0013", "a/\u0001\u001f", "a/\uffff", "plain", "line\r\n"]) await put(name, key);
    await replayerFor().empty(bucketScope(name));
    expect(await replayerFor().inspect(bucketScope(name), noRecords)).toMatchObject({ presence: "empty" });
  });

  it("deletes versions, delete markers and pending uploads", async () => {
    const name = await existing();
    await withVersions(name);
    await put(name, "a");
    await put(name, "a");
    await client.send(new DeleteObjectCommand({ Bucket: name, Key: "a" }));
    await client.send(new CreateMultipartUploadCommand({ Bucket: name, Key: "pending/ü" }));
    await replayerFor().empty(bucketScope(name, { versioning: "Suspended" }));
    expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: name }));
    expect(Status).toBe("Suspended");
  });

  it("deletes more than a listing shows at once", async () => {
    const name = await existing();
    const replayer = replayerFor();
    const records = Array.from({ length: 1_050 }, (_, i) => objectRecord(`k/${i}`));
    await replayer.write(bucketScope(name), records);
    await replayer.empty(bucketScope(name));
    expect(await leftIn(name)).toEqual({ versions: 0, markers: 0, uploads: 0 });
  }, 60_000);
});

describe("keeping a bucket", () => {
  it("says how its settings differ and changes nothing", async () => {
    const name = await existing();
    const replayer = replayerFor();
    const scope = bucketScope(name, { acl: "public-read", versioning: "Enabled" });
    const { warnings } = await replayer.keep(scope, await replayer.inspect(scope, noRecords));
    expect(warnings).toEqual([
      "kept as it is: it is private here",
      "kept as it is: versioning is off here, was Enabled",
    ]);
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: name }));
    expect(Status).toBeUndefined();
  });
});
