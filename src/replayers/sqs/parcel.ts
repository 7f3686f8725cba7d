/**
 * One message on its way: when it was first sent, whether it may have arrived, and how it ended. Pure, but for the
 * parcel itself.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { Carried } from "./carriable.js";
import { judgeRefusal } from "./classify-error.js";
import type { EntryAnswer, SentMessage } from "./client.js";
import { delaySeconds } from "./delay.js";
import type { Entry } from "./send-bodies.js";

export interface Shipment {
  readonly record: MessageRecord;
  readonly carried: Carried;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** Unix milliseconds; absent: sent without a delay of its own, as FIFO queues want it. */
  readonly hiddenUntilMs?: number;
}

/** `isDoubtful`: it may be there twice. `unsettled`: the run was stopped before its end was known. */
export type Delivered =
  | { readonly sent: SentMessage; readonly isDoubtful: boolean }
  | { readonly outcome: Outcome }
  | { readonly unsettled: "not-sent" | "unknown" };

export interface Parcel {
  readonly shipment: Shipment;
  readonly size: number;
  /** A repetition is dropped by the queue, for some time at least. */
  readonly isRepeatable: boolean;
  /** Unix milliseconds, at the earliest. */
  firstSentAt?: number;
  /** It may be there: a reply was lost, or an earlier process of the job may have sent it. */
  isLost: boolean;
  /** It may be there twice. */
  isDoubtful: boolean;
  delivered?: Delivered;
}

export function parcelOf(shipment: Shipment, isRepeatable: boolean): Parcel {
  const { announcedAt } = shipment.record;
  return {
    shipment,
    size: shipment.carried.size,
    isRepeatable,
    ...(announcedAt === undefined ? {} : { firstSentAt: announcedAt }),
    isLost: announcedAt !== undefined,
    isDoubtful: false,
  };
}

export function pendingOf(parcels: readonly Parcel[]): Parcel[] {
  return parcels.filter(({ delivered }) => delivered === undefined);
}

export function entryOf({ carried, groupId, deduplicationId, hiddenUntilMs }: Shipment, now: number): Entry {
  return {
    body: carried.body,
    ...(carried.attributes === undefined ? {} : { attributes: carried.attributes }),
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
    ...(hiddenUntilMs === undefined ? {} : { delaySeconds: delaySeconds(hiddenUntilMs, now) }),
  };
}

/** Takes an entry's answer; one that the target put off, or that has none, stays unsettled. */
export function settle(parcel: Parcel, answer: EntryAnswer | undefined): void {
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
export function end(parcel: Parcel, outcome: Outcome): void {
  const isInDoubt = parcel.isLost && (outcome.kind === "rejected" || !parcel.isRepeatable);
  const detail = `${whatWasLost(parcel)}; then: ${outcome.detail ?? outcome.kind}`;
  parcel.delivered = { outcome: isInDoubt ? { kind: "ambiguous", reason: "reply-lost", detail } : outcome };
}

export function leaveOut(parcel: Parcel): void {
  const detail = `${whatWasLost(parcel)}; the message was not sent again, so it may be missing`;
  parcel.delivered = { outcome: { kind: "ambiguous", reason: "reply-lost", detail } };
}

/** Why nobody knows whether the message is there. */
export function whatWasLost({ shipment }: Pick<Parcel, "shipment">): string {
  return shipment.record.announcedAt === undefined
    ? "an answer was lost"
    : "an earlier process of the job was ended before it noted whether it had sent it";
}

/** After these, what was not marked as lost did not arrive: no attempt was made, or its answer was a refusal. */
const ENDS_OF_A_RUN: ReadonlySet<string> = new Set([
  "IN_DOUBT",
  "INTERRUPTED",
  "OUTAGE",
  "TARGET_CREDENTIALS",
  "TARGET_UNREACHABLE",
]);

/** How a parcel stands when `cause` ends the run. */
export function deliveredAtStop(parcel: Parcel, cause: unknown): Delivered {
  if (parcel.delivered !== undefined) return parcel.delivered;
  const isClear = parcel.firstSentAt === undefined || (cause instanceof RestoreError && ENDS_OF_A_RUN.has(cause.code));
  return { unsettled: parcel.isLost || !isClear ? "unknown" : "not-sent" };
}
