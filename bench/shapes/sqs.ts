/** SQS: large messages, very many small ones with deduplication ids that must be remembered, and plain ones. */
import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

import { startElasticMq } from "../../testcontainers/elasticmq.js";
import { LOCAL_CREDENTIALS, type RunningServer } from "../../testcontainers/server.js";
import { MEBIBYTE } from "../limit.js";
import { filler, type Shape, wrong } from "./shape.js";

const LARGE_BODY_CHARS = 200_000;
const PLAIN_BODY_CHARS = 200;
const SENT_MS = 1_777_000_000_000;

export interface Queue {
  readonly name: string;
  /** Of the server, which holds all messages in memory, and what the collector needs beside them. */
  readonly heapMebibytes: number;
  message(index: number): object;
}

/** Bodies of 200 kB. */
export const sqsLarge: Shape = queueOf({ name: "mail", heapMebibytes: 9 * 1024, message: largeMessage });

/** FIFO, with ids of their own, in so many groups. */
export function sqsFifo(groups: number): Shape {
  return queueOf({ name: "mail.fifo", heapMebibytes: 3 * 1024, message: (index) => fifoMessage(index, groups) });
}

/** Bodies of 200 characters and an attribute. */
export const sqsStandard: Shape = queueOf({ name: "mail", heapMebibytes: 1024, message: plainMessage });

/** A queue of `size` messages. */
function queueOf({ name, heapMebibytes, message }: Queue): Shape {
  return {
    adapter: "sqs",
    start: () => startElasticMq({ heapBytes: heapMebibytes * MEBIBYTE }),
    warmsUp: true,
    empty,
    async generate(dump, size) {
      const fifo = name.endsWith(".fifo") ? { fifo: true } : {};
      await dump.add(`sqs/${name}/_queue.json`, [JSON.stringify({ format_version: 1, name, ...fifo })]);
      await dump.add(`sqs/${name}/messages.jsonl`, lines(size, message));
      return { records: size };
    },
    check: async (server, { size }) =>
      await onServer(server, async (client) => wrong("messages in the queue", await count(client, name), size)),
  };
}

function largeMessage(index: number): object {
  return { body: `${index} `.padEnd(LARGE_BODY_CHARS, String.fromCharCode(97 + (index % 26))) };
}

function plainMessage(index: number): object {
  return {
    body: `${index} ${filler(index, PLAIN_BODY_CHARS)}`,
    message_attributes: { attempt: { DataType: "Number", StringValue: String(index % 4) } },
  };
}

function fifoMessage(index: number, groups: number): object {
  return {
    body: `message ${index}`,
    message_group_id: `group-${index % groups}`,
    message_deduplication_id: `id-${index}`,
    sequence_number: index + 1,
  };
}

function* lines(size: number, made: (index: number) => object): Generator<string> {
  for (let index = 0; index < size; index++) {
    const times = { send_timestamp_millis: SENT_MS + index, available_at_millis: SENT_MS + index };
    yield `${JSON.stringify({ message_id: `m-${index}`, ...made(index), ...times })}\n`;
  }
}

async function count(client: SQSClient, queue: string): Promise<number> {
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: queue }));
  const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  return Number(Attributes["ApproximateNumberOfMessages"]);
}

async function empty(server: RunningServer): Promise<void> {
  await onServer(server, async (client) => {
    const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
    for (const QueueUrl of QueueUrls) await client.send(new DeleteQueueCommand({ QueueUrl }));
  });
}

async function onServer<T>({ endpoint }: RunningServer, use: (client: SQSClient) => Promise<T>): Promise<T> {
  const credentials = LOCAL_CREDENTIALS;
  const client = new SQSClient({ endpoint, credentials, region: "us-east-1", useQueueUrlAsEndpoint: false });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}
