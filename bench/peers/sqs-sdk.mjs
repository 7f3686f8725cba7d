/**
 * `node sqs-sdk.mjs DUMP ENDPOINT`: the dump's queues and messages by the AWS SDK, SendMessageBatch with ten messages, 16
 * calls in flight; of a FIFO queue, one call a group at a time. No check; an entry that is refused ends it.
 */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CreateQueueCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { inBatches, inFlight } from "./in-flight.mjs";

const [, , dump = "", endpoint = ""] = process.argv;
const client = new SQSClient({ endpoint, useQueueUrlAsEndpoint: false });

for (const name of readdirSync(join(dump, "sqs"))) {
  const folder = join(dump, "sqs", name);
  const { fifo } = JSON.parse(readFileSync(join(folder, "_queue.json"), "utf8"));
  const Attributes = fifo === true ? { FifoQueue: "true" } : {};
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  const lines = createInterface({ input: createReadStream(join(folder, "messages.jsonl")) });
  if (fifo === true) await sendInGroups(QueueUrl, lines);
  else await inFlight(inBatches(entries(lines), 10), async (batch) => await send(QueueUrl, batch));
}
client.destroy();

/** @param {string | undefined} QueueUrl @param {AsyncIterable<string>} lines */
async function sendInGroups(QueueUrl, lines) {
  const groups = new Map();
  for await (const entry of entries(lines)) {
    const group = groups.get(entry.MessageGroupId);
    if (group === undefined) groups.set(entry.MessageGroupId, [entry]);
    else group.push(entry);
  }
  await inFlight(groups.values(), async (group) => {
    for (let at = 0; at < group.length; at += 10) await send(QueueUrl, group.slice(at, at + 10));
  });
}

/** @param {AsyncIterable<string>} lines @returns {AsyncGenerator<any>} */
async function* entries(lines) {
  for await (const line of lines) {
    const message = JSON.parse(line);
    yield {
      MessageBody: message.body,
      MessageAttributes: message.message_attributes,
      MessageGroupId: message.message_group_id,
      MessageDeduplicationId: message.message_deduplication_id,
    };
  }
}

/** @param {string | undefined} QueueUrl @param {any[]} batch */
async function send(QueueUrl, batch) {
  const Entries = batch.map((entry, index) => ({ Id: String(index), ...entry }));
  const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  if (Failed.length > 0) throw new Error(`${Failed.length} messages were refused: ${Failed[0]?.Message}`);
}
