/**
 * How messages would end if they were sent now: by the rules of the writers, over the attributes that the queue would have
 * by then. Sends nothing.
 *
 * What only the target finds is not foreseen: attributes of messages that it refuses, settings of the queue that it
 * refuses, and ids that an earlier run sent within five minutes before. Nor is how long a restore takes: first messages
 * of groups that go later than five minutes after its begin keep their ids.
 */
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { QueueScope } from "../../model/scope.js";
import { breathing } from "../../support/breathing.js";
import { SpillingMap } from "../../support/spilling-map.js";
import type { ReplayerContext } from "../replayer.js";
import { attributesForSending } from "./attributes.js";
import type { QueueAttributes, SqsApi } from "./client.js";
import type { DeduplicationIds } from "./deduplication.js";
import { FIRST_OF_GROUP, groupOf, packFifo, withMade } from "./fifo-writer.js";
import { restoredWith } from "./packing.js";
import type { Takeover } from "./queue-notes.js";
import { packStandard } from "./standard-writer.js";
import { carriable, deduplicationIds, limitOf, type OwnRecords, type WriterSettings } from "./writers.js";

export interface ForesightInit {
  readonly target: WriterSettings;
  readonly context: ReplayerContext;
  readonly api: Pick<SqsApi, "attributes" | "queueUrl">;
}

interface Expected {
  readonly limitBytes: number;
  readonly fifo?: ExpectedFifo;
}

interface ExpectedFifo {
  readonly queueDelaySeconds: number;
  readonly ids: DeduplicationIds;
  /** By group, the line of its first message, where the queue may remember ids of an earlier run. */
  readonly firsts?: SpillingMap;
}

export class Foresight {
  readonly #init: ForesightInit;
  readonly #expected = new Map<string, Promise<Expected>>();

  constructor(init: ForesightInit) {
    this.#init = init;
  }

  /** One a record, in their order. `ownRecords`: the queue's messages in the dump, read here once for a FIFO queue. */
  async outcomes(
    scope: QueueScope,
    batch: readonly MessageRecord[],
    takeover: Takeover,
    ownRecords: OwnRecords | undefined,
  ): Promise<Outcome[]> {
    const key = `${takeover} ${scope.target}`;
    const expected = this.#expected.get(key) ?? this.#expect(scope, takeover, ownRecords);
    this.#expected.set(key, expected);
    try {
      const known = await expected;
      return batch.map((record) => this.#outcomeOf(record, known));
    } catch (error) {
      this.#expected.delete(key);
      throw error;
    }
  }

  /** Removes what stands on disk. Repeatable, never throws. */
  async close(): Promise<void> {
    for (const each of await Promise.allSettled(this.#expected.values())) {
      if (each.status === "fulfilled") closeFifo(each.value.fifo);
    }
    this.#expected.clear();
  }

  async #expect(scope: QueueScope, takeover: Takeover, ownRecords: OwnRecords | undefined): Promise<Expected> {
    const attributes = await this.#attributes(scope, takeover);
    const limitBytes = limitOf(attributes, takeover === "keep" ? undefined : scope.settings.maximumMessageSize);
    if (!scope.settings.fifo) return { limitBytes };
    const { target, context } = this.#init;
    const { fifoDedup: mode = "original" } = target;
    const { workDirectory } = context;
    const ids = deduplicationIds({ jobId: context.policy.jobId, scope, mode, attributes, workDirectory });
    const isSuspect = takeover !== "create" && mode === "original";
    const fifo = {
      ids,
      queueDelaySeconds: Number(attributes["DelaySeconds"] ?? "0"),
      ...(isSuspect ? { firsts: new SpillingMap(workDirectory) } : {}),
    };
    try {
      if (mode === "original") await ids.learn(firstsNoted(carriable(ownRecords, limitBytes), fifo.firsts));
    } catch (error) {
      closeFifo(fifo);
      throw error;
    }
    return { limitBytes, fifo };
  }

  /** Those that the queue will have while messages are sent. */
  async #attributes({ target, settings }: QueueScope, takeover: Takeover): Promise<QueueAttributes> {
    const { api } = this.#init;
    const url = takeover === "create" ? undefined : await api.queueUrl(target);
    const held = url === undefined ? {} : await api.attributes(url);
    return takeover === "keep" ? held : { ...held, ...attributesForSending(settings) };
  }

  #outcomeOf(record: MessageRecord, { limitBytes, fifo }: Expected): Outcome {
    const { context, target } = this.#init;
    const { preserveVisibility = false } = target;
    const rules = { limitBytes, preserveVisibility, nowMs: context.clock.now() };
    if (fifo === undefined) {
      const packed = packStandard(record, rules);
      return "kind" in packed ? packed : restoredWith(packed.notes);
    }
    const groupId = groupOf(record);
    if (typeof groupId !== "string") return groupId;
    const packed = packFifo(record, groupId, { ...rules, queueDelaySeconds: fifo.queueDelaySeconds });
    if ("kind" in packed) return packed;
    const made = fifo.ids.idOf(record).made ?? (isFirst(record, groupId, fifo.firsts) ? FIRST_OF_GROUP : undefined);
    return restoredWith(withMade(packed.notes, made));
  }
}

/** The same messages, with the first one of each group noted. */
async function* firstsNoted(
  messages: AsyncIterable<MessageRecord>,
  firsts: SpillingMap | undefined,
): AsyncGenerator<MessageRecord> {
  for await (const message of breathing(messages)) {
    const groupId = groupOf(message);
    if (firsts !== undefined && typeof groupId === "string" && firsts.get(groupId) === undefined) {
      firsts.set(groupId, lineOf(message));
    }
    yield message;
  }
}

function isFirst(record: MessageRecord, groupId: string, firsts: SpillingMap | undefined): boolean {
  return firsts?.get(groupId) === lineOf(record);
}

function lineOf({ place }: MessageRecord): bigint {
  return BigInt(place.line ?? 0);
}

function closeFifo(fifo: ExpectedFifo | undefined): void {
  fifo?.ids.close();
  fifo?.firsts?.close();
}
