/**
 * The SQS operations that a restore uses, over the AWS SDK. Every request goes to the configured endpoint: of a queue
 * URL that the target answers only the path is kept, for servers name hosts there that nobody can reach.
 *
 * It retries through `Calls` and decides nothing: sends are single attempts, for only the caller knows whether one may
 * be repeated.
 */
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { RestoreError } from "../../errors/restore-error.js";
import {
  type AwsEndpoint,
  type AwsOptions,
  awsClientConfig,
  awsRegion,
  awsServiceName,
  endpointLabel,
} from "../aws-client.js";
import { Calls } from "../calls.js";
import { carrying, exchangeConfig, prepareForExchanges, type Timing } from "../exchange.js";
import type { ReplayerContext } from "../replayer.js";
import { classifySqsError, type EntryRefusal, isQueueMissing, judgeRefusal } from "./classify-error.js";
import { type HeldMessage, heldMessage } from "./held-message.js";
import { type Entry, sendBatchBody, sendBody } from "./send-bodies.js";

export interface SentMessage {
  readonly messageId: string;
  readonly sequence?: bigint;
  readonly bodyMd5?: string;
  readonly attributesMd5?: string;
}

export type EntryAnswer = { readonly sent: SentMessage } | { readonly refused: EntryRefusal };

export type QueueAttributes = Readonly<Record<string, string>>;

export interface Receive {
  /** At most so many messages: 1 to 10. */
  readonly count: number;
  /** How long what is received is hidden from others, in seconds. */
  readonly hiddenSeconds: number;
  /** How long the target waits for messages where it has none, in seconds. */
  readonly waitSeconds: number;
}

const PROBE_RETRY_MS = 5_000;
/** Messages that are not given back come back by themselves. */
const RETURN_RETRY_MS = 10_000;

export class SqsApi {
  readonly endpoint: string;
  readonly calls: Calls;
  /** For sends of messages, which may go on for some time when the run is to stop. */
  readonly sends: Calls;
  readonly #returns: Calls;
  readonly #probeCalls: Calls;
  readonly #client: SQSClient;
  readonly #endpointSetting: AwsEndpoint;
  #serverHeader: string | undefined;

