/** A plain client on an SQS server's queues: what tests put there beforehand and find there afterwards. */
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Access } from "../../testcontainers/recipe.js";
import { LOCAL_CREDENTIALS } from "../../testcontainers/server.js";

export class Queues {
  readonly #client: SQSClient;
  readonly #endpoint: string;

  constructor({ endpoint, credentials = LOCAL_CREDENTIALS }: Access) {
    this.#endpoint = endpoint;
    this.#client = new SQSClient({
      endpoint,
      credentials,
      region: "us-east-1",
      useQueueUrlAsEndpoint: false,
    });
  }

  async create(name: string, attributes: Record<string, string> = {}): Promise<void> {
    const Attributes = { ...(name.endsWith(".fifo") ? { FifoQueue: "true" } : {}), ...attributes };
    await this.#client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  }

  async send(name: string, body: string, more: Partial<SendMessageCommandInput> = {}): Promise<void> {
    await this.#client.send(new SendMessageCommand({ QueueUrl: await this.#url(name), MessageBody: body, ...more }));
  }

  async attributes(name: string): Promise<Record<string, string>> {
    const QueueUrl = await this.#url(name);
    const answer = await this.#client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    return answer.Attributes ?? {};
  }

  async setAttributes(name: string, Attributes: Record<string, string>): Promise<void> {
    await this.#client.send(new SetQueueAttributesCommand({ QueueUrl: await this.#url(name), Attributes }));
  }

  async exists(name: string): Promise<boolean> {
    return await this.#url(name).then(
      () => true,
      () => false,
    );
  }

  /** Every visible message, in the order of receipt. Deletes them. */
  async drain(name: string): Promise<Message[]> {
    const QueueUrl = await this.#url(name);
    const all: Message[] = [];
    for (let empty = 0; empty < 2; ) {
      const { Messages = [] } = await this.#client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 0,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      );
      if (Messages.length === 0) empty++;
      else await this.#delete(QueueUrl, Messages);
      all.push(...Messages);
    }
    return all;
  }

  /** Leaves it in flight. */
  async receiveOne(name: string): Promise<Message | undefined> {
    const answer = await this.#client.send(new ReceiveMessageCommand({ QueueUrl: await this.#url(name) }));
    return answer.Messages?.[0];
  }

  async names(): Promise<string[]> {
    const { QueueUrls = [] } = await this.#client.send(new ListQueuesCommand({ MaxResults: 1000 }));
    return QueueUrls.map((url) => new URL(url).pathname.split("/").at(-1) ?? "").sort();
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#client.send(new DeleteQueueCommand({ QueueUrl: await this.#url(name) }));
  }

  async bodies(name: string): Promise<string[]> {
    return (await this.drain(name)).map(({ Body }) => Body ?? "");
  }

  /** Standard queues promise no order. */
  async sortedBodies(name: string): Promise<string[]> {
    return (await this.bodies(name)).sort();
  }

  /** Visible, in flight and delayed. */
  async depths(name: string): Promise<readonly [visible: number, inFlight: number, delayed: number]> {
    const attributes = await this.attributes(name);
    const count = (part: string): number => Number(attributes[`ApproximateNumberOfMessages${part}`] ?? 0);
    return [count(""), count("NotVisible"), count("Delayed")];
  }

  destroy(): void {
    this.#client.destroy();
  }

  async #delete(QueueUrl: string, messages: readonly Message[]): Promise<void> {
    const Entries = messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    await this.#client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }

  async #url(name: string): Promise<string> {
    const { QueueUrl } = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }));
    return new URL(new URL(QueueUrl ?? "").pathname, this.#endpoint).href;
  }
}
