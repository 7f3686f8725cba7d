/** Writes messages into a standard queue: in the dump's order, each with a delay of its own. */
import type { Outcome } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import { carry } from "./carriable.js";
import { delayOf } from "./delay.js";
import { digestsOnce } from "./digests.js";
import { endOfDelivery, outcomesOf, type Packed, sendRest, timingOf } from "./packing.js";
import type { QueueWriter, WriterInit } from "./queue-writer.js";
import { Sending } from "./sending.js";

export class StandardWriter implements QueueWriter {
  readonly #init: WriterInit;
  readonly #sending: Sending;

  constructor(init: WriterInit) {
    this.#init = init;
    this.#sending = new Sending({ ...init.sending, repeatableMs: 0 });
  }

  async write(batch: readonly MessageRecord[], announced?: Promise<void>): Promise<Outcome[]> {
    const { limitBytes, preserveVisibility, sending } = this.#init;
    const nowMs = sending.api.sends.clock.now();
    const written = await sendRest(
      batch.map((record) => packStandard(record, { limitBytes, preserveVisibility, nowMs })),
      async (going) => {
        const { deliveries, ...stop } = await this.#sending.deliver(going, timingOf(going, announced));
        return { ends: deliveries.map(endOfDelivery), ...stop };
      },
    );
    return outcomesOf(written);
  }
}

export interface PackingRules extends Pick<WriterInit, "limitBytes" | "preserveVisibility"> {
  readonly nowMs: number;
}

/** How a message goes into a standard queue, or why it does not. Pure. */
export function packStandard(record: MessageRecord, rules: PackingRules): Packed | Outcome {
  const carried = carry(record, rules.limitBytes);
  if ("kind" in carried) return carried;
  const { hiddenUntilMs, notes } = delayOf(record, { ...rules, fifo: false, queueDelaySeconds: 0 });
  return {
    record,
    carried,
    digests: digestsOnce(record),
    // Standard queues take group ids too (fair queues); an empty one counts as missing.
    ...(record.groupId === undefined || record.groupId === "" ? {} : { groupId: record.groupId }),
    ...(hiddenUntilMs === undefined ? {} : { hiddenUntilMs }),
    notes,
  };
}
