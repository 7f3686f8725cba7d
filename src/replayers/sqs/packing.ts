/** What standard and FIFO queues have in common around a send. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Note, Outcome } from "../../model/outcome.js";
import { RESTORED } from "../../model/outcome.js";
import type { Timing } from "../exchange.js";
import { type EndAtStop, stoppedBy } from "../replayer.js";
import type { SentMessage } from "./client.js";
import type { Digests } from "./digests.js";
import { type Shipment, whatWasLost } from "./parcel.js";
import type { Delivery } from "./sending.js";

/** A message that can be sent, with the near misses it then has. */
export interface Packed extends Shipment {
  readonly notes: readonly Note[];
  /** What the target has to answer. */
  readonly digests: () => Digests;
}

/** What a batch came to. */
export interface Written {
  /** One a message, in their order. */
  readonly ends: readonly EndAtStop[];
  /** What ends the run. Only then are some ends no outcomes. */
  readonly cause?: unknown;
}

/** @throws WriteStopped or what ends the run */
export function outcomesOf({ ends, cause }: Written): Outcome[] {
  if (cause !== undefined) throw stoppedBy(cause, ends);
  return ends.map((end) => (typeof end === "object" ? end : withoutOutcome()));
}

/** Nothing goes out before `announced` has resolved; what its answer has to say is made out while it is awaited. */
export function timingOf(going: readonly Packed[], announced: Promise<void> | undefined): Timing {
  const meanwhile = (): void => {
    for (const { digests } of going) digests();
  };
  return { sendAfter: announced, meanwhile };
}

/** How a record ended, as far as its delivery tells. */
export function endOfDelivery(delivery: Delivery<Packed>): EndAtStop {
  if ("outcome" in delivery) return delivery.outcome;
  if ("unsettled" in delivery) return delivery.unsettled;
  const { digests, notes } = delivery.shipment;
  const fault = digestFault(digests(), delivery.sent);
  if (fault !== undefined) return fault;
  if (delivery.isDoubtful) {
    const detail = `${whatWasLost(delivery)}; it was sent again and acknowledged, so it may be there twice`;
    return { kind: "ambiguous", reason: "reply-lost", detail, ...(notes.length === 0 ? {} : { notes }) };
  }
  return restoredWith(notes);
}

/** How a message ends that arrives. */
export function restoredWith(notes: readonly Note[]): Outcome {
  return notes.length === 0 ? RESTORED : { kind: "restored", notes };
}

/** The target tells what it took: anything but what was sent is a failure. */
function digestFault({ body, attributes }: Digests, sent: SentMessage): Outcome | undefined {
  if (sent.bodyMd5 !== body) return differs("body", sent.bodyMd5);
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

/** What `send` says of those that can go, in place, beside the ends of those that cannot. */
export async function sendRest<T extends Packed>(
  all: readonly (T | EndAtStop)[],
  send: (going: readonly T[]) => Promise<Written>,
): Promise<Written> {
  const going = all.filter(isPacked);
  if (going.length === 0) return { ends: all.flatMap((one) => (isPacked(one) ? [] : [one])) };
  const { ends, ...stop } = await send(going);
  const rest = ends.values();
  return { ends: all.map((one) => (isPacked(one) ? (rest.next().value ?? withoutOutcome()) : one)), ...stop };
}

export function isPacked<T extends Packed>(one: T | EndAtStop): one is T {
  return typeof one === "object" && "carried" in one;
}

function withoutOutcome(): never {
  throw new RestoreError("INTERNAL", "a message has no outcome", { retry: "fatal" });
}
