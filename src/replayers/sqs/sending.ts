/**
 * Sends messages to one queue, in order, and tells what became of each. Requests are split to SQS's limits; entries
 * that the target puts off are sent again; a request that is refused whole is halved until the message at fault stands
 * alone.
 *
 * A lost reply leaves messages in doubt, and so does the end of an earlier process of the job behind their announcement.
 * Within `repeatableMs` of a message's first attempt the queue itself drops a repetition (FIFO, same deduplication id),
 * so it is simply sent again; after that, and always in a standard queue, `onAmbiguous` decides and the message ends as
 * ambiguous.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import { backoffMs } from "../../support/clock.js";
import type { Timing } from "../exchange.js";
import type { SqsApi } from "./client.js";
import { intoRequests } from "./message-size.js";
import {
  type Delivered,
  deliveredAtStop,
  end,
  entryOf,
  leaveOut,
  type Parcel,
  parcelOf,
  pendingOf,
  type Shipment,
  settle,
  whatWasLost,
} from "./parcel.js";

export type OnAmbiguous = "resend" | "skip" | "stop";

export type Delivery<T extends Shipment> = { readonly shipment: T } & Delivered;

export interface Deliveries<T extends Shipment> {
  /** One a shipment, in their order. */
  readonly deliveries: readonly Delivery<T>[];
  /** What ends the run: OUTAGE, INTERRUPTED, TARGET_CREDENTIALS; IN_DOUBT under `stop`. Only then are some unsettled. */
  readonly cause?: unknown;
}

export interface SendingInit {
  readonly api: Pick<SqsApi, "endpoint" | "sendOnce" | "sends">;
  readonly url: string;
  /** The queue's name on the target, for messages. */
  readonly queue: string;
  readonly onAmbiguous: OnAmbiguous;
  /** How long after a message's first attempt the queue is sure to drop a repetition; 0: it never does. */
  readonly repeatableMs: number;
  readonly maxRetryTimeMs: number;
}

interface Attempt {
  readonly timing: Timing;
  /** When what it asks for failed first, in an attempt before it. */
  readonly failingSince: number | undefined;
}

interface Refused {
  readonly error: RestoreError;
  readonly timing: Timing;
}

export class Sending {
  readonly #init: SendingInit;

  constructor(init: SendingInit) {
    this.#init = init;
  }

  /**
   * The next request goes out when the one before is settled. Never throws: what ends the run stands in the answer.
   */
  async deliver<T extends Shipment>(shipments: readonly T[], timing: Timing = {}): Promise<Deliveries<T>> {
    const isRepeatable = this.#init.repeatableMs > 0;
    const sent = shipments.map((shipment) => ({ shipment, parcel: parcelOf(shipment, isRepeatable) }));
    try {
      for (const request of intoRequests(sent.map(({ parcel }) => parcel))) await this.#request(request, timing);
    } catch (cause) {
      const known = sent.map(({ shipment, parcel }) => ({ shipment, ...deliveredAtStop(parcel, cause) }));
      return { deliveries: known, cause };
    }
    return { deliveries: sent.map(({ shipment, parcel }) => ({ shipment, ...(parcel.delivered ?? neverSettled()) })) };
  }

