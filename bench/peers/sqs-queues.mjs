/** What the SQS peers know of the dump's format: a queue is a folder with its kind in one file and its messages in another. */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";

/** @param {string} dump @returns {Generator<{ name: string, isFifo: boolean, messages: string }>} `messages`: their file */
export function* queuesIn(dump) {
  for (const name of readdirSync(join(dump, "sqs"))) {
    const folder = join(dump, "sqs", name);
    const { fifo } = JSON.parse(readFileSync(join(folder, "_queue.json"), "utf8"));
    yield { name, isFifo: fifo === true, messages: join(folder, "messages.jsonl") };
  }
}

/**
 * @param {import("@aws-sdk/client-sqs").SQSClient} client
 * @param {{ name: string, isFifo: boolean }} queue
 * @returns {Promise<string | undefined>} its URL
 */
export async function createQueue(client, { name, isFifo }) {
  const Attributes = isFifo ? { FifoQueue: "true" } : {};
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return QueueUrl;
}

/** @param {string} messages their file @returns {AsyncGenerator<any>} */
export async function* entriesIn(messages) {
  for await (const line of createInterface({ input: createReadStream(messages) })) {
    const message = JSON.parse(line);
    yield {
      MessageBody: message.body,
      MessageAttributes: message.message_attributes,
      MessageGroupId: message.message_group_id,
      MessageDeduplicationId: message.message_deduplication_id,
    };
  }
}
