/** Standard and FIFO queues: settings, dead-letter queues, groups, repeated and missing ids, message attributes. */
import { createHash } from "node:crypto";

import fc from "fast-check";

import { someText } from "../fuzz.js";
import { type JsonSource, jsonText } from "./json-text.js";
import { type DumpKind, type DumpPart, joined, type Shape, scopeNames } from "./parts.js";

/** What XML 1.0, and so SQS, takes. A carriage return is among it. */
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const carriable = (maxLength: number) => someText(maxLength).filter((text) => text !== "" && !NOT_XML.test(text));

const attribute: fc.Arbitrary<JsonSource> = fc.oneof(
  carriable(12).map((StringValue) => ({ DataType: "String", StringValue })),
  carriable(12).map((StringValue) => ({ DataType: "String.kind", StringValue })),
  fc.integer().map((number) => ({ DataType: "Number", StringValue: String(number) })),
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => ({
    DataType: "Binary",
    BinaryValue: Buffer.from(bytes).toString("base64"),
  })),
);

const attributes = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/), attribute), {
    maxLength: 10,
    selector: ([name]) => name.toLowerCase(),
  })
  .map((members): JsonSource => new Map(members));

const message = fc.record({
  body: fc.oneof(carriable(40), fc.constantFrom("same", '{"a":"<&>"}', " edges ", "line\nfeed")),
  message_attributes: fc.option(attributes, { nil: undefined }),
  group: fc.constantFrom("a", "b", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
  /** Some are repeated, in one group and across groups. */
  id: fc.option(fc.oneof(fc.constantFrom("once", "twice"), fc.stringMatching(/^[A-Za-z0-9!-/]{1,20}$/)), {
    nil: undefined,
  }),
});

const settings = fc.record(
  {
    visibility_timeout_seconds: fc.integer({ min: 600, max: 43_200 }),
    message_retention_seconds: fc.integer({ min: 3600, max: 1_209_600 }),
    maximum_message_size: fc.integer({ min: 4096, max: 262_144 }),
    receive_message_wait_seconds: fc.integer({ min: 0, max: 20 }),
    delay_seconds: fc.constantFrom(0, 0, 1),
    content_based_deduplication: fc.boolean(),
  },
  { requiredKeys: [] },
);

interface Queue {
  readonly settings: { readonly [name: string]: number | boolean | undefined };
  readonly fifo: boolean;
  readonly messages: readonly {
    readonly body: string;
    readonly message_attributes: JsonSource | undefined;
    readonly group: string;
    readonly id: string | undefined;
  }[];
  /** To the first other queue of its kind, where there is one. */
  readonly hasDeadLetters: boolean;
}

const queue: fc.Arbitrary<Queue> = fc.record({
  settings,
  fifo: fc.boolean(),
  messages: fc.array(message, { maxLength: 14 }),
  hasDeadLetters: fc.boolean(),
});

export function queues({ shape, nowMs }: DumpKind): fc.Arbitrary<DumpPart> {
  return scopeNames(/^[A-Za-z0-9_-]{1,16}$/, 3)
    .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), queue))))
    .map((all) => joined(all.map(([name, source]) => queueFiles(name, source, { all, shape, nowMs }))));
}

interface Surroundings {
  readonly all: readonly (readonly [string, Queue])[];
  readonly shape: Shape;
  readonly nowMs: number;
}

function queueFiles(stem: string, source: Queue, { all, shape, nowMs }: Surroundings): DumpPart {
  const name = fullName(stem, source);
  const isFifo = source.fifo;
  const { content_based_deduplication: isContentBased, ...others } = source.settings;
  const other = all.find(([own, { fifo }]) => own !== stem && fifo === isFifo);
  const about = {
    format_version: 1,
    name,
    // The shipped decoder leaves out what is false.
    fifo: isFifo || shape === "design" ? isFifo : undefined,
    content_based_deduplication: isFifo ? isContentBased : undefined,
    ...others,
    redrive_policy: source.hasDeadLetters && other !== undefined ? policyTo(fullName(...other), shape) : undefined,
  };
  const lines = source.messages.map(({ body, message_attributes, group, id }, at) =>
    jsonText({
      message_id: `${stem}-${at}`,
      body,
      md5_of_body: createHash("md5").update(body).digest("hex"),
      message_attributes,
      send_timestamp_millis: nowMs - 60_000,
      available_at_millis: nowMs - 60_000,
      message_group_id: isFifo ? group : undefined,
      message_deduplication_id: isFifo ? id : undefined,
      sequence_number: isFifo ? 2n ** 63n + BigInt(at) : undefined,
    }),
  );
  const root = `sqs/${name}`;
  const messages = lines.length === 0 ? {} : { [`${root}/messages.jsonl`]: lines.map((line) => `${line}\n`).join("") };
  return { files: { [`${root}/_queue.json`]: jsonText(about), ...messages }, absent: [] };
}

function fullName(stem: string, { fifo }: Queue): string {
  return fifo ? `${stem}.fifo` : stem;
}

/** The count of receptions stands as text in shipped dumps, as a number in the design's. */
function policyTo(name: string, shape: Shape): string {
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
  return JSON.stringify({ deadLetterTargetArn, maxReceiveCount: shape === "shipped" ? "50" : 50 });
}
