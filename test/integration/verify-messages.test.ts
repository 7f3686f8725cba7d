/**
 * Queues whose messages are no longer those of the dump: `verify --messages` receives them, tells every damage by message
 * and gives all of them back; `--repair` sends what is missing and nothing twice.
 */
import type { Message } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Verification } from "../../src/run/verify/report.js";
import { startElasticMq } from "../../testcontainers/elasticmq.js";
import type { RunningServer } from "../../testcontainers/server.js";
import { told } from "../support/damages/damage.js";
import { verification } from "../support/damages/verifications.js";
import { sqsMessage, temporaryDump } from "../support/dump-builder.js";
import { CLI_ENVIRONMENT } from "../support/four-servers.js";
import { runCli } from "../support/run-cli.js";
import { Queues } from "../support/sqs-queues.js";

const STANDARD = ["kept", "gone", "twice", "trace", "less", "more", "type", "body"];
/** By group, in order. */
const GROUPS = {
  kept: ["kept-1", "kept-2"],
  order: ["order-1", "order-2", "order-3"],
  moved: ["moved"],
  others: ["fifo-gone", "fifo-body", "fifo-twice"],
};
const TRACE = { trace: { DataType: "String", StringValue: "a-1" } };

let server: RunningServer;
let queues: Queues;
let dump: Awaited<ReturnType<typeof temporaryDump>>;

beforeAll(async () => {
  server = await startElasticMq();
  queues = new Queues(server);
  dump = await temporaryDump({ files: dumpFiles() });
}, 300_000);

afterAll(async () => {
  queues?.destroy();
  await Promise.all([server?.stop(), dump?.remove()]);
});

function dumpFiles() {
  const settings = (name: string) => ({ format_version: 1, name, visibility_timeout_seconds: 45 });
  const message = (id: string, more: object = {}) =>
    sqsMessage(`body of ${id}`, { message_id: id, message_attributes: TRACE, ...more });
  return {
    "sqs/mail/_queue.json": settings("mail"),
    "sqs/mail/messages.jsonl": STANDARD.map((id) => message(id)),
    "sqs/mail.fifo/_queue.json": { ...settings("mail.fifo"), fifo: true },
    "sqs/mail.fifo/messages.jsonl": Object.entries(GROUPS).flatMap(([group, ids]) =>
      ids.map((id) => message(id, { message_group_id: group, message_deduplication_id: id })),
    ),
  };
}

const verify = (...more: string[]) =>
  verification([dump.path, "--sqs-endpoint", server.endpoint, "--messages", ...more]);

async function restoreAll(): Promise<void> {
  for (const name of await queues.names()) await queues.deleteQueue(name);
  const argv = ["apply", dump.path, "--sqs-endpoint", server.endpoint, "--progress", "none"];
  const { status, stderr } = await runCli(argv, CLI_ENVIRONMENT);
  expect(status, stderr).toBe(0);
}

/** Ids that the queue gave to messages which the dump lacks are of no interest. */
const found = (of: Pick<Verification, "differences">) =>
  told(of)
    .map((each) => each.replace(/"[0-9a-f-]{36}"/u, "(another)"))
    .sort();

/** Takes all messages, and sends what becomes of them. */
async function damageStandard(): Promise<void> {
  const send = async ({ Body = "" }: Message, more: object) => {
    await queues.send("mail", Body, { DelaySeconds: 0, MessageAttributes: TRACE, ...more });
  };
  const also = { DataType: "String", StringValue: "x" };
  const changes: Record<string, object[]> = {
    gone: [],
    twice: [{}, {}],
    trace: [{ MessageAttributes: { trace: { DataType: "String", StringValue: "a-2" } } }],
    less: [{ MessageAttributes: {} }],
    more: [{ MessageAttributes: { ...TRACE, also } }],
    type: [{ MessageAttributes: { trace: { DataType: "String.id", StringValue: "a-1" } } }],
    body: [{ MessageBody: "another body" }],
  };
  for (const message of await queues.drain("mail")) {
    const id = (message.Body ?? "").replace("body of ", "");
    for (const more of changes[id] ?? [{}]) await send(message, more);
  }
  await queues.send("mail", "stranger", { DelaySeconds: 0 });
}

const STANDARD_FOUND = [
  "sqs:mail (another) duplicate",
  "sqs:mail (another) extra",
  "sqs:mail (another) extra",
  'sqs:mail "body" missing',
  'sqs:mail "gone" missing',
  'sqs:mail "less" missing-part attribute "trace"',
  'sqs:mail "more" extra-part attribute "also"',
  'sqs:mail "trace" value attribute "trace"',
  'sqs:mail "type" type attribute "trace"',
];

/** A new queue of that name: the old one would drop what has ids that it saw. */
async function damageFifo(): Promise<void> {
  await queues.deleteQueue("mail.fifo");
  await queues.create("mail.fifo", { VisibilityTimeout: "45" });
  const send = async (id: string, MessageGroupId: string, more: object = {}) => {
    const own = { MessageGroupId, MessageDeduplicationId: id, MessageAttributes: TRACE };
    await queues.send("mail.fifo", `body of ${id}`, { ...own, ...more });
  };
  for (const id of ["kept-1", "kept-2"]) await send(id, "kept");
  for (const id of ["order-2", "order-1", "order-3"]) await send(id, "order");
  await send("moved", "another-group");
  await send("fifo-body", "others", { MessageBody: "another body" });
  await send("fifo-twice", "others");
  await send("fifo-twice", "others", { MessageDeduplicationId: "again" });
}

