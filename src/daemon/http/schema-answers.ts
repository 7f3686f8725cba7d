/** How routes state what they answer. */
import { FAULTS, type FaultCode } from "../fault.js";
import { faultSchema } from "../schema/http.js";

/** What any request may be answered, whatever it asks for. */
const ANYWHERE = [
  "BAD_REQUEST",
  "FORBIDDEN",
  "REQUEST_TIMEOUT",
  "HEADERS_TOO_LARGE",
  "INTERNAL",
  "UNAVAILABLE",
] as const;
const GUARDED = ["UNAUTHORIZED", "TOO_MANY_REQUESTS"] as const;
export const WITH_BODY = ["PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "UNPROCESSABLE"] as const;

/** By status: several codes share one. */
const MEANINGS: Readonly<Record<number, string>> = {
  400: "The request is not as it is described here.",
  401: "A token is wanted, and this is none.",
  403: "The token may not do that, or the request names a host or an origin that is not the daemon's.",
  404: "There is no such job, or not this of it.",
  408: "The request did not arrive in time.",
  409: "Not in this state, under this key, or with this plan.",
  413: "The body is too large.",
  415: "The body is no JSON.",
  422: "Well-formed, and yet nothing that can be done.",
  429: "Too many wrong tokens came from this address.",
  431: "The headers are too large.",
  500: "A fault of the daemon's; its log tells more.",
  503: "Not now: the queue is full, jobs are being taken up, the daemon is about to end, or a job's process gives no answer.",
};

type JsonAnswer<T> = ReturnType<typeof json<T>>;
type Faults = Readonly<Record<number, JsonAnswer<typeof faultSchema>>>;

export function json<T>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** An answer that is no JSON. */
export function content<T>(type: string, schema: T, description: string) {
  return { description, content: { [type]: { schema } } };
}

/** Of a route that anybody may ask. */
export function openFaults(...codes: readonly FaultCode[]): Faults {
  const statuses = [...ANYWHERE, ...codes].map((code) => FAULTS[code]);
  return Object.fromEntries(statuses.map((status) => [status, json(faultSchema, MEANINGS[status] ?? "Refused.")]));
}

/** Of a route that wants to know who asks. */
export function faults(...codes: readonly FaultCode[]): Faults {
  return openFaults(...GUARDED, ...codes);
}
