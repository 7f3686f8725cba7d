/**
 * Sends messages to one queue, in order, and tells what became of each. Requests are split to SQS's limits; entries
 * that the target puts off are sent again; a request that is refused whole is halved until the message at fault stands
 * alone.
 *
 * A lost reply leaves messages in doubt. Within `repeatableMs` of a message's first attempt the queue itself drops a
 * repetition (FIFO, same deduplication id), so it is simply sent again; after that, and always in a standard queue,
 * `onAmbiguous` decides and the message ends as ambiguous.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import { backoffMs } from "../../support/clock.js";
import type { Carried } from "./carriable.js";
import { judgeRefusal } from "./classify-error.js";
import type { Entry, EntryAnswer, SentMessage, SqsApi } from "./client.js";
import { delaySeconds } from "./delay.js";
import { intoRequests } from "./message-size.js";

export type OnAmbiguous = "resend" | "skip" | "stop";

export interface Shipment {
  readonly record: MessageRecord;
  readonly carried: Carried;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** Unix milliseconds; absent: sent without a delay of its own, as FIFO queues want it. */
  readonly hiddenUntilMs?: number;
}

/** `isDoubtful`: it may be there twice. */
export type Delivered = { readonly sent: SentMessage; readonly isDoubtful: boolean } | { readonly outcome: Outcome };

export type Delivery<T extends Shipment> = { readonly shipment: T } & Delivered;

export interface SendingInit {
  readonly api: Pick<SqsApi, "calls" | "endpoint" | "sendOnce">;
  readonly url: string;
  /** The queue's name on the target, for messages. */
  readonly queue: string;
  readonly onAmbiguous: OnAmbiguous;
  /** How long after a message's first attempt the queue is sure to drop a repetition; 0: it never does. */
  readonly repeatableMs: number;
  readonly maxRetryTimeMs: number;
}

interface Parcel {
  readonly shipment: Shipment;
  readonly size: number;
  /** A repetition is dropped by the queue, for some time at least. */
  readonly isRepeatable: boolean;
  firstSentAt?: number;
  /** A reply was lost: the message may be there. */
  isLost: boolean;
  /** It may be there twice. */
  isDoubtful: boolean;
  delivered?: Delivered;
}

export class Sending {
  readonly #init: SendingInit;

  constructor(init: SendingInit) {
    this.#init = init;
  }

  /**
   * One delivery per shipment, in their order. The next request goes out when the one before is settled.
   * @throws RestoreError OUTAGE, INTERRUPTED, TARGET_CREDENTIALS; IN_DOUBT under `stop`
   */
  async deliver<T extends Shipment>(shipments: readonly T[]): Promise<Delivery<T>[]> {
    const isRepeatable = this.#init.repeatableMs > 0;
    const parcels = shipments.map((shipment) => {
      const { size } = shipment.carried;
      const parcel: Parcel = { shipment, size, isRepeatable, isLost: false, isDoubtful: false };
      return { shipment, parcel };
    });
    for (const request of intoRequests(parcels.map(({ parcel }) => parcel))) await this.#request(request);
    return parcels.map(({ shipment, parcel }) => ({ shipment, ...(parcel.delivered ?? neverSettled()) }));
  }

  async #request(parcels: readonly Parcel[]): Promise<void> {
    const { api, maxRetryTimeMs } = this.#init;
    const { clock, signal } = api.calls;
    let firstLossAt: number | undefined;
    for (let losses = 0; ; losses++) {
      const error = await this.#attempt(parcels);
      if (error === undefined) return;
      if (error.code !== "REPLY_LOST") return await this.#refused(pendingOf(parcels), error);
      for (const parcel of pendingOf(parcels)) parcel.isLost = true;
      firstLossAt ??= clock.now();
      const waitMs = backoffMs(losses);
      if (clock.now() + waitMs - firstLossAt > maxRetryTimeMs) throw this.#outage(error);
      api.calls.stats.retries++;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Undefined when every parcel is settled, else the error that stands in the way of the rest. */
  async #attempt(parcels: readonly Parcel[]): Promise<RestoreError | undefined> {
    const { api, queue } = this.#init;
    const call = {
      operation: parcels.length === 1 ? "SendMessage" : "SendMessageBatch",
      scope: queue,
      repeatable: false,
      ops: () => pendingOf(parcels).length,
      bytes: () => pendingOf(parcels).reduce((sum, { size }) => sum + size, 0),
    };
    try {
      await api.calls.run(call, () => this.#send(parcels));
      return undefined;
    } catch (error) {
      if (error instanceof RestoreError && error.retry !== "fatal") return error;
      throw error;
    }
  }

  async #send(parcels: readonly Parcel[]): Promise<void> {
    const { api, url } = this.#init;
    const now = api.calls.clock.now();
    for (const parcel of pendingOf(parcels)) this.#resolveDoubt(parcel, now);
    const pending = pendingOf(parcels);
    if (pending.length === 0) return;
    for (const parcel of pending) parcel.firstSentAt ??= now;
    const answers = await api.sendOnce(
      url,
      pending.map(({ shipment }) => entryOf(shipment, now)),
    );
    pending.forEach((parcel, i) => {
      settle(parcel, answers[i]);
    });
    const putOff = pendingOf(parcels).length;
    if (putOff > 0) {
      throw new RestoreError("THROTTLED", `the target put off ${putOff} of ${pending.length} messages`, {
        retry: "yes",
      });
    }
  }