  constructor(options: AwsOptions, context: ReplayerContext) {
    this.endpoint = endpointLabel(options.endpoint, options.region);
    this.#endpointSetting = options.endpoint;
    const init = {
      adapter: "sqs",
      endpoint: this.endpoint,
      clock: context.clock,
      maxRetryTimeMs: context.maxRetryTimeMs,
      pacer: context.pacer,
      classify: (error: unknown, operation: string) =>
        classifySqsError(error, operation, { adapter: "sqs", endpoint: this.endpoint }),
      ...(context.signal === undefined ? {} : { signal: context.signal }),
      ...(context.writeSignal === undefined ? {} : { writeSignal: context.writeSignal }),
    };
    this.calls = new Calls(init);
    this.sends = this.calls.forWrites();
    this.#returns = this.calls.forReturns(RETURN_RETRY_MS);
    this.#probeCalls = new Calls({ ...init, maxRetryTimeMs: Math.min(context.maxRetryTimeMs, PROBE_RETRY_MS) });
    // The SDK's own digest check throws away a whole batch's answers when one differs; ours judges each message.
    const config = { ...awsClientConfig(options), ...exchangeConfig(options.endpoint) };
    this.#client = new SQSClient({ ...config, useQueueUrlAsEndpoint: false, md5: false });
    prepareForExchanges(this.#client, options.endpoint);
    this.#noteServerHeader();
  }

  /** The `Server` header of the last answer; many servers send none. */
  get serverHeader(): string | undefined {
    return this.#serverHeader;
  }

  /**
   * Any answer will do. Returns the URL of a queue, where there is one.
   * @throws RestoreError OUTAGE, TARGET_CREDENTIALS; USAGE where the AWS service is named without a region
   */
  async probe(): Promise<string | undefined> {
    if ("aws" in this.#endpointSetting) await awsRegion(this.#client.config.region);
    const answer = await this.#probeCalls.run({ operation: "ListQueues" }, () =>
      this.#client.send(new ListQueuesCommand({ MaxResults: 1 })),
    );
    return answer.QueueUrls?.[0];
  }

  /** The AWS service by its region and account; the account is told by a queue's URL alone. */
  async awsName(queueUrl: string | undefined): Promise<string> {
    const account = /^https:\/\/[^/]+\/(\d+)\//.exec(queueUrl ?? "")?.[1];
    return await awsServiceName("Amazon SQS", this.#client.config, account && `account ${account}`);
  }

  /** The queue's URL at the configured endpoint, or undefined when there is no such queue. */
  async queueUrl(name: string): Promise<string | undefined> {
    try {
      const answer = await this.calls.run({ operation: "GetQueueUrl", scope: name }, () =>
        this.#client.send(new GetQueueUrlCommand({ QueueName: name })),
      );
      return this.#atEndpoint(answer.QueueUrl ?? "", "GetQueueUrl");
    } catch (error) {
      if (isQueueMissing(error)) return undefined;
      throw error;
    }
  }

  /** Every attribute that the target tells. */
  async attributes(url: string): Promise<QueueAttributes> {
    const answer = await this.calls.run({ operation: "GetQueueAttributes" }, () =>
      this.#client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] })),
    );
    return answer.Attributes ?? {};
  }

  async setAttributes(url: string, attributes: QueueAttributes): Promise<void> {
    await this.calls.run({ operation: "SetQueueAttributes" }, () =>
      this.#client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: attributeMap(attributes) })),
    );
  }

  /** Creates the queue; one with the same attributes may be there already. Returns its URL. */
  async createQueue(name: string, attributes: QueueAttributes): Promise<string> {
    const answer = await this.calls.run({ operation: "CreateQueue", scope: name }, () =>
      this.#client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributeMap(attributes) })),
    );
    return this.#atEndpoint(answer.QueueUrl ?? "", "CreateQueue");
  }

  /** @throws RestoreError with reason `purge-in-progress` when one was asked for in the last minute */
  async purge(url: string): Promise<void> {
    await this.calls.run({ operation: "PurgeQueue" }, () =>
      this.#client.send(new PurgeQueueCommand({ QueueUrl: url })),
    );
  }

  /**
   * One attempt, not retried, errors as the SDK throws them. Answers in the order of `entries`; undefined for an entry
   * that the answer does not name.
   */
  async sendOnce(url: string, entries: readonly Entry[], timing: Timing = {}): Promise<(EntryAnswer | undefined)[]> {
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) {
      const input = { QueueUrl: url, MessageBody: "" };
      const exchange = { ...timing, body: sendBody(url, only) };
      const answer = await this.#client.send(new SendMessageCommand(carrying(input, exchange)));
      return [{ sent: sentMessage(answer) }];
    }
    const input = { QueueUrl: url, Entries: [] };
    const exchange = { ...timing, body: sendBatchBody(url, entries) };
    const answer = await this.#client.send(new SendMessageBatchCommand(carrying(input, exchange)));
    const ends = new Map<string | undefined, EntryAnswer>();
    for (const failed of answer.Failed ?? []) ends.set(failed.Id, { refused: refusalOf(failed) });
    for (const sent of answer.Successful ?? []) ends.set(sent.Id, { sent: sentMessage(sent) });
    return entries.map((_entry, i) => ends.get(String(i)));
  }

  /** Some messages, which are hidden from others then. An answer that is lost leaves what it held hidden. */
  async receive(url: string, { count, hiddenSeconds, waitSeconds }: Receive): Promise<HeldMessage[]> {
    const answer = await this.calls.run({ operation: "ReceiveMessage" }, () =>
      this.#client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: count,
          VisibilityTimeout: hiddenSeconds,
          WaitTimeSeconds: waitSeconds,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      ),
    );
    return (answer.Messages ?? []).map(heldMessage);
  }

