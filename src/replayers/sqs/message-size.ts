/** The size of a message as SQS counts it against a queue's limit and a batch's. Pure. */
import type { MessageAttribute, MessageRecord } from "../../model/record.js";

/** All entries of one SendMessageBatch together, in bytes. */
export const BATCH_BYTES = 256 * 1024;
export const BATCH_RECORDS = 10;

/** What SQS allows a queue at most; used where neither target nor dump name a limit. */
export const LARGEST_MESSAGE_BYTES = 1024 * 1024;

/** Body and attributes in bytes: every attribute counts with its name, data type and value. */
export function messageSize(message: Pick<MessageRecord, "body" | "attributes">): number {
  return message.attributes.reduce(
    (sum, [name, attribute]) => sum + Buffer.byteLength(name) + attributeSize(attribute),
    message.body.length,
  );
}

function attributeSize({ dataType, value }: MessageAttribute): number {
  return Buffer.byteLength(dataType) + ("binary" in value ? value.binary.length : Buffer.byteLength(value.string));
}

/** Cuts messages, in order, into requests within the batch limits; one above them stands alone. */
export function intoRequests<T extends { readonly size: number }>(messages: readonly T[]): T[][] {
  const requests: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (current.length > 0 && (current.length === BATCH_RECORDS || bytes + message.size > BATCH_BYTES)) {
      requests.push(current);
      current = [];
      bytes = 0;
    }
    current.push(message);
    bytes += message.size;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}
