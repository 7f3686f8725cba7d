/** What a client did wrong, or what stands in its way: an answer, not a failure of the daemon. */
import type { ErrorPlace } from "../errors/restore-error.js";

/** Codes beside those of `errors/codes.ts`, and the HTTP status of each. */
export const FAULTS = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  REQUEST_TIMEOUT: 408,
  /** Not in this state: pausing a job that has ended, another request under the same idempotency key. */
  CONFLICT: 409,
  /** The plan is no longer true, was carried out already, or the confirmation is not its own. */
  PLAN_OUTDATED: 409,
  NOT_CONFIRMED: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  /** Well-formed, and yet nothing that can be done: an unknown target, a dump outside the roots. */
  UNPROCESSABLE: 422,
  TOO_MANY_REQUESTS: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  /** The queue is full, or the daemon is about to end. */
  UNAVAILABLE: 503,
} as const;

export type FaultCode = keyof typeof FAULTS;

export class Fault extends Error {
  readonly code: FaultCode;
  /** A sentence that says what helps. */
  readonly hint: string | undefined;
  readonly where: ErrorPlace | undefined;

  /** `message`: lower case, what was wrong and with what. */
  constructor(code: FaultCode, message: string, init: { readonly hint?: string; readonly where?: ErrorPlace } = {}) {
    super(message);
    this.name = "Fault";
    this.code = code;
    this.hint = init.hint;
    this.where = init.where;
  }

  get status(): number {
    return FAULTS[this.code];
  }
}
