/** SQS: a file of large messages, and very many small ones with deduplication ids that must be remembered. */
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";

import { startElasticMq } from "../../testcontainers/elasticmq.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";
import type { Scenario } from "../scenario.js";
import { LIMIT_BYTES, MEBIBYTE } from "./limit.js";

/** The server holds all messages in memory: five gigabytes of bodies and what the collector needs beside them. */
const LARGE_HEAP_BYTES = 9 * 1024 * MEBIBYTE;
const MANY_HEAP_BYTES = 3 * 1024 * MEBIBYTE;
const BODY_CHARS = 200_000;
const GROUPS = 1_000;

export const sqsLarge: Scenario = {
  name: "memory/sqs-large",
  title: "standard queue, messages of 200 kB",
  adapter: "sqs",
  size: 25_000,
  limitBytes: LIMIT_BYTES,
  start: () => startElasticMq({ heapBytes: LARGE_HEAP_BYTES }),
  async generate(dump, size) {
    await dump.add("sqs/mail/_queue.json", ['{"format_version":1,"name":"mail"}']);
    await dump.add("sqs/mail/messages.jsonl", lines(size, largeMessage));
    return { records: size };
  },
  check: async (server, size) => await checkCount(server, "mail", size),
};

export const sqsFifo: Scenario = {
  name: "memory/sqs-fifo",
  title: "FIFO queue, small messages with ids of their own",
  adapter: "sqs",
  size: 1_000_000,
  limitBytes: LIMIT_BYTES,
  start: () => startElasticMq({ heapBytes: MANY_HEAP_BYTES }),
  async generate(dump, size) {
    await dump.add("sqs/mail.fifo/_queue.json", ['{"format_version":1,"name":"mail.fifo","fifo":true}']);
    await dump.add("sqs/mail.fifo/messages.jsonl", lines(size, fifoMessage));
    return { records: size };
  },
  check: async (server, size) => await checkCount(server, "mail.fifo", size),
};

function largeMessage(index: number): object {
  return { body: `${index} `.padEnd(BODY_CHARS, String.fromCharCode(97 + (index % 26))) };
}

function fifoMessage(index: number): object {
  return {
    body: `message ${index}`,
    message_group_id: `group-${index % GROUPS}`,
    message_deduplication_id: `id-${index}`,
    sequence_number: index + 1,
  };
}

function* lines(size: number, made: (index: number) => object): Generator<string> {
  for (let index = 0; index < size; index++) {
    const at = 1_777_000_000_000 + index;
    const times = { send_timestamp_millis: at, available_at_millis: at };
    yield `${JSON.stringify({ message_id: `m-${index}`, ...made(index), ...times })}\n`;
  }
}

async function checkCount({ endpoint }: RunningServer, queue: string, size: number): Promise<string[]> {
  const credentials = LOCAL_CREDENTIALS;
  const client = new SQSClient({ endpoint, credentials, region: "us-east-1", useQueueUrlAsEndpoint: false });
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queue }));
    const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    const found = Number(Attributes["ApproximateNumberOfMessages"]);
    return found === size ? [] : [`the queue holds ${found} messages instead of ${size}`];
  } finally {
    client.destroy();
  }
}
