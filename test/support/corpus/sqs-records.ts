/** Messages of a standard and of a FIFO queue, a line each, sound ones between the others. */
import { sqsMessage } from "../dump-builder.js";
import { attributeText } from "../readback/expected-sqs.js";
import { BOM, deep, type RecordCase } from "./case.js";
import { message, queue } from "./holdings.js";

const QUEUE = "corpus-messages";
const LINES = `sqs/${QUEUE}/messages.jsonl`;

function rejected(name: string, line: unknown, reason: string, by: "reader" | "target" = "reader"): RecordCase {
  return {
    name: `message: ${name}`,
    lines: { [LINES]: [line] },
    ends: [{ path: LINES, own: 0, outcome: "rejected", reason, by }],
  };
}

/** Its body is its name. */
function restored(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  attributes: readonly string[] = [],
  note?: string,
): RecordCase {
  const ends = note === undefined ? [] : [{ path: LINES, own: 0, outcome: "restored" as const, reason: note }];
  return {
    name: `message: ${name}`,
    lines: { [LINES]: [sqsMessage(name, fields)] },
    ends,
    holds: [message(QUEUE, name, { attributes })],
  };
}

const attributed = (attribute: unknown) => sqsMessage("a", { message_attributes: { n: attribute } });

const malformed: readonly RecordCase[] = [
  rejected("a blank line", "", "malformed-json"),
  rejected("a line cut off", '{"body":"a"', "malformed-json"),
  rejected("two in a line", '{"body":"a"}{"body":"b"}', "malformed-json"),
  rejected("an array", "[]", "malformed-record"),
  rejected("a byte order mark", `${BOM}{"body":"a"}`, "byte-order-mark"),
  rejected("a lone surrogate", '{"body":"\\ud800"}', "lone-surrogate"),
  rejected("the body twice", '{"body":"a","body":"b"}', "duplicate-key"),
  rejected("a hundred thousand levels", `{"body":"a","x":${deep(100_000)}}`, "too-deep"),
  rejected("no body", { message_id: "x" }, "malformed-record"),
  rejected("a body that is null", { body: null }, "malformed-record"),
  rejected("a body that is a number", { body: 1 }, "malformed-record"),
  rejected("a time that is text", sqsMessage("a", { available_at_millis: "1" }), "malformed-record"),
  rejected("a time that is a fraction", '{"body":"a","available_at_millis":1.5}', "malformed-record"),
  rejected("a group that is a number", sqsMessage("a", { message_group_id: 1 }), "malformed-record"),
  rejected("attributes that are an array", sqsMessage("a", { message_attributes: [] }), "malformed-record"),
  rejected("an attribute that is text", attributed("x"), "malformed-record"),
  rejected("an attribute without a type", attributed({ StringValue: "x" }), "malformed-record"),
  rejected(
    "an attribute of an unknown type",
    attributed({ DataType: "Boolean", StringValue: "x" }),
    "malformed-record",
  ),
  rejected(
    "a string attribute without its value",
    attributed({ DataType: "String", BinaryValue: "AA==" }),
    "malformed-record",
  ),
  rejected(
    "a binary attribute of the other alphabet",
    attributed({ DataType: "Binary", BinaryValue: "_w==" }),
    "malformed-record",
  ),
];

const many = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`n${index}`, { DataType: "String", StringValue: "x" }]),
  );

/** What SQS cannot carry. */
const refused: readonly RecordCase[] = [
  rejected("a body that is not UTF-8", { body: { base64: "_w" } }, "body-not-carriable", "target"),
  rejected("a body with NUL", { body: "a\0" }, "body-not-carriable", "target"),
  rejected("a body with an escape", { body: "\u001b[2J" }, "body-not-carriable", "target"),
  rejected("a body with U+FFFF", { body: "\uffff" }, "body-not-carriable", "target"),
  rejected("an empty body", { body: "" }, "body-not-carriable", "target"),
  rejected("a body over the queue's size", { body: "x".repeat(3000) }, "message-too-large", "target"),
  rejected(
    "attributes over the queue's size",
    sqsMessage("a", { message_attributes: { n: { DataType: "String", StringValue: "x".repeat(3000) } } }),
    "message-too-large",
    "target",
  ),
  rejected("eleven attributes", sqsMessage("a", { message_attributes: many(11) }), "too-many-attributes", "target"),
  rejected(
    "an attribute that the client's serializer would lose",
    '{"body":"a","message_attributes":{"__proto__":{"DataType":"String","StringValue":"x"}}}',
    "attribute-not-carriable",
    "target",
  ),
  rejected(
    "an attribute with a control character",
    attributed({ DataType: "String", StringValue: "\u0001" }),
    "attribute-not-carriable",
    "target",
  ),
];

