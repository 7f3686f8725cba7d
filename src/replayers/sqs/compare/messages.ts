/**
 * A queue's messages beside the dump's: counted, or received and compared one by one.
 *
 * A standard queue's are compared as they come, a FIFO queue's in their order within the group. What cannot be received
 * is counted: a message of the dump that may be among those is neither there nor missing. The counts are what the target
 * tells, and SQS tells them approximately.
 */
import type { Difference } from "../../../model/difference.js";
import { escapeForDisplay } from "../../../model/display.js";
import type { MessageRecord } from "../../../model/record.js";
import type { QueueScope } from "../../../model/scope.js";
import { breathing } from "../../../support/breathing.js";
import type { ReplayerContext } from "../../replayer.js";
import type { Comparing, FoundDifference, WholeComparison } from "../../verifier.js";
import { carry } from "../carriable.js";
import type { QueueAttributes } from "../client.js";
import { LARGEST_MESSAGE_BYTES } from "../message-size.js";
import { type Depth, depthOf, type Looking, settledDepth } from "../queue-state.js";
import { mostReceives } from "../redrive.js";
import { Matching, type Odd } from "./matching.js";
import { differencesBetween, partsOf } from "./message-parts.js";
import { type Received, type ReceivingInit, receiveAll, standsReceiving } from "./receiving.js";

export interface ComparedMessages {
  readonly scope: QueueScope;
  readonly url: string;
  readonly records: () => AsyncIterable<MessageRecord>;
  readonly how: Comparing;
  readonly found: (difference: FoundDifference<"sqs">) => void | Promise<void>;
  readonly looking: Looking & { readonly api: ReceivingInit["api"] };
  readonly context: Pick<ReplayerContext, "clock" | "signal" | "workDirectory">;
}

/** With `how.messages` "consume", the queue is empty afterwards. @throws RestoreError OUTAGE, INTERRUPTED and their like */
export async function compareMessages(compared: ComparedMessages): Promise<WholeComparison> {
  if (compared.how.messages === "no") return await compareCounts(compared, [COUNTED]);
  const attributes = await compared.looking.api.attributes(compared.url);
  const most = mostReceives(attributes["RedrivePolicy"]);
  if (compared.how.messages === "return" && !standsReceiving(most)) {
    const why = `not received: a message that is received ${most} times is moved to another queue`;
    return await compareCounts(compared, [`${why}, by its redrive policy`, COUNTED]);
  }
  const { name, settings } = compared.scope;
  const { workDirectory } = compared.context;
  const matching = new Matching({ scope: name, fifo: settings.fifo, workDirectory });
  try {
    return await new Messages(compared, matching).compare(attributes, most);
  } finally {
    matching.close();
  }
}

const COUNTED = "messages were counted, not compared, and SQS tells counts approximately";
const UNCOUNTED = "the target does not tell how many messages the queue holds";

async function compareCounts(
  { url, looking, how, records, found }: ComparedMessages,
  notes: readonly string[],
): Promise<WholeComparison> {
  const expected = await countOf(records());
  const isAsExpected = ({ total }: Depth): boolean => total === expected || (how.allowMore && total > expected);
  const depth = await settledDepth(url, looking, isAsExpected);
  if (depth === undefined) return { equal: 0, unproven: expected, notes: [...notes, UNCOUNTED] };
  if (!isAsExpected(depth)) await found({ displayKey: "", difference: countDifference(depth, expected) });
  return { equal: 0, unproven: expected, notes };
}

export async function countOf(records: AsyncIterable<MessageRecord>): Promise<number> {
  let count = 0;
  for await (const _ of breathing(records)) count++;
  return count;
}

function countDifference(depth: Depth, expected: number): Difference {
  const parts = `${depth.visible} visible, ${depth.inFlight} in flight, ${depth.delayed} delayed`;
  return {
    kind: "count",
    detail: `the target tells ${messagesOf(depth.total)} (${parts}), the dump holds ${expected}`,
  };
}

