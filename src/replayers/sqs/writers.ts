/** Makes the writer that a queue of its kind needs, once the queue is ready. */
import type { MessageRecord } from "../../model/record.js";
import type { QueueScope } from "../../model/scope.js";
import type { ReplayerContext } from "../replayer.js";
import { AnswersSeen } from "./answers.js";
import { carry } from "./carriable.js";
import type { SqsApi } from "./client.js";
import { DeduplicationIds, type FifoDeduplication } from "./deduplication.js";
import { EarlierIds } from "./earlier-ids.js";
import { FifoWriter } from "./fifo-writer.js";
import { HaltedGroups } from "./halted-groups.js";
import { LARGEST_MESSAGE_BYTES } from "./message-size.js";
import type { QueueNotes } from "./queue-notes.js";
import type { QueueWriter, WriterInit } from "./queue-writer.js";
import type { PreparedQueue } from "./scope.js";
import type { OnAmbiguous } from "./sending.js";
import { StandardWriter } from "./standard-writer.js";

export type OwnRecords = () => AsyncIterable<MessageRecord>;

export interface WriterSettings {
  /** Whether FIFO messages keep their deduplication ids (default) or each gets one of its own. */
  readonly fifoDedup?: FifoDeduplication;
  /** Whether messages that were in flight stay hidden as long as they would have been. Default false. */
  readonly preserveVisibility?: boolean;
  /** What becomes of a message whose answer was lost and that may not be repeated. Default `resend`. */
  readonly onAmbiguous?: OnAmbiguous;
}

export interface ReadyQueue {
  readonly target: WriterSettings;
  readonly context: ReplayerContext;
  readonly api: SqsApi;
  readonly scope: QueueScope;
  readonly prepared: PreparedQueue;
  readonly notes: QueueNotes;
}

/** `ownRecords`: the queue's messages in the dump, read here once where FIFO messages keep their ids. */
export async function makeWriter(queue: ReadyQueue, ownRecords: OwnRecords | undefined): Promise<QueueWriter> {
  const { target, context, api, scope, prepared } = queue;
  const { attributes, takeover, url } = prepared;
  const init = {
    sending: {
      api,
      url,
      queue: scope.target,
      onAmbiguous: target.onAmbiguous ?? "resend",
      maxRetryTimeMs: context.maxRetryTimeMs,
    },
    limitBytes: limitOf(attributes, takeover === "keep" ? undefined : scope.settings.maximumMessageSize),
    preserveVisibility: target.preserveVisibility ?? false,
  };
  return scope.settings.fifo ? await makeFifoWriter(queue, init, ownRecords) : new StandardWriter(init);
}

async function makeFifoWriter(
  { target, context, scope, prepared, notes }: ReadyQueue,
  init: WriterInit,
  ownRecords: OwnRecords | undefined,
): Promise<FifoWriter> {
  const { attributes, suspectSince } = prepared;
  const { clock, policy, workDirectory } = context;
  const { fifoDedup: mode = "original" } = target;
  const ids = deduplicationIds({ jobId: policy.jobId, scope, mode, attributes, workDirectory });
  if (mode === "original") await learn(ids, carriable(ownRecords, init.limitBytes));
  return new FifoWriter({
    ...init,
    ids,
    seen: new AnswersSeen(clock, workDirectory),
    earlier: new EarlierIds({ notes, clock, ...(suspectSince === undefined ? {} : { suspectSince }) }),
    halted: new HaltedGroups(notes),
    // A queue that the job filled once keeps its delay at zero until the end.
    queueDelaySeconds: Number(attributes["DelaySeconds"] ?? "0"),
  });
}

export interface IdsInit {
  readonly jobId: string;
  readonly scope: QueueScope;
  readonly mode: FifoDeduplication;
  /** The target queue's. */
  readonly attributes: PreparedQueue["attributes"];
  readonly workDirectory: string;
}

export function deduplicationIds({ jobId, scope, mode, attributes, workDirectory }: IdsInit): DeduplicationIds {
  return new DeduplicationIds({
    jobId,
    scope: scope.name,
    mode,
    contentBased: attributes["ContentBasedDeduplication"] === "true",
    perGroup: attributes["DeduplicationScope"] === "messageGroup",
    workDirectory,
  });
}

/** The target's limit in bytes; where it does not tell, the one that was set, else the most that SQS knows. */
export function limitOf(attributes: PreparedQueue["attributes"], set: number | undefined): number {
  const told = Number(attributes["MaximumMessageSize"]);
  return Number.isSafeInteger(told) && told > 0 ? told : (set ?? LARGEST_MESSAGE_BYTES);
}

async function learn(ids: DeduplicationIds, messages: AsyncIterable<MessageRecord>): Promise<void> {
  try {
    await ids.learn(messages);
  } catch (error) {
    ids.close();
    throw error;
  }
}

/** Messages that will be sent: what is rejected keeps no id from others. */
export async function* carriable(records: OwnRecords | undefined, limitBytes: number): AsyncGenerator<MessageRecord> {
  for await (const record of records?.() ?? []) {
    if (!("kind" in carry(record, limitBytes))) yield record;
  }
}
