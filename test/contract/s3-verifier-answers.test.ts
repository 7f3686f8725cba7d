/** What servers that cannot be reached from a test are documented to answer of an object, played by a script. */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { S3Api } from "../../src/replayers/s3/api.js";
import type { Traits } from "../../src/replayers/s3/probe.js";
import { createRequests } from "../../src/replayers/s3/requests.js";
import { Slots } from "../../src/replayers/s3/slots.js";
import { S3Verifier } from "../../src/replayers/s3/verifier.js";
import type { Comparing } from "../../src/replayers/verifier.js";
import { fakeClock } from "../support/fake-clock.js";
import { contextFor } from "../support/replayer-context.js";
import { type S3Answer, type S3Proxy, type S3Request, startS3Proxy } from "../support/s3-proxy.js";
import { bucketScope, etagOfParts, md5, type ObjectInit, objectRecord, patterned } from "../support/s3-records.js";

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
const HOW: Comparing = { allowMore: false, toleranceMs: 0, download: false, messages: "no" };
const DOWNLOAD: Comparing = { ...HOW, download: true };
const EQUAL = { differences: [] };
const DENIED = { status: 403, code: "AccessDenied" };
const scope = bucketScope("bucket");

let proxy: S3Proxy;
let api: S3Api;

beforeAll(async () => {
  proxy = await startS3Proxy("http://127.0.0.1:1");
});
afterAll(() => proxy?.stop());
beforeEach(() => {
  const options = {
    endpoint: { url: proxy.endpoint },
    region: "us-east-1",
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  };
  api = new S3Api(createRequests(options, contextFor("put", { clock: fakeClock() })));
});

function verifier(traits: Partial<Traits> = {}): S3Verifier {
  const settings = { api, traits: { ...TRAITS, ...traits }, allowPublic: false, applyPolicies: false };
  const batch = { records: 16, bytes: 1024 };
  return new S3Verifier({
    api,
    settings: () => Promise.resolve(settings),
    slots: new Slots(4),
    batch,
    workDirectory: tmpdir(),
  });
}

/** The proxy's own answers say that they are XML. */
const BARE = { "content-type": "binary/octet-stream" };
const base64Sha256 = (body: string) => createHash("sha256").update(body).digest("base64");

/** Answers HEADs with these headers, and with more when digests are asked for; GETs with the body. */
function serve(headers: Readonly<Record<string, string>>, digests: S3Answer | Record<string, string> = {}): void {
  proxy.follow(({ line, headers: asked }) => {
    const whole = {
      status: 200,
      body: "",
      headers: { ...BARE, "content-length": "4", etag: `"${md5("text")}"`, ...headers },
    };
    if (line.startsWith("GET ")) return { ...whole, body: "text" };
    if (asked["x-amz-checksum-mode"] === undefined) return whole;
    return "status" in digests ? (digests as S3Answer) : { ...whole, headers: { ...whole.headers, ...digests } };
  });
}

async function compare(init: ObjectInit = { body: "text" }, how = HOW) {
  return (await verifier().compare(scope, [objectRecord("key", init)], how))[0];
}

describe("an object that is encrypted with keys that are not the service's", () => {
  const encrypted = { "x-amz-server-side-encryption": "aws:kms", etag: `"${"0".repeat(32)}"` };
  const unproven = { differences: [], unproven: [expect.stringContaining("--download")] };

  it("is proven by the SHA-256 that the target keeps", async () => {
    serve(encrypted, { "x-amz-checksum-sha256": base64Sha256("text"), "x-amz-checksum-type": "FULL_OBJECT" });
    expect(await compare()).toEqual(EQUAL);
    expect((await compare({ body: "texT" }))?.differences).toMatchObject([{ kind: "body" }]);
  });

  it("is not proven by a digest of digests", async () => {
    serve(encrypted, { "x-amz-checksum-sha256": `${base64Sha256("text")}-2`, "x-amz-checksum-type": "COMPOSITE" });
    expect(await compare()).toEqual(unproven);
  });

  it("is not proven where the target keeps none, or does not tell it to these credentials", async () => {
    serve(encrypted);
    expect(await compare()).toEqual(unproven);
    serve(encrypted, DENIED);
    expect(await compare()).toEqual(unproven);
  });

  it("is proven by reading it", async () => {
    serve(encrypted);
    expect(await compare({ body: "text" }, DOWNLOAD)).toEqual(EQUAL);
    expect((await compare({ body: "texT" }, DOWNLOAD))?.differences).toMatchObject([{ kind: "body" }]);
  });

  it("is another one when its size is, whatever is known of its bytes", async () => {
    serve(encrypted);
    expect((await compare({ body: "texts" }))?.differences).toMatchObject([{ kind: "body" }]);
  });
});