  /** Before a parcel is sent again: past the time in which the queue would drop the repetition, the option decides. */
  #resolveDoubt(parcel: Parcel, now: number): void {
    const { onAmbiguous, repeatableMs, queue, api } = this.#init;
    if (!parcel.isLost || now - (parcel.firstSentAt ?? now) < repeatableMs) return;
    if (onAmbiguous === "resend") {
      parcel.isDoubtful = true;
    } else if (onAmbiguous === "skip") {
      const detail = "the answer was lost and the message was not sent again: it may be missing";
      parcel.delivered = { outcome: { kind: "ambiguous", reason: "reply-lost", detail } };
    } else {
      throw new RestoreError("IN_DOUBT", `the answer to a send into queue ${queue} was lost`, {
        where: { adapter: "sqs", scope: queue, endpoint: api.endpoint, path: parcel.shipment.record.place.path },
        hint: "--on-ambiguous resend sends messages in doubt again, skip leaves them out; both list them.",
        retry: "fatal",
      });
    }
  }

  /** A request that will not be taken as it is. */
  async #refused(parcels: readonly Parcel[], error: RestoreError): Promise<void> {
    const mayBeOneOfThem = error.code === "RECORD_REFUSED" || error.reason === "unexpected-error";
    if (parcels.length > 1 && mayBeOneOfThem) {
      const middle = Math.ceil(parcels.length / 2);
      await this.#request(parcels.slice(0, middle));
      await this.#request(parcels.slice(middle));
      return;
    }
    for (const parcel of parcels) end(parcel, outcomeOf(error));
  }

  #outage(error: RestoreError): RestoreError {
    const { api, maxRetryTimeMs, queue } = this.#init;
    const seconds = Math.round(maxRetryTimeMs / 1000);
    return new RestoreError("OUTAGE", `${api.endpoint} gave no usable answer for ${seconds} s: ${error.message}`, {
      where: { ...error.where, scope: queue },
      hint: "Bring the target back and run the restore again; --max-retry-time sets how long it waits.",
      retry: "fatal",
      cause: error,
    });
  }
}

function pendingOf(parcels: readonly Parcel[]): Parcel[] {
  return parcels.filter(({ delivered }) => delivered === undefined);
}

function entryOf({ carried, groupId, deduplicationId, hiddenUntilMs }: Shipment, now: number): Entry {
  return {
    body: carried.body,
    ...(carried.attributes === undefined ? {} : { attributes: carried.attributes }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
    ...(hiddenUntilMs === undefined ? {} : { delaySeconds: delaySeconds(hiddenUntilMs, now) }),
  };
}

/** Takes an entry's answer; one that the target put off, or that has none, stays unsettled. */
function settle(parcel: Parcel, answer: EntryAnswer | undefined): void {
  if (answer === undefined) {
    parcel.isLost = true;
    return;
  }
  if ("sent" in answer) {
    parcel.delivered = { sent: answer.sent, isDoubtful: parcel.isDoubtful };
    return;
  }
  const verdict = judgeRefusal(answer.refused);
  if (verdict !== "again") end(parcel, verdict);
}

/**
 * A message that is refused now but may have arrived before is in doubt. One that is given up stays a failure where its
 * repetition does no harm: there it halts its group.
 */
function end(parcel: Parcel, outcome: Outcome): void {
  const isInDoubt = parcel.isLost && (outcome.kind === "rejected" || !parcel.isRepeatable);
  parcel.delivered = {
    outcome: isInDoubt
      ? {
          kind: "ambiguous",
          reason: "reply-lost",
          detail: `an answer was lost; then: ${outcome.detail ?? outcome.kind}`,
        }
      : outcome,
  };
}

function outcomeOf(error: RestoreError): Outcome {
  return error.code === "RECORD_REFUSED"
    ? { kind: "rejected", reason: error.reason ?? "refused-by-target", detail: error.message }
    : { kind: "failed", reason: error.reason ?? "kept-failing", detail: error.message };
}

function neverSettled(): never {
  throw new RestoreError("INTERNAL", "a message was sent and has no answer", { retry: "fatal" });
}
