/** A job that is killed and taken up by another process: what its uploads in parts come to. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WriteAction } from "../../src/model/policy.js";
import type { ObjectRecord } from "../../src/model/record.js";
import type { BucketScope } from "../../src/model/scope.js";
import { type Replayer, type ReplayerContext, WriteStopped } from "../../src/replayers/replayer.js";
import { createS3Replayer } from "../../src/replayers/s3/replayer.js";
import { startMinio } from "../../testcontainers/minio.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { MemoryNotebook } from "../support/memory-notebook.js";
import { contextFor } from "../support/replayer-context.js";
import { type S3Proxy, type S3Verdict, startS3Proxy } from "../support/s3-proxy.js";
import { bucketScope, etagOfParts, MIB, md5, objectRecord, patterned, plainClient } from "../support/s3-records.js";

let server: RunningServer;
let client: S3Client;
let proxy: S3Proxy;
let scope: BucketScope;
const open: Replayer<"s3">[] = [];
let buckets = 0;

beforeAll(async () => {
  server = await startMinio();
  client = plainClient(server);
  proxy = await startS3Proxy(server.endpoint);
}, 300_000);
afterAll(async () => {
  client?.destroy();
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  proxy.namesServer = true;
  proxy.follow(() => "pass");
  await newBucket();
});
afterEach(async () => {
  for (const replayer of open.splice(0)) await replayer.close();
});

async function newBucket(): Promise<void> {
  scope = bucketScope(`resume-${process.pid}-${++buckets}`);
  await client.send(new CreateBucketCommand({ Bucket: scope.target }));
}

async function processOf(action: WriteAction, context: Partial<ReplayerContext> = {}): Promise<Replayer<"s3">> {
  const credentials = server.credentials ?? { accessKeyId: "none", secretAccessKey: "none" };
  const replayer = createS3Replayer(
    { endpoint: { url: proxy.endpoint }, credentials },
    contextFor(action, { maxRetryTimeMs: 3_000, ...context }),
  );
  open.push(replayer);
  await replayer.probe();
  return replayer;
}

const parts = patterned(11 * MIB);
const partsEtag = etagOfParts(parts, 5 * MIB);

function bigRecord(key = "a"): ObjectRecord {
  return objectRecord(key, { body: parts, etag: partsEtag, metadata: { user: [["who", "dump"]] } });
}

/** The record as the next process of a job sees it. */
function again(record: ObjectRecord): ObjectRecord {
  return { ...record, announcedAt: 1 };
}

interface Killed {
  /** What the next process finds. */
  readonly notebook: MemoryNotebook;
  /** Whether it came to that request at all. */
  readonly isDead: boolean;
  readonly hasSentParts: boolean;
}

/** Writes the record by a process that is killed when its n-th request of the writing comes (from 1), or one like that. */
async function killedAt(
  moment: number | RegExp,
  verdict: "cut" | "lose-answer",
  { action, record = bigRecord() }: { readonly action: WriteAction; readonly record?: ObjectRecord },
): Promise<Killed> {
  const stop = new AbortController();
  const notebook = new MemoryNotebook();
  const replayer = await processOf(action, { notebook, signal: stop.signal });
  let seen = 0;
  let isDead = false;
  proxy.follow(async ({ line }): Promise<S3Verdict> => {
    if (isDead) return "cut";
    seen++;
    isDead = typeof moment === "number" ? seen === moment : moment.test(line);
    if (!isDead) return "pass";
    await proxy.quiet();
    notebook.beforeNote = () => {
      throw new Error("killed");
    };
    setImmediate(() => stop.abort());
    return verdict;
  });
  await replayer.write(scope, [record]).catch(() => undefined);
  await replayer.close();
  await proxy.quiet();
  const hasSentParts = sentParts().length > 0;
  proxy.follow(() => "pass");
  return { notebook: new MemoryNotebook(notebook.pages), isDead, hasSentParts };
}

