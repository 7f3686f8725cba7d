/** The one error type that crosses module borders. Anything else that reaches the command line is a bug of ours. */
import { ERROR_CODES, type ErrorCode } from "./codes.js";

/** Where it happened: a place in the dump, or an endpoint and operation. */
export interface ErrorPlace {
  readonly adapter?: string;
  readonly scope?: string;
  readonly path?: string;
  readonly line?: number;
  readonly endpoint?: string;
  readonly operation?: string;
}

/**
 * What a caller may do about it: `yes` the same call may succeed later; `no` it never will; `fatal` no other call
 * will either, stop the run.
 */
export type RetryClass = "yes" | "no" | "fatal";

export interface RestoreErrorInit {
  readonly hint?: string;
  readonly where?: ErrorPlace;
  readonly retry?: RetryClass;
  readonly cause?: unknown;
  /** Stable word for an outcome's reason, when the error becomes one. */
  readonly reason?: string;
}

export class RestoreError extends Error {
  readonly code: ErrorCode;
  /** A sentence naming the flag or command that helps. */
  readonly hint: string | undefined;
  readonly where: ErrorPlace;
  readonly retry: RetryClass;
  readonly reason: string | undefined;

  /** `message`: lower case, what was wrong and with what. */
  constructor(code: ErrorCode, message: string, init: RestoreErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "RestoreError";
    this.code = code;
    this.hint = init.hint;
    this.where = init.where ?? {};
    this.retry = init.retry ?? "no";
    this.reason = init.reason;
  }

  get exitStatus(): number {
    return ERROR_CODES[this.code];
  }
}

/** The system error code (`ENOENT`, `ECONNREFUSED`) of any error or of its causes. */
export function systemCode(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    if ("code" in current && typeof current.code === "string") return current.code;
    current = current.cause;
  }
  return undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