it("an object whose ETag is no MD5 in any form is unproven", async () => {
  serve({ etag: '"anything"' });
  expect((await compare())?.unproven).toHaveLength(1);
});

it("an object whose size is not told is proven by its ETag", async () => {
  proxy.follow(() => ({ status: 200, body: "", headers: { ...BARE, etag: `"${md5("text")}"` } }));
  expect(await compare()).toEqual(EQUAL);
  expect((await compare({ body: "texts" }))?.differences).toMatchObject([{ kind: "body" }]);
});

it("an object whose ETag of parts comes of another digest than MD5 is read before it counts as another one", async () => {
  serve({ etag: `"${"0".repeat(32)}-1"` });
  expect(await compare()).toEqual(EQUAL);
  expect((await compare({ body: "texT" }))?.differences).toMatchObject([{ kind: "body" }]);
});

it("an object of more parts than are asked for is proven by the size of its first", async () => {
  // In 101 parts of 50,000 bytes, which nobody takes and no candidate is.
  const body = patterned(5_050_000);
  const etag = etagOfParts(body, 50_000);
  const asked: string[] = [];
  proxy.follow(({ line }) => {
    asked.push(line);
    const isPart = line.includes("partNumber=1");
    const headers = {
      ...BARE,
      "content-length": isPart ? "50000" : String(body.length),
      etag: `"${etag}"`,
      ...(isPart ? { "x-amz-mp-parts-count": "101" } : {}),
    };
    return { status: isPart ? 206 : 200, body: "", headers };
  });
  expect(await compare({ body })).toEqual(EQUAL);
  expect(asked).toHaveLength(2);
});

describe("headers", () => {
  it("that servers add of their own are no difference", async () => {
    serve({
      server: "Thing/1.0",
      date: "Wed, 25 Nov 2026 20:00:00 GMT",
      "last-modified": "Wed, 25 Nov 2026 20:00:00 GMT",
      "accept-ranges": "bytes",
      "content-type": "binary/octet-stream",
      "x-amz-request-id": "1",
      "x-amz-id-2": "2",
      "x-amz-version-id": "null",
      "x-amz-server-side-encryption": "AES256",
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-replication-status": "COMPLETED",
      "x-amz-expiration": 'expiry-date="x", rule-id="y"',
      "strict-transport-security": "max-age=1",
      "x-content-type-options": "nosniff",
      vary: "Origin",
    });
    expect(await compare()).toEqual(EQUAL);
  });

  it.each([
    ["UTF-8 and base64", "=?UTF-8?B?w7wg44OV44Kh44Kk44OrIPCfmIA=?="],
    ["two words", "=?utf-8?b?w7wg44OV?= =?utf-8?b?44Kh44Kk44OrIPCfmIA=?="],
    ["quoted bytes", "=?UTF-8?Q?=C3=BC_=E3=83=95=E3=82=A1=E3=82=A4=E3=83=AB_=F0=9F=98=80?="],
    ["bytes as they are", Buffer.from("ü ファイル 😀").toString("latin1")],
  ])("that hold text as %s are the same text", async (_form, answered) => {
    serve({ "x-amz-meta-k": answered });
    expect(await compare({ body: "text", metadata: { user: [["K", "ü ファイル 😀"]] } })).toEqual(EQUAL);
    expect((await compare({ body: "text", metadata: { user: [["K", "u ファイル 😀"]] } }))?.differences).toMatchObject([
      { kind: "metadata", at: "metadata K" },
    ]);
  });

  it("that the target holds and cannot tell are neither there nor missing", async () => {
    serve({ "x-amz-missing-meta": "1", "x-amz-meta-told": "other" });
    const user = [
      ["untold", "v"],
      ["told", "v"],
    ] as const;
    expect(await compare({ body: "text", metadata: { user, cacheControl: "no-store" } })).toEqual({
      differences: [
        { kind: "missing-part", at: "header cache-control", detail: expect.any(String) },
        { kind: "metadata", at: "metadata told", detail: expect.any(String) },
      ],
      unproven: [expect.stringContaining("does not tell")],
    });
  });
});