  /** Makes received messages visible again, at most ten. What the target says is not hidden needs nothing. Repeatable. */
  async showAgain(url: string, receipts: readonly string[]): Promise<void> {
    await this.#onReceipts(this.#returns, "ChangeMessageVisibilityBatch", receipts, async (entries) => {
      const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries });
      return (await this.#client.send(command)).Failed ?? [];
    });
  }

  /** Deletes received messages, at most ten. Those whose time is over stay. Repeatable. */
  async deleteMessages(url: string, receipts: readonly string[]): Promise<void> {
    await this.#onReceipts(this.calls, "DeleteMessageBatch", receipts, async (entries) => {
      const command = new DeleteMessageBatchCommand({ QueueUrl: url, Entries: [...entries] });
      return (await this.#client.send(command)).Failed ?? [];
    });
  }

  /** Deletes the queue with everything in it. @throws RestoreError with reason `queue-missing` */
  async deleteQueue(url: string): Promise<void> {
    await this.calls.run({ operation: "DeleteQueue" }, () =>
      this.#client.send(new DeleteQueueCommand({ QueueUrl: url })),
    );
  }

  destroy(): void {
    this.#client.destroy();
  }

  /** Sends those again that the target put off. */
  async #onReceipts(
    calls: Calls,
    operation: string,
    receipts: readonly string[],
    attempt: (entries: readonly ReceiptEntry[]) => Promise<readonly BatchResultErrorEntry[]>,
  ): Promise<void> {
    let left = receipts.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
    await calls.run({ operation, ops: () => left.length }, async () => {
      const failed = await attempt(left);
      const putOff = failed.filter((each) => judgeRefusal(refusalOf(each)) === "again");
      left = left.filter(({ Id }) => putOff.some((each) => each.Id === Id));
      if (left.length === 0) return;
      throw new RestoreError("THROTTLED", `the target put off ${left.length} entries of ${operation}`, {
        retry: "yes",
        reason: "throttled",
      });
    });
  }

  #atEndpoint(answered: string, operation: string): string {
    if (!URL.canParse(answered)) {
      throw new RestoreError("TARGET_UNFIT", `${this.endpoint} answered ${operation} without a queue URL`, {
        where: { adapter: "sqs", endpoint: this.endpoint, operation },
        hint: "Check that the endpoint is an SQS service.",
        retry: "fatal",
      });
    }
    if ("aws" in this.#endpointSetting) return answered;
    return new URL(new URL(answered).pathname, this.#endpointSetting.url).href;
  }

  #noteServerHeader(): void {
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        this.#serverHeader = headerOf(result.response, "server") ?? this.#serverHeader;
        return result;
      },
      { step: "deserialize", priority: "low", name: "noteServerHeader" },
    );
  }
}

interface ReceiptEntry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

function refusalOf(entry: Partial<BatchResultErrorEntry>): EntryRefusal {
  const { Code: code = "", Message: message = "", SenderFault: senderFault = false } = entry;
  return { code, message, senderFault };
}

interface SdkAnswer {
  readonly MessageId?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly MD5OfMessageBody?: string | undefined;
  readonly MD5OfMessageAttributes?: string | undefined;
}

function sentMessage(answer: SdkAnswer): SentMessage {
  const sequence = answer.SequenceNumber;
  return {
    messageId: answer.MessageId ?? "",
    ...(sequence === undefined || !/^\d+$/.test(sequence) ? {} : { sequence: BigInt(sequence) }),
    ...(answer.MD5OfMessageBody === undefined ? {} : { bodyMd5: answer.MD5OfMessageBody }),
    ...(answer.MD5OfMessageAttributes === undefined ? {} : { attributesMd5: answer.MD5OfMessageAttributes }),
  };
}

/** The SDK's type lists the attributes of SQS proper; servers have others of their own. */
function attributeMap(attributes: QueueAttributes): Partial<Record<QueueAttributeName, string>> {
  return { ...attributes };
}

function headerOf(response: unknown, name: string): string | undefined {
  if (typeof response !== "object" || response === null || !("headers" in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== "object" || headers === null) return undefined;
  const value: unknown = Reflect.get(headers, name);
  return typeof value === "string" ? value : undefined;
}
