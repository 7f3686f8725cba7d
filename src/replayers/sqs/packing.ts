/** What standard and FIFO queues have in common around a send. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Note, Outcome } from "../../model/outcome.js";
import { RESTORED } from "../../model/outcome.js";
import type { MessageRecord } from "../../model/record.js";
import type { SentMessage } from "./client.js";
import { md5OfAttributes, md5OfBody } from "./digests.js";
import type { Delivery, Shipment } from "./sending.js";

/** A message that can be sent, with the near misses it then has. */
export interface Packed extends Shipment {
  readonly notes: readonly Note[];
}

/** A record's outcome once its delivery is known. */
export function outcomeOfDelivery(delivery: Delivery<Packed>): Outcome {
  if ("outcome" in delivery) return delivery.outcome;
  const { record, notes } = delivery.shipment;
  const fault = digestFault(record, delivery.sent);
  if (fault !== undefined) return fault;
  const noted = notes.length === 0 ? {} : { notes };
  if (delivery.isDoubtful) {
    const detail = "an answer was lost; it was sent again and acknowledged, so it may be there twice";
    return { kind: "ambiguous", reason: "reply-lost", detail, ...noted };
  }
  return notes.length === 0 ? RESTORED : { kind: "restored", ...noted };
}

/** The target tells what it took: anything but what was sent is a failure. */
function digestFault(record: MessageRecord, sent: SentMessage): Outcome | undefined {
  if (sent.bodyMd5 !== md5OfBody(record.body)) return differs("body", sent.bodyMd5);
  const attributes = md5OfAttributes(record.attributes);
  return attributes === undefined || sent.attributesMd5 === attributes
    ? undefined
    : differs("attributes", sent.attributesMd5);
}

function differs(part: "body" | "attributes", answered: string | undefined): Outcome {
  return answered === undefined || answered === ""
    ? { kind: "failed", reason: "digest-missing", detail: `the answer does not confirm the ${part}` }
    : {
        kind: "failed",
        reason: "digest-mismatch",
        detail: `the answer's MD5 of the ${part} is not that of what was sent`,
      };
}

/** What `send` says of those that can go, in place, beside the outcomes of those that cannot. */
export async function sendRest<T extends Packed>(
  all: readonly (T | Outcome)[],
  send: (going: readonly T[]) => Promise<readonly Outcome[]>,
): Promise<Outcome[]> {
  const going = all.filter(isPacked);
  const outcomes = going.length === 0 ? [] : [...(await send(going))].reverse();
  return all.map((one) => {
    if (!isPacked(one)) return one;
    const outcome = outcomes.pop();
    if (outcome === undefined) throw new RestoreError("INTERNAL", "a message has no outcome", { retry: "fatal" });
    return outcome;
  });
}

export function isPacked<T extends Packed>(one: T | Outcome): one is T {
  return "carried" in one;
}
