/**
 * What a FIFO queue that existed before the job may still remember: ids that an earlier run sent within five minutes
 * before. It drops them with an answer like any other. So for that time the first message of each group goes under a made
 * id, which is sure to be taken, and an answer to a later one whose sequence number is not above the group's last one
 * shows a drop.
 *
 * A process that takes the job up knows no group's last number, nor which ids the messages had that were under way. Both
 * are noted before such messages are sent: so an announced message without a note was not sent by then. That the time
 * is over is noted before the first message goes without a note. Notes of one process are as many as batches were under
 * way at once, and stay: a later process may still ask for them.
 */
import type { MessageRecord } from "../../model/record.js";
import type { Clock } from "../../support/clock.js";
import type { QueueNotes } from "./queue-notes.js";

/** After this time no id of an earlier run is remembered. */
const SUSPECT_MS = 5.5 * 60_000;

/** Under a made id (`made`); else under its own, with a number above this one if the queue took it for a new one. */
export type SentAs = "made" | bigint;

export interface EarlierIdsInit {
  readonly notes: QueueNotes;
  readonly clock: Clock;
  /** Unix milliseconds since when only the job sends; absent: the queue can remember no id of an earlier run. */
  readonly suspectSince?: number;
}

export class EarlierIds {
  readonly #init: EarlierIdsInit;
  readonly #sent = new Map<number, SentAs>();
  readonly #process: number;
  readonly #usedSlots = new Set<number>();
  #isSuspect: boolean;

  constructor(init: EarlierIdsInit) {
    this.#init = init;
    this.#isSuspect = init.suspectSince !== undefined;
    const noted = init.notes.sent;
    for (const { text } of noted) for (const [line, sentAs] of parsed(text)) this.#sent.set(line, sentAs);
    this.#process = Math.max(0, ...noted.map(({ process }) => process)) + 1;
  }

  /** Whether the queue may remember ids of an earlier run. To be asked before each batch. */
  async isSuspect(): Promise<boolean> {
    const { notes, clock, suspectSince } = this.#init;
    if (this.#isSuspect && clock.now() - (suspectSince ?? 0) >= SUSPECT_MS) {
      await notes.noteNoLongerSuspect();
      this.#isSuspect = false;
    }
    return this.#isSuspect;
  }

  /**
   * How an earlier process was about to send the message, which then holds for all; undefined: under its own id, or not
   * at all.
   */
  sentAs({ place }: Pick<MessageRecord, "place">): SentAs | undefined {
    return this.#sent.get(place.line ?? 0);
  }

  /** A place for notes on one batch, until it is given back. A batch whose end is not known keeps its place. */
  takeSlot(): number {
    let slot = 0;
    while (this.#usedSlots.has(slot)) slot++;
    this.#usedSlots.add(slot);
    return slot;
  }

  giveBack(slot: number): void {
    this.#usedSlots.delete(slot);
  }

  /** Resolves once it is durable: the messages may go then. Takes the place of what was noted there before. */
  async note(slot: number, sent: readonly (readonly [line: number, sentAs: SentAs])[]): Promise<void> {
    const text = sent.map(([line, sentAs]) => `${line}=${sentAs}`).join(" ");
    await this.#init.notes.noteSent(this.#process, slot, text);
  }
}

function parsed(text: string): [line: number, sentAs: SentAs][] {
  return text.split(" ").map((entry) => {
    const [line = "", sentAs = ""] = entry.split("=");
    return [Number(line), sentAs === "made" ? sentAs : BigInt(sentAs)];
  });
}
