/** Writes that depend on what stands there: listed a page at a time, and what ends otherwise than the page told. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/model/outcome.js";
import type { WriteAction } from "../../src/model/policy.js";
import type { ObjectRecord } from "../../src/model/record.js";
import type { BucketScope } from "../../src/model/scope.js";
import type { Replayer, ReplayerContext } from "../../src/replayers/replayer.js";
import { fakeClock } from "../support/fake-clock.js";
import { type S3Proxy, type S3Verdict, startS3Proxy } from "../support/s3-proxy.js";
import { bucketScope, md5, objectRecord } from "../support/s3-records.js";
import { s3Bench } from "../support/servers/s3-bench.js";

const bench = s3Bench();
let proxy: S3Proxy;
let scope: BucketScope;

beforeAll(async () => {
  proxy = await startS3Proxy(bench.server.endpoint);
});
afterAll(() => proxy?.stop());
beforeEach(async () => {
  proxy.namesServer = true;
  proxy.follow(() => "pass");
  scope = bucketScope(bench.uniqueName());
  await bench.client.send(new CreateBucketCommand({ Bucket: scope.target }));
});

const SKIPPED: Outcome = { kind: "skipped-existing", reason: "exists" };
const RESTORED: Outcome = { kind: "restored" };
const EQUAL: Outcome = { kind: "restored", reason: "already-equal" };
const COUNT = 240;
const BATCH = 16;
/** Asked for one by one, before a page could be there and while it is on its way. */
const FEW = COUNT / 2;

const KEYS = Array.from({ length: COUNT }, (_, i) => `k${String(i).padStart(4, "0")}`);
const LAST = "k0239";
const LISTS = /^GET .*[?&]list-type=2/;

function recordsOf(keys: readonly string[], body = (key: string) => `body of ${key}`): ObjectRecord[] {
  return keys.map((key) => objectRecord(key, { body: body(key), etag: md5(body(key)) }));
}

async function replayerFor(action: WriteAction, context: Partial<ReplayerContext> = {}): Promise<Replayer<"s3">> {
  const replayer = bench.replayerFor(
    action,
    { endpoint: { url: proxy.endpoint } },
    { maxRetryTimeMs: 3_000, ...context },
  );
  await replayer.probe();
  return replayer;
}

interface Written {
  readonly outcomes: readonly Outcome[];
  readonly lists: number;
  readonly heads: number;
  readonly puts: number;
}

/** Writes them a batch at a time. `script`: what becomes of the requests. */
async function write(
  action: WriteAction,
  records: readonly ObjectRecord[],
  script: (line: string) => S3Verdict | Promise<S3Verdict> = () => "pass",
): Promise<Written> {
  const replayer = await replayerFor(action);
  proxy.follow(({ line }) => script(line));
  const outcomes = await writeBatches(replayer, records);
  const count = (pattern: RegExp) => proxy.lines.filter((line) => pattern.test(line)).length;
  return { outcomes, lists: count(LISTS), heads: count(/^HEAD /), puts: count(/^PUT /) };
}

async function writeBatches(replayer: Replayer<"s3">, records: readonly ObjectRecord[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < records.length; at += BATCH) {
    outcomes.push(...(await replayer.write(scope, records.slice(at, at + BATCH))));
  }
  return outcomes;
}

async function bodyOf(key: string): Promise<string | undefined> {
  const { Body } = await bench.client.send(new GetObjectCommand({ Bucket: scope.target, Key: key }));
  return await Body?.transformToString();
}

async function putTheirs(key: string, body = "theirs"): Promise<void> {
  await bench.client.send(new PutObjectCommand({ Bucket: scope.target, Key: key, Body: body }));
}

/** The same for every key. */
function all(outcome: Outcome, count = COUNT): Outcome[] {
  return new Array<Outcome>(count).fill(outcome);
}

/** Does something once, when a page was listed and the last objects are still to be written. */
function behindThePage(act: () => Promise<void>): (line: string) => Promise<S3Verdict> {
  let isListed = false;
  let isDone = false;
  return async (line) => {
    isListed ||= LISTS.test(line);
    if (isListed && !isDone && line.includes("k01")) {
      isDone = true;
      await act();
    }
    return "pass";
  };
}