async function uploads(): Promise<{ readonly key: string; readonly id: string }[]> {
  // MinIO lists the uploads of one key alone.
  const all = await Promise.all(
    ["a", "b"].map((key) => client.send(new ListMultipartUploadsCommand({ Bucket: scope.target, Prefix: key }))),
  );
  return all.flatMap(({ Uploads = [] }) => Uploads.map(({ Key = "", UploadId = "" }) => ({ key: Key, id: UploadId })));
}

async function begin(key: string): Promise<string> {
  return (await client.send(new CreateMultipartUploadCommand({ Bucket: scope.target, Key: key }))).UploadId ?? "";
}

async function heldParts(): Promise<number> {
  let count = 0;
  for (const { key, id } of await uploads()) {
    const answer = await client.send(new ListPartsCommand({ Bucket: scope.target, Key: key, UploadId: id }));
    count += answer.Parts?.length ?? 0;
  }
  return count;
}

function sentParts(): string[] {
  return proxy.lines.flatMap((line) => /^PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? []).sort();
}

async function object(key = "a") {
  const answer = await client.send(new GetObjectCommand({ Bucket: scope.target, Key: key }));
  const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  return { md5: md5(body), etag: answer.ETag?.replaceAll('"', ""), metadata: answer.Metadata };
}

const small = patterned(5 * MIB + 17);
const smallRecord = objectRecord("a", { body: small, etag: etagOfParts(small, 5 * MIB) });

const exact = { md5: md5(parts), etag: partsEtag, metadata: { who: "dump" } };

/** Takes the job up and ends it; answers how the records ended. */
async function resumed(action: WriteAction, notebook: MemoryNotebook, records = [bigRecord()]) {
  const replayer = await processOf(action, { notebook });
  proxy.follow(() => "pass");
  const outcomes = await replayer.write(scope, records.map(again));
  return { outcomes, ...(await replayer.finish(scope)) };
}

describe("a process that is killed while it uploads", () => {
  it.each([
    ["put", "cut"],
    ["put", "lose-answer"],
    ["put-if-absent", "lose-answer"],
  ] as const)(
    "is taken up from any request (%s, %s): parts that arrived are not sent again, nothing is left behind",
    async (action, verdict) => {
      for (let nth = 1; ; nth++) {
        await newBucket();
        const { notebook, isDead, hasSentParts } = await killedAt(nth, verdict, { action, record: smallRecord });
        if (!isDead) return expect(nth).toBeGreaterThan(5);
        const isComplete = hasSentParts && (await uploads()).length === 0;
        const missing = isComplete ? 0 : 2 - (await heldParts());
        const end = await resumed(action, notebook, [smallRecord]);
        expect(end, `request ${nth}`).toEqual({ outcomes: [{ kind: "restored" }], warnings: [] });
        expect(sentParts(), `request ${nth}`).toHaveLength(missing);
        expect(await object()).toMatchObject({ md5: md5(small), etag: smallRecord.etag });
        expect(await uploads()).toEqual([]);
        expect([...notebook.pages]).toEqual([]);
      }
    },
    60_000,
  );
});

describe("a process that is killed when it notes", () => {
  it.each([
    ["that an upload is to be made", 1],
    ["the upload's id", 2],
    ["that the upload has ended", 3],
  ])("%s leaves no upload behind, and none of others is touched", async (_what, nth) => {
    const theirs = await begin("a");
    const notebook = new MemoryNotebook();
    let notes = 0;
    notebook.beforeNote = () => {
      if (++notes >= nth) throw new Error("killed");
    };
    const replayer = await processOf("put", { notebook });
    await expect(replayer.write(scope, [bigRecord()])).rejects.toThrow("killed");
    await replayer.close();
    const end = await resumed("put", new MemoryNotebook(notebook.pages));
    expect(end).toEqual({ outcomes: [{ kind: "restored" }], warnings: [] });
    expect(await object()).toEqual(exact);
    expect(await uploads()).toEqual([{ key: "a", id: theirs }]);
    expect(sentParts()).toHaveLength(nth === 3 ? 0 : 3);
  });
});

