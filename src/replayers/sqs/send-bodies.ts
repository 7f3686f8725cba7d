/** The bodies of requests that send messages, in SQS's JSON protocol. Pure. */
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";

/** A message in the terms of a send. */
export interface Entry {
  readonly body: string;
  readonly attributes?: Record<string, MessageAttributeValue>;
  readonly delaySeconds?: number;
  readonly groupId?: string;
  readonly deduplicationId?: string;
}

/** Of a SendMessage. */
export function sendBody(url: string, entry: Entry): Buffer {
  return Buffer.from(JSON.stringify({ QueueUrl: url, ...wireEntry(entry) }));
}

/** Of a SendMessageBatch, whose entries are called by their place: `0`, `1`, … */
export function sendBatchBody(url: string, entries: readonly Entry[]): Buffer {
  const Entries = entries.map((entry, i) => ({ Id: String(i), ...wireEntry(entry) }));
  return Buffer.from(JSON.stringify({ QueueUrl: url, Entries }));
}

/** Members that are undefined are left out of the JSON. */
function wireEntry({ body, attributes, delaySeconds, groupId, deduplicationId }: Entry) {
  return {
    MessageBody: body,
    MessageAttributes: attributes && wireAttributes(attributes),
    DelaySeconds: delaySeconds,
    MessageGroupId: groupId,
    MessageDeduplicationId: deduplicationId,
  };
}

function wireAttributes(attributes: Record<string, MessageAttributeValue>): Record<string, object> {
  const wire = Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => {
    const binary = BinaryValue && Buffer.from(BinaryValue).toString("base64");
    return [name, { DataType, StringValue, BinaryValue: binary }] as const;
  });
  return Object.fromEntries(wire);
}
