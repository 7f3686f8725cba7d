import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/model/policy.js";
import type { BucketScope } from "../../src/model/scope.js";
import type { Replayer, ReplayerContext } from "../../src/replayers/replayer.js";
import type { S3Target } from "../../src/replayers/s3/replayer.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";
import { startOrStandIn } from "../../testcontainers/stand-in.js";
import { type S3Proxy, type S3Verdict, startS3Proxy } from "../support/s3-proxy.js";
import { bucketScope, etagOfParts, MIB, md5, noRecords, objectRecord, patterned } from "../support/s3-records.js";
import { s3Bench } from "../support/servers/s3-bench.js";

const bench = s3Bench();
let proxy: S3Proxy;
let scope: BucketScope;
let awaited: RegExp | undefined;

beforeAll(async () => {
  proxy = await startS3Proxy(bench.server.endpoint);
});
afterAll(() => proxy?.stop());
beforeEach(async () => {
  awaited = undefined;
  proxy.namesServer = true;
  proxy.follow(() => "pass");
  scope = bucketScope(bench.uniqueName());
  await bench.client.send(new CreateBucketCommand({ Bucket: scope.target }));
});
afterEach(() => {
  expect(awaited).toBeUndefined();
});

async function replayerFor(
  action: WriteAction,
  overrides: Partial<ReplayerContext> = {},
  options: Partial<S3Target> = {},
): Promise<Replayer<"s3">> {
  const context = { maxRetryTimeMs: 3_000, ...overrides };
  const replayer = bench.replayerFor(action, { ...options, endpoint: { url: proxy.endpoint } }, context);
  await replayer.probe();
  return replayer;
}

/** The verdict for the first request whose line matches, which has to come; all others pass. */
function once(pattern: RegExp, verdict: S3Verdict): void {
  awaited = pattern;
  proxy.follow(({ line }) => {
    if (awaited === undefined || !pattern.test(line)) return "pass";
    awaited = undefined;
    return verdict;
  });
}

async function etagOf(key: string): Promise<string | undefined> {
  const { ETag } = await bench.client.send(new HeadObjectCommand({ Bucket: scope.target, Key: key }));
  return ETag?.replaceAll('"', "");
}

async function pendingUploads(): Promise<number> {
  return (await bench.client.send(new ListMultipartUploadsCommand({ Bucket: scope.target }))).Uploads?.length ?? 0;
}

function sentParts(): string[] {
  return proxy.lines.flatMap((line) => /^PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? []);
}