/** A process that was killed between the creation of its upload and the note of its id. */
async function killedBeforeItsId(): Promise<MemoryNotebook> {
  const { notebook } = await killedAt(/^POST .*[?]uploads/, "lose-answer", { action: "put" });
  expect((await uploads()).length).toBeGreaterThan(0);
  return notebook;
}

/**
 * A process whose requests to make an upload stayed without an answer that often. `last`: the last of them kills it;
 * without it, one more is answered, and the process dies once it has noted the id.
 */
async function killedAfterUnanswered(count: number, last: RegExp | undefined): Promise<MemoryNotebook> {
  const notebook = new MemoryNotebook();
  const stop = new AbortController();
  const replayer = await processOf("put", { notebook, signal: stop.signal, maxRetryTimeMs: 60_000 });
  const die = () => {
    notebook.beforeNote = () => {
      throw new Error("killed");
    };
    setImmediate(() => stop.abort());
  };
  let seen = 0;
  let isDead = false;
  proxy.follow(async ({ line }): Promise<S3Verdict> => {
    if (isDead) return "cut";
    if (/^POST .*[?]uploads/.test(line)) {
      seen++;
      if (seen > count) return "pass";
      isDead = seen === count && last !== undefined;
      if (isDead) die();
      await proxy.quiet();
      return "lose-answer";
    }
    // The first thing behind the note of the id: what may be left of the others is looked for.
    isDead = seen > count;
    if (!isDead) return "pass";
    die();
    return "cut";
  });
  await replayer.write(scope, [bigRecord()]).catch(() => undefined);
  await replayer.close();
  await proxy.quiet();
  proxy.follow(() => "pass");
  return new MemoryNotebook(notebook.pages);
}

describe("an upload that the killed process could not note", () => {
  it("is told from those of others by the parts that they have", async () => {
    const notebook = await killedBeforeItsId();
    const theirs = await begin("a");
    const part = { Bucket: scope.target, Key: "a", UploadId: theirs, PartNumber: 1, Body: Buffer.alloc(5 * MIB) };
    await client.send(new UploadPartCommand(part));
    expect(await resumed("put", notebook)).toEqual({ outcomes: [{ kind: "restored" }], warnings: [] });
    expect(await uploads()).toEqual([{ key: "a", id: theirs }]);
  });

  it.each([
    ["made", /^POST .*[?]uploads/],
    ["noted with its id", undefined],
  ])("is known by its number, where requests were repeated before it was %s", async (_what, last) => {
    const theirs = await begin("a");
    const notebook = await killedAfterUnanswered(3, last);
    expect(await uploads()).toHaveLength(last === undefined ? 5 : 4);
    expect(await resumed("put", notebook)).toEqual({ outcomes: [{ kind: "restored" }], warnings: [] });
    expect(await uploads()).toEqual([{ key: "a", id: theirs }]);
  });

  it("stays with all that look like it, where one more does than requests were sent", async () => {
    const notebook = await killedAfterUnanswered(3, /^POST .*[?]uploads/);
    await begin("a");
    const { warnings } = await resumed("put", notebook);
    expect(warnings).toEqual([expect.stringContaining("several that cannot be told apart")]);
    expect(await uploads()).toHaveLength(4);
  });

  it("is none that began long after it would have been made", async () => {
    const notebook = await killedBeforeItsId();
    const threeHours = 3 * 60 * 60_000;
    for (const [name, value] of notebook.pages) {
      notebook.pages.set(
        name,
        value.replace(/&at=(\d+)/, (_at, ms: string) => `&at=${Number(ms) - threeHours}`),
      );
    }
    const left = await uploads();
    expect(await resumed("put", notebook)).toEqual({ outcomes: [{ kind: "restored" }], warnings: [] });
    expect(await uploads()).toEqual(left);
  });

  it("stays, and that is said, where it cannot be told from those of others", async () => {
    const notebook = await killedBeforeItsId();
    await begin("a");
    const { outcomes, warnings } = await resumed("put", notebook);
    expect(outcomes).toEqual([{ kind: "restored" }]);
    expect(warnings).toEqual([expect.stringContaining("several that cannot be told apart")]);
    expect(await uploads()).toHaveLength(2);
  });

  it("is none where the server says that it made none, though it lists no uploads", async () => {
    let asked = 0;
    const script = ({ line }: { readonly line: string }): S3Verdict => {
      if (!/[?&]uploads\b/.test(line)) return "pass";
      if (line.startsWith("GET")) return { status: 501, code: "NotImplemented" };
      return ++asked === 1 ? { status: 409, code: "OperationAborted" } : "pass";
    };
    proxy.follow(script);
    const replayer = await processOf("put", { notebook: new MemoryNotebook() });
    expect(await replayer.write(scope, [smallRecord])).toEqual([{ kind: "restored" }]);
    expect(asked).toBe(2);
    expect(await replayer.finish(scope)).toEqual({ warnings: [] });
  });

  it("is not looked for on a target that lists none, and that is said", async () => {
    const script = ({ line }: { readonly line: string }): S3Verdict =>
      /[?&]uploads\b/.test(line) && line.startsWith("GET") ? { status: 501, code: "NotImplemented" } : "pass";
    proxy.follow(script);
    const notebook = new MemoryNotebook();
    const replayer = await processOf("put", { notebook });
    notebook.beforeNote = (_name, value) => {
      if (value?.includes("id=")) throw new Error("killed");
    };
    await expect(replayer.write(scope, [bigRecord()])).rejects.toThrow("killed");
    const second = await processOf("put", { notebook: new MemoryNotebook(notebook.pages) });
    expect(await second.write(scope, [again(bigRecord())])).toEqual([{ kind: "restored" }]);
    const { warnings } = await second.finish(scope);
    expect(warnings).toEqual([expect.stringContaining("cannot be known")]);
  });
});

