/** What Amazon S3 is documented to answer, played by a script: AWS itself cannot be reached from a test. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3Api } from "../../src/replayers/s3/api.js";
import { createBucket, inspectBucket } from "../../src/replayers/s3/bucket.js";
import type { Traits } from "../../src/replayers/s3/probe.js";
import { createS3Replayer } from "../../src/replayers/s3/replayer.js";
import { createRequests } from "../../src/replayers/s3/requests.js";
import { applySettings } from "../../src/replayers/s3/settings.js";
import { fakeClock } from "../support/fake-clock.js";
import { contextFor } from "../support/replayer-context.js";
import { type S3Answer, type S3Proxy, startS3Proxy } from "../support/s3-proxy.js";
import { bucketScope, noRecords } from "../support/s3-records.js";

const CREDENTIALS = { accessKeyId: "id", secretAccessKey: "secret" };
const TRAITS: Traits = {
  server: "Amazon S3",
  aws: true,
  minio: false,
  keyRules: "s3",
  listsVersions: true,
  listsUploads: true,
  deletesMany: true,
  hasVersioning: true,
  hasPolicies: true,
  honoursConditions: true,
  listsTruly: true,
  keepsHeadersOfParts: true,
  fallbacks: [],
};

let proxy: S3Proxy;
let api: S3Api;
/** Answers by the beginning of a request's line; what is not listed is not there. */
let answers: Record<string, S3Answer>;

const OK = { status: 200, body: "" };
const owned = (...names: string[]): S3Answer => ({
  status: 200,
  body: `<ListAllMyBucketsResult><Buckets>${names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join("")}</Buckets></ListAllMyBucketsResult>`,
});
const LISTING = { status: 200, body: "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>" };

beforeAll(async () => {
  proxy = await startS3Proxy("http://127.0.0.1:1");
});
afterAll(() => proxy?.stop());
beforeEach(() => {
  proxy.follow(({ line }) => {
    const match = Object.keys(answers).find((start) => line.startsWith(start));
    return match === undefined ? { status: 404, code: "NotFound" } : (answers[match] ?? OK);
  });
  answers = { "HEAD /bucket": OK, "GET /?": owned("bucket"), "GET /bucket?list-type": LISTING };
  answers["GET /bucket?encoding-type"] = LISTING;
  const context = contextFor("put", { clock: fakeClock() });
  const options = { endpoint: { url: proxy.endpoint }, region: "us-east-1", credentials: CREDENTIALS };
  api = new S3Api(createRequests(options, context));
});

const scope = bucketScope("bucket");
const inspect = (traits = TRAITS, of = scope) => inspectBucket({ api, traits }, of, noRecords);

describe("a bucket that exists", () => {
  it("is taken where it is the account's own", async () => {
    expect(await inspect()).toEqual({ presence: "empty", count: { value: 0, exact: true }, warnings: [] });
  });

  it("is refused where another account opened it to everybody", async () => {
    answers["GET /?"] = owned("bucket-2");
    await expect(inspect()).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      message: expect.stringContaining("somebody else's"),
    });
  });

  it("is taken where the credentials may not list buckets", async () => {
    answers["GET /?"] = { status: 403, code: "AccessDenied" };
    expect(await inspect()).toMatchObject({ presence: "empty" });
  });

  it("in another region is refused with that region", async () => {
    answers["HEAD /bucket"] = { status: 301, headers: { "x-amz-bucket-region": "eu-central-1" } };
    await expect(inspect()).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      message: expect.stringContaining("region eu-central-1"),
      hint: expect.stringContaining("--region eu-central-1"),
    });
  });

  it("whose versions may be kept from deletion cannot be replaced", async () => {
    answers["GET /bucket?object-lock"] = {
      status: 200,
      body: "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    };
    expect((await inspect()).unmakeable?.why).toContain("Object Lock");
  });

  it("whose versions are deleted with a second factor alone cannot be replaced", async () => {
    answers["GET /bucket?versioning"] = {
      status: 200,
      body: "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>",
    };
    expect((await inspect()).unmakeable?.why).toContain("MFA delete");
  });

  it("becomes private without a warning where it has no ACLs", async () => {
    answers["PUT /bucket?acl"] = { status: 400, code: "AccessControlListNotSupported" };
    const init = { api, traits: TRAITS, allowPublic: false, applyPolicies: false };
    expect(await applySettings(init, scope, false)).toEqual([]);
    const open = bucketScope("bucket", { acl: "public-read" });
    expect(await applySettings({ ...init, allowPublic: true }, open, true)).toEqual([
      expect.stringContaining("the bucket is private: PutBucketAcl: AccessControlListNotSupported"),
    ]);
  });
});

describe("a bucket that is not there", () => {
  it.each(["xn--data", "sthree-data", "amzn-s3-demo-data", "data-s3alias", "data--ol-s3", "data.mrap"])(
    "is refused under a name that AWS keeps for itself, and by no other server: %s",
    async (name) => {
      await expect(inspect(TRAITS, bucketScope(name))).rejects.toMatchObject({
        code: "TARGET_SCOPE_IMPOSSIBLE",
        hint: expect.stringContaining(`--rename s3:${name}=`),
      });
      expect(await inspect({ ...TRAITS, aws: false }, bucketScope(name))).toMatchObject({ presence: "absent" });
    },
  );

  it("is not filled when another account made it meanwhile and opened it", async () => {
    answers["PUT /bucket"] = { status: 409, code: "BucketAlreadyExists" };
    await expect(createBucket(api, TRAITS, scope)).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      retry: "no",
    });
    // Other servers say so of one's own as well.
    await createBucket(api, { aws: false }, scope);
  });
});

describe("a bucket with Object Lock", () => {
  it("gets every body's digest in a header once it has asked for one", async () => {
    const seen: (string | undefined)[] = [];
    const name = { bucket: "bucket", key: "key" };
    const etag = { etag: '"900150983cd24fb0d6963f7d28e17f72"' };
    proxy.follow(({ headers }) => {
      const digest = String(headers["x-amz-checksum-sha256"] ?? headers["content-md5"] ?? "none");
      seen.push(digest);
      const message =
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put requests with Object Lock parameters";
      return digest === "none" ? { status: 400, code: "InvalidRequest", message } : { ...OK, headers: etag };
    });
    const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const put = () => api.putObject(name, { headers: {}, ifAbsent: false, sha256, bytes: 3 }, () => Buffer.from("abc"));
    await put();
    await put();
    const blocks = async function* () {
      yield Buffer.from("abc");
    };
    const open = () => ({ blocks: blocks(), release: () => undefined });
    const { signal } = new AbortController();
    await api.uploads.sendPart(name, { uploadId: "id", number: 1, bytes: 3, isHashed: true, open, signal });
    const base64 = Buffer.from(sha256, "hex").toString("base64");
    expect(seen).toEqual(["none", base64, base64, "kAFQmDzST7DWlj99KOF/cg=="]);
  });
});

it("without a region nothing is sent to AWS, and the option that names one is", async () => {
  const options = { endpoint: { aws: true }, credentials: CREDENTIALS, profile: "no-such-profile" } as const;
  const replayer = createS3Replayer(options, contextFor("put"));
  const region = process.env["AWS_REGION"];
  delete process.env["AWS_REGION"];
  try {
    await expect(replayer.probe()).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("--region") });
  } finally {
    if (region !== undefined) process.env["AWS_REGION"] = region;
    await replayer.close();
  }
});