async function bodyOf(key: string): Promise<Buffer> {
  const { Body } = await bench.client.send(new GetObjectCommand({ Bucket: scope.target, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

const parts = patterned(11 * MIB);
const partsEtag = etagOfParts(parts, 5 * MIB);

describe("an answer that is lost", () => {
  it.each(["put", "put-if-absent"] as const)("of a PUT that was applied ends as restored, %s", async (action) => {
    const replayer = await replayerFor(action);
    once(/^PUT .*\/a$/, "lose-answer");
    expect(await replayer.write(scope, [objectRecord("a", { body: "ours" })])).toEqual([{ kind: "restored" }]);
    expect(await etagOf("a")).toBe(md5("ours"));
  });

  it.each(["put", "put-if-absent"] as const)(
    "of a completion that was applied ends as restored, %s",
    async (action) => {
      const replayer = await replayerFor(action);
      once(/^POST .*uploadId=/, "lose-answer");
      const record = objectRecord("a", { body: parts, etag: partsEtag });
      expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
      expect(await etagOf("a")).toBe(partsEtag);
      expect(await pendingUploads()).toBe(0);
    },
  );

  it.each(["put", "put-if-absent"] as const)(
    "by a server that gives no ETag for what it took is none, %s: the object is sent again",
    async (action) => {
      const replayer = await replayerFor(action);
      once(/^PUT .*\/a$/, { status: 200, body: "" });
      expect(await replayer.write(scope, [objectRecord("a", { body: "ours" })])).toEqual([{ kind: "restored" }]);
      expect(await etagOf("a")).toBe(md5("ours"));
    },
  );

  it("by a server that gives no ETag for a part or a whole upload is none", async () => {
    const replayer = await replayerFor("put");
    const record = objectRecord("a", { body: parts, etag: partsEtag });
    once(/^PUT .*partNumber=2/, { status: 200, body: "" });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    once(/^POST .*uploadId=/, { status: 200, body: "" });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    expect(await etagOf("a")).toBe(partsEtag);
    expect(await pendingUploads()).toBe(0);
  });

  it.each([
    ["beside an ETag in the dump that tells of all parts", partsEtag, ["1", "2", "2", "3"]],
    ["by itself", undefined, ["1", "1"]],
  ])("that tells of a part with other bytes has it sent again, %s", async (_, etag, sent) => {
    const replayer = await replayerFor("put", {}, { multipartThresholdBytes: 5 * MIB });
    once(new RegExp(`^PUT .*partNumber=${sent[1]}`), {
      status: 200,
      body: "",
      headers: { etag: `"${md5("other")}"` },
    });
    const record = objectRecord("a", { body: parts, ...(etag === undefined ? {} : { etag }) });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    expect(sentParts().sort()).toEqual(sent);
    expect(md5(await bodyOf("a"))).toBe(md5(parts));
  });

  it("has no part sent again for an ETag in the dump that is not the content's", async () => {
    const replayer = await replayerFor("put");
    const etag = `${md5("other")}-3`;
    const outcomes = await replayer.write(scope, [objectRecord("a", { body: parts, etag })]);
    expect(outcomes).toMatchObject([{ kind: "restored", notes: [{ kind: "etag-changed" }] }]);
    expect(sentParts().sort()).toEqual(["1", "2", "3"]);
  });

  it("does not make somebody else's object ours", async () => {
    const replayer = await replayerFor("put-if-absent");
    await bench.client.send(new PutObjectCommand({ Bucket: scope.target, Key: "a", Body: "theirs" }));
    once(/^PUT .*\/a$/, "lose-answer");
    const [outcome] = await replayer.write(scope, [objectRecord("a", { body: "ours" })]);
    expect(outcome).toEqual({ kind: "skipped-existing", reason: "exists" });
    expect(await etagOf("a")).toBe(md5("theirs"));
  });

  it("of an upload's creation leaves no upload behind, and nobody else's is touched", async () => {
    const replayer = await replayerFor("put");
    await bench.client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: "a" }));
    once(/^POST .*\?uploads/, "lose-answer");
    const record = objectRecord("a", { body: parts, etag: partsEtag });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    expect(await pendingUploads()).toBe(1);
  });

  it("of an upload's creation touches no upload that may be somebody else's", async () => {
    const replayer = await replayerFor("put");
    let theirs: Promise<unknown> | undefined;
    proxy.follow(async ({ line }) => {
      if (theirs !== undefined || !/^POST .*\?uploads/.test(line)) return "pass";
      theirs = bench.client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: "a" }));
      await theirs;
      return "lose-answer";
    });
    const record = objectRecord("a", { body: parts, etag: partsEtag });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    // Theirs, and the one of ours that cannot be told from it.
    expect(await pendingUploads()).toBe(2);
  });

  it("to the sweep of an upload is none of the bucket's faults", async () => {
    const replayer = await replayerFor("put");
    await bench.client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: "a" }));
    let sweeps = 0;
    proxy.follow(({ line }) => {
      if (!/^DELETE .*uploadId=/.test(line)) return "pass";
      // Amazon's answer; MinIO says nothing when there is nothing.
      return ++sweeps === 1 ? "lose-answer" : { status: 404, code: "NoSuchUpload" };
    });
    expect(await replayer.empty(scope)).toEqual({ warnings: [] });
    expect(sweeps).toBe(2);
    expect(await pendingUploads()).toBe(0);
  });

  it("of a part sends the part again", async () => {
    const replayer = await replayerFor("put");
    once(/partNumber=2/, "lose-answer");
    const record = objectRecord("a", { body: parts, etag: partsEtag });
    expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
    expect(await etagOf("a")).toBe(partsEtag);
  });
});

