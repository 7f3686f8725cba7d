import { describe, expect, it } from "vitest";
import type { DumpRecord } from "../../../src/model/record.js";
import type { QueueScope } from "../../../src/model/scope.js";
import { type DumpFile, sqsMessage } from "../../support/dump-builder.js";
import { collect, EVERYTHING, faultOf, readRecords, readWhole, withBuilt, withDump } from "../../support/read-dump.js";

function readQueue(
  messages: DumpFile,
  queue: Record<string, unknown> = {},
): Promise<{ scope: QueueScope; records: DumpRecord[] }> {
  const name = typeof queue["name"] === "string" ? queue["name"] : "q";
  const files = {
    [`sqs/${name}/_queue.json`]: { format_version: 1, name, ...queue },
    [`sqs/${name}/messages.jsonl`]: messages,
  };
  return withBuilt({ files }, (path) =>
    withDump(path, async (dump) => {
      await dump.check();
      const [scope] = await dump.scopes(EVERYTHING);
      if (scope?.adapter !== "sqs") throw new Error("no queue");
      return { scope, records: await collect(readRecords(dump, scope)) };
    }),
  );
}

describe("messages", () => {
  it("come in the file's order with body, attributes and times", async () => {
    const attributes = {
      n: { DataType: "Number", StringValue: "00123456789012345678901234567890.10" },
      b: { DataType: "Binary.png", BinaryValue: "/+8=" },
      s: { DataType: "String.json", StringValue: "" },
    };
    const { records } = await readQueue([
      sqsMessage("one", {
        message_attributes: attributes,
        visible_at_millis: 5,
        sequence_number: 18446744073709551615n,
      }),
      sqsMessage("two", { message_attributes: null }),
    ]);
    expect(records).toMatchObject([
      {
        kind: "message",
        body: Buffer.from("one"),
        availableAtMs: 1777477330094,
        visibleAtMs: 5,
        place: { path: "sqs/q/messages.jsonl", line: 1 },
        attributes: [
          ["n", { dataType: "Number", value: { string: "00123456789012345678901234567890.10" } }],
          ["b", { dataType: "Binary.png", value: { binary: Buffer.from([0xff, 0xef]) } }],
          ["s", { dataType: "String.json", value: { string: "" } }],
        ],
      },
      { body: Buffer.from("two"), attributes: [] },
    ]);
  });

  it("may have a body of any bytes", async () => {
    const { records } = await readQueue([{ message_id: "1", body: { base64: "_wA" } }]);
    expect(records).toMatchObject([{ body: Buffer.from([0xff, 0]), availableAtMs: 0 }]);
  });

  it("carry a note when md5_of_body is another's, whatever its case", async () => {
    const md5 = "5D41402ABC4B2A76B9719D911017C592";
    const { records } = await readQueue([
      sqsMessage("hello", { md5_of_body: md5 }),
      sqsMessage("hell", { md5_of_body: md5 }),
    ]);
    expect(records[0]).not.toHaveProperty("notes");
    expect(records[1]).toMatchObject({ kind: "message", notes: [{ kind: "md5-mismatch" }] });
  });

  it("of a FIFO queue have their group's lane, which no group's name can turn into the shared one", async () => {
    const { records } = await readQueue(
      [
        sqsMessage("a", { message_group_id: "queue", message_deduplication_id: "d" }),
        sqsMessage("b", { message_group_id: "" }),
      ],
      { name: "q.fifo", fifo: true },
    );
    expect(records).toMatchObject([
      { lane: "group:queue", groupId: "queue", deduplicationId: "d" },
      { lane: "group:" },
    ]);
    expect(records[1]).not.toHaveProperty("groupId");
  });

  it("of a standard queue share one lane and may have a group", async () => {
    const { records } = await readQueue([
      sqsMessage("a", { message_group_id: "g" }),
      sqsMessage("b", { message_deduplication_id: "" }),
    ]);
    expect(records).toMatchObject([{ lane: "queue", groupId: "g" }, { lane: "queue" }]);
    expect(records[1]).not.toHaveProperty("deduplicationId");
  });

  it.each([
    ["no body", { message_id: "1" }, "malformed-record"],
    ["a number as body", { message_id: "1", body: 7 }, "malformed-record"],
    [
      "an attribute without its value",
      sqsMessage("x", { message_attributes: { a: { DataType: "String" } } }),
      "malformed-record",
    ],
    [
      "an attribute of an unknown type",
      sqsMessage("x", { message_attributes: { a: { DataType: "Map", StringValue: "" } } }),
      "malformed-record",
    ],
    [
      "a number that is no text",
      sqsMessage("x", { message_attributes: { a: { DataType: "Number", StringValue: 1 } } }),
      "malformed-record",
    ],
    [
      "base64url in an attribute",
      sqsMessage("x", { message_attributes: { a: { DataType: "Binary", BinaryValue: "_w" } } }),
      "malformed-record",
    ],
    ["half a line", '{"message_id":"1","bo', "malformed-json"],
    ["a name twice", '{"message_id":"1","body":"a","body":"b"}', "duplicate-key"],
    ["a lone surrogate", '{"message_id":"1","body":"\\udc00"}', "lone-surrogate"],
    ["a fraction as time", '{"message_id":"1","body":"a","available_at_millis":1.5}', "malformed-record"],
  ])("are rejected with %s, and the others are read", async (_what, line, reason) => {
    const { records } = await readQueue([sqsMessage("before"), line, sqsMessage("after")]);
    expect(records).toMatchObject([
      { kind: "message" },
      { kind: "faulty", outcome: "rejected", reason, place: { line: 2 } },
      { kind: "message" },
    ]);
  });
});