/** A process that was killed when it sent its upload's completion, which did not arrive. */
async function killedBeforeCompletion(action: WriteAction): Promise<MemoryNotebook> {
  const { notebook } = await killedAt(/^POST .*uploadId=/, "cut", { action });
  expect(await heldParts()).toBe(3);
  return notebook;
}

describe("an upload of a process that was killed", () => {
  it("is not continued with a part that holds other bytes than the dump", async () => {
    const notebook = await killedBeforeCompletion("put");
    const [upload] = await uploads();
    const other = { Bucket: scope.target, Key: "a", UploadId: upload?.id, PartNumber: 2, Body: Buffer.alloc(5 * MIB) };
    await client.send(new UploadPartCommand(other));
    await resumed("put", notebook);
    expect(sentParts()).toEqual(["2"]);
    expect(await object()).toEqual(exact);
  });

  it("is not continued for an object of other metadata", async () => {
    const notebook = await killedBeforeCompletion("put");
    const changed = { ...bigRecord(), metadata: { user: [["who", "else"]] as const } };
    await resumed("put", notebook, [changed]);
    expect(sentParts()).toHaveLength(3);
    expect(await object()).toEqual({ ...exact, metadata: { who: "else" } });
    expect(await uploads()).toEqual([]);
  });

  it("is begun anew when somebody aborted it", async () => {
    const notebook = await killedBeforeCompletion("put");
    for (const page of notebook.pages) {
      const id = new URLSearchParams(page[1]).get("id");
      if (id !== null) notebook.pages.set(page[0], page[1].replace(encodeURIComponent(id), "gone"));
    }
    expect((await resumed("put", notebook)).outcomes).toEqual([{ kind: "restored" }]);
    expect(sentParts()).toHaveLength(3);
    expect(await object()).toEqual(exact);
  });

  it("that is gone does not make an object with the same bytes and other metadata ours", async () => {
    const notebook = await killedBeforeCompletion("put");
    const [upload] = await uploads();
    const second = await processOf("put");
    const others = { ...bigRecord(), metadata: { user: [["who", "else"]] as const } };
    await second.write(scope, [others]);
    for (const [name, value] of notebook.pages)
      notebook.pages.set(name, value.replaceAll(encodeURIComponent(upload?.id ?? "?"), "gone"));
    await resumed("put", notebook);
    expect(await object()).toEqual(exact);
  });

  it("is sent anew where the target lists no parts, and the old one is aborted", async () => {
    const notebook = await killedBeforeCompletion("put");
    const replayer = await processOf("put", { notebook });
    proxy.follow(({ line }) => (/^GET .*uploadId=/.test(line) ? { status: 501, code: "NotImplemented" } : "pass"));
    expect(await replayer.write(scope, [again(bigRecord())])).toEqual([{ kind: "restored" }]);
    expect(sentParts()).toHaveLength(3);
    expect(await uploads()).toEqual([]);
  });

  it("is aborted when it is let go of, and no other one", async () => {
    const theirs = await begin("a");
    const records = [bigRecord("a"), bigRecord("b")];
    const stop = new AbortController();
    const notebook = new MemoryNotebook();
    const replayer = await processOf("put", { notebook, signal: stop.signal });
    proxy.follow(({ line }) => {
      if (!/^POST .*uploadId=/.test(line)) return "pass";
      stop.abort();
      return "cut";
    });
    await replayer.write(scope, records).catch(() => undefined);
    proxy.follow(() => "pass");
    expect(await uploads()).toHaveLength(3);
    const second = await processOf("put", { notebook });
    expect(await second.abandon?.(scope)).toEqual({ warnings: [] });
    expect(await uploads()).toEqual([{ key: "a", id: theirs }]);
    expect(await second.abandon?.(scope)).toEqual({ warnings: [] });
  });

  it("is aborted at the end of a run that did not write its object any more", async () => {
    const notebook = await killedBeforeCompletion("put");
    const replayer = await processOf("put", { notebook });
    expect(await replayer.finish(scope)).toEqual({ warnings: [] });
    expect(await uploads()).toEqual([]);
    expect([...notebook.pages]).toEqual([]);
  });
});