describe("an answer that asks to wait", () => {
  it.each([
    [409, "OperationAborted"],
    [503, "SlowDown"],
    [409, "ConditionalRequestConflict"],
  ])("%i %s is tried again", async (status, code) => {
    const replayer = await replayerFor("put");
    once(/^PUT .*\/a$/, { status, code });
    expect(await replayer.write(scope, [objectRecord("a", { body: "ours" })])).toEqual([{ kind: "restored" }]);
    expect(replayer.stats.throttled).toBe(1);
  });
});

describe("a fault of one object", () => {
  it.each([
    ["AccessDenied", "access-denied"],
    ["SignatureDoesNotMatch", "signature-refused"],
  ])("is its own: %s, while others pass", async (code, reason) => {
    const replayer = await replayerFor("put");
    proxy.follow(({ line }) => (/\/closed$/.test(line) ? { status: 403, code } : "pass"));
    const batch = [objectRecord("a", { body: "a" }), objectRecord("closed", { body: "b" })];
    const outcomes = await replayer.write(scope, batch);
    expect(outcomes).toMatchObject([{ kind: "restored" }, { kind: "failed", reason }]);
  });

  it("ends the run when nothing may be written at all", async () => {
    const replayer = await replayerFor("put");
    proxy.follow(({ line }) => (line.startsWith("PUT") ? { status: 403, code: "AccessDenied" } : "pass"));
    await expect(replayer.write(scope, [objectRecord("a")])).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });

  it("leaves no upload behind when a part is refused", async () => {
    const replayer = await replayerFor("put");
    proxy.follow(({ line }) => (/partNumber=3/.test(line) ? { status: 400, code: "EntityTooLarge" } : "pass"));
    const [outcome] = await replayer.write(scope, [objectRecord("a", { body: parts, etag: partsEtag })]);
    expect(outcome).toMatchObject({ kind: "rejected", reason: "object-too-large" });
    expect(await pendingUploads()).toBe(0);
  });
});

describe("a target that is full", () => {
  it("ends the run", async () => {
    const replayer = await replayerFor("put");
    proxy.follow(({ line }) => (line.startsWith("PUT") ? { status: 507, code: "XMinioStorageFull" } : "pass"));
    await expect(replayer.write(scope, [objectRecord("a")])).rejects.toMatchObject({ code: "TARGET_FULL" });
  });
});

describe("an interruption", () => {
  it("ends what is on its way and keeps the upload for the job's next process", async () => {
    const stop = new AbortController();
    const replayer = await replayerFor("put", { signal: stop.signal });
    proxy.follow(({ line }) => {
      if (/partNumber=3/.test(line)) stop.abort();
      return "pass";
    });
    const record = objectRecord("a", { body: parts, etag: partsEtag });
    await expect(replayer.write(scope, [record])).rejects.toMatchObject({ code: "INTERRUPTED" });
    await replayer.close();
    expect(await pendingUploads()).toBe(1);
    await expect(etagOf("a")).rejects.toMatchObject({ name: "NotFound" });
  });
});

describe("an outage", () => {
  it("is thrown, not counted against the objects", async () => {
    const replayer = await replayerFor("put", { maxRetryTimeMs: 300 });
    proxy.follow(({ line }) => (line.startsWith("PUT") ? { status: 500, code: "InternalError" } : "pass"));
    const batch = [objectRecord("a"), objectRecord("b")];
    await expect(replayer.write(scope, batch)).rejects.toMatchObject({ code: "OUTAGE" });
  });
});

describe("a bucket of somebody else", () => {
  it("is refused before anything is written, with the rename that helps", async () => {
    const replayer = await replayerFor("put");
    proxy.follow(({ line }) => (line.startsWith("HEAD") ? { status: 403, code: "AccessDenied" } : "pass"));
    await expect(replayer.inspect(scope, noRecords)).rejects.toMatchObject({
      code: "TARGET_SCOPE_IMPOSSIBLE",
      hint: expect.stringContaining(`--rename s3:${scope.name}=`),
    });
  });
});

