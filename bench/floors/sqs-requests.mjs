/**
 * `node sqs-requests.mjs DUMP ENDPOINT FOLDER LANES`: SendMessageBatch for the dump's queues, ten messages each. Of a FIFO
 * queue a batch has one message of a group, and a lane has all of its groups.
 */
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { inBatches } from "../peers/in-flight.mjs";
import { createQueue, entriesIn, queuesIn } from "../peers/sqs-queues.mjs";
import { Recorder, RequestFile } from "./requests.mjs";

const IN_A_BATCH = 10;
const [, , dump = "", endpoint = "", folder = "", lanes = "1"] = process.argv;
const recorder = new Recorder();
const recording = new SQSClient({ endpoint, requestHandler: recorder, useQueueUrlAsEndpoint: false, md5: false });
const client = new SQSClient({ endpoint, useQueueUrlAsEndpoint: false });
const requests = new RequestFile(folder, Number(lanes));

for (const queue of queuesIn(dump)) {
  const QueueUrl = await createQueue(client, queue);
  for await (const { lane, batch } of queue.isFifo ? inTurns(queue.messages) : oneAfterAnother(queue.messages)) {
    const Entries = batch.map((entry, index) => ({ Id: String(index), ...entry }));
    const command = new SendMessageBatchCommand({ QueueUrl, Entries });
    requests.add(lane, await recorder.requestOf(recording.send(command)));
  }
}
requests.close();
client.destroy();

/** @param {string} messages @returns {AsyncGenerator<{ lane: number, batch: any[] }>} */
async function* oneAfterAnother(messages) {
  let batches = 0;
  for await (const batch of inBatches(entriesIn(messages), IN_A_BATCH))
    yield { lane: batches++ % Number(lanes), batch };
}

/** @param {string} messages @returns {AsyncGenerator<{ lane: number, batch: any[] }>} */
async function* inTurns(messages) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for await (const entry of entriesIn(messages)) {
    const group = groups.get(entry.MessageGroupId) ?? [];
    groups.set(entry.MessageGroupId, group);
    group.push(entry);
  }
  const all = [...groups.values()];
  for (let at = 0, lane = 0; at < all.length; at += IN_A_BATCH, lane++) {
    const some = all.slice(at, at + IN_A_BATCH);
    const longest = Math.max(...some.map((group) => group.length));
    for (let turn = 0; turn < longest; turn++) {
      yield { lane: lane % Number(lanes), batch: some.flatMap((group) => group.slice(turn, turn + 1)) };
    }
  }
}
