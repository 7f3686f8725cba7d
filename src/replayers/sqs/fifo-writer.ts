/**
 * Writes messages into a FIFO queue. A batch holds messages of different groups; the caller sends one batch after
 * another of the same group, so a group's order is the dump's.
 *
 * A message that fails halts its group: what came later would otherwise overtake it, and a retry of the failed one could
 * not put that right. A rejected message does not, for it will never arrive.
 *
 * A queue that existed before the job may remember ids that an earlier run sent within the last five minutes, and drops
 * them with an answer like any other. For that time each message is sent alone, since some servers tell sequence numbers
 * only then, and an answer whose number does not rise within its group shows a drop: the message goes again under an id
 * of its own.
 */
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import { FingerprintSet } from "../../support/fingerprints.js";
import type { AnswersSeen } from "./answers.js";
import { carry } from "./carriable.js";
import type { SentMessage } from "./client.js";
import type { DeduplicationId, DeduplicationIds } from "./deduplication.js";
import { delayOf } from "./delay.js";
import { isPacked, outcomeOfDelivery, type Packed, sendRest } from "./packing.js";
import type { QueueWriter, WriterInit } from "./queue-writer.js";
import { type Delivery, Sending } from "./sending.js";

/** Of the five minutes in which a queue drops repetitions, those in which a repetition is sure to reach it. */
const REPEATABLE_MS = 4 * 60_000;

/** After this time no id of an earlier run is remembered. */
const SUSPECT_MS = 5.5 * 60_000;

export interface FifoWriterInit extends WriterInit {
  readonly ids: DeduplicationIds;
  readonly seen: AnswersSeen;
  /** Whether the queue existed before the job. */
  readonly mayRememberIds: boolean;
  /** The queue's delay while messages are sent. */
  readonly queueDelaySeconds: number;
}

interface FifoPacked extends Packed {
  readonly groupId: string;
  readonly id: DeduplicationId;
}

const DROPPED: Outcome = {
  kind: "failed",
  reason: "dropped-by-queue",
  detail: "the queue took it for a message that it had before, also under an id of its own",
};

export class FifoWriter implements QueueWriter {
  readonly #init: FifoWriterInit;
  readonly #sending: Sending;
  readonly #halted = new FingerprintSet();
  readonly #since: number;

  constructor(init: FifoWriterInit) {
    this.#init = init;
    this.#sending = new Sending({ ...init.sending, repeatableMs: REPEATABLE_MS });
    this.#since = this.#now();
  }

  async write(batch: readonly MessageRecord[]): Promise<Outcome[]> {
    return await sendRest(
      batch.map((record) => this.#pack(record)),
      async (going) => await this.#send(going),
    );
  }

  close(): void {
    this.#init.ids.close();
    this.#init.seen.close();
  }

  #pack(record: MessageRecord): FifoPacked | Outcome {
    const { groupId } = record;
    if (groupId === undefined || groupId === "") {
      return { kind: "rejected", reason: "group-missing", detail: "a FIFO queue takes no message without a group id" };
    }
    if (this.#halted.has(groupId)) {
      const detail = "an earlier message of its group failed; sent now, this one would overtake it";
      return { kind: "failed", reason: "group-halted", detail };
    }
    const carried = carry(record, this.#init.limitBytes);
    if ("kind" in carried) return carried;
    const id = this.#init.ids.idOf(record);
    const { notes } = delayOf(record, {
      nowMs: this.#now(),
      fifo: true,
      queueDelaySeconds: this.#init.queueDelaySeconds,
      preserveVisibility: this.#init.preserveVisibility,
    });
    return {
      record,
      carried,
      groupId,
      id,
      ...(id.id === undefined ? {} : { deduplicationId: id.id }),
      notes: id.made === undefined ? notes : [...notes, { kind: "rekeyed", detail: id.made }],
    };
  }

  async #send(going: readonly FifoPacked[]): Promise<Outcome[]> {
    const judged = await this.#deliverAndJudge(going);
    const outcomes = await sendRest(
      judged.map((one) => (isPacked(one) ? this.#rekeyed(one) : one)),
      async (dropped) => (await this.#deliverAndJudge(dropped)).map((one) => (isPacked(one) ? DROPPED : one)),
    );
    outcomes.forEach((outcome, i) => {
      const group = going[i]?.groupId;
      if (outcome.kind === "failed" && group !== undefined) this.#halted.add(group);
    });
    return outcomes;
  }

  /** An outcome for each, or the message itself where the queue dropped it. */
  async #deliverAndJudge(going: readonly FifoPacked[]): Promise<(FifoPacked | Outcome)[]> {
    const deliveries = await this.#deliver(going);
    return deliveries.map((delivery) =>
      "sent" in delivery && this.#isDropped(delivery.shipment, delivery.sent)
        ? delivery.shipment
        : outcomeOfDelivery(delivery),
    );
  }

  async #deliver(going: readonly FifoPacked[]): Promise<Delivery<FifoPacked>[]> {
    if (!this.#isSuspect()) return await this.#sending.deliver(going);
    const alone = await Promise.allSettled(going.map((packed) => this.#sending.deliver([packed])));
    return alone.flatMap((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  #isDropped({ id, groupId }: FifoPacked, { messageId, sequence }: SentMessage): boolean {
    const told = sequence !== undefined && this.#isSuspect() ? { messageId, sequence } : { messageId };
    const dropped = this.#init.seen.take(groupId, told);
    // A made id is this job's alone: a number that did not rise is then the message's own, from before a resume.
    return dropped === "repeated-message-id" || (dropped === "sequence-not-risen" && id.made === undefined);
  }

  #rekeyed(packed: FifoPacked): FifoPacked {
    const made = "the queue dropped it under its own id, which it had seen in the last five minutes";
    const deduplicationId = this.#init.ids.madeId(packed.record);
    return {
      ...packed,
      deduplicationId,
      id: { id: deduplicationId, made },
      notes: [...packed.notes, { kind: "rekeyed", detail: made }],
    };
  }

  #isSuspect(): boolean {
    return this.#init.mayRememberIds && this.#now() - this.#since < SUSPECT_MS;
  }

  #now(): number {
    return this.#init.sending.api.calls.clock.now();
  }
}
