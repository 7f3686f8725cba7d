/**
 * The one way in which replayers reach a target: every request goes through `Calls.run`, which paces it, retries what
 * may pass later and tells outages from a request's own fault.
 *
 * It does not know protocols: each adapter's `classify-error.ts` turns an SDK's or server's error into a RestoreError,
 * and `RestoreError.retry` decides. Connection-class errors (code CONNECTION) that outlast `maxRetryTimeMs` become
 * OUTAGE and end the run, unless requests of the same operation passed meanwhile: then it is this request on which the
 * target breaks. That, throttling and other passing errors that outlast it become CALL_FAILED, the request's own.
 */
import { RestoreError } from "../errors/restore-error.js";
import { backoffMs, type Clock } from "../support/clock.js";

/** Hands out permission to send. `ops` and `bytes` as the limits count them. */
export interface Pacer {
  acquire(ops: number, bytes: number, signal?: AbortSignal): Promise<void>;
}

export const UNPACED: Pacer = { acquire: () => Promise.resolve() };

/** Counters a report shows. */
export interface CallStats {
  requests: number;
  retries: number;
  throttled: number;
}

export interface CallOptions {
  /** The protocol's name of the operation: `BatchWriteItem`, `HSET`. */
  readonly operation: string;
  /** Operations and payload bytes, or a function asked before each attempt (fewer items are left on a retry). */
  readonly ops?: number | (() => number);
  readonly bytes?: number | (() => number);
  /**
   * False where a request that may have been applied must not be sent again: an error after sending then ends the call
   * with REPLY_LOST. The classifier marks errors that are known to be from before sending, or answers of the server.
   */
  readonly repeatable?: boolean;
  readonly scope?: string;
}

export interface CallsInit {
  readonly adapter: string;
  readonly endpoint: string;
  readonly clock: Clock;
  readonly maxRetryTimeMs: number;
  readonly pacer: Pacer;
  readonly signal?: AbortSignal;
  /** Turns any thrown thing into a RestoreError. Must return RestoreErrors unchanged. */
  readonly classify: (error: unknown, operation: string) => RestoreError;
}

export class Calls {
  readonly stats: CallStats = { requests: 0, retries: 0, throttled: 0 };
  readonly #init: CallsInit;
  /** When the request began that succeeded and began last, by operation. */
  readonly #passed = new Map<string, number>();

  constructor(init: CallsInit) {
    this.#init = init;
  }

  get endpoint(): string {
    return this.#init.endpoint;
  }

  get clock(): Clock {
    return this.#init.clock;
  }

  get signal(): AbortSignal | undefined {
    return this.#init.signal;
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or `maxRetryTimeMs` has passed since the first failure.
   * `attempt` may keep what it achieved in its closure and throw a THROTTLED error to be called again for the rest.
   * @throws RestoreError OUTAGE, INTERRUPTED, REPLY_LOST, CALL_FAILED or what `classify` made of the error
   */
  async run<T>(options: CallOptions, attempt: () => Promise<T>): Promise<T> {
    const { clock, maxRetryTimeMs, signal } = this.#init;
    let firstFailureAt: number | undefined;
    for (let failures = 0; ; ) {
      this.#throwIfInterrupted();
      await this.#waiting(this.#init.pacer.acquire(amountOf(options.ops, 1), amountOf(options.bytes, 0), signal));
      try {
        this.stats.requests++;
        const beganAt = clock.now();
        const answer = await attempt();
        this.#passed.set(options.operation, Math.max(beganAt, this.#passed.get(options.operation) ?? beganAt));
        return answer;
      } catch (thrown) {
        const error = this.#init.classify(thrown, options.operation);
        if (error.code === "THROTTLED") this.stats.throttled++;
        if (error.retry !== "yes") throw error;
        if (options.repeatable === false && error.code === "CONNECTION" && error.reason !== "not-sent") {
          throw new RestoreError("REPLY_LOST", `the answer to ${options.operation} was lost`, {
            where: this.#where(options),
            reason: "reply-lost",
            cause: error,
          });
        }
        firstFailureAt ??= clock.now();
        const waitMs = backoffMs(failures++);
        if (clock.now() + waitMs - firstFailureAt > maxRetryTimeMs) throw this.#gaveUp(error, options, firstFailureAt);
        this.stats.retries++;
        await this.#waiting(clock.sleep(waitMs, signal));
      }
    }
  }

  /** What ends a wait early is an interruption, whatever the timer threw. */
  async #waiting(wait: Promise<void>): Promise<void> {
    try {
      await wait;
    } catch (error) {
      this.#throwIfInterrupted();
      throw error;
    }
  }

  #throwIfInterrupted(): void {
    if (this.#init.signal?.aborted) throw new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal" });
  }

  #where(options: CallOptions) {
    const { adapter, endpoint } = this.#init;
    return {
      adapter,
      endpoint,
      operation: options.operation,
      ...(options.scope === undefined ? {} : { scope: options.scope }),
    };
  }

  #gaveUp(error: RestoreError, options: CallOptions, firstFailureAt: number): RestoreError {
    const seconds = Math.round(this.#init.maxRetryTimeMs / 1000);
    const othersPassed = (this.#passed.get(options.operation) ?? 0) > firstFailureAt;
    // A request that never reached the server cannot be at fault itself.
    if (error.code === "CONNECTION" && (!othersPassed || error.reason === "not-sent")) {
      return new RestoreError("OUTAGE", `${this.#init.endpoint} was out of reach for ${seconds} s: ${error.message}`, {
        where: this.#where(options),
        hint: "Bring the target back and run the restore again; --max-retry-time sets how long it waits.",
        retry: "fatal",
        cause: error,
      });
    }
    return new RestoreError("CALL_FAILED", `${options.operation} kept failing for ${seconds} s: ${error.message}`, {
      where: this.#where(options),
      reason: lastingReason(error),
      cause: error,
    });
  }
}

/** The word for a request that was given up. */
function lastingReason({ code, reason }: RestoreError): string {
  if (code === "THROTTLED") return "throttled";
  return reason === "server-error" ? reason : "kept-failing";
}

function amountOf(value: number | (() => number) | undefined, fallback: number): number {
  return typeof value === "function" ? value() : (value ?? fallback);
}