describe("skip-existing", () => {
  it("asks for few of the objects of a bucket that holds them all", async () => {
    await write("put", recordsOf(KEYS));
    const written = await write(
      "put-if-absent",
      recordsOf(KEYS, () => "other"),
    );
    expect(written.outcomes).toEqual(all(SKIPPED));
    expect(written.heads).toBe(0);
    expect(written.puts).toBeLessThan(FEW);
    expect(await bodyOf(LAST)).toBe(`body of ${LAST}`);
  });

  it("asks for few whose bodies are large", async () => {
    await write("put", recordsOf(KEYS));
    const body = "x".repeat(300 * 1024);
    const written = await write(
      "put-if-absent",
      recordsOf(KEYS, () => body),
    );
    expect(written.outcomes).toEqual(all(SKIPPED));
    expect(written.puts).toBe(0);
    expect(written.heads).toBeLessThan(FEW);
  });

  it("writes what the bucket lacks, and leaves what came to stand there since it was listed", async () => {
    const act = () => putTheirs(LAST);
    const written = await write("put-if-absent", recordsOf(KEYS), behindThePage(act));
    expect(written.outcomes).toEqual([...all(RESTORED, COUNT - 1), SKIPPED]);
    expect(await bodyOf(LAST)).toBe("theirs");
    expect(written.lists).toBe(1);
  });

  it("writes what was deleted some seconds after it was listed", async () => {
    await write("put", recordsOf(KEYS));
    const clock = fakeClock();
    const replayer = await replayerFor("put-if-absent", { clock });
    await writeBatches(replayer, recordsOf(KEYS.slice(0, 200)));
    await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: LAST }));
    clock.advance(6_000);
    expect(await writeBatches(replayer, recordsOf([LAST]))).toEqual([RESTORED]);
  });

  it("writes what has only a delete marker", async () => {
    await bench.client.send(
      new PutBucketVersioningCommand({ Bucket: scope.target, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await write("put", recordsOf(KEYS));
    await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: LAST }));
    const { outcomes } = await write("put-if-absent", recordsOf(KEYS));
    expect(outcomes).toEqual([...all(SKIPPED, COUNT - 1), RESTORED]);
  });

  it("knows the job's own objects among those that are listed", async () => {
    await write("put", recordsOf(KEYS));
    const records = recordsOf(KEYS).map((record, i) => (i % 2 === 0 ? record : { ...record, announcedAt: 1 }));
    const { outcomes } = await write("put-if-absent", records);
    expect(outcomes).toEqual(records.map(({ announcedAt }) => (announcedAt === undefined ? SKIPPED : RESTORED)));
  });
});

describe("merge", () => {
  it("asks for few of the objects that the bucket lacks", async () => {
    const written = await write("overwrite", recordsOf(KEYS));
    expect(written).toMatchObject({ outcomes: all(RESTORED), puts: COUNT });
    expect(written.heads).toBeLessThan(FEW);
    expect(written.lists).toBeLessThanOrEqual(2);
  });

  it.each([
    ["ETag", (key: string) => `BODY OF ${key}`],
    ["size", (key: string) => `longer body of ${key}`],
  ])("asks for few of those whose %s differs, and replaces them", async (_what, body) => {
    await write("put", recordsOf(KEYS));
    const written = await write("overwrite", recordsOf(KEYS, body));
    expect(written).toMatchObject({ outcomes: all(RESTORED), puts: COUNT });
    expect(written.heads).toBeLessThan(FEW);
    expect(await bodyOf(LAST)).toBe(body(LAST));
  });

  it("asks for each that may be equal, for its metadata", async () => {
    await write("put", recordsOf(KEYS));
    const records = recordsOf(KEYS);
    const [other] = recordsOf([LAST]).map((record) => ({ ...record, metadata: { contentType: "a/b", user: [] } }));
    const written = await write("overwrite", [...records.slice(0, -1), ...(other === undefined ? [] : [other])]);
    expect(written).toMatchObject({ outcomes: [...all(EQUAL, COUNT - 1), RESTORED], heads: COUNT, puts: 1 });
    expect(written.lists).toBeLessThanOrEqual(1);
  });

  it("restores what was deleted since it was listed", async () => {
    await write("put", recordsOf(KEYS));
    const act = async () => {
      await bench.client.send(new DeleteObjectCommand({ Bucket: scope.target, Key: LAST }));
    };
    const { outcomes } = await write("overwrite", recordsOf(KEYS), behindThePage(act));
    expect(outcomes).toEqual([...all(EQUAL, COUNT - 1), RESTORED]);
    expect(await bodyOf(LAST)).toBe(`body of ${LAST}`);
  });

  it("sends nothing again that MinIO holds below another object and does not list", async () => {
    const below = KEYS.map((key) => `${key}/below`);
    await write("put", recordsOf([...KEYS, ...below]));
    const mixed = KEYS.flatMap((key) => [key, `${key}/below`]);
    const { outcomes, puts } = await write("overwrite", recordsOf(mixed));
    expect(outcomes).toEqual(all(EQUAL, 2 * COUNT));
    expect(puts).toBe(0);
  });

  it("asks for few below a folder", async () => {
    const written = await write("overwrite", recordsOf(KEYS.map((key) => `folder/sub/${key}`)));
    expect(written.outcomes).toEqual(all(RESTORED));
    expect(written.heads).toBeLessThan(FEW);
  });
});