describe("under put-if-absent, an object that stands there when the job is taken up", () => {
  it.each([100, 600 * 1024])("is ours if it equals the record that was announced (%i bytes)", async (size) => {
    const body = patterned(size);
    const record = objectRecord("a", { body, etag: md5(body) });
    const first = await processOf("put-if-absent");
    await first.write(scope, [record]);
    const { outcomes } = await resumed("put-if-absent", new MemoryNotebook(), [record]);
    expect(outcomes).toEqual([{ kind: "restored" }]);
    const skipped = await (await processOf("put-if-absent")).write(scope, [record]);
    expect(skipped).toEqual([{ kind: "skipped-existing", reason: "exists" }]);
  });

  it("is ours under merge too, and not sent again", async () => {
    const body = patterned(100);
    const record = objectRecord("a", { body, etag: "0".repeat(32) });
    const [first] = await (await processOf("overwrite")).write(scope, [record]);
    const { outcomes } = await resumed("overwrite", new MemoryNotebook(), [record]);
    expect(outcomes).toEqual([first]);
    expect(proxy.lines.filter((line) => line.startsWith("PUT"))).toEqual([]);
  });

  it.each([
    ["the same bytes", "ours", "restored"],
    ["other bytes", "else", "skipped-existing"],
  ])("is read where its ETag says nothing: %s", async (_what, stands, kind) => {
    await client.send(new PutObjectCommand({ Bucket: scope.target, Key: "a", Body: stands }));
    const replayer = await processOf("put-if-absent");
    const headers = {
      "content-length": "4",
      "content-type": "binary/octet-stream",
      etag: `"${"0".repeat(32)}"`,
      "x-amz-server-side-encryption": "aws:kms",
    };
    proxy.follow(({ line }) => (line.startsWith("HEAD") ? { status: 200, headers, body: "" } : "pass"));
    expect(await replayer.write(scope, [again(objectRecord("a", { body: "ours" }))])).toMatchObject([{ kind }]);
  });

  it("is ours with the near miss that it had", async () => {
    const body = patterned(100);
    const record = objectRecord("a", { body, etag: "0".repeat(32) });
    const [first] = await (await processOf("put-if-absent")).write(scope, [record]);
    const { outcomes } = await resumed("put-if-absent", new MemoryNotebook(), [record]);
    expect(outcomes).toEqual([first]);
    expect(first).toMatchObject({ kind: "restored", notes: [{ kind: "etag-changed" }] });
  });

  it.each([
    ["other bytes", "theirs", {}],
    ["other metadata", "ours", { who: "else" }],
  ])("stays if it has %s", async (_what, body, metadata) => {
    await client.send(new PutObjectCommand({ Bucket: scope.target, Key: "a", Body: body, Metadata: metadata }));
    const { outcomes } = await resumed("put-if-absent", new MemoryNotebook(), [objectRecord("a", { body: "ours" })]);
    expect(outcomes).toEqual([{ kind: "skipped-existing", reason: "exists" }]);
    expect((await object()).md5).toBe(md5(body));
  });

  it("stays if somebody put it there while the upload was cut off, and the upload goes", async () => {
    const notebook = await killedBeforeCompletion("put-if-absent");
    await client.send(new PutObjectCommand({ Bucket: scope.target, Key: "a", Body: "theirs" }));
    const { outcomes } = await resumed("put-if-absent", notebook);
    expect(outcomes).toEqual([{ kind: "skipped-existing", reason: "exists" }]);
    expect((await object()).md5).toBe(md5("theirs"));
    expect(await uploads()).toEqual([]);
  });
});

