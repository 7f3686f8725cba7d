/** Queues and messages of a dump. */
import { join } from "node:path";

import { binarySafe } from "./expected-redis.js";
import { digits, entries, type Json, member, parseJson, parseLines, text } from "./json.js";
import { type Facets, showBytes } from "./state.js";
import { scopeDirectories, textOf } from "./tree.js";

export interface ExpectedQueue {
  readonly name: string;
  readonly fifo: boolean;
  /** Attributes as SQS names them; those that the dump does not tell are missing. */
  readonly attributes: Facets;
  /** In the dump's order. */
  readonly messages: readonly ExpectedMessage[];
}

export interface ExpectedMessage {
  /** Body and attributes in one text. */
  readonly content: string;
  readonly groupId: string;
  readonly deduplicationId: string | undefined;
}

export function expectedQueues(dump: string, counts: Map<string, number>): ExpectedQueue[] {
  return scopeDirectories(dump, "sqs").map(({ name, path }) => {
    const queue = parseJson(textOf(join(path, "_queue.json")));
    const messages = parseLines(textOf(join(path, "messages.jsonl"))).map(expectedMessage);
    counts.set(`sqs:${name}`, messages.length);
    return { name, fifo: isTrue(member(queue, "fifo")), attributes: queueAttributes(queue), messages };
  });
}

const NUMBERS: readonly (readonly [field: string, attribute: string, missing?: string])[] = [
  ["visibility_timeout_seconds", "VisibilityTimeout"],
  ["message_retention_seconds", "MessageRetentionPeriod"],
  ["maximum_message_size", "MaximumMessageSize"],
  ["delay_seconds", "DelaySeconds", "0"],
  ["receive_message_wait_seconds", "ReceiveMessageWaitTimeSeconds", "0"],
];

function queueAttributes(queue: Json): Facets {
  const facets: Facets = {};
  for (const [field, attribute, missing] of NUMBERS) {
    const value = digits(member(queue, field)) ?? missing;
    if (value !== undefined) facets[attribute] = value;
  }
  if (isTrue(member(queue, "fifo"))) {
    facets["FifoQueue"] = "true";
    facets["ContentBasedDeduplication"] = String(isTrue(member(queue, "content_based_deduplication")));
  }
  const redrive = text(member(queue, "redrive_policy"));
  if (redrive !== undefined) facets["RedrivePolicy"] = redriveFacet(redrive);
  const allow = text(member(queue, "redrive_allow_policy"));
  if (allow !== undefined) facets["RedriveAllowPolicy"] = allow;
  return facets;
}

/** Which queue takes the dead, after how many receptions. The rest of an ARN belongs to the server. */
export function redriveFacet(policy: string): string {
  const parsed = parseJson(policy);
  const count = member(parsed, "maxReceiveCount");
  const arn = text(member(parsed, "deadLetterTargetArn")) ?? "";
  return `${arn.split(":").at(-1)} after ${count.kind === "number" ? digits(count) : text(count)}`;
}

function expectedMessage(line: Json): ExpectedMessage {
  const attributes = entries(member(line, "message_attributes")).map(([name, attribute]) =>
    attributeText(name, {
      type: text(member(attribute, "DataType")),
      text: text(member(attribute, "StringValue")),
      binary: text(member(attribute, "BinaryValue")),
    }),
  );
  return {
    content: messageText(binarySafe(member(line, "body")), attributes),
    groupId: text(member(line, "message_group_id")) ?? "",
    deduplicationId: text(member(line, "message_deduplication_id")),
  };
}

export interface AttributeValue {
  readonly type: string | undefined;
  readonly text: string | undefined;
  /** Base64. */
  readonly binary: string | undefined;
}

export function attributeText(name: string, value: AttributeValue): string {
  const bytes = value.binary === undefined ? undefined : Buffer.from(value.binary, "base64").toString("hex");
  return `${name} (${value.type}) ${bytes ?? JSON.stringify(value.text ?? "")}`;
}

export function messageText(body: Buffer, attributes: readonly string[]): string {
  return [showBytes(body), ...[...attributes].sort()].join(" | ");
}

function isTrue(value: Json): boolean {
  return value.kind === "boolean" && value.value;
}
