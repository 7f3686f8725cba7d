/** `--transform` end to end: a module that masks, drops, renames and fails, on four real servers. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { s3Object, sqsMessage, tableSchema, temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { runCli, runCliWithReport } from "../support/run-cli.js";
import { md5 } from "../support/s3-records.js";
import { TargetState } from "../support/target-state.js";

let servers: FourServers;
let target: TargetState;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let directory: string;
let mask: string;

const fifoLine = (body: string, group: string) => ({
  ...sqsMessage(body, { message_id: `id-${body}`, message_group_id: group }),
});

const FILES = {
  "dynamodb/users/_schema.json": tableSchema("users", { name: "pk", type: "S" }),
  "dynamodb/users/items/data-00.jsonl": [
    { pk: { S: "ann" }, v: { S: "ann@example.com" }, n: { N: "12345678901234567890.1" } },
    { pk: { S: "bob" }, v: { S: "bob@example.com" } },
    { pk: { S: "internal" }, v: { S: "x" } },
    { pk: { S: "broken" } },
    { pk: { S: "ANN" }, v: { S: "ann@example.com" } },
  ],
  "s3/photos/_bucket.json": { name: "photos" },
  ...s3Object("s3/photos/letter.txt", "dear ann", { user_metadata: { owner: "ann" } }),
  ...s3Object("s3/photos/picture", "ours"),
  "redis/db_0/strings/user%3A1.bin": "ann",
  "redis/db_0/strings/session%3A1.bin": "token",
  "redis/db_0/hashes/profile.json": { format_version: 1, fields: { name: "ann", city: "Rome" } },
  "redis/db_0/lists/log.json": { format_version: 1, items: ["ann", "bob", "ann"] },
  "redis/db_0/sets/friends.json": { format_version: 1, members: ["ann", "bob"] },
  "redis/db_0/zsets/scores.json": { format_version: 1, members: [{ member: "ann", score: 1.5 }] },
  "redis/db_0/streams/events.jsonl": [
    { id: "5-1", fields: { who: "ann" } },
    { id: "5-2", fields: { who: "bob" } },
  ],
  "sqs/jobs/_queue.json": { format_version: 1, name: "jobs" },
  "sqs/jobs/messages.jsonl": [sqsMessage("ann"), sqsMessage("bob")],
  "sqs/mails.fifo/_queue.json": {
    format_version: 1,
    name: "mails.fifo",
    fifo: true,
    content_based_deduplication: true,
  },
  "sqs/mails.fifo/messages.jsonl": ["ann", "bob", "eve"].map((body) => fifoLine(body, body === "eve" ? "h" : "g")),
};

const RECORDS = { read: 5 + 2 + 7 + 2 + 3, leftOut: 2, rejected: 3 };

const MASK = `
const hidden = (bytes) => String(bytes).replaceAll(/ann|bob|eve/g, "xxx");

export default async function mask(record) {
  switch (record.kind) {
    case "item": {
      if (record.item.pk.S === "internal") return undefined;
      record.item.pk.S = record.item.pk.S.toLowerCase();
      record.item.v.S = record.item.v.S.replace(/^.*@/, "xxx@");
      return record;
    }
    case "object":
      return record.key.endsWith(".txt") ? { ...record, body: hidden(record.body) } : record;
    case "string":
      return String(record.key).startsWith("session:") ? null : { ...record, value: hidden(record.value) };
    case "hash":
      for (const field of record.fields) field.value = hidden(field.value);
      return record;
    case "list":
      return { ...record, items: record.items.map(hidden) };
    case "set":
      return { ...record, members: record.members.map(hidden) };
    case "stream":
      for (const { fields } of record.entries) for (const field of fields) field.value = hidden(field.value);
      return record;
    case "message":
      return { ...record, body: hidden(record.body) };
    default:
      return record;
  }
}
`;

beforeAll(async () => {
  servers = await startFourServers();
  target = new TargetState(servers);
  dump = await temporaryDump({ files: FILES });
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-transform-"));
  mask = join(directory, "mask.mjs");
  await writeFile(mask, MASK);
}, 300_000);

afterAll(async () => {
  target?.close();
  await Promise.all([servers?.stop(), dump?.remove(), rm(directory, { recursive: true, force: true })]);
});

it("plans, then restores, what the transform makes of each record, and accounts for every one", async () => {
  const argv = [dump.path, ...servers.options, "--progress", "none", "--transform", mask];
  const plan = await runCli(["plan", ...argv, "--json"], CLI_ENVIRONMENT);
  expect(plan.status, plan.stderr).toBe(0);
  const planned = JSON.parse(plan.stdout) as {
    transform: string;
    recordsRead: number;
    totals: { rejected: number };
    leftOut: number;
  };
  expect(planned.transform).toBe(mask);
  expect([planned.recordsRead, planned.totals.rejected, planned.leftOut]).toEqual([
    RECORDS.read - RECORDS.leftOut,
    RECORDS.rejected,
    RECORDS.leftOut,
  ]);

  const { status, stdout, stderr, report } = await runCliWithReport(["apply", ...argv], CLI_ENVIRONMENT);
  expect(status, stderr).toBe(3);
  const restored = RECORDS.read - RECORDS.leftOut - RECORDS.rejected;
  expect(report).toMatchObject({ recordsRead: restored + RECORDS.rejected, notReached: 0, leftOut: RECORDS.leftOut });
  expect(report?.totals).toMatchObject({ restored, rejected: RECORDS.rejected, failed: 0 });
  expect(stdout).toContain("2 more left out by the transform");
  const ends = report?.listed.filter(({ outcome }) => outcome === "rejected");
  expect(ends?.map(({ key, reason }) => `${key}: ${reason}`).sort()).toEqual([
    "ANN: duplicate-record",
    "broken: transform-failed",
    "friends: transform-failed",
  ]);
  const details = ends?.map(({ detail }) => detail).join("\n");
  expect(details).toMatch(/TypeError at mask\.mjs:\d+:\d+/);
  expect(details).toMatch(/members\[1\] equals one before it/);

  expect(await target.items("users")).toEqual({ ann: "xxx@example.com", bob: "xxx@example.com" });
  expect(await target.objects("photos")).toEqual({ "letter.txt": "dear xxx", picture: "ours" });
  const head = async (Key: string) => await target.s3.send(new HeadObjectCommand({ Bucket: "photos", Key }));
  expect(await head("letter.txt")).toMatchObject({ Metadata: { owner: "ann" }, ContentType: "text/plain" });
  expect((await head("picture")).ETag).toBe(`"${md5("ours")}"`);
  expect(await target.keys()).toEqual({
    "user:1": "xxx",
    profile: { name: "xxx", city: "Rome" },
    log: ["xxx", "xxx", "xxx"],
    scores: ["ann", "1.5"],
    events: [
      ["5-1", ["who", "xxx"]],
      ["5-2", ["who", "xxx"]],
    ],
  });
  expect(await target.queues.bodies("jobs")).toEqual(["xxx", "xxx"]);
  expect(await target.queues.bodies("mails.fifo")).toEqual(["xxx", "xxx", "xxx"]);
  const rekeyed = report?.listed.filter(({ notes }) => notes?.some(({ kind }) => kind === "rekeyed"));
  expect(rekeyed?.map(({ key }) => key).sort()).toEqual(["id-ann", "id-bob", "id-eve"]);
});

it.each(["record", "original"])(
  "loses no message of a FIFO queue whose bodies the transform made one, with --fifo-dedup %s",
  async (dedup) => {
    const queue = `mails-${dedup}.fifo`;
    const scope = ["--scope", "sqs=mails.fifo", "--rename", `sqs:mails.fifo=${queue}`, "--fifo-dedup", dedup];
    const argv = ["apply", dump.path, ...servers.options, "--transform", mask, ...scope];
    const { status, stderr } = await runCli(argv, CLI_ENVIRONMENT);
    expect(status, stderr).toBe(0);
    expect(await target.queues.bodies(queue)).toEqual(["xxx", "xxx", "xxx"]);
  },
);

it("refuses a module that is missing, or in the dump, before anything else", async () => {
  for (const path of [join(directory, "missing.mjs"), join(dump.path, "MANIFEST.json")]) {
    const { status, stderr } = await runCli(
      ["apply", dump.path, ...servers.options, "--transform", path],
      CLI_ENVIRONMENT,
    );
    expect(status, stderr).toBe(2);
    expect(stderr).toMatch(/--transform: .*(is not there|inside the dump)/);
  }
});