function messagesOf(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

class Messages {
  readonly #compared: ComparedMessages;
  readonly #matching: Matching;
  readonly #fifo: boolean;
  #equal = 0;
  #unproven = 0;
  #missing = 0;
  #extra = 0;
  /** Messages that the dump expects to be hidden until later, and which were visible. */
  #early = 0;

  constructor(compared: ComparedMessages, matching: Matching) {
    this.#compared = compared;
    this.#matching = matching;
    this.#fifo = compared.scope.settings.fifo;
  }

  async compare(attributes: QueueAttributes, most: number | undefined): Promise<WholeComparison> {
    const { records, how, found } = this.#compared;
    for await (const record of breathing(records())) this.#matching.expect(record);
    const received = await this.#settled(await this.#receive(depthOf(attributes)?.visible, most));
    const unseen = this.#unseen(received);
    let number = 0;
    for await (const record of breathing(records())) await this.#judge(record, number++, unseen);
    for (const odd of this.#matching.left()) if (!how.allowMore) await this.#foundExtra(odd);
    const count = this.#countLeft(received);
    if (count !== undefined) await found({ displayKey: "", difference: count });
    return { equal: this.#equal, unproven: this.#unproven, notes: this.#notes(received, unseen, most) };
  }

  async #receive(visible: number | undefined, most: number | undefined): Promise<Received> {
    const { url, how, looking, context } = this.#compared;
    const init = {
      api: looking.api,
      url,
      aws: looking.aws,
      fifo: this.#fifo,
      giveBack: how.messages === "return",
      ...context,
      ...(visible === undefined ? {} : { visible }),
      ...(most === undefined ? {} : { mostReceives: most }),
    };
    return await receiveAll(init, (message) => {
      this.#matching.take(message);
    });
  }

  /** Counts that do not agree with the dump may only be late. */
  async #settled(received: Received): Promise<Received> {
    const { url, looking } = this.#compared;
    const isAsExpected = (depth: Depth): boolean => this.#held(depth) === this.#matching.expectedCount;
    if (received.depth === undefined || isAsExpected(received.depth)) return received;
    const depth = await settledDepth(url, looking, isAsExpected);
    return { ...received, ...(depth === undefined ? {} : { depth }) };
  }

  /** What the queue held before messages were consumed. */
  #held({ total }: Depth): number {
    return this.#compared.how.messages === "consume" ? total + this.#matching.receivedCount : total;
  }

  /** What the queue holds beside what was received. */
  #unseen({ depth, stopped }: Received): Unseen {
    const { how } = this.#compared;
    // Where nothing is counted, a queue that gives no more is one that holds no more, unless something blocks it.
    const isBlocked = stopped !== undefined || (this.#fifo && how.messages === "return");
    if (depth === undefined) return { total: isBlocked ? Infinity : 0, isDelayed: false };
    const total = Math.max(0, this.#held(depth) - this.#matching.receivedCount);
    return { total, isDelayed: !this.#fifo && depth.delayed >= total };
  }

  async #judge(record: MessageRecord, number: number, unseen: Unseen): Promise<void> {
    const matching = this.#matching;
    if (matching.isMatched(number)) {
      await this.#judgeFound(record, [], matching.receivedNumberOf(number));
      return;
    }
    const odd = matching.likeliest(record);
    if (odd !== undefined) {
      await this.#judgeFound(record, differencesBetween(partsOf(record), odd.parts, this.#fifo), odd.number);
    } else if (this.#mayBeUnseen(record, number, unseen)) {
      this.#unproven++;
    } else {
      this.#missing++;
      await this.#found(record, { kind: "missing", detail: this.#whyMissing(record) });
    }
  }

  async #judgeFound(record: MessageRecord, differences: readonly Difference[], received?: number): Promise<void> {
    const isInOrder = received === undefined || this.#matching.isInOrder(record, received);
    if (differences.length === 0 && isInOrder) this.#equal++;
    for (const difference of differences) await this.#found(record, difference);
    if (!isInOrder) {
      await this.#found(record, {
        kind: "order",
        detail: "it stands before the message of its group that precedes it",
      });
    }
    if (!this.#fifo && record.availableAtMs > this.#compared.context.clock.now()) this.#early++;
  }

  #mayBeUnseen(record: MessageRecord, number: number, { total, isDelayed }: Unseen): boolean {
    if (total === 0) return false;
    // A group gives its messages in their order.
    if (this.#matching.isOvertaken(number, record)) return false;
    return !isDelayed || this.#isDueLater(record);
  }

  #isDueLater({ availableAtMs, visibleAtMs }: MessageRecord): boolean {
    return Math.max(availableAtMs, visibleAtMs) > this.#compared.context.clock.now();
  }

  #whyMissing(record: MessageRecord): string {
    const carried = carry(record, this.#compared.scope.settings.maximumMessageSize ?? LARGEST_MESSAGE_BYTES);
    if ("kind" in carried && carried.detail !== undefined) return `the queue does not hold it: ${carried.detail}`;
    return this.#fifo ? "the queue does not hold it, or not at its place in the group" : "the queue does not hold it";
  }

  async #foundExtra(odd: Odd): Promise<void> {
    this.#extra++;
    const difference: Difference = this.#matching.knows(odd)
      ? { kind: "duplicate", detail: "the queue holds it more often than the dump" }
      : { kind: "extra", detail: "the dump holds no such message" };
    await this.#compared.found({ displayKey: escapeForDisplay(odd.messageId), difference });
  }

  async #found(record: MessageRecord, difference: Difference): Promise<void> {
    await this.#compared.found({ record, displayKey: record.displayKey, difference });
  }

  /** A difference in number that those which were found do not explain. */
  #countLeft({ depth }: Received): Difference | undefined {
    const { how } = this.#compared;
    const { expectedCount, receivedCount } = this.#matching;
    if (depth === undefined) return undefined;
    const held = this.#held(depth);
    const explained = expectedCount - this.#missing + this.#extra;
    if (held === expectedCount || held === explained || (how.allowMore && held >= explained)) return undefined;
    const told = `the queue holds ${messagesOf(held)} as the target tells, the dump ${expectedCount}`;
    return { kind: "count", detail: `${told}; ${receivedCount} were received` };
  }

  #notes({ depth, stopped }: Received, { total }: Unseen, most: number | undefined): string[] {
    const isMoreReceived = this.#compared.how.messages === "return" && this.#matching.receivedCount > 0;
    return [
      ...(isMoreReceived && most !== undefined
        ? [`every message was received once more by this, and after ${most} times the redrive policy moves it`]
        : []),
      ...(depth === undefined ? [UNCOUNTED] : []),
      ...(stopped === undefined ? [] : [`receiving was ended early: ${stopped}`]),
      ...(total > 0 ? [this.#whyUnseen(depth, total)] : []),
      ...(this.#early === 0 ? [] : [`visible already, and due later by the dump: ${messagesOf(this.#early)}`]),
    ];
  }

  #whyUnseen(depth: Depth | undefined, total: number): string {
    const what = Number.isFinite(total) ? messagesOf(total) : "some messages";
    const delayed = depth === undefined || depth.delayed === 0 ? "" : `, ${depth.delayed} of them delayed`;
    const blocked =
      this.#fifo && this.#compared.how.messages === "return"
        ? "; a FIFO group gives its next messages only once those before are deleted"
        : "";
    return `${what} could not be received${delayed}${blocked}`;
  }
}

interface Unseen {
  readonly total: number;
  /** All of them are delayed. */
  readonly isDelayed: boolean;
}
