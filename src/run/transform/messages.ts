/** Messages as a transform sees them, and back. */
import { laneOfMessage, type MessageAttribute, type MessageRecord } from "../../model/record.js";
import type { QueueScope } from "../../model/scope.js";
import { present } from "../../support/present.js";
import type { PlainMessage } from "./plain-records.js";
import { frameOf, type Rebuilt } from "./rebuilt.js";
import { asBytes, asList, asOnly, asOptionalText, assertSame, asText, asTime, TransformFault } from "./returned.js";

const MEMBERS = [
  "adapter",
  "scope",
  "kind",
  "key",
  "body",
  "attributes",
  "groupId",
  "deduplicationId",
  "availableAtMs",
  "visibleAtMs",
];

export function plainMessage(record: MessageRecord, scope: QueueScope): PlainMessage {
  const { messageId, body, attributes, groupId, deduplicationId, availableAtMs, visibleAtMs } = record;
  return present({
    adapter: "sqs" as const,
    scope: scope.name,
    kind: "message" as const,
    key: messageId,
    body: Buffer.from(body),
    attributes: attributes.map(([name, { dataType, value }]) => ({
      name,
      dataType,
      value: "binary" in value ? Buffer.from(value.binary) : value.string,
    })),
    groupId,
    deduplicationId,
    availableAtMs,
    visibleAtMs,
  });
}

/** @throws TransformFault */
export function rebuiltMessage(returned: unknown, record: MessageRecord, scope: QueueScope): Rebuilt<MessageRecord> {
  const members = asOnly(returned, "the message", MEMBERS);
  assertSame(members.get("key"), record.messageId, "a target makes message ids of its own; `key`");
  const body = asBytes(members.get("body"), "body");
  const attributes = readAttributes(members.get("attributes"));
  const groupId = asOptionalText(members.get("groupId"), "groupId");
  const rebuilt = present({
    ...frameOf(record),
    kind: "message" as const,
    displayKey: record.displayKey,
    messageId: record.messageId,
    body,
    attributes,
    bytes: attributes.reduce((sum, attribute) => sum + attributeBytes(attribute), body.length),
    groupId,
    deduplicationId: asOptionalText(members.get("deduplicationId"), "deduplicationId"),
    availableAtMs: asTime(members.get("availableAtMs"), "availableAtMs"),
    visibleAtMs: asTime(members.get("visibleAtMs"), "visibleAtMs"),
    lane: laneOfMessage(scope.settings.fifo, groupId),
  });
  return { record: rebuilt };
}

type NamedAttribute = readonly [name: string, attribute: MessageAttribute];

function readAttributes(returned: unknown): NamedAttribute[] {
  const attributes = asList(returned, "attributes").map(readAttribute);
  if (new Set(attributes.map(([name]) => name)).size < attributes.length) {
    throw new TransformFault("attributes holds a name twice");
  }
  return attributes;
}

function readAttribute(returned: unknown): NamedAttribute {
  const members = asOnly(returned, "attributes[]", ["name", "dataType", "value"]);
  const dataType = asText(members.get("dataType"), "attributes[].dataType");
  const kind = dataType.split(".", 1)[0] ?? "";
  if (!["String", "Number", "Binary"].includes(kind)) {
    throw new TransformFault("attributes[].dataType is none of String, Number and Binary");
  }
  const value = members.get("value");
  const read: MessageAttribute["value"] =
    kind === "Binary"
      ? { binary: asBytes(value, "attributes[].value") }
      : { string: asText(value, "attributes[].value") };
  return [asText(members.get("name"), "attributes[].name"), { dataType, value: read }];
}

function attributeBytes([name, { dataType, value }]: NamedAttribute): number {
  const bytes = "binary" in value ? value.binary.length : Buffer.byteLength(value.string);
  return Buffer.byteLength(name) + Buffer.byteLength(dataType) + bytes;
}