describe("a queue", () => {
  it("has the settings of its _queue.json; missing delay and wait are 0, other missing ones the target's default", async () => {
    const { scope } = await readQueue([], {
      maximum_message_size: 0,
      redrive_policy: null,
      visibility_timeout_seconds: 0,
    });
    expect(scope.settings).toEqual({
      fifo: false,
      contentBasedDeduplication: false,
      delaySeconds: 0,
      receiveMessageWaitSeconds: 0,
      visibilityTimeoutSeconds: 0,
    });
  });

  it("keeps policies as text", async () => {
    const policy = '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:0:dlq","maxReceiveCount":"3"}';
    const { scope } = await readQueue([], {
      redrive_policy: policy,
      fifo_throughput_limit: "perQueue",
      partition_count: 4,
    });
    expect(scope.settings).toMatchObject({ redrivePolicy: policy, fifoThroughputLimit: "perQueue", partitionCount: 4 });
  });

  it.each([
    ["no _queue.json", { "sqs/q/messages.jsonl": [] }, "SCOPE_INVALID"],
    ["an empty directory", { "sqs/q": null }, "SCOPE_INVALID"],
    ["another name", { "sqs/q/_queue.json": { name: "p" } }, "SCOPE_INVALID"],
    ["a newer format", { "sqs/q/_queue.json": { name: "q", format_version: 2 } }, "SCHEMA_INVALID"],
    ["a policy that is no JSON", { "sqs/q/_queue.json": { name: "q", redrive_policy: "{" } }, "SCHEMA_INVALID"],
    ["a negative delay", { "sqs/q/_queue.json": { name: "q", delay_seconds: -1 } }, "SCHEMA_INVALID"],
    ["a list for an object", { "sqs/q/_queue.json": "[]" }, "SCHEMA_INVALID"],
  ])("is refused with %s", async (_what, files, code) => {
    const error = await faultOf({ files });
    expect([error.code, error.exitStatus]).toEqual([code, 4]);
  });

  it("is no orphan's directory and nothing in _internals", async () => {
    const files = {
      "sqs/q/_queue.json": { name: "q" },
      "sqs/q/_internals/side_records.jsonl": "x",
      "sqs/gone.orphan/_internals/side_records.jsonl": "x",
      "sqs/_internals/x": "x",
      "sqs/q/KEYMAP.jsonl": "ignored",
    };
    await withBuilt({ files, adapters: { sqs: { queues: ["q"] } } }, async (path) => {
      const { scopes } = await readWhole(path);
      expect(scopes).toMatchObject([{ name: "q", warnings: [] }]);
    });
  });
});