const odd: readonly RecordCase[] = [
  restored("a digest that is not the body's", { md5_of_body: "0".repeat(32) }, [], "md5-mismatch"),
  restored("a digest in upper case and fields unknown", {
    extra: { a: [] },
    queue_generation: 2n ** 64n - 1n,
    sequence_number: 2n ** 64n - 1n,
  }),
  restored("every field there is", {
    md5_of_message_attributes: "0".repeat(32),
    sender_id: "AIDA",
    send_timestamp_millis: 1777477330094,
    visible_at_millis: 1777477330095,
    receive_count: 3,
    first_receive_millis: 1777477330096,
    current_receipt_token: "AAEC",
    queue_generation: 7,
    message_group_id: "",
    message_deduplication_id: "",
    sequence_number: 42,
    dead_letter_source_arn: "arn:aws:sqs:us-east-1:000000000000:source",
    partition: 3,
  }),
  restored("all that XML takes: \t\n\r \u0085\u{1f600}\u202e<&>\ufffd", {}),
  restored(
    "ten attributes",
    { message_attributes: many(10) },
    Array.from({ length: 10 }, (_, index) =>
      attributeText(`n${index}`, { type: "String", text: "x", binary: undefined }),
    ),
  ),
  restored(
    "attributes of every type",
    {
      message_attributes: {
        s: { DataType: "String", StringValue: "\u00e9" },
        n: { DataType: "Number.int", StringValue: "1" },
        b: { DataType: "Binary.png", BinaryValue: "AP8=" },
      },
    },
    [
      attributeText("s", { type: "String", text: "\u00e9", binary: undefined }),
      attributeText("n", { type: "Number.int", text: "1", binary: undefined }),
      attributeText("b", { type: "Binary.png", text: undefined, binary: "AP8=" }),
    ],
  ),
  restored("one that was due before 1970", { available_at_millis: -5 }),
  restored("attributes that are null", { message_attributes: null }),
  restored("one that is due in a year", { available_at_millis: 4102444800000 }, [], "early"),
  {
    name: "message: a body in base64 that is text",
    lines: { [LINES]: [{ body: { base64: "aGk" } }] },
    holds: [message(QUEUE, "hi")],
  },
  { name: "message: nothing but a body", lines: { [LINES]: ['{"body":"alone"}'] }, holds: [message(QUEUE, "alone")] },
];

const FIFO = "corpus-ordered.fifo";
const FIFO_LINES = `sqs/${FIFO}/messages.jsonl`;
const inGroup = (body: string, group: string | undefined, id: string) =>
  sqsMessage(body, { message_group_id: group, message_deduplication_id: id });

const fifo: readonly RecordCase[] = [
  {
    name: "the FIFO queue: a repeated deduplication id loses nothing, order holds",
    files: { [`sqs/${FIFO}/_queue.json`]: { format_version: 1, name: FIFO, fifo: true } },
    lines: {
      [FIFO_LINES]: [
        inGroup("1", "g", "same"),
        inGroup("2", "g", "same"),
        inGroup("3", "g", "same"),
        inGroup("4", "h", ""),
      ],
    },
    ends: [
      { path: FIFO_LINES, own: 1, outcome: "restored", reason: "rekeyed" },
      { path: FIFO_LINES, own: 2, outcome: "restored", reason: "rekeyed" },
      { path: FIFO_LINES, own: 3, outcome: "restored", reason: "rekeyed" },
    ],
    holds: [
      message(FIFO, "1", { group: "g" }),
      message(FIFO, "2", { group: "g" }),
      message(FIFO, "3", { group: "g" }),
      message(FIFO, "4", { group: "h" }),
    ],
  },
  ...[undefined, ""].map(
    (group): RecordCase => ({
      name: `the FIFO queue: ${group === undefined ? "no" : "an empty"} group`,
      lines: { [FIFO_LINES]: [inGroup("lost", group, "x")] },
      ends: [{ path: FIFO_LINES, own: 0, outcome: "rejected", by: "target" }],
    }),
  ),
];

const scope: RecordCase = {
  name: "the queue of all these messages",
  files: { [`sqs/${QUEUE}/_queue.json`]: { format_version: 1, name: QUEUE, maximum_message_size: 2048 } },
  holds: [queue(QUEUE)],
};

export const SQS_RECORDS = [scope, ...malformed, ...refused, ...odd, ...fifo];