describe("a run that is to stop", () => {
  it("lets the parts that are on their way end, begins none, and keeps the upload", async () => {
    const body = patterned(41 * MIB);
    const record = objectRecord("a", { body, etag: etagOfParts(body, 5 * MIB) });
    const stop = new AbortController();
    const notebook = new MemoryNotebook();
    const grace = { signal: stop.signal, writeSignal: new AbortController().signal };
    const replayer = await processOf("put", { notebook, ...grace });
    proxy.follow(({ line }) => {
      if (/partNumber=4/.test(line)) stop.abort();
      return "pass";
    });
    await expect(replayer.write(scope, [record])).rejects.toMatchObject({ code: "INTERRUPTED" });
    await replayer.close();
    const arrived = await heldParts();
    expect(arrived).toBe(sentParts().length);
    expect(arrived).toBeLessThan(9);
    expect((await resumed("put", notebook, [record])).outcomes).toEqual([{ kind: "restored" }]);
    expect(sentParts()).toHaveLength(9 - arrived);
    expect((await object()).etag).toBe(record.etag);
  });

  it("completes an upload whose parts are all there or on their way, and notes that it has ended", async () => {
    const stop = new AbortController();
    const notebook = new MemoryNotebook();
    const grace = { signal: stop.signal, writeSignal: new AbortController().signal };
    const replayer = await processOf("put", { notebook, ...grace });
    proxy.follow(({ line }) => {
      if (/partNumber=3/.test(line)) stop.abort();
      return "pass";
    });
    expect(await replayer.write(scope, [bigRecord()])).toEqual([{ kind: "restored" }]);
    expect(await object()).toEqual(exact);
    expect([...notebook.pages.keys()].filter((name) => name.includes("upload:"))).toEqual([]);
  });

  it("says of each object of a batch how it ended, when one error ends it", async () => {
    const replayer = await processOf("put", { maxRetryTimeMs: 300 });
    proxy.follow(({ line }) => {
      if (/\/full$/.test(line)) return { status: 507, code: "XMinioStorageFull" };
      return /\/bad$/.test(line) ? { status: 400, code: "EntityTooLarge" } : "pass";
    });
    const batch = ["a", "bad", "full"].map((key) => objectRecord(key, { body: key }));
    const error: unknown = await replayer.write(scope, batch).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WriteStopped);
    expect(error).toMatchObject({
      cause: { code: "TARGET_FULL" },
      ends: [{ kind: "restored" }, { kind: "rejected", reason: "object-too-large" }, "unknown"],
    });
  });

  it("says of objects for which nothing was sent that they were not", async () => {
    const stop = new AbortController();
    const replayer = await processOf("put", { signal: stop.signal, writeSignal: new AbortController().signal });
    proxy.follow(({ line }) => {
      if (line.startsWith("PUT")) stop.abort();
      return "pass";
    });
    const batch = Array.from({ length: 40 }, (_, i) => objectRecord(`o${i}`, { body: `${i}` }));
    const error: unknown = await replayer.write(scope, batch).catch((thrown: unknown) => thrown);
    if (!(error instanceof WriteStopped)) throw error;
    const sent = new Set(proxy.lines.filter((line) => line.startsWith("PUT")).map((line) => line.split("/").at(-1)));
    const told = batch.map(({ key }) => (sent.has(key) ? { kind: "restored" } : "not-sent"));
    expect(error.ends).toEqual(told);
    expect(sent.size).toBeLessThan(40);
  });
});

