/**
 * Files that change behind the check, in every way and for every kind of reading: the record fails alone, nothing wrong
 * reaches the target, and what was read before, or is not read again, is restored as it was checked.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  type DumpFile,
  fallbackOf,
  s3Object,
  sqsMessage,
  tableSchema,
  temporaryDump,
} from "../support/dump-builder.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { type Relay, startRelay } from "../support/relay.js";
import { type Meanwhile, runCliWithReport, type WrittenReport } from "../support/run-cli.js";
import { etagOfParts, MIB, patterned } from "../support/s3-records.js";
import { edit, type Tamper, waysToTamper } from "../support/tampering.js";
import { TargetState } from "../support/target-state.js";

const PART_BYTES = 5 * MIB;
const EXPIRY = 4_102_444_800_000;

let servers: FourServers;
let target: TargetState;
const relays: Relay[] = [];
const dumps: Awaited<ReturnType<typeof temporaryDump>>[] = [];

beforeAll(async () => {
  servers = await startFourServers();
  target = new TargetState(servers);
}, 600_000);
afterAll(async () => {
  target?.close();
  await servers?.stop();
});
afterEach(async () => {
  await target.redis().flushall();
  for (const relay of relays.splice(0)) await relay.stop();
  for (const dump of dumps.splice(0)) await dump.remove();
});

async function newDump(files: Readonly<Record<string, DumpFile>>): Promise<string> {
  const dump = await temporaryDump({ files });
  dumps.push(dump);
  return dump.path;
}

/** Runs `change` when everything was checked and nothing has been written. */
function afterTheCheck(change: () => void): Meanwhile {
  let done = false;
  const onStderr = (text: string) => {
    if (done || !text.includes("on the target")) return;
    done = true;
    change();
  };
  return { onStderr };
}

const outcomes = (report: WrittenReport | undefined) =>
  Object.fromEntries((report?.listed ?? []).map(({ path, outcome, reason }) => [path, `${outcome}/${reason}`]));
const failed = (paths: readonly string[]) =>
  Object.fromEntries(paths.map((path) => [path, "failed/changed-after-check"]));

/** What stands at `path` for a way, at whose `offset` it is changed. */
interface Subject {
  readonly path: string;
  readonly content: Buffer;
  readonly offset: number;
  readonly beside?: Readonly<Record<string, DumpFile>>;
  /** Under which it is listed, where that is another file. */
  readonly listedAs?: string;
}

const LINES = 13;
const numbers = Array.from({ length: LINES }, (_, i) => i);
/** Lines of 100 KB, so that the last three reach into a second block; the values are short. */
const padded = (lines: readonly object[]) =>
  Buffer.from(lines.map((line) => `${JSON.stringify(line)}${" ".repeat(100_000)}\n`).join(""));
const inLast = (content: Buffer) => content.lastIndexOf("ours");
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** `elements`: of a collection, a KB each. */
function keys(way: string, elements = 3_000): Subject[] {
  const small = Buffer.from("ours");
  const large = patterned(9 * MIB);
  const list = json({
    format_version: 1,
    items: Array.from({ length: elements }, (_, i) => `ours ${way} ${i} ${"x".repeat(1000)}`),
  });
  const entries = Array.from(
    { length: elements },
    (_, i) => `${JSON.stringify({ id: `1-${i}`, fields: { a: `ours ${way} ${i} ${"x".repeat(1000)}` } })}\n`,
  );
  const stream = Buffer.from(entries.join(""));
  const members = Buffer.concat([Buffer.from([0, 0x52, 0x53, 1, 0x0a, 4]), small]);
  return [
    { path: `redis/db_0/strings/string-${way}.bin`, content: small, offset: 0 },
    { path: `redis/db_0/strings/long-string-${way}.bin`, content: large, offset: 8 * MIB + 7 },
    { path: `redis/db_0/hll/sketch-${way}.bin`, content: members, offset: 6 },
    { path: `redis/db_0/hashes/hash-${way}.json`, content: json({ fields: { a: "ours" } }), offset: 16 },
    { path: `redis/db_0/lists/list-${way}.json`, content: list, offset: inLast(list) },
    { path: `redis/db_0/streams/stream-${way}.jsonl`, content: stream, offset: inLast(stream) },
  ];
}

const TABLE = "changed-items";
const BUCKET = "changed-objects";
const linesTable = (way: string) => `changed-lines-${way}`;
const queue = (way: string) => `changed-messages-${way}`;

function items(way: string): Subject[] {
  const item = json({ pk: { S: way }, v: { S: "ours" } });
  const name = linesTable(way);
  const lines = padded(numbers.map((i) => ({ pk: { S: `${i}` }, v: { S: "ours" } })));
  return [
    { path: `dynamodb/${TABLE}/items/${way}.json`, content: item, offset: inLast(item) },
    {
      path: `dynamodb/${name}/items/data-00001.jsonl`,
      content: lines,
      offset: inLast(lines),
      beside: { [`dynamodb/${name}/_schema.json`]: tableSchema(name, { name: "pk", type: "S" }) },
    },
  ];
}

