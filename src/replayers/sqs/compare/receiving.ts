/**
 * Receives what a queue gives: to show it again afterwards, or for good.
 *
 * To show it again, all stays hidden until the last message was received, for what is shown at once would be received
 * again. It is shown again also when something fails or the run is to stop; only where the process itself is ended, or an
 * answer is lost, messages stay hidden until their time is over, which is why that time is no longer than it has to be.
 * What this cannot receive: delayed messages, those in flight for others, those of a FIFO group behind the ones that are
 * hidden, and what a queue does not give while too many are hidden (at AWS 120,000).
 */
import { RestoreError } from "../../../errors/restore-error.js";
import type { Clock } from "../../../support/clock.js";
import type { Receive, SqsApi } from "../client.js";
import type { HeldMessage } from "../held-message.js";
import { type Depth, depthOf } from "../queue-state.js";
import { Receipts } from "./receipts.js";

export interface ReceivingInit {
  readonly api: Pick<SqsApi, "attributes" | "deleteMessages" | "receive" | "showAgain">;
  readonly url: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly workDirectory: string;
  /** Whether messages are shown again; else they are deleted. */
  readonly giveBack: boolean;
  /** The AWS service itself. */
  readonly aws: boolean;
  readonly fifo: boolean;
  /** How often a message may be received before the target moves it elsewhere. */
  readonly mostReceives?: number;
  /** How many messages are visible, where the target tells. */
  readonly visible?: number;
}

export interface Received {
  /** What the queue tells once nothing more can be received; absent where it tells none. */
  readonly depth?: Depth;
  /** Why receiving ended before the queue gave no more. */
  readonly stopped?: string;
}

const WORKERS = 4;
const BATCH = 10;
/** How often in a row a queue has to have nothing to give: where it says that nothing is visible, and where it does not. */
const DRY = { enough: 1, atLast: 2 };
/** The AWS service looks at some of its servers only, unless it is told to wait (developer guide, "Short polling"). */
const DRY_AT_AWS = { enough: 2, atLast: 4 };

const CONSUMED_HIDDEN_S = 20;
const LEAST_HIDDEN_S = 300;
const MOST_HIDDEN_S = 43_200;
/** Messages a second that are surely received and shown again in that time. */
const SURE_RATE = 100;
const UNCOUNTED_HIDDEN_S = 1_800;

/** How long what is consumed may be waited for: delayed messages, and those of answers that were lost. */
const WAIT_MS = 30_000;
const WAIT_STEP_MS = 1_000;

/** A message that is given back has to be good for so many receipts more. */
const SPARE_RECEIVES = 2;

/** `take` is given every message, a FIFO group's in their order. @throws RestoreError OUTAGE, INTERRUPTED and their like */
export async function receiveAll(init: ReceivingInit, take: (message: HeldMessage) => void): Promise<Received> {
  if (!init.giveBack) return await new Receiving(init, take).run();
  const receipts = new Receipts(init.workDirectory);
  try {
    return await new Receiving(init, take, receipts).run();
  } finally {
    await showAgain(init, receipts).finally(() => {
      receipts.close();
    });
  }
}

async function showAgain({ api, url }: ReceivingInit, receipts: Receipts): Promise<void> {
  const batches = receipts.inBatches(BATCH);
  await allOf(WORKERS, async () => {
    for (let next = batches.next(); next.done !== true; next = batches.next()) await api.showAgain(url, next.value);
  });
}

class Receiving {
  readonly #init: ReceivingInit;
  readonly #take: (message: HeldMessage) => void;
  readonly #receipts: Receipts | undefined;
  readonly #hiddenSeconds: number;
  readonly #startedAt: number;
  #count = 0;
  #stopped: string | undefined;

  constructor(init: ReceivingInit, take: (message: HeldMessage) => void, receipts?: Receipts) {
    this.#init = init;
    this.#take = take;
    this.#receipts = receipts;
    this.#hiddenSeconds = receipts === undefined ? CONSUMED_HIDDEN_S : hiddenSeconds(init.visible);
    this.#startedAt = init.clock.monotonic();
  }

