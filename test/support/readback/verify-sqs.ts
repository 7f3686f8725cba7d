/**
 * What an SQS server holds. Messages can only be seen by receiving them, and the next ones of a FIFO group only by
 * deleting those before: `verifySqs` leaves the queues empty. `queueDepths` leaves them as they are.
 */
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

import type { Expected } from "./expected.js";
import { attributeText, type ExpectedMessage, type ExpectedQueue, messageText, redriveFacet } from "./expected-sqs.js";
import { compareStates, type Difference, type Exception, type Facets, type State, withoutExceptions } from "./state.js";

interface Server {
  readonly endpoint: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface SqsVerification {
  readonly exceptions?: readonly Exception[];
  /** How many times over each queue should hold the dump's messages; 1 unless told. */
  readonly copies?: number;
  /** Whether the dump's own deduplication ids, where one is unique in its queue, should have been sent. */
  readonly deduplicationIds?: boolean;
}

const EMPTY_ANSWERS_WANTED = 3;
const HIDDEN_SECONDS = 600;

/** Every difference between the dump's queues and the target's, all queues included. Receives and deletes everything. */
export async function verifySqs(
  expected: Expected,
  server: Server,
  { exceptions = [], copies = 1, deduplicationIds = false }: SqsVerification = {},
): Promise<Difference[]> {
  const wanted: State = new Map(
    expected.sqs.map((queue) => [`sqs ${queue.name}`, expectedFacets(queue, copies, deduplicationIds)]),
  );
  const actual: State = new Map();
  await withClient(server, async (client) => {
    for (const [name, url] of await queueUrls(client, server.endpoint)) {
      const queue = expected.sqs.find((own) => own.name === name);
      const attributes = await attributesOf(client, url, queue);
      const received = await receiveAll(client, url);
      const messages = messageFacets(received, name.endsWith(".fifo"));
      const ids = deduplicationIds && queue !== undefined ? idFacets(queue, received) : {};
      actual.set(`sqs ${name}`, { ...attributes, ...messages, ...ids });
    }
  });
  return withoutExceptions(compareStates(wanted, actual), exceptions);
}

/** Messages in each queue, whether visible, in flight or delayed, by name. Changes nothing. */
export async function queueDepths(server: Server): Promise<Map<string, number>> {
  return await withClient(server, async (client) => {
    const depths = new Map<string, number>();
    for (const [name, url] of await queueUrls(client, server.endpoint)) {
      const found = await rawAttributes(client, url);
      const parts = ["", "NotVisible", "Delayed"].map((part) =>
        Number(found[`ApproximateNumberOfMessages${part}`] ?? 0),
      );
      depths.set(
        name,
        parts.reduce((sum, part) => sum + part, 0),
      );
    }
    return depths;
  });
}

/** The differences in names and attributes alone. Changes nothing. */
export async function verifyQueueAttributes(
  expected: Expected,
  server: Server,
  exceptions: readonly Exception[] = [],
): Promise<Difference[]> {
  const wanted: State = new Map(expected.sqs.map((queue) => [`sqs ${queue.name}`, queue.attributes]));
  const actual: State = new Map();
  await withClient(server, async (client) => {
    for (const [name, url] of await queueUrls(client, server.endpoint)) {
      const queue = expected.sqs.find((own) => own.name === name);
      actual.set(`sqs ${name}`, await attributesOf(client, url, queue));
    }
  });
  return withoutExceptions(compareStates(wanted, actual), exceptions);
}

function expectedFacets(queue: ExpectedQueue, copies: number, deduplicationIds: boolean): Facets {
  const messages = Array.from({ length: copies }, () => queue.messages).flat();
  return {
    ...queue.attributes,
    ...messageFacets(messages, queue.fifo),
    ...(deduplicationIds ? idFacets(queue, messages) : {}),
  };
}

/** A standard queue's messages have no order that one could ask for; a FIFO queue's have one within each group. */
function messageFacets(messages: readonly ExpectedMessage[], fifo: boolean): Facets {
  if (!fifo) return { messages: lines(messages.map(({ content }) => content).sort()) };
  const groups = new Map<string, string[]>();
  for (const { groupId, content } of messages) groups.set(groupId, [...(groups.get(groupId) ?? []), content]);
  return Object.fromEntries([...groups].map(([group, contents]) => [`group ${group}`, lines(contents)]));
}

function idFacets(queue: ExpectedQueue, messages: readonly ExpectedMessage[]): Facets {
  const own = queue.messages.flatMap(({ deduplicationId: id }) => (id === undefined ? [] : [id]));
  const unique = new Set(own.filter((id) => own.indexOf(id) === own.lastIndexOf(id)));
  if (!queue.fifo || unique.size === 0) return {};
  const found = messages.flatMap(({ deduplicationId: id }) => (id !== undefined && unique.has(id) ? [id] : []));
  return { "deduplication ids": lines(found.sort()) };
}

function lines(contents: readonly string[]): string {
  return [`${contents.length} messages`, ...contents].join("\n");
}

/** The attributes that the dump tells, and a redrive policy or a kind of queue that it does not. */
async function attributesOf(client: SQSClient, url: string, queue: ExpectedQueue | undefined): Promise<Facets> {
  const found = await rawAttributes(client, url);
  const redrive = found["RedrivePolicy"];
  if (redrive !== undefined && redrive !== "") found["RedrivePolicy"] = redriveFacet(redrive);
  const names = ["FifoQueue", "RedrivePolicy", "RedriveAllowPolicy", ...Object.keys(queue?.attributes ?? {})];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = found[name];
      return value === undefined || value === "" || (name === "FifoQueue" && value === "false") ? [] : [[name, value]];
    }),
  );
}

async function rawAttributes(client: SQSClient, url: string): Promise<Record<string, string>> {
  const answer = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }));
  return { ...answer.Attributes };
}

/** Until some answers in a row are empty and the server counts nothing any more, delayed messages included. */
async function receiveAll(client: SQSClient, url: string): Promise<ExpectedMessage[]> {
  const found: ExpectedMessage[] = [];
  for (let empty = 0; empty < EMPTY_ANSWERS_WANTED; ) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: HIDDEN_SECONDS,
        WaitTimeSeconds: 0,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages.length === 0) {
      const counted = await rawAttributes(client, url);
      if (Number(counted["ApproximateNumberOfMessagesDelayed"] ?? 0) === 0) empty++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    empty = 0;
    found.push(...Messages.map(received));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
  }
  return found;
}

function received(message: Message): ExpectedMessage {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) =>
    attributeText(name, {
      type: value.DataType,
      text: value.StringValue,
      binary: value.BinaryValue === undefined ? undefined : Buffer.from(value.BinaryValue).toString("base64"),
    }),
  );
  return {
    content: messageText(Buffer.from(message.Body ?? "", "utf8"), attributes),
    groupId: message.Attributes?.MessageGroupId ?? "",
    deduplicationId: message.Attributes?.MessageDeduplicationId,
  };
}

async function queueUrls(client: SQSClient, endpoint: string): Promise<[name: string, url: string][]> {
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({ MaxResults: 1000 }));
  return QueueUrls.map((url): [string, string] => {
    const path = new URL(url).pathname;
    return [path.split("/").at(-1) ?? "", new URL(path, endpoint).href];
  }).sort();
}

async function withClient<T>(server: Server, use: (client: SQSClient) => Promise<T>): Promise<T> {
  const client = new SQSClient({
    endpoint: server.endpoint,
    region: "us-east-1",
    useQueueUrlAsEndpoint: false,
    ...(server.credentials === undefined ? {} : { credentials: server.credentials }),
  });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}