function messages(way: string): Subject {
  const lines = padded(numbers.map((i) => sqsMessage(`ours ${i}`)));
  return {
    path: `sqs/${queue(way)}/messages.jsonl`,
    content: lines,
    offset: inLast(lines),
    beside: { [`sqs/${queue(way)}/_queue.json`]: { format_version: 1, name: queue(way) } },
  };
}

function objects(way: string): Subject[] {
  const inBucket = (name: string, body: Buffer, offset: number, sidecar = {}): Subject => {
    const path = `s3/${BUCKET}/${name}-${way}`;
    return { path, content: body, offset, beside: s3Object(path, body, sidecar) };
  };
  const parts = patterned(2 * PART_BYTES + MIB / 2);
  const etag = etagOfParts(parts, PART_BYTES);
  const described = `s3/${BUCKET}/sidecar-${way}`;
  const sidecar = json({ format_version: 1, size_bytes: 4, content_type: "text/ours" });
  return [
    inBucket("small", Buffer.from("ours"), 0),
    inBucket("large", patterned(3 * MIB), 2 * MIB + 5),
    inBucket("boundary", parts, PART_BYTES, { etag }),
    // A way that changes no offset would do the same twice.
    ...(["edit", "punch"].includes(way) ? [inBucket("later", parts, 2 * PART_BYTES + 9, { etag })] : []),
    {
      path: `${described}.elastickv-meta.json`,
      content: sidecar,
      offset: inLast(sidecar),
      beside: { [described]: "body" },
      listedAs: described,
    },
  ];
}

const subjectsOf = (way: string): Subject[] => [...keys(way), ...items(way), messages(way), ...objects(way)];

const filesOf = (subjects: readonly Subject[]): Record<string, DumpFile> =>
  Object.assign({}, ...subjects.map(({ path, content, beside = {} }) => ({ ...beside, [path]: content })));

const LONG = "k".repeat(300);
const { segment, line } = fallbackOf(LONG);

/** A database whose key only KEYMAP names, with a time that only the expiry file tells. */
const namedIn = (database: number) => ({
  [`redis/db_${database}/strings/${segment}.bin`]: "ours",
  [`redis/db_${database}/KEYMAP.jsonl`]: [line],
  [`redis/db_${database}/strings_ttl.jsonl`]: [{ key: segment, expire_at_ms: EXPIRY }],
});

const KEPT = {
  "redis/db_0/strings/kept.bin": "ours",
  [`dynamodb/${TABLE}/_schema.json`]: tableSchema(TABLE, { name: "pk", type: "S" }),
  [`dynamodb/${TABLE}/items/kept.json`]: { pk: { S: "kept" }, v: { S: "ours" } },
  [`s3/${BUCKET}/_bucket.json`]: { name: BUCKET },
  ...s3Object(`s3/${BUCKET}/kept`, "ours"),
  "sqs/changed-kept/_queue.json": { name: "changed-kept" },
  "sqs/changed-kept/messages.jsonl": [sqsMessage("ours")],
};

/** Parts of uploads that were neither completed nor aborted. MinIO lists those of one key only. */
async function pendingUploads(bucket: string, keys: readonly string[]): Promise<string[]> {
  const pending: string[] = [];
  for (const Prefix of keys) {
    const { Uploads = [] } = await target.s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }));
    pending.push(...Uploads.map(({ Key = "" }) => Key));
  }
  return pending;
}

