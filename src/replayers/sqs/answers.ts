/**
 * Notices messages that a FIFO queue acknowledged but dropped. The answer then repeats what stood in the answer to the
 * id's first holder: a message id given before, or a sequence number that did not rise within the group.
 *
 * It remembers answers for six to twelve minutes, which covers the five minutes in which a queue drops repeated ids. A
 * first holder that was sent by another run is noticed only where a number of its group is known from before.
 */
import type { Clock } from "../../support/clock.js";
import { SpillingSet } from "../../support/spilling-set.js";

const GENERATION_MS = 6 * 60_000;

interface Generation {
  readonly messageIds: SpillingSet;
  readonly sequences: Map<string, bigint>;
}

export interface FifoAnswer {
  readonly messageId: string;
  /** Rises within a group. Missing in some servers' answers to batches. */
  readonly sequence?: bigint;
}

/** `repeated-message-id`: dropped for a message of this run; `sequence-not-risen`: perhaps for one of another run. */
export type Dropped = "repeated-message-id" | "sequence-not-risen";

export class AnswersSeen {
  readonly #clock: Clock;
  readonly #workDirectory: string;
  #current: Generation;
  #previous: Generation;
  #since: number;

  /** `workDirectory` takes what twelve minutes of a fast queue would need too much memory for. */
  constructor(clock: Clock, workDirectory: string) {
    this.#clock = clock;
    this.#workDirectory = workDirectory;
    this.#current = newGeneration(workDirectory);
    this.#previous = newGeneration(workDirectory);
    this.#since = clock.now();
  }

  /** Removes what stands on disk. Repeatable; nothing may be taken afterwards. */
  close(): void {
    this.#current.messageIds.close();
    this.#previous.messageIds.close();
  }

  /** The highest number of the group that was told so far. */
  lastOf(group: string): bigint | undefined {
    return this.#current.sequences.get(group) ?? this.#previous.sequences.get(group);
  }

  /**
   * Takes a message's first answer in. `above`: a number of its group that was told before the message was first sent.
   * Undefined: nothing speaks for a drop.
   */
  take(group: string, { messageId, sequence }: FifoAnswer, above?: bigint): Dropped | undefined {
    this.#age();
    const isOld = this.#previous.messageIds.has(messageId);
    if (!this.#current.messageIds.add(messageId) || isOld) return "repeated-message-id";
    if (sequence === undefined) return undefined;
    const last = this.lastOf(group) ?? above;
    if (last !== undefined && sequence <= last) return "sequence-not-risen";
    this.#current.sequences.set(group, sequence);
    return undefined;
  }

  #age(): void {
    const now = this.#clock.now();
    if (now - this.#since < GENERATION_MS) return;
    this.#previous.messageIds.close();
    this.#previous = this.#current;
    this.#current = newGeneration(this.#workDirectory);
    this.#since = now;
  }
}

function newGeneration(workDirectory: string): Generation {
  return { messageIds: new SpillingSet(workDirectory), sequences: new Map() };
}
