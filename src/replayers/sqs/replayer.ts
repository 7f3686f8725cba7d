/**
 * The SQS replayer: queues as scopes, messages as records. Every queue is made ready by `scope.ts` and written by the
 * writer of its kind; what must wait for all queues is done in `finish`.
 *
 * Where FIFO messages keep their deduplication ids, a queue's file is read once before its first message is sent, to know
 * which message keeps one.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { QueueScope } from "../../model/scope.js";
import { type AwsOptions, isAws } from "../aws-client.js";
import type { CallStats } from "../calls.js";
import type { Capabilities, Replayer, ReplayerContext, ScopeNotes, ScopeState } from "../replayer.js";
import { NO_NOTES } from "../replayer.js";
import { AnswersSeen } from "./answers.js";
import { carry } from "./carriable.js";
import { isQueueMissing } from "./classify-error.js";
import { SqsApi } from "./client.js";
import { DeduplicationIds, type FifoDeduplication } from "./deduplication.js";
import { FifoWriter } from "./fifo-writer.js";
import { LARGEST_MESSAGE_BYTES } from "./message-size.js";
import { checkQueueName } from "./names.js";
import { probeSqs } from "./probe.js";
import { lookAt } from "./queue-state.js";
import type { QueueWriter } from "./queue-writer.js";
import { applyLateAttributes } from "./redrive-setting.js";
import { createQueue, emptyQueue, keepQueue, type PreparedQueue, purgeWaitMs, type Takeover } from "./scope.js";
import type { OnAmbiguous } from "./sending.js";
import { StandardWriter } from "./standard-writer.js";

export interface SqsTarget extends AwsOptions {
  /** Whether FIFO messages keep their deduplication ids (default) or each gets one of its own. */
  readonly fifoDedup?: FifoDeduplication;
  /** Whether messages that were in flight stay hidden as long as they would have been. Default false. */
  readonly preserveVisibility?: boolean;
  /** Milliseconds between a purge and the first send. Default, and the least at AWS, 60,000: a purge may take later messages too. */
  readonly purgeWaitMs?: number;
  /** What becomes of a message whose answer was lost and that may not be repeated. Default `resend`. */
  readonly onAmbiguous?: OnAmbiguous;
  /** What a queue of the source is called on the target: dead-letter ARNs name queues of the source. */
  readonly targetNameOf: (sourceQueue: string) => string;
}

type OwnRecords = () => AsyncIterable<MessageRecord>;

interface OpenQueue {
  readonly prepared: PreparedQueue;
  readonly writer: QueueWriter;
}

/** Connects nothing yet. `close` frees what it holds. */
export function createSqsReplayer(target: SqsTarget, context: ReplayerContext): Replayer<"sqs"> {
  return new SqsReplayer(target, context);
}

class SqsReplayer implements Replayer<"sqs"> {
  readonly adapter = "sqs";
  readonly endpoint: string;
  readonly #target: SqsTarget;
  readonly #context: ReplayerContext;
  readonly #api: SqsApi;
  readonly #ownRecords = new Map<string, OwnRecords>();
  readonly #queues = new Map<string, Promise<OpenQueue>>();

  constructor(target: SqsTarget, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    this.#api = new SqsApi(target, context);
    this.endpoint = this.#api.endpoint;
  }

  get stats(): CallStats {
    return this.#api.calls.stats;
  }

  async probe(): Promise<Capabilities> {
    const { concurrency } = this.#context;
    return await probeSqs(this.#api, {
      aws: isAws(this.#target.endpoint),
      ...(concurrency === undefined ? {} : { concurrency }),
    });
  }