function tamperable(): Readonly<Record<string, Tamper>> {
  const directory = mkdtempSync(join(tmpdir(), "elastickv-restore-ways-"));
  try {
    writeFileSync(join(directory, "file"), "some bytes");
    return waysToTamper(join(directory, "file"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const WAYS = Object.entries(tamperable());

describe("a file that changed between check and replay", () => {
  it("fails its record alone, whatever it is and however it changed, and leaves nothing wrong on the target", async () => {
    const subjects = WAYS.map(([way, tamper]) => ({ way, tamper, files: subjectsOf(way) }));
    const names = Object.assign({}, ...WAYS.map((_, i) => namedIn(i + 1)));
    const dump = await newDump({ ...KEPT, ...names, ...filesOf(subjects.flatMap(({ files }) => files)) });
    let isChanged = false;
    const changing = afterTheCheck(() => {
      for (const { tamper, files } of subjects) for (const { path, offset } of files) tamper(join(dump, path), offset);
      for (const [i, [, tamper]] of WAYS.entries()) {
        for (const file of ["KEYMAP.jsonl", "strings_ttl.jsonl"]) tamper(join(dump, `redis/db_${i + 1}/${file}`), 30);
      }
      isChanged = true;
    });
    const argv = ["apply", dump, ...servers.options];
    const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT, changing);
    expect(isChanged).toBe(true);
    expect(status, stderr).toBe(3);
    const changed = subjects.flatMap(({ files }) => files.map(({ path, listedAs = path }) => listedAs));
    expect(outcomes(report)).toEqual(failed(changed));
    // Lines before the block that differs were sent as they were checked; of other files nothing was.
    const inPlace = WAYS.filter(([way]) => way === "edit" || way === "punch").length;
    const restored = 4 + WAYS.length + inPlace * 2 * 10;
    expect(report?.totals).toMatchObject({ restored, failed: changed.length });
    expect(await target.keys()).toEqual({ kept: "ours" });
    for (const i of WAYS.keys()) {
      expect(await target.keys(i + 1)).toEqual({ [LONG]: "ours" });
      expect(await target.redis(i + 1).pexpiretime(LONG)).toBe(EXPIRY);
    }
    expect(await target.items(TABLE)).toEqual({ kept: "ours" });
    expect(await target.objects(BUCKET)).toEqual({ kept: "ours" });
    const objectKeys = changed
      .filter((path) => path.startsWith("s3/"))
      .map((path) => path.slice(`s3/${BUCKET}/`.length));
    expect(await pendingUploads(BUCKET, objectKeys)).toEqual([]);
    expect(await target.queues.bodies("changed-kept")).toEqual(["ours"]);
    for (const [way] of WAYS) {
      const before = way === "edit" || way === "punch" ? numbers.slice(0, 10) : [];
      expect(await target.items(linesTable(way))).toEqual(Object.fromEntries(before.map((i) => [`${i}`, "ours"])));
      expect(await target.queues.sortedBodies(queue(way))).toEqual(before.map((i) => `ours ${i}`).sort());
    }
  });
});

describe("a file that changes while it is sent", () => {
  // The change has to come before the end is read, and several commands go ahead of their answers.
  const elements = 30_000;
  const keyFiles = () =>
    [...keys("sent", elements), ...keys("kept", elements)].filter(({ content }) => content.length > MIB);

  it.each([
    ["long-string", "long-string-sent"],
    ["list", "ours sent 0 "],
    ["stream", "ours sent 0 "],
  ])("a %s: fails, is not there in part, and the other is restored", async (name, first) => {
    const relay = await startRelay(servers.redis.endpoint);
    relays.push(relay);
    const files = keyFiles().filter(({ path }) => path.includes(`/${name}-`));
    const dump = await newDump(filesOf(files));
    const sent = files[0] ?? expect.fail("no file");
    let isChanged = false;
    relay.onceSent(first, () => {
      edit(join(dump, sent.path), sent.offset);
      isChanged = true;
    });
    const { status, stderr, report } = await runCliWithReport(["apply", dump, "--redis-url", relay.endpoint]);
    expect(isChanged).toBe(true);
    expect(status, stderr).toBe(3);
    expect(outcomes(report)).toEqual(failed([sent.path]));
    expect(report?.totals).toMatchObject({ restored: 1, failed: 1 });
    expect(await target.redis().keys("*")).toEqual([`${name}-kept`]);
  });

  it.each([
    ["in one request", "PUT /while-sent/whole-sent", "whole"],
    ["in parts", "PUT /while-sent/parts-sent?partNumber=1", "parts"],
  ])("an object that goes %s: fails, is not there, and the other is restored", async (_, request, name) => {
    const relay = await startRelay(servers.s3.endpoint);
    relays.push(relay);
    const body = patterned(4 * PART_BYTES + MIB);
    const etag = name === "parts" ? { etag: etagOfParts(body, PART_BYTES) } : {};
    const bucket = `while-sent-${name}`;
    const dump = await newDump({
      [`s3/${bucket}/_bucket.json`]: { name: bucket },
      ...s3Object(`s3/${bucket}/${name}-sent`, body, etag),
      ...s3Object(`s3/${bucket}/kept`, "ours"),
    });
    let isChanged = false;
    relay.onceSent(request.replace("while-sent", bucket), () => {
      edit(join(dump, `s3/${bucket}/${name}-sent`), body.length - 1);
      isChanged = true;
    });
    const argv = ["apply", dump, "--s3-endpoint", relay.endpoint];
    const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT);
    expect(isChanged).toBe(true);
    expect(status, stderr).toBe(3);
    expect(outcomes(report)).toEqual(failed([`s3/${bucket}/${name}-sent`]));
    expect(await target.objects(bucket)).toEqual({ kept: "ours" });
    expect(await pendingUploads(bucket, [`${name}-sent`])).toEqual([]);
  });
});