  async run(): Promise<Received> {
    const { clock, signal, fifo } = this.#init;
    // One message tells how often they were received, before that is once more for all; but it would block its group.
    if (this.#isLimited && !fifo) await this.#receiveSome({ count: 1, waitSeconds: 0 });
    let depth = await this.#untilDry();
    for (const since = clock.monotonic(); clock.monotonic() - since < WAIT_MS && this.#mayGetMore(depth); ) {
      await clock.sleep(WAIT_STEP_MS, signal);
      depth = await this.#untilDry();
    }
    return {
      ...(depth === undefined ? {} : { depth }),
      ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }),
    };
  }

  /** Whether a receipt counts against a message. */
  get #isLimited(): boolean {
    return this.#receipts !== undefined && this.#init.mostReceives !== undefined;
  }

  /** Whether time alone may bring more: what is to be given back is not waited for, for others wait for it. */
  #mayGetMore(depth: Depth | undefined): boolean {
    return this.#receipts === undefined && depth !== undefined && depth.total > 0 && this.#stopped === undefined;
  }

  async #untilDry(): Promise<Depth | undefined> {
    const { api, url, aws } = this.#init;
    const { enough, atLast } = aws ? DRY_AT_AWS : DRY;
    for (let dry = 0; ; dry++) {
      const before = this.#count;
      await allOf(this.#isLimited ? 1 : WORKERS, () => this.#drain(dry === 0 ? 0 : 1));
      if (dry > 0 && this.#count > before) dry = 0;
      if (this.#stopped === undefined && dry + 1 < enough) continue;
      const depth = depthOf(await api.attributes(url));
      if (this.#stopped !== undefined || depth?.visible === 0 || dry + 1 >= atLast) return depth;
    }
  }

  /** Until an answer is empty. */
  async #drain(waitSeconds: number): Promise<void> {
    try {
      while (this.#stopped === undefined && (await this.#receiveSome({ count: BATCH, waitSeconds })));
    } catch (error) {
      this.#stopped ??= "receiving failed";
      throw error;
    }
  }

  /** @returns false when there was none */
  async #receiveSome(asked: Omit<Receive, "hiddenSeconds">): Promise<boolean> {
    const { api, url } = this.#init;
    const messages = await this.#receive(asked);
    if (messages.length === 0) return false;
    const receipts = messages.map(({ receipt }) => receipt);
    // First of all, so that nothing that was received is not given back.
    this.#receipts?.add(receipts);
    for (const message of messages) this.#take(message);
    this.#count += messages.length;
    if (this.#receipts === undefined) await api.deleteMessages(url, receipts);
    else this.#stopped ??= this.#reasonToStop(messages);
    return true;
  }

  async #receive(asked: Omit<Receive, "hiddenSeconds">): Promise<readonly HeldMessage[]> {
    const { api, url } = this.#init;
    try {
      return await api.receive(url, { ...asked, hiddenSeconds: this.#hiddenSeconds });
    } catch (error) {
      if (!(error instanceof RestoreError) || error.reason !== "over-limit") throw error;
      this.#stopped = "the queue hides no more messages at once";
      return [];
    }
  }

  #reasonToStop(messages: readonly HeldMessage[]): string | undefined {
    const { clock, mostReceives } = this.#init;
    const most = Math.max(...messages.map(({ receiveCount = 1 }) => receiveCount));
    if (mostReceives !== undefined && most + SPARE_RECEIVES > mostReceives) {
      return `a message was received ${most} times by now, and after ${mostReceives} the target moves it to another queue`;
    }
    // The other half is for showing them again.
    const isLate = clock.monotonic() - this.#startedAt > (this.#hiddenSeconds * 1000) / 2;
    return isLate ? `what is hidden would come back by itself: its time is ${this.#hiddenSeconds} s` : undefined;
  }
}

/** Whether a message that was never received stands a receipt that is given back, by the queue's redrive policy. */
export function standsReceiving(mostReceives: number | undefined): boolean {
  return mostReceives === undefined || mostReceives > SPARE_RECEIVES;
}

function hiddenSeconds(visible: number | undefined): number {
  if (visible === undefined) return UNCOUNTED_HIDDEN_S;
  return Math.min(MOST_HIDDEN_S, LEAST_HIDDEN_S + Math.ceil(visible / SURE_RATE));
}

/** Side by side. When one fails the others come to their end first. */
async function allOf(workers: number, work: () => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(Array.from({ length: workers }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