describe("an object that may not be read", () => {
  const records = [objectRecord("open", { body: "text" }), objectRecord("closed", { body: "text" })];
  const open = { status: 200, body: "", headers: { ...BARE, "content-length": "4", etag: `"${md5("text")}"` } };

  it("is unproven beside others", async () => {
    proxy.follow(({ line }) => (line.endsWith("/closed") ? DENIED : open));
    expect(await verifier().compare(scope, records, HOW)).toEqual([
      EQUAL,
      { differences: [], unproven: [expect.stringContaining("could not be read")] },
    ]);
  });

  it("ends the run where none may be", async () => {
    proxy.follow(() => DENIED);
    await expect(verifier().compare(scope, records, HOW)).rejects.toMatchObject({ code: "TARGET_CREDENTIALS" });
  });
});

describe("a server that writes what XML cannot hold as U+FFFD", () => {
  const held = ["a", "b\u0001", "b\u0001c", "b\u0002", "b\u0003\uffff\u0004", "b\ufffd", "\ufffd", " ", "\n", " \n\t"];

  function serveListing(keys: readonly string[]): void {
    proxy.follow(({ line }: S3Request): S3Answer => {
      const url = new URL(`http://host${line.slice(line.indexOf(" ") + 1)}`);
      if (line.startsWith("HEAD ")) {
        const isThere = keys.includes(decodeURIComponent(url.pathname).slice("/bucket/".length));
        return isThere ? { status: 200, body: "" } : { status: 404, code: "NoSuchKey" };
      }
      const prefix = url.searchParams.get("prefix") ?? "";
      const found = keys
        .filter((key) => key.startsWith(prefix))
        .slice(0, Number(url.searchParams.get("max-keys") ?? 9));
      const shown = found.map((key) => `<Contents><Key>${inXml(key)}</Key></Contents>`);
      return { status: 200, body: `<ListBucketResult>${shown.join("")}</ListBucketResult>` };
    });
  }

  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold
  const inXml = (key: string) => key.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");

  async function listed(): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of verifier().held(scope)) keys.push(...page.map(({ key }) => key.toString()));
    return keys;
  }

  it("is asked for the keys behind it, each of them once", async () => {
    serveListing(held);
    const keys = await listed();
    expect([...keys].sort()).toEqual([...held].sort());
  });

  it("is asked for nothing else", async () => {
    serveListing(["a", "ü"]);
    expect(await listed()).toEqual(["a", "ü"]);
    expect(proxy.lines).toHaveLength(1);
  });

  it("has a key that is none of a dump's when none is found", async () => {
    // As for a key of bytes that are no text.
    proxy.follow(({ line }) =>
      line.includes("prefix") || line.startsWith("HEAD")
        ? { status: line.startsWith("HEAD") ? 404 : 200, code: "NoSuchKey", body: "<ListBucketResult/>" }
        : { status: 200, body: "<ListBucketResult><Contents><Key>a\ufffd</Key></Contents></ListBucketResult>" },
    );
    expect(await listed()).toEqual(["a\ufffd"]);
  });
});

it("an object of which an unknown server may have answered under another key is neither there nor missing", async () => {
  proxy.follow(({ line }) => ({
    status: 200,
    ...(line.startsWith("HEAD ")
      ? { body: "", headers: { "content-length": "4", etag: `"${md5("text")}"` } }
      : { body: "<ListBucketResult><Contents><Key>lead</Key></Contents></ListBucketResult>" }),
  }));
  const record = objectRecord("/lead", { body: "text" });
  expect(await verifier({ keyRules: "unknown" }).compare(scope, [record], HOW)).toEqual([
    { differences: [], unproven: [expect.stringContaining("does not list it")] },
  ]);
  await verifier({ keyRules: "unknown" }).deleteKeys(scope, [Buffer.from("/lead")]);
  expect(proxy.lines.filter((line) => !/^(?:HEAD|GET) /.test(line))).toEqual([]);
});

it.each(["SlowDown", "InternalError"])(
  "what a target deletes only later (%s) is asked for again, alone",
  async (code) => {
    const sizes: number[] = [];
    proxy.follow(({ headers }) => {
      sizes.push(Number(headers["content-length"]));
      const error = `<Error><Key>b</Key><Code>${code}</Code><Message>later</Message></Error>`;
      return { status: 200, body: `<DeleteResult>${sizes.length === 1 ? error : ""}</DeleteResult>` };
    });
    await verifier().deleteKeys(scope, [Buffer.from("a"), Buffer.from("b"), Buffer.from("c")]);
    expect(sizes).toHaveLength(2);
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0);
  },
);

it("what a target would not delete is said", async () => {
  proxy.follow(() => ({
    status: 200,
    body: "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>",
  }));
  await expect(verifier().deleteKeys(scope, [Buffer.from("k")])).rejects.toMatchObject({
    code: "CALL_FAILED",
    message: expect.stringContaining("AccessDenied"),
  });
});
