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
import { NO_NOTES, stoppedBy } from "../replayer.js";
import type { Verifier } from "../verifier.js";
import { isQueueMissing } from "./classify-error.js";
import { SqsApi } from "./client.js";
import { SqsVerifier } from "./compare/verifier.js";
import { Foresight } from "./foresight.js";
import { lossesOf } from "./losses.js";
import { checkQueueName } from "./names.js";
import { probeSqs } from "./probe.js";
import { QueueNotes, type Takeover } from "./queue-notes.js";
import { lookAt } from "./queue-state.js";
import type { QueueWriter } from "./queue-writer.js";
import { applyLateAttributes, lateAttributes } from "./redrive-setting.js";
import {
  createQueue,
  emptyQueue,
  keepQueue,
  type PreparedQueue,
  type Purging,
  purgeWaitMs,
  reopenQueue,
} from "./scope.js";
import { makeWriter, type OwnRecords, type WriterSettings } from "./writers.js";

export interface SqsTarget extends AwsOptions, WriterSettings {
  /** Milliseconds between a purge and the first send. Default, and the least at AWS, 60,000: a purge may take later messages too. */
  readonly purgeWaitMs?: number;
  /** Standard queues take several batches at once, in no order; more messages are in doubt where a run is killed. */
  readonly unordered?: boolean;
  /** What a queue of the source is called on the target: dead-letter ARNs name queues of the source. */
  readonly targetNameOf: (sourceQueue: string) => string;
}

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
  readonly verifier: Verifier<"sqs">;
  readonly #target: SqsTarget;
  readonly #context: ReplayerContext;
  readonly #api: SqsApi;
  readonly #foresight: Foresight;
  readonly #ownRecords = new Map<string, OwnRecords>();
  readonly #queues = new Map<string, Promise<OpenQueue>>();

  constructor(target: SqsTarget, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    this.#api = new SqsApi(target, context);
    this.endpoint = this.#api.endpoint;
    const { targetNameOf, endpoint } = target;
    this.verifier = new SqsVerifier({ api: this.#api, context, aws: isAws(endpoint), targetNameOf });
    this.#foresight = new Foresight({ target, context, api: this.#api });
  }

  get stats(): CallStats {
    return this.#api.calls.stats;
  }

  async probe(): Promise<Capabilities> {
    const { concurrency } = this.#context;
    return await probeSqs(this.#api, {
      aws: isAws(this.#target.endpoint),
      keepsOrder: this.#target.unordered !== true,
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
    return await this.#begin(scope, () => createQueue(this.#api, scope));
  }

  async empty(scope: QueueScope): Promise<ScopeNotes> {
    return await this.#begin(scope, (notes) => emptyQueue(this.#api, scope, this.#purging(notes)));
  }

  async keep(scope: QueueScope): Promise<ScopeNotes> {
    return await this.#begin(scope, () => keepQueue(this.#api, scope));
  }

  async reopen(scope: QueueScope, takeover: Takeover): Promise<ScopeNotes> {
    const { prepared } = await this.#takeUp(scope, takeover);
    return { warnings: prepared.warnings };
  }

  async writeOnceAnnounced(
    scope: QueueScope,
    batch: readonly MessageRecord[],
    announced: Promise<void>,
  ): Promise<Outcome[]> {
    const { ops, bytes } = this.#api.sends.portion;
    // Permission to send is for the moment in which it is given.
    if (Number.isFinite(ops) || Number.isFinite(bytes)) await announced;
    return await this.write(scope, batch, announced);
  }

  async write(scope: QueueScope, batch: readonly MessageRecord[], announced?: Promise<void>): Promise<Outcome[]> {
    let open: OpenQueue;
    try {
      open = await (this.#queues.get(scope.target) ?? this.#takeUp(scope, "keep"));
      await this.#waitUntil(open.prepared.readyAtMs);
    } catch (error) {
      if (!(error instanceof RestoreError) || error.retry === "fatal") {
        throw stoppedBy(
          error,
          batch.map(() => "not-sent"),
        );
      }
      return batch.map(() => ({ kind: "failed", reason: error.reason ?? "queue-unusable", detail: error.message }));
    }
    return await open.writer.write(batch, announced);
  }

  async finish(scope: QueueScope): Promise<ScopeNotes> {
    const open = await this.#queues.get(scope.target);
    // Written to its end by an earlier process, a queue is not opened by this one.
    const takeover = open?.prepared.takeover ?? this.#notes(scope).takeover;
    if (takeover === undefined || takeover === "keep") return NO_NOTES;
    const { targetNameOf } = this.#target;
    const url = open?.prepared.url ?? (await this.#api.queueUrl(scope.target));
    if (url === undefined) return { warnings: [NO_LONGER_THERE] };
    try {
      const queue = { api: this.#api, url, settings: scope.settings, targetNameOf };
      return { warnings: await applyLateAttributes(queue) };
    } catch (error) {
      if (!isQueueMissing(error)) throw error;
      return { warnings: [NO_LONGER_THERE] };
    }
  }

  /** Changes nothing: a queue that is half-filled is not made ready for consumers. */
  abandon(scope: QueueScope): Promise<ScopeNotes> {
    const { takeover } = this.#notes(scope);
    const late = takeover === undefined || takeover === "keep" ? [] : lateAttributes(scope.settings);
    if (late.length === 0) return Promise.resolve(NO_NOTES);
    return Promise.resolve({ warnings: [`the dump's ${late.join(", ")} was not set: that would have come last`] });
  }

  async foresee(scope: QueueScope, batch: readonly MessageRecord[], takeover: Takeover): Promise<Outcome[]> {
    return await this.#foresight.outcomes(scope, batch, takeover, this.#ownRecords.get(scope.target));
  }

  async losses(scope: QueueScope): Promise<readonly string[]> {
    const url = await this.#api.queueUrl(scope.target);
    if (url === undefined) return [];
    try {
      return lossesOf(scope, await this.#api.attributes(url), this.#target.targetNameOf);
    } catch (error) {
      if (isQueueMissing(error)) return [];
      throw error;
    }
  }

  /** SQS takes no other queue of the same name for 60 seconds (API reference, DeleteQueue): `create` waits that out. */
  async remove(scope: QueueScope): Promise<void> {
    await this.#forget(scope);
    const url = await this.#api.queueUrl(scope.target);
    if (url === undefined) return;
    try {
      await this.#api.deleteQueue(url);
    } catch (error) {
      if (!isQueueMissing(error)) throw error;
    }
  }

  async close(): Promise<void> {
    this.#api.destroy();
    await this.#foresight.close();
    const opened = await Promise.allSettled(this.#queues.values());
    for (const result of opened) if (result.status === "fulfilled") result.value.writer.close?.();
    this.#queues.clear();
    this.#ownRecords.clear();
  }

  async #forget({ target }: QueueScope): Promise<void> {
    const open = this.#queues.get(target);
    this.#queues.delete(target);
    (await open?.catch(() => undefined))?.writer.close?.();
  }

  #purging(notes: QueueNotes): Purging {
    return { waitMs: purgeWaitMs(this.#target.purgeWaitMs, isAws(this.#target.endpoint)), notes };
  }

  #notes(scope: QueueScope): QueueNotes {
    return new QueueNotes(this.#context.notebook, scope);
  }

  /** Takes a queue over for the job, which has sent nothing so far. */
  async #begin(scope: QueueScope, prepare: (notes: QueueNotes) => Promise<PreparedQueue>): Promise<ScopeNotes> {
    const { prepared } = await this.#register(scope, async (notes) => {
      const made = await prepare(notes);
      // A queue that the job created knows no ids but the job's, and none that the job makes up.
      const mayRemember = scope.settings.fifo && made.takeover !== "create" && this.#target.fifoDedup !== "record";
      const suspectSince = mayRemember ? this.#context.clock.now() : undefined;
      await notes.noteTakeover(made.takeover, suspectSince);
      return suspectSince === undefined ? made : { ...made, suspectSince };
    });
    return { warnings: prepared.warnings };
  }

  #takeUp(scope: QueueScope, takeover: Takeover): Promise<OpenQueue> {
    return this.#register(scope, (notes) => reopenQueue(this.#api, scope, { takeover, purging: this.#purging(notes) }));
  }

  /** Batches come side by side: they share one preparation. One that fails is forgotten, to be tried again. */
  #register(scope: QueueScope, prepare: (notes: QueueNotes) => Promise<PreparedQueue>): Promise<OpenQueue> {
    const notes = this.#notes(scope);
    const open = prepare(notes).then(async (prepared) => {
      const init = { target: this.#target, context: this.#context, api: this.#api, scope, prepared, notes };
      return { prepared, writer: await makeWriter(init, this.#ownRecords.get(scope.target)) };
    });
    this.#queues.set(scope.target, open);
    open.catch(() => {
      if (this.#queues.get(scope.target) === open) this.#queues.delete(scope.target);
    });
    return open;
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

const NO_LONGER_THERE = "redrive policy and delay were left out: the queue is no longer there";
