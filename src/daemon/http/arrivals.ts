/** What is known of a request before anything of it is looked at: by which way it came, and the id that its answer carries. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Where the daemon listens. */
export type Way =
  | { readonly kind: "socket"; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly isTls: boolean;
      /** Names by which clients may call it, beside the address that they reached. */
      readonly hosts: readonly string[];
    };

export interface Arrival {
  readonly way: Way;
  readonly requestId: string;
}

const arrivals = new WeakMap<IncomingMessage, Arrival>();

export function noteArrival(request: IncomingMessage, way: Way): Arrival {
  const arrival = { way, requestId: newRequestId() };
  arrivals.set(request, arrival);
  return arrival;
}

export function arrivalOf(request: IncomingMessage): Arrival {
  const arrival = arrivals.get(request);
  if (arrival === undefined) throw new Error("a request came by no way that is known");
  return arrival;
}

export function newRequestId(): string {
  return randomBytes(8).toString("hex");
}