const FIFO_FOUND = [
  "sqs:mail.fifo (another) duplicate",
  'sqs:mail.fifo "fifo-body" value body',
  'sqs:mail.fifo "fifo-gone" missing',
  'sqs:mail.fifo "moved" value MessageGroupId',
  'sqs:mail.fifo "order-2" order',
];

const depths = async () => [await queues.depths("mail"), await queues.depths("mail.fifo")];

beforeEach(restoreAll);

describe("messages that were just restored", () => {
  it("are equal, and stand in the queue again afterwards", async () => {
    const before = await depths();
    const { exitStatus, differences, standings, records } = await verify();
    expect(differences).toEqual([]);
    expect(exitStatus).toBe(0);
    expect(standings).toMatchObject({ equal: records, unproven: 0 });
    expect(records).toBe(STANDARD.length + Object.values(GROUPS).flat().length);
    expect(await depths()).toEqual(before);
  });
});

describe("damage to messages", () => {
  it("is found message by message, and nothing else is", async () => {
    await damageStandard();
    await damageFifo();
    const before = await depths();
    const verified = await verify();
    expect(found(verified)).toEqual([...STANDARD_FOUND, ...FIFO_FOUND].sort());
    expect(verified.exitStatus).toBe(6);
    expect(verified.standings).toMatchObject({ missing: 3, differing: 7, equal: verified.records - 10 });
    expect(await depths()).toEqual(before);
  });

  it("is mended where messages are missing; of the rest is said that it stays", async () => {
    await damageStandard();
    await damageFifo();
    const [standard, fifo] = await depths();
    const repaired = await verify("--repair", "--mode", "replace", "--yes", "--progress", "plain");
    const isMissing = (each: string) => each.endsWith(" missing");
    // What is sent again stands at the end of its group.
    const expected = [...STANDARD_FOUND, ...FIFO_FOUND].filter((each) => !isMissing(each));
    expect(found(repaired).filter((each) => !/"fifo-[a-z]+" order$/u.test(each))).toEqual(expected.sort());
    expect(await depths()).toEqual([
      [(standard?.[0] ?? 0) + 2, 0, 0],
      [(fifo?.[0] ?? 0) + 1, 0, 0],
    ]);
    for (const queue of ["mail", "mail.fifo"]) {
      expect(repaired.stderr).toContain(`Not mended: sqs:${queue}: messages that the dump lacks stay`);
      expect(repaired.stderr).toContain(`Not mended: sqs:${queue}: messages that differ stay`);
    }
  });

  it("that no sending mends sends nothing", async () => {
    await queues.deleteQueue("mail.fifo");
    await queues.create("mail.fifo", { VisibilityTimeout: "45" });
    for (const [group, ids] of Object.entries(GROUPS)) {
      for (const id of group === "order" ? [...ids].reverse() : ids) {
        await queues.send("mail.fifo", `body of ${id}`, {
          MessageGroupId: group,
          MessageDeduplicationId: id,
          MessageAttributes: TRACE,
        });
      }
    }
    const before = await depths();
    const repaired = await verify("--repair", "--scope", "sqs=mail.fifo");
    expect(new Set(found(repaired).map((each) => each.split(" ").at(-1)))).toEqual(new Set(["order"]));
    expect(await depths()).toEqual(before);
  });
});

describe("settings beside missing messages", () => {
  const delayed = { format_version: 1, name: "slow.fifo", fifo: true, delay_seconds: 600 };
  const ids = ["one", "two"];
  const files = {
    "sqs/slow.fifo/_queue.json": { ...delayed, redrive_policy: dead("lost.fifo") },
    "sqs/slow.fifo/messages.jsonl": ids.map((id) =>
      sqsMessage(id, { message_id: id, message_group_id: "g", message_deduplication_id: id }),
    ),
    "sqs/lost.fifo/_queue.json": { format_version: 1, name: "lost.fifo", fifo: true },
    "sqs/lost.fifo/messages.jsonl": [],
  };
  let slow: Awaited<ReturnType<typeof temporaryDump>>;

  beforeAll(async () => {
    slow = await temporaryDump({ files });
  });
  afterAll(async () => {
    await slow?.remove();
  });

  it("come behind them: no delay holds them up, and the queue for dead letters is there by then", async () => {
    await queues.create("slow.fifo", { DelaySeconds: "0", VisibilityTimeout: "10" });
    const repaired = await verification([slow.path, "--sqs-endpoint", server.endpoint, "--messages", "--repair"]);
    expect(await queues.depths("slow.fifo")).toEqual([ids.length, 0, 0]);
    expect(repaired.differences.filter(({ kind }) => kind === "setting" || kind === "missing")).toEqual([]);
    const { DelaySeconds, RedrivePolicy = "" } = await queues.attributes("slow.fifo");
    expect(DelaySeconds).toBe("600");
    expect(RedrivePolicy).toContain("lost.fifo");
    expect(await queues.bodies("slow.fifo")).toEqual(ids);
  });
});

function dead(queue: string): string {
  return JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:eu-west-1:123456789012:${queue}`, maxReceiveCount: 5 });
}

describe("messages that are only counted", () => {
  it("are called too few or too many, and what tells them apart is said", async () => {
    await queues.send("mail", "stranger", { DelaySeconds: 0 });
    await queues.drain("mail.fifo");
    const verified = await verification([
      dump.path,
      "--sqs-endpoint",
      server.endpoint,
      "--repair",
      "--progress",
      "plain",
    ]);
    expect(told(verified)).toEqual(["sqs:mail count", "sqs:mail.fifo count"]);
    expect(verified.stderr).toContain("with --messages those that are missing are sent");
    expect((await queues.depths("mail.fifo"))[0]).toBe(0);
  });
});
