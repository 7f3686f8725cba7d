/**
 * What SQS can carry: text of XML's characters. A message that it would refuse, cut or change is told before it is
 * sent. What only some targets refuse (attribute names, number ranges, ids) is left to the target's own answer.
 */
import { isUtf8 } from "node:buffer";

import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { Outcome } from "../../model/outcome.js";
import type { MessageAttribute, MessageRecord } from "../../model/record.js";
import { NOT_XML } from "../../support/xml-text.js";
import { messageSize } from "./message-size.js";

const MOST_ATTRIBUTES = 10;

export interface Carried {
  readonly body: string;
  readonly attributes?: Record<string, MessageAttributeValue>;
  readonly size: number;
}

/** The message in the SDK's terms, or why it is rejected. `limitBytes`: the target queue's limit, attributes included. */
export function carry(message: MessageRecord, limitBytes: number): Carried | Outcome {
  const body = decoded(message.body);
  if (body === undefined) return rejected("body-not-carriable", "the body is not valid UTF-8");
  if (body === "") return rejected("body-not-carriable", "SQS takes no empty body");
  const forbidden = NOT_XML.exec(body);
  if (forbidden !== null) {
    return rejected("body-not-carriable", `the body holds ${codePoint(forbidden[0])}, which SQS does not take`);
  }
  const size = messageSize(message);
  if (size > limitBytes) {
    return rejected("message-too-large", `${size} bytes with attributes, the queue takes ${limitBytes}`);
  }
  const fault = attributesFault(message.attributes);
  if (fault !== undefined) return fault;
  if (message.attributes.length === 0) return { body, size };
  return {
    body,
    size,
    attributes: Object.fromEntries(message.attributes.map(([name, value]) => [name, sdkValue(value)])),
  };
}

function attributesFault(attributes: MessageRecord["attributes"]): Outcome | undefined {
  if (attributes.length > MOST_ATTRIBUTES) {
    return rejected("too-many-attributes", `${attributes.length} message attributes, SQS takes ${MOST_ATTRIBUTES}`);
  }
  for (const [name, { value }] of attributes) {
    // The SDK's serializer loses an attribute of this name without a word.
    if (name === "__proto__")
      return rejected("attribute-not-carriable", "an attribute called __proto__ cannot be sent");
    if ("string" in value && NOT_XML.test(value.string)) {
      return rejected("attribute-not-carriable", "an attribute's value holds a character that SQS does not take");
    }
  }
  return undefined;
}

/** An attribute in the SDK's terms. */
function sdkValue({ dataType, value }: MessageAttribute): MessageAttributeValue {
  return "binary" in value
    ? { DataType: dataType, BinaryValue: value.binary }
    : { DataType: dataType, StringValue: value.string };
}

function decoded(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function rejected(reason: string, detail: string): Outcome {
  return { kind: "rejected", reason, detail };
}
