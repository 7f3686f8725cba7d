/** When a restored message becomes visible. Pure: the caller brings the time. */
import type { Note } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";

const LONGEST_DELAY_MS = 900_000;

export interface DelayRules {
  readonly nowMs: number;
  readonly fifo: boolean;
  /** The target queue's own delay while messages are sent. */
  readonly queueDelaySeconds: number;
  /** Whether a message that was in flight stays hidden as long as it would have been. */
  readonly preserveVisibility: boolean;
}

export interface Delay {
  /** Unix milliseconds until which the message is to be hidden by a delay of its own; absent: it cannot have one. */
  readonly hiddenUntilMs?: number;
  readonly notes: readonly Note[];
}

/** SQS delays a message of a standard queue by 900 s at most, and one of a FIFO queue only as the queue says. */
export function delayOf(message: Pick<MessageRecord, "availableAtMs" | "visibleAtMs">, rules: DelayRules): Delay {
  const dueMs = rules.preserveVisibility ? Math.max(message.availableAtMs, message.visibleAtMs) : message.availableAtMs;
  const leftMs = Math.max(0, dueMs - rules.nowMs);
  if (!rules.fifo) {
    return leftMs <= LONGEST_DELAY_MS
      ? { hiddenUntilMs: dueMs, notes: [] }
      : { hiddenUntilMs: 0, notes: [early(leftMs)] };
  }
  const queueDelayMs = rules.queueDelaySeconds * 1000;
  if (leftMs > queueDelayMs) return { notes: [early(leftMs - queueDelayMs)] };
  if (leftMs < queueDelayMs) {
    return { notes: [{ kind: "delayed", detail: `the queue delays it by ${rules.queueDelaySeconds} s` }] };
  }
  return { notes: [] };
}

/** The value to send: always explicit, for a missing one means the queue's own delay. */
export function delaySeconds(hiddenUntilMs: number, nowMs: number): number {
  return Math.ceil(Math.min(LONGEST_DELAY_MS, Math.max(0, hiddenUntilMs - nowMs)) / 1000);
}

function early(leftMs: number): Note {
  return { kind: "early", detail: `visible ${Math.ceil(leftMs / 1000)} s too soon` };
}