describe("a server that knows little", () => {
  it("is found out by the probe and emptied all the same", async () => {
    const knowsLittle = ({ line }: { readonly line: string }): S3Verdict =>
      /[?&](?:versions|uploads|versioning|policy|delete)\b/.test(line)
        ? { status: 501, code: "NotImplemented" }
        : "pass";
    proxy.follow(knowsLittle);
    const replayer = await replayerFor("put");
    expect((await replayer.probe()).fallbacks).toHaveLength(3);
    await replayer.write(scope, [objectRecord("a"), objectRecord("a/b"), objectRecord("c ü")]);
    expect(await replayer.empty(scope)).toEqual({ warnings: [] });
    expect(await replayer.inspect(scope, noRecords)).toMatchObject({ presence: "empty" });
    expect((await replayer.create(bucketScope(`${scope.name}-v`, { versioning: "Enabled" }))).warnings).toHaveLength(1);
    expect(proxy.lines.filter((line) => /^PUT .*versioning/.test(line))).toEqual([]);
  });

  it("is emptied where it answers the question for versions with a plain listing", async () => {
    // The stand-in does not look at `?versions`.
    const { server: simple } = await startOrStandIn("minio", { preferStandIn: true });
    const { endpoint, credentials = LOCAL_CREDENTIALS } = simple;
    const replayer = bench.replayerFor("put", { endpoint: { url: endpoint }, credentials });
    try {
      await replayer.create(scope);
      await replayer.write(scope, [objectRecord("a", { body: "x" }), objectRecord("b/c", { body: "y" })]);
      await replayer.empty(scope);
      expect(await replayer.inspect(scope, noRecords)).toMatchObject({ presence: "empty" });
    } finally {
      await simple.stop();
    }
  });

  it("that verifies every header is signed to as it wants", async () => {
    const wantsAll = ({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }): S3Verdict =>
      /SignedHeaders=[^,]*connection/.test(String(headers["authorization"]))
        ? "pass"
        : { status: 403, code: "SignatureDoesNotMatch" };
    proxy.follow(wantsAll);
    const replayer = await replayerFor("put");
    expect((await replayer.probe()).fallbacks[0]).toContain("every header is signed");
    const metadata = { cacheControl: "no-store" };
    expect(await replayer.write(scope, [objectRecord("a", { metadata })])).toEqual([{ kind: "restored" }]);
  });
});

describe("a MinIO that does not give its name", () => {
  it("keeps the objects whose keys it would make of others", async () => {
    proxy.namesServer = false;
    const replayer = await replayerFor("put");
    const lead = objectRecord("lead", { body: "its own" });
    const rewritten = ["/lead", "x__XLDIR__"].map((key) => objectRecord(key, { body: "another's" }));
    expect(await replayer.write(scope, [lead, ...rewritten, objectRecord("back\\slash")])).toEqual([
      { kind: "restored" },
      expect.objectContaining({ kind: "rejected", reason: "key-rewritten" }),
      expect.objectContaining({ kind: "rejected", reason: "key-rewritten" }),
      { kind: "restored" },
    ]);
    expect(await etagOf("lead")).toBe(md5("its own"));
    const { Contents = [] } = await bench.client.send(new ListObjectsV2Command({ Bucket: scope.target }));
    expect(Contents.map(({ Key }) => Key)).toEqual(["back\\slash", "lead"]);
  });
});

describe.each([true, false])("white space outside ASCII in metadata, the server's name given: %s", (named) => {
  it.each(["a\u3000b", "a\u00a0\u2003b", "a\u0085b", "a\u2028b", "a\ufeffb", "ü \u3000 b"])(
    "arrives and ends no run: %j",
    async (value) => {
      proxy.namesServer = named;
      const replayer = await replayerFor("overwrite");
      const record = objectRecord("a", { body: "x", metadata: { user: [["v", value]] } });
      expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored" }]);
      // A merge looks the object up and finds the same metadata.
      expect(await replayer.write(scope, [record])).toEqual([{ kind: "restored", reason: "already-equal" }]);
    },
  );
});