  async #request(parcels: readonly Parcel[], timing: Timing): Promise<void> {
    const { api, maxRetryTimeMs } = this.#init;
    const { clock, signal } = api.sends;
    let firstLossAt: number | undefined;
    for (let losses = 0; ; losses++) {
      const error = await this.#attempt(parcels, { timing, failingSince: firstLossAt });
      if (error === undefined) return;
      if (error.code !== "REPLY_LOST") return await this.#refused(pendingOf(parcels), { error, timing });
      for (const parcel of pendingOf(parcels)) parcel.isLost = true;
      firstLossAt ??= clock.now();
      const waitMs = backoffMs(losses);
      if (api.sends.workedSince(firstLossAt) + waitMs > maxRetryTimeMs) throw this.#outage(error);
      api.sends.stats.retries++;
      await clock.sleep(waitMs, signal);
    }
  }

  /** Undefined when every parcel is settled, else the error that stands in the way of the rest. */
  async #attempt(parcels: readonly Parcel[], { timing, failingSince }: Attempt): Promise<RestoreError | undefined> {
    const { api, queue } = this.#init;
    const call = {
      operation: parcels.length === 1 ? "SendMessage" : "SendMessageBatch",
      scope: queue,
      repeatable: false,
      failingSince,
      ops: () => pendingOf(parcels).length,
      bytes: () => pendingOf(parcels).reduce((sum, { size }) => sum + size, 0),
    };
    try {
      await api.sends.run(call, () => this.#send(parcels, timing));
      return undefined;
    } catch (error) {
      if (error instanceof RestoreError && error.retry !== "fatal") return error;
      throw error;
    }
  }

  async #send(parcels: readonly Parcel[], timing: Timing): Promise<void> {
    const { api, url } = this.#init;
    const now = api.sends.clock.now();
    for (const parcel of pendingOf(parcels)) this.#resolveDoubt(parcel, now);
    const pending = pendingOf(parcels);
    if (pending.length === 0) return;
    for (const parcel of pending) parcel.firstSentAt ??= now;
    const answers = await api.sendOnce(
      url,
      pending.map(({ shipment }) => entryOf(shipment, now)),
      timing,
    );
    pending.forEach((parcel, i) => {
      settle(parcel, answers[i]);
    });
    const putOff = pendingOf(parcels).length;
    if (putOff > 0) {
      throw new RestoreError("THROTTLED", `the target put off ${putOff} of ${pending.length} messages`, {
        retry: "yes",
        // Where it takes others of the request, it is not the target that is in trouble.
        ...(putOff === parcels.length ? { reason: "throttled" } : {}),
      });
    }
  }

  /** Before a parcel is sent again: past the time in which the queue would drop the repetition, the option decides. */
  #resolveDoubt(parcel: Parcel, now: number): void {
    const { onAmbiguous, repeatableMs } = this.#init;
    if (!parcel.isLost) return;
    const age = now - (parcel.firstSentAt ?? now);
    // Where the clock was set back, nobody knows how old it is.
    if (age >= 0 && age < repeatableMs) return;
    if (onAmbiguous === "stop") throw this.#inDoubt(parcel);
    if (onAmbiguous === "skip") leaveOut(parcel);
    else parcel.isDoubtful = true;
  }

  #inDoubt(parcel: Parcel): RestoreError {
    const { queue, api } = this.#init;
    const { path, line } = parcel.shipment.record.place;
    return new RestoreError("IN_DOUBT", `a message for queue ${queue} may be there already: ${whatWasLost(parcel)}`, {
      where: { adapter: "sqs", scope: queue, endpoint: api.endpoint, path, ...(line === undefined ? {} : { line }) },
      hint: "--on-ambiguous resend sends messages in doubt again, skip leaves them out; both list them.",
      retry: "fatal",
    });
  }

  /** A request that will not be taken as it is. */
  async #refused(parcels: readonly Parcel[], { error, timing }: Refused): Promise<void> {
    const mayBeOneOfThem = error.code === "RECORD_REFUSED" || error.reason === "unexpected-error";
    if (parcels.length > 1 && mayBeOneOfThem) {
      const middle = Math.ceil(parcels.length / 2);
      await this.#request(parcels.slice(0, middle), timing);
      await this.#request(parcels.slice(middle), timing);
      return;
    }
    for (const parcel of parcels) end(parcel, outcomeOf(error));
  }

  #outage(error: RestoreError): RestoreError {
    const { api, maxRetryTimeMs, queue } = this.#init;
    const seconds = Math.round(maxRetryTimeMs / 1000);
    return new RestoreError("OUTAGE", `${api.endpoint} gave no usable answer for ${seconds} s: ${error.message}`, {
      where: { ...error.where, scope: queue },
      hint: "Bring the target back and take the job up again; --max-retry-time sets how long it waits.",
      retry: "fatal",
      cause: error,
    });
  }
}

function outcomeOf(error: RestoreError): Outcome {
  return error.code === "RECORD_REFUSED"
    ? { kind: "rejected", reason: error.reason ?? "refused-by-target", detail: error.message }
    : { kind: "failed", reason: error.reason ?? "kept-failing", detail: error.message };
}

function neverSettled(): never {
  throw new RestoreError("INTERNAL", "a message was sent and has no answer", { retry: "fatal" });
}
