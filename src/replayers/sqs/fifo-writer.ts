/**
 * Writes messages into a FIFO queue. A batch holds messages of different groups; the caller sends one batch after
 * another of the same group, so a group's order is the dump's.
 *
 * A message that fails halts its group: what came later would otherwise overtake it, and a retry of the failed one could
 * not put that right. A rejected message does not, for it will never arrive.
 *
 * While the queue may remember ids of an earlier run (`earlier-ids.ts`), each message is sent alone, since some servers
 * tell sequence numbers only then. A message that was dropped goes again under an id of its own.
 */
import type { Note, Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { EndAtStop } from "../replayer.js";
import type { AnswersSeen } from "./answers.js";
import { carry } from "./carriable.js";
import type { SentMessage } from "./client.js";
import type { DeduplicationId, DeduplicationIds } from "./deduplication.js";
import { delayOf } from "./delay.js";
import { digestsOnce } from "./digests.js";
import type { EarlierIds, SentAs } from "./earlier-ids.js";
import type { HaltedGroups } from "./halted-groups.js";
import { endOfDelivery, isPacked, outcomesOf, type Packed, sendRest, timingOf, type Written } from "./packing.js";
import type { QueueWriter, WriterInit } from "./queue-writer.js";
import { type Deliveries, Sending } from "./sending.js";
import type { PackingRules } from "./standard-writer.js";

/** Of the five minutes in which a queue drops repetitions, those in which a repetition is sure to reach it. */
const REPEATABLE_MS = 4 * 60_000;

export interface FifoWriterInit extends WriterInit {
  readonly ids: DeduplicationIds;
  readonly seen: AnswersSeen;
  readonly earlier: EarlierIds;
  readonly halted: HaltedGroups;
  /** The queue's delay while messages are sent. */
  readonly queueDelaySeconds: number;
}

/** Under which id a message goes. */
interface Keyed {
  readonly id: DeduplicationId;
  /** Its sequence number is above this one unless the queue dropped it. */
  readonly above?: bigint;
  /** The answer's sequence number is asked for. */
  readonly isAlone: boolean;
}

interface FifoPacked extends Packed, Keyed {
  readonly groupId: string;
}

interface Circumstances {
  readonly isSuspect: boolean;
  /** Until then nothing is sent. */
  readonly announced: Promise<void> | undefined;
}

interface Judged {
  /** An end for each, or the message itself where the queue dropped it. */
  readonly judged: readonly (FifoPacked | EndAtStop)[];
  readonly cause?: unknown;
}

const DROPPED: Outcome = {
  kind: "failed",
  reason: "dropped-by-queue",
  detail: "the queue took it for a message that it had before, also under an id of its own",
};

export interface FifoRules extends PackingRules {
  /** The queue's delay while messages are sent. */
  readonly queueDelaySeconds: number;
}

/** A message's group, or why it is rejected. */
export function groupOf({ groupId }: MessageRecord): string | Outcome {
  if (groupId !== undefined && groupId !== "") return groupId;
  return { kind: "rejected", reason: "group-missing", detail: "a FIFO queue takes no message without a group id" };
}

/** How a message goes into a FIFO queue but for its id, or why it does not. Pure. */
export function packFifo(
  record: MessageRecord,
  groupId: string,
  rules: FifoRules,
): (Packed & { readonly groupId: string }) | Outcome {
  const carried = carry(record, rules.limitBytes);
  if ("kind" in carried) return carried;
  const { nowMs, queueDelaySeconds, preserveVisibility } = rules;
  const { notes } = delayOf(record, { nowMs, fifo: true, queueDelaySeconds, preserveVisibility });
  return { record, carried, digests: digestsOnce(record), groupId, notes };
}

/** The notes of a message with one for an id that was made for it, and why. */
export function withMade(notes: readonly Note[], made: string | undefined): readonly Note[] {
  return made === undefined ? notes : [...notes, { kind: "rekeyed", detail: made }];
}

export class FifoWriter implements QueueWriter {
  readonly #init: FifoWriterInit;
  readonly #sending: Sending;

  constructor(init: FifoWriterInit) {
    this.#init = init;
    this.#sending = new Sending({ ...init.sending, repeatableMs: REPEATABLE_MS });
  }

  async write(batch: readonly MessageRecord[], announced?: Promise<void>): Promise<Outcome[]> {
    const isSuspect = await this.#init.earlier.isSuspect();
    // How a message went is noted behind its announcement.
    if (isSuspect) await announced;
    const written = await sendRest(
      batch.map((record) => this.#pack(record, isSuspect)),
      (going) => this.#send(going, { isSuspect, announced }),
    );
    return outcomesOf(written);
  }

  close(): void {
    this.#init.ids.close();
    this.#init.seen.close();
  }

  #pack(record: MessageRecord, isSuspect: boolean): FifoPacked | Outcome {
    const groupId = groupOf(record);
    if (typeof groupId !== "string") return groupId;
    if (this.#init.halted.has(groupId, record)) {
      const detail = "an earlier message of its group failed; sent now, this one would overtake it";
      return { kind: "failed", reason: "group-halted", detail };
    }
    const nowMs = this.#init.sending.api.sends.clock.now();
    const packed = packFifo(record, groupId, { ...this.#init, nowMs });
    if ("kind" in packed) return packed;
    const keyed = this.#keyed(record, groupId, isSuspect);
    const { id } = keyed.id;
    return {
      ...packed,
      ...keyed,
      ...(id === undefined ? {} : { deduplicationId: id }),
      notes: withMade(packed.notes, keyed.id.made),
    };
  }

  /** The id under which an earlier process may have sent it, else the one that is right now. */
  #keyed(record: MessageRecord, groupId: string, isSuspect: boolean): Keyed {
    const { earlier, ids, seen } = this.#init;
    const id = ids.idOf(record);
    const before = earlier.sentAs(record);
    const made = (why: string): Keyed => ({ id: { id: ids.madeId(record), made: why }, isAlone: isSuspect });
    if (before === "made") return made(id.made ?? "it went so before the restore was taken up");
    if (before !== undefined) return { id, above: before, isAlone: true };
    if (!isSuspect || id.made !== undefined) return { id, isAlone: isSuspect };
    const above = seen.lastOf(groupId);
    return above === undefined ? made(FIRST_OF_GROUP) : { id, above, isAlone: true };
  }

  async #send(going: readonly FifoPacked[], { isSuspect, announced }: Circumstances): Promise<Written> {
    const { earlier } = this.#init;
    const slot = earlier.takeSlot();
    if (isSuspect) await earlier.note(slot, going.flatMap(asSent));
    const { judged, cause } = await this.#deliverAndJudge(going, announced);
    const written = cause === undefined ? await this.#sendDropped(going, judged, slot) : stopped(judged, cause);
    await this.#keepHalts(going, written.ends);
    if (written.cause === undefined) earlier.giveBack(slot);
    return written;
  }

  async #sendDropped(going: readonly FifoPacked[], judged: Judged["judged"], slot: number): Promise<Written> {
    const again = judged.map((one) => (isPacked(one) ? this.#rekeyed(one) : one));
    return await sendRest(again, async (dropped) => {
      // The others of the batch are not settled either: their notes stay.
      const all = going.map((packed) => dropped.find(({ record }) => record === packed.record) ?? packed);
      await this.#init.earlier.note(slot, all.flatMap(asSent));
      const { judged: last, ...stop } = await this.#deliverAndJudge(dropped);
      return { ends: last.map((one) => (isPacked(one) ? DROPPED : one)), ...stop };
    });
  }

  async #deliverAndJudge(going: readonly FifoPacked[], announced?: Promise<void>): Promise<Judged> {
    const { deliveries, ...stop } = await this.#deliver(going, announced);
    const judged = deliveries.map((delivery) =>
      "sent" in delivery && this.#isDropped(delivery.shipment, delivery.sent)
        ? delivery.shipment
        : endOfDelivery(delivery),
    );
    return { judged, ...stop };
  }

  async #deliver(going: readonly FifoPacked[], announced?: Promise<void>): Promise<Deliveries<FifoPacked>> {
    if (!going.some(({ isAlone }) => isAlone)) return await this.#sending.deliver(going, timingOf(going, announced));
    const alone = await Promise.all(
      going.map((packed) => this.#sending.deliver([packed], timingOf([packed], announced))),
    );
    const cause = alone.find((one) => one.cause !== undefined)?.cause;
    const deliveries = alone.flatMap((one) => one.deliveries);
    return cause === undefined ? { deliveries } : { deliveries, cause };
  }

  #isDropped({ id, groupId, above, isAlone }: FifoPacked, { messageId, sequence }: SentMessage): boolean {
    const told = sequence !== undefined && isAlone ? { messageId, sequence } : { messageId };
    const dropped = this.#init.seen.take(groupId, told, above);
    // A made id is this job's alone: a number that did not rise is then the message's own, from before a resume.
    return dropped === "repeated-message-id" || (dropped === "sequence-not-risen" && id.made === undefined);
  }

  #rekeyed({ above: _, ...packed }: FifoPacked): FifoPacked {
    const made = "the queue dropped it under its own id, which it had seen in the last five minutes";
    const deduplicationId = this.#init.ids.madeId(packed.record);
    return {
      ...packed,
      deduplicationId,
      id: { id: deduplicationId, made },
      notes: [...packed.notes, { kind: "rekeyed", detail: made }],
    };
  }

  async #keepHalts(going: readonly FifoPacked[], ends: readonly EndAtStop[]): Promise<void> {
    const { halted } = this.#init;
    for (const [i, { groupId, record }] of going.entries()) {
      const end = ends[i];
      if (typeof end !== "object") continue;
      const line = record.place.line ?? 0;
      await (end.kind === "failed" ? halted.halt(groupId, line) : halted.release(groupId, line));
    }
  }
}

/** Why a message goes under a made id while the queue may remember ids of an earlier run. */
export const FIRST_OF_GROUP =
  "first of its group since the restore began or was taken up, in a queue that may remember ids of an earlier run";

/** What was dropped has not arrived: it was taken for a message of somebody else. */
function stopped(judged: Judged["judged"], cause: unknown): Written {
  return { ends: judged.map((one) => (isPacked(one) ? "not-sent" : one)), cause };
}

/** What a later process could not know. */
function asSent({ record, id, above }: FifoPacked): (readonly [line: number, sentAs: SentAs])[] {
  const sentAs = id.made === undefined ? above : "made";
  return sentAs === undefined ? [] : [[record.place.line ?? 0, sentAs]];
}
