/**
 * Under which deduplication id a FIFO message is sent. A FIFO queue drops a message whose id it saw in the last five
 * minutes, so an id may be used once: the first holder in the queue's file keeps it, every other one gets a made id.
 *
 * Which holder is the first is a matter of the file alone, not of the order in which messages are sent or of where a
 * resumed run begins: `learn` reads the file once before the first message is sent. It keeps a fingerprint a message, of
 * many messages on disk.
 */
import { createHash } from "node:crypto";
import type { MessageRecord } from "../../model/record.js";
import { SpillingMap } from "../../support/spilling-map.js";

const SUFFIX_LENGTH = 36;
const MADE = /^restore-[0-9a-f]{16}-([0-9a-f]{36})$/;

export type FifoDeduplication = "original" | "record";

export interface DeduplicationRules {
  /** Keeps made ids of one run apart from those of another: letters, digits, `-`. */
  readonly jobId: string;
  readonly scope: string;
  readonly mode: FifoDeduplication;
  /** Whether the target queue takes a body's SHA-256 as the id of a message without one. */
  readonly contentBased: boolean;
  /** Whether the target queue keeps ids of different groups apart. */
  readonly perGroup: boolean;
  /** Takes the fingerprints of many messages. */
  readonly workDirectory: string;
}

export interface DeduplicationId {
  /** Absent: the queue derives it from the body. */
  readonly id?: string;
  /** Why the id is not the message's own; absent when it is. */
  readonly made?: string;
}

export class DeduplicationIds {
  readonly #rules: DeduplicationRules;
  /** To the line of the first message. */
  readonly #firstHolders: SpillingMap;

  constructor(rules: DeduplicationRules) {
    this.#rules = rules;
    this.#firstHolders = new SpillingMap(rules.workDirectory);
  }

  /** Reads all messages of the queue's file, in its order. Without it, who asks first is the first holder. */
  async learn(messages: AsyncIterable<MessageRecord>): Promise<void> {
    for await (const message of messages) this.#isFirstHolder(message);
  }

  /** Removes what stands on disk. Repeatable; nothing may be asked afterwards. */
  close(): void {
    this.#firstHolders.close();
  }

  /** The id to send a message under; the same at every call. */
  idOf(message: MessageRecord): DeduplicationId {
    if (this.#rules.mode === "record") return { id: this.madeId(message), made: "every message gets an id of its own" };
    if (this.#effectiveId(message) === undefined) return { id: this.madeId(message), made: "the message has no id" };
    const own = ownId(message);
    if (this.#isFirstHolder(message)) return own === undefined ? {} : { id: own };
    return {
      id: this.madeId(message),
      made: `${own === undefined ? "the body" : "the id"} occurs before in the queue`,
    };
  }

  /** An id that no other record has, the same at every attempt of this run: 61 characters that SQS allows. */
  madeId(message: Pick<MessageRecord, "place">): string {
    const { jobId, scope } = this.#rules;
    return `restore-${jobId}-${madeSuffix(scope, message)}`;
  }

  #isFirstHolder(message: MessageRecord): boolean {
    const id = this.#effectiveId(message);
    if (id === undefined || this.#rules.mode === "record") return false;
    const key = this.#rules.perGroup ? `${message.groupId ?? ""}\0${id}` : id;
    return isFirst(this.#firstHolders, key, message.place.line ?? 0);
  }

  /** What the queue compares: the explicit id, else the body's digest where the queue is content-based. */
  #effectiveId(message: MessageRecord): string | undefined {
    const own = ownId(message);
    if (own !== undefined || !this.#rules.contentBased) return own;
    return createHash("sha256").update(message.body).digest("hex");
  }
}

/** By which part of a made id its record is known, whichever job made it. `scope`: the queue's name in the dump. */
export function madeSuffix(scope: string, { place }: Pick<MessageRecord, "place">): string {
  return createHash("sha256")
    .update(JSON.stringify([scope, place.path, place.line ?? 0]))
    .digest("hex")
    .slice(0, SUFFIX_LENGTH);
}

/** The part of an id made by any job that tells the record; undefined for any other id. */
export function suffixOfMade(id: string | undefined): string | undefined {
  return MADE.exec(id ?? "")?.[1];
}

export function isMadeId(id: string | undefined): boolean {
  return suffixOfMade(id) !== undefined;
}

/** Whether the first to ask for `key` was this line. */
function isFirst(holders: SpillingMap, key: string, line: number): boolean {
  const holder = holders.get(key);
  if (holder === undefined) holders.set(key, BigInt(line));
  return holder === undefined || holder === BigInt(line);
}

/** An empty id counts as missing. */
function ownId({ deduplicationId }: MessageRecord): string | undefined {
  return deduplicationId === "" ? undefined : deduplicationId;
}
