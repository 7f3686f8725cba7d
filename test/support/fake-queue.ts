/** A queue in memory that hides what it gives, as SQS does, and can be as awkward as SQS may be. */
import { RestoreError } from "../../src/errors/restore-error.js";
import type { MessageRecord } from "../../src/model/record.js";
import type { QueueAttributes, Receive } from "../../src/replayers/sqs/client.js";
import type { HeldMessage } from "../../src/replayers/sqs/held-message.js";
import type { Clock } from "../../src/support/clock.js";

export interface Awkwardness {
  /** A FIFO group gives nothing while a message of it is hidden. */
  readonly fifo?: boolean;
  /** More are not given while so many are hidden. */
  readonly mostHidden?: number;
  /** Every message comes twice, as a standard queue's may. */
  readonly twice?: boolean;
  /** Answers without waiting are empty, however much is there. */
  readonly shortSighted?: boolean;
  /** So many looks at the attributes tell counts of before. */
  readonly lateLooks?: number;
  /** The queue tells no counts. */
  readonly uncounted?: boolean;
  /** What the attributes tell beside counts. */
  readonly attributes?: QueueAttributes;
  /** Milliseconds that a receive takes. */
  readonly slowMs?: number;
  /** Nothing can be shown again. */
  readonly keepsHidden?: boolean;
  /** Called before each receive, with how many there were. */
  readonly onReceive?: (before: number) => void;
}

interface Stored {
  readonly held: HeldMessage;
  hiddenUntil: number;
  receives: number;
}

export class FakeQueue {
  readonly #clock: Clock;
  readonly #how: Awkwardness;
  #stored: Stored[] = [];
  #receives = 0;
  #looks = 0;
  readonly #startCount: number;

  constructor(clock: Clock, records: readonly MessageRecord[], how: Awkwardness = {}) {
    this.#clock = clock;
    this.#how = how;
    this.#stored = records.map((record) => ({ held: heldOf(record), hiddenUntil: 0, receives: 0 }));
    this.#startCount = records.length;
  }

  get hidden(): number {
    return this.#stored.filter(({ hiddenUntil }) => hiddenUntil > this.#clock.now()).length;
  }

  /** How often its messages were received, each. */
  get receives(): number[] {
    return this.#stored.map(({ receives }) => receives);
  }

  get size(): number {
    return this.#stored.length;
  }

  /** Hides the first ones from everybody for so long, as another consumer does. */
  hide(count: number, ms: number): void {
    for (const stored of this.#stored.slice(0, count)) stored.hiddenUntil = this.#clock.now() + ms;
  }

  async attributes(): Promise<QueueAttributes> {
    const { lateLooks = 0, uncounted = false, attributes = {} } = this.#how;
    if (uncounted) return attributes;
    const isLate = this.#looks++ < lateLooks;
    const inFlight = isLate ? 0 : this.hidden;
    const total = isLate ? this.#startCount : this.#stored.length;
    return {
      ...attributes,
      ApproximateNumberOfMessages: String(total - inFlight),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: "0",
    };
  }

  async receive(_url: string, { count, hiddenSeconds, waitSeconds }: Receive): Promise<HeldMessage[]> {
    const { mostHidden, twice = false, shortSighted = false, slowMs = 0, onReceive } = this.#how;
    onReceive?.(this.#receives++);
    if (slowMs > 0) await this.#clock.sleep(slowMs);
    if (shortSighted && waitSeconds === 0) return [];
    if (mostHidden !== undefined && this.hidden >= mostHidden) {
      throw new RestoreError("CALL_FAILED", "too many in flight", { reason: "over-limit" });
    }
    const given = this.#visible().slice(0, count);
    for (const stored of given) {
      stored.hiddenUntil = this.#clock.now() + hiddenSeconds * 1000;
      stored.receives++;
    }
    const answer = given.map(({ held, receives }) => ({ ...held, receiveCount: receives }));
    return twice ? answer.flatMap((held) => [held, held]) : answer;
  }

  async showAgain(_url: string, receipts: readonly string[]): Promise<void> {
    if (this.#how.keepsHidden === true) throw new Error("not shown");
    for (const stored of this.#stored) if (receipts.includes(stored.held.receipt)) stored.hiddenUntil = 0;
  }

  async deleteMessages(_url: string, receipts: readonly string[]): Promise<void> {
    this.#stored = this.#stored.filter(({ held }) => !receipts.includes(held.receipt));
  }

  #visible(): Stored[] {
    const now = this.#clock.now();
    const isHidden = ({ hiddenUntil }: Stored): boolean => hiddenUntil > now;
    if (this.#how.fifo !== true) return this.#stored.filter((stored) => !isHidden(stored));
    const blocked = new Set(this.#stored.filter(isHidden).map(({ held }) => held.groupId));
    return this.#stored.filter(({ held }) => !blocked.has(held.groupId));
  }
}

let made = 0;

function heldOf({ body, attributes, groupId, deduplicationId }: MessageRecord): HeldMessage {
  const id = `id-${++made}`;
  return {
    messageId: id,
    receipt: `receipt-${id}`,
    body,
    attributes,
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
  };
}
