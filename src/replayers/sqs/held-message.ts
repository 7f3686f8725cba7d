/** A message as the target holds it: what one receipt of it tells. Pure. */
import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { MessageAttribute, MessageRecord } from "../../model/record.js";

export interface HeldMessage {
  /** The target's own. */
  readonly messageId: string;
  /** To delete the message or to show it again; good for this receipt alone. */
  readonly receipt: string;
  readonly body: Buffer;
  readonly attributes: MessageRecord["attributes"];
  /** Absent where the target tells none; so are the next two. */
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** This receipt included. */
  readonly receiveCount?: number;
}

export function heldMessage(message: Message): HeldMessage {
  const { Attributes: system = {} } = message;
  const { MessageGroupId: groupId = "", MessageDeduplicationId: deduplicationId = "" } = system;
  const receiveCount = Number(system.ApproximateReceiveCount);
  return {
    messageId: message.MessageId ?? "",
    receipt: message.ReceiptHandle ?? "",
    body: Buffer.from(message.Body ?? "", "utf8"),
    attributes: Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)]),
    ...(groupId === "" ? {} : { groupId }),
    ...(deduplicationId === "" ? {} : { deduplicationId }),
    ...(Number.isSafeInteger(receiveCount) ? { receiveCount } : {}),
  };
}

function attributeOf({ DataType = "", StringValue, BinaryValue }: MessageAttributeValue): MessageAttribute {
  return BinaryValue === undefined
    ? { dataType: DataType, value: { string: StringValue ?? "" } }
    : { dataType: DataType, value: { binary: Buffer.from(BinaryValue) } };
}
