/**
 * Which of the target's messages is which of the dump's. First every message of the dump is expected, then every received
 * one is taken in: it is known by its content and, in a FIFO queue, by its deduplication id, its own or one that a restore
 * made of its place. What is not known is set aside, for the dump's messages that nobody matched: it may be one of them
 * with another body, attribute, group or id.
 *
 * Keeps fingerprints, of many messages on disk, and a bit a message; what was set aside lies in a file.
 */
import type { MessageRecord } from "../../../model/record.js";
import { SpillingMap } from "../../../support/spilling-map.js";
import { madeSuffix, suffixOfMade } from "../deduplication.js";
import type { HeldMessage } from "../held-message.js";
import { Drawer } from "./drawer.js";
import { contentKey, effectiveId, type Parts, partsOf } from "./message-parts.js";
import { Pool } from "./pool.js";

export interface MatchingInit {
  /** The queue's name in the dump. */
  readonly scope: string;
  readonly fifo: boolean;
  readonly workDirectory: string;
}

/** A received message that is none of the dump's as it is. */
export interface Odd {
  readonly messageId: string;
  readonly parts: Parts;
  /** The how manieth it was to be received. */
  readonly number: number;
}

export class Matching {
  readonly #init: MatchingInit;
  readonly #map: SpillingMap;
  readonly #aside: Drawer<Odd>;
  readonly #matched = new Bits();
  /** Of the dump's messages, by what each is known by. */
  readonly #expected: Pool;
  /** Of those set aside. */
  readonly #asideBy: Pool;
  #expectedCount = 0;
  #receivedCount = 0;

  constructor(init: MatchingInit) {
    this.#init = init;
    this.#map = new SpillingMap(init.workDirectory);
    this.#aside = new Drawer(init.workDirectory);
    this.#expected = new Pool(this.#map, "expected");
    this.#asideBy = new Pool(this.#map, "aside");
  }

  /** Messages of the dump. */
  get expectedCount(): number {
    return this.#expectedCount;
  }

  /** Different messages that were received. */
  get receivedCount(): number {
    return this.#receivedCount;
  }

  /** The dump's next message. All of them are expected before the first is received. */
  expect(record: MessageRecord): void {
    const number = this.#expectedCount++;
    const parts = partsOf(record);
    const content = contentKey(parts);
    this.#map.set(`content\0${content}`, 0n);
    this.#expected.put(this.#keyOf(parts, content), number);
    if (this.#init.fifo) this.#map.set(`made\0${madeSuffix(this.#init.scope, record)}\0${content}`, BigInt(number));
  }

  /** A message that was received. One that was received before is the same one. */
  take(held: HeldMessage): void {
    if (this.#map.set(`received\0${held.messageId}`, 0n) !== undefined) return;
    const received = this.#receivedCount++;
    const parts = partsOf(held);
    const number = this.#match(parts);
    if (number === undefined) this.#setAside({ messageId: held.messageId, parts, number: received });
    else this.#note(number, received, parts.groupId);
  }

  isMatched(number: number): boolean {
    return this.#matched.has(number);
  }

  /** Which of the received ones the dump's message is. */
  receivedNumberOf(number: number): number | undefined {
    const received = this.#map.get(`number\0${number}`);
    return received === undefined ? undefined : Number(received);
  }

  /** Whether a later message of the group was received. */
  isOvertaken(number: number, { groupId = "" }: MessageRecord): boolean {
    return this.#init.fifo && number < Number(this.#map.get(`last\0${groupId}`) ?? -1n);
  }

  /**
   * Takes in the dump's order, group by group, what place a message has among those received.
   * @returns false when the message of its group before it was received later
   */
  isInOrder({ groupId = "" }: MessageRecord, received: number): boolean {
    if (!this.#init.fifo) return true;
    const before = this.#map.set(`place\0${groupId}`, BigInt(received));
    return before === undefined || Number(before) < received;
  }

  /** A received message that is likely to be this one, altered. It is taken out. */
  likeliest(record: MessageRecord): Odd | undefined {
    const parts = partsOf(record);
    const ids = this.#init.fifo ? [`made\0${madeSuffix(this.#init.scope, record)}`, `id\0${effectiveId(parts)}`] : [];
    for (const key of [...ids, ...bodyKeys(parts)]) {
      let odd: Odd | undefined;
      this.#asideBy.take(key, (at) => {
        odd = this.#aside.take(at);
        return odd !== undefined;
      });
      if (odd !== undefined) return odd;
    }
    return undefined;
  }

  /** Received messages that are none of the dump's. */
  left(): Generator<Odd> {
    return this.#aside.left();
  }

  /** Whether the dump holds a message of the same content. */
  knows(odd: Odd): boolean {
    return this.#map.get(`content\0${contentKey(odd.parts)}`) !== undefined;
  }

  /** Removes what stands on disk. Repeatable; nothing may be asked afterwards. */
  close(): void {
    this.#map.close();
    this.#aside.close();
  }

  #keyOf(parts: Parts, content: string): string {
    return this.#init.fifo ? `${content}\0${effectiveId(parts)}` : content;
  }

  #match(parts: Parts): number | undefined {
    const isFree = (number: number): boolean => !this.#matched.has(number);
    const content = contentKey(parts);
    const own = this.#expected.take(this.#keyOf(parts, content), isFree);
    if (own !== undefined || !this.#init.fifo) return own;
    const suffix = suffixOfMade(parts.deduplicationId) ?? "";
    const made = this.#map.get(`made\0${suffix}\0${content}`);
    return made !== undefined && isFree(Number(made)) ? Number(made) : undefined;
  }

  #note(number: number, received: number, groupId = ""): void {
    this.#matched.add(number);
    if (!this.#init.fifo) return;
    this.#map.set(`number\0${number}`, BigInt(received));
    const last = this.#map.get(`last\0${groupId}`) ?? -1n;
    if (BigInt(number) > last) this.#map.set(`last\0${groupId}`, BigInt(number));
  }

  #setAside(odd: Odd): void {
    const at = this.#aside.put(odd);
    const suffix = suffixOfMade(odd.parts.deduplicationId);
    if (this.#init.fifo) {
      if (suffix !== undefined) this.#asideBy.put(`made\0${suffix}`, at);
      this.#asideBy.put(`id\0${effectiveId(odd.parts)}`, at);
    }
    for (const key of bodyKeys(odd.parts)) this.#asideBy.put(key, at);
  }
}

/** The likelier one first. */
function bodyKeys({ bodyDigest, groupId = "" }: Parts): string[] {
  return [`group\0${bodyDigest}\0${groupId}`, `body\0${bodyDigest}`];
}

/** A set of small numbers, a bit each. */
class Bits {
  #bits = new Uint8Array(1024);

  add(number: number): void {
    const at = number >>> 3;
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (number & 7));
  }

  has(number: number): boolean {
    return (((this.#bits[number >>> 3] ?? 0) >> (number & 7)) & 1) === 1;
  }
}