  async inspect(scope: QueueScope, ownRecords: OwnRecords): Promise<ScopeState> {
    checkQueueName(scope, this.endpoint);
    this.#ownRecords.set(scope.target, ownRecords);
    try {
      const url = await this.#api.queueUrl(scope.target);
      if (url === undefined) return { presence: "absent", warnings: [] };
      const { clock, signal } = this.#context;
      const aws = isAws(this.#target.endpoint);
      const looking = { api: this.#api, clock, aws, ...(signal === undefined ? {} : { signal }) };
      return (await lookAt(scope, url, looking)).state;
    } catch (error) {
      if (isQueueMissing(error)) return { presence: "absent", warnings: [] };
      throw error;
    }
  }

  async create(scope: QueueScope): Promise<ScopeNotes> {
    return await this.#open(scope, () => createQueue(this.#api, scope));
  }

  async empty(scope: QueueScope): Promise<ScopeNotes> {
    return await this.#open(scope, () => emptyQueue(this.#api, scope, this.#purgeWaitMs));
  }

  async keep(scope: QueueScope): Promise<ScopeNotes> {
    return await this.#open(scope, () => keepQueue(this.#api, scope));
  }

  async reopen(scope: QueueScope, takeover: Takeover): Promise<ScopeNotes> {
    return await this.#open(scope, async () => {
      const kept = await keepQueue(this.#api, scope);
      // The purge may have been asked for just before the job was stopped.
      const readyAtMs = takeover === "empty" ? this.#context.clock.now() + this.#purgeWaitMs : 0;
      return { ...kept, takeover, readyAtMs, warnings: takeover === "keep" ? kept.warnings : [] };
    });
  }

  async write(scope: QueueScope, batch: readonly MessageRecord[]): Promise<Outcome[]> {
    let open: OpenQueue;
    try {
      open = await (this.#queues.get(scope.target) ?? this.#register(scope, () => keepQueue(this.#api, scope)));
    } catch (error) {
      if (!(error instanceof RestoreError) || error.retry === "fatal") throw error;
      return batch.map(() => ({ kind: "failed", reason: error.reason ?? "queue-unusable", detail: error.message }));
    }
    await this.#waitUntil(open.prepared.readyAtMs);
    return await open.writer.write(batch);
  }

  async finish(scope: QueueScope): Promise<ScopeNotes> {
    const open = await this.#queues.get(scope.target);
    if (open === undefined || open.prepared.takeover === "keep") return NO_NOTES;
    const { targetNameOf } = this.#target;
    const queue = { api: this.#api, url: open.prepared.url, settings: scope.settings, targetNameOf };
    try {
      return { warnings: await applyLateAttributes(queue) };
    } catch (error) {
      if (!isQueueMissing(error)) throw error;
      return { warnings: ["redrive policy and delay were left out: the queue is no longer there"] };
    }
  }

  async close(): Promise<void> {
    this.#api.destroy();
    const opened = await Promise.allSettled(this.#queues.values());
    for (const result of opened) if (result.status === "fulfilled") result.value.writer.close?.();
    this.#queues.clear();
    this.#ownRecords.clear();
  }

  get #purgeWaitMs(): number {
    return purgeWaitMs(this.#target.purgeWaitMs, isAws(this.#target.endpoint));
  }

  async #open(scope: QueueScope, prepare: () => Promise<PreparedQueue>): Promise<ScopeNotes> {
    const { prepared } = await this.#register(scope, prepare);
    return { warnings: prepared.warnings };
  }

  /** Batches come side by side: they share one preparation. One that fails is forgotten, to be tried again. */
  #register(scope: QueueScope, prepare: () => Promise<PreparedQueue>): Promise<OpenQueue> {
    const open = prepare().then(async (prepared) => ({ prepared, writer: await this.#writerFor(scope, prepared) }));
    this.#queues.set(scope.target, open);
    open.catch(() => {
      if (this.#queues.get(scope.target) === open) this.#queues.delete(scope.target);
    });
    return open;
  }

  async #writerFor(scope: QueueScope, { url, attributes, takeover }: PreparedQueue): Promise<QueueWriter> {
    const limitBytes = limitOf(attributes, takeover === "keep" ? undefined : scope.settings.maximumMessageSize);
    const init = {
      sending: {
        api: this.#api,
        url,
        queue: scope.target,
        onAmbiguous: this.#target.onAmbiguous ?? "resend",
        maxRetryTimeMs: this.#context.maxRetryTimeMs,
      },
      limitBytes,
      preserveVisibility: this.#target.preserveVisibility ?? false,
    } as const;
    if (!scope.settings.fifo) return new StandardWriter(init);
    const mode = this.#target.fifoDedup ?? "original";
    // Ids made by this job are known to no queue.
    const mayRememberIds = takeover !== "create" && mode === "original";
    const ids = new DeduplicationIds({
      jobId: this.#context.policy.jobId,
      scope: scope.name,
      mode,
      contentBased: attributes["ContentBasedDeduplication"] === "true",
      perGroup: attributes["DeduplicationScope"] === "messageGroup",
      mayRememberIds,
      workDirectory: this.#context.workDirectory,
    });
    if (mode === "original") await learn(ids, carriable(this.#ownRecords.get(scope.target), limitBytes));
    return new FifoWriter({
      ...init,
      ids,
      seen: new AnswersSeen(this.#context.clock, this.#context.workDirectory),
      mayRememberIds,
      // A queue that the job filled once keeps its delay at zero until the end.
      queueDelaySeconds: Number(attributes["DelaySeconds"] ?? "0"),
    });
  }

  async #waitUntil(readyAtMs: number): Promise<void> {
    const { clock, signal } = this.#context;
    const waitMs = readyAtMs - clock.now();
    if (waitMs <= 0) return;
    try {
      await clock.sleep(waitMs, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      throw new RestoreError("INTERRUPTED", "interrupted while a purge was waited out", {
        retry: "fatal",
        cause: error,
      });
    }
  }
}

/** The target's limit in bytes; where it does not tell, the one that was set, else the most that SQS knows. */
function limitOf(attributes: PreparedQueue["attributes"], set: number | undefined): number {
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
async function* carriable(records: OwnRecords | undefined, limitBytes: number): AsyncGenerator<MessageRecord> {
  for await (const record of records?.() ?? []) {
    if (!("kind" in carry(record, limitBytes))) yield record;
  }
}