const ODD = [
  "ünï/ファイル",
  "a b+c&=?",
  "a b c",
  "dir/",
  "dir/in",
  "k#f%20%",
  "~!@$^*()'\"<>|",
  "tab\there",
  "ctl\u0001",
  "\ufffd",
  "\u{1f600}",
  "\uffee",
];

describe.each([
  ["put-if-absent", SKIPPED],
  ["overwrite", EQUAL],
] as const)("%s", (action, found) => {
  const body = (key: string) => key;

  it("finds keys with special characters among those that are listed", async () => {
    const held = ODD.flatMap((odd) => KEYS.slice(0, BATCH).map((key) => odd + key));
    await write("put", recordsOf(held, body));
    const lacking = held.map((key) => `${key}+`);
    const mixed = held.flatMap((key, i) => [key, lacking[i] ?? ""]);
    const { outcomes } = await write(action, recordsOf(mixed, body));
    expect(outcomes).toEqual(held.flatMap(() => [found, RESTORED]));
    const again = await write(action, recordsOf([...held, ...lacking].sort(), body));
    expect(again.outcomes).toEqual(all(found, 2 * held.length));
    if (action === "put-if-absent") expect(again.puts).toBeLessThan(FEW);
  });

  it("takes keys in any order", async () => {
    const held = KEYS.filter((_, i) => i % 3 !== 0);
    await write("put", recordsOf(held));
    const keys = KEYS.map((_, i) => KEYS[(i * 77) % COUNT] ?? "");
    const { outcomes, lists } = await write(action, recordsOf(keys));
    expect(outcomes).toEqual(keys.map((key) => (held.includes(key) ? found : RESTORED)));
    expect(lists).toBeLessThanOrEqual(4);
  });

  it.each<[string, S3Verdict]>([
    ["that may not list", { status: 403, code: "AccessDenied" }],
    ["whose target does not list", { status: 501, code: "NotImplemented" }],
    ["whose pages fail", { status: 503, code: "SlowDown" }],
    ["whose pages get lost", "cut"],
    ["whose pages are no listings", { status: 200, body: "<html>welcome</html>" }],
  ])("asks one by one with credentials %s", async (_what, verdict) => {
    await write("put", recordsOf(KEYS.slice(0, COUNT / 2)));
    const written = await write(action, recordsOf(KEYS), (line) => (LISTS.test(line) ? verdict : "pass"));
    expect(written.outcomes).toEqual([...all(found, COUNT / 2), ...all(RESTORED, COUNT / 2)]);
    expect(written.lists).toBe(1);
  });

  it("lists nothing on a server that is not known", async () => {
    proxy.namesServer = false;
    await write("put", recordsOf(KEYS.slice(0, 40)));
    const { outcomes, lists } = await write(action, recordsOf(KEYS.slice(0, 40)));
    expect(outcomes).toEqual(all(found, 40));
    expect(lists).toBe(0);
  });
});