describe("an outage", () => {
  it("keeps the upload for the next process", async () => {
    const notebook = new MemoryNotebook();
    const replayer = await processOf("put", { notebook, maxRetryTimeMs: 300 });
    proxy.follow(({ line }) => (/^POST .*uploadId=/.test(line) ? "cut" : "pass"));
    await expect(replayer.write(scope, [bigRecord()])).rejects.toMatchObject({ code: "OUTAGE" });
    await replayer.close();
    expect((await resumed("put", notebook)).outcomes).toEqual([{ kind: "restored" }]);
    expect(sentParts()).toEqual([]);
    expect(await object()).toEqual(exact);
  });
});

describe("a bucket that is taken up", () => {
  it.each(["create", "empty", "keep"] as const)(
    "after %s keeps what it holds, pending uploads too",
    async (takeover) => {
      await client.send(new PutObjectCommand({ Bucket: scope.target, Key: "a", Body: "ours" }));
      await begin("a");
      const replayer = await processOf("put");
      expect(await replayer.reopen?.(scope, takeover)).toEqual({ warnings: [] });
      expect((await object()).md5).toBe(md5("ours"));
      expect(await uploads()).toHaveLength(1);
    },
  );

  it("ends the run when it is gone: what was restored is gone too", async () => {
    const replayer = await processOf("put");
    const gone = bucketScope(`${scope.name}-gone`);
    await expect(replayer.reopen?.(gone, "create")).rejects.toMatchObject({ retry: "fatal" });
  });
});

describe("credentials that are denied a key", () => {
  it("are known to write by what an earlier process of the job wrote", async () => {
    const notebook = new MemoryNotebook();
    const first = await processOf("put", { notebook });
    await first.write(scope, [objectRecord("a")]);
    const second = await processOf("put", { notebook });
    proxy.follow(({ line }) => (line.startsWith("PUT") ? { status: 403, code: "AccessDenied" } : "pass"));
    const [outcome] = await second.write(scope, [objectRecord("closed")]);
    expect(outcome).toMatchObject({ kind: "failed", reason: "access-denied" });
    await second.finish(scope);
    expect([...notebook.pages]).toEqual([]);
  });
});

describe("a process that is killed while it tries the target", () => {
  it.each(["Enabled", undefined] as const)("leaves no object of its own behind, versioning: %s", async (Status) => {
    proxy.namesServer = false;
    if (Status !== undefined) {
      const VersioningConfiguration = { Status };
      await client.send(new PutBucketVersioningCommand({ Bucket: scope.target, VersioningConfiguration }));
    }
    const record = objectRecord("back\\slash", { body: "x" });
    const { notebook } = await killedAt(/^PUT .*restore-probe/, "lose-answer", { action: "put", record });
    const all = () => client.send(new ListObjectVersionsCommand({ Bucket: scope.target }));
    expect((await all()).Versions).toHaveLength(1);
    await resumed("put", notebook, [objectRecord("a", { body: "x" })]);
    const { Versions = [], DeleteMarkers = [] } = await all();
    expect([...Versions, ...DeleteMarkers].map(({ Key }) => Key)).toEqual(["a"]);
    expect([...notebook.pages]).toEqual([]);
  });
});
