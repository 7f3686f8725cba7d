/**
 * `node sqs-sdk.mjs DUMP ENDPOINT`: the dump's queues and messages by the AWS SDK, SendMessageBatch with ten messages, 16
 * calls in flight; of a FIFO queue, one call a group at a time. No check; an entry that is refused ends it.
 */
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { inBatches, inFlight } from "./in-flight.mjs";
import { createQueue, entriesIn, queuesIn } from "./sqs-queues.mjs";

const [, , dump = "", endpoint = ""] = process.argv;
const client = new SQSClient({ endpoint, useQueueUrlAsEndpoint: false });

for (const queue of queuesIn(dump)) {
  const url = await createQueue(client, queue);
  if (queue.isFifo) await sendInGroups(url, queue.messages);
  else await inFlight(inBatches(entriesIn(queue.messages), 10), async (batch) => await send(url, batch));
}
client.destroy();

/** @param {string | undefined} QueueUrl @param {string} messages */
async function sendInGroups(QueueUrl, messages) {
  const groups = new Map();
  for await (const entry of entriesIn(messages)) {
    const group = groups.get(entry.MessageGroupId);
    if (group === undefined) groups.set(entry.MessageGroupId, [entry]);
    else group.push(entry);
  }
  await inFlight(groups.values(), async (group) => {
    for (let at = 0; at < group.length; at += 10) await send(QueueUrl, group.slice(at, at + 10));
  });
}

/** @param {string | undefined} QueueUrl @param {any[]} batch */
async function send(QueueUrl, batch) {
  const Entries = batch.map((entry, index) => ({ Id: String(index), ...entry }));
  const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  if (Failed.length > 0) throw new Error(`${Failed.length} messages were refused: ${Failed[0]?.Message}`);
}
