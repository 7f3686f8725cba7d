/**
 * The one way in which replayers reach a target: every request goes through `Calls.run`, which paces it, retries what
 * may pass later and tells outages from a request's own fault.
 *
 * It does not know protocols: each adapter's `classify-error.ts` turns an SDK's or server's error into a RestoreError,
 * and `RestoreError.retry` decides. Connection-class errors (code CONNECTION) and throttling that outlast `maxRetryTimeMs`
 * become OUTAGE and end the run, unless requests of the same operation passed meanwhile: then it is this request on which
 * the target breaks. That and other passing errors that outlast it become CALL_FAILED, the request's own.
 */
import { interrupted } from "../errors/interruption.js";
import { RestoreError } from "../errors/restore-error.js";
import { backoffMs, type Clock } from "../support/clock.js";
import { Governor } from "./governor.js";

/** As the limits count them. */
export interface Portion {
  readonly ops: number;
  readonly bytes: number;
}

/** Hands out permission to send. */
export interface Pacer {
  /**
   * The most that one request should ask for, where it can be made smaller: of larger ones a second would hold more than
   * its limit now and then. Infinite where there is no limit.
   */
  readonly portion: Portion;
  acquire(ops: number, bytes: number, signal?: AbortSignal): Promise<void>;
  /** The request that was last let by has ended, or waits until one that it makes itself is let by. */
  ended?(): void;
  /** Milliseconds since then, in Unix milliseconds, in which nothing was let by because the run was paused. */
  pausedSince?(at: number): number;
}

const ANY_PORTION: Portion = { ops: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

export const UNPACED: Pacer = { portion: ANY_PORTION, acquire: () => Promise.resolve() };

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
  /** When what the call asks for failed first, if another call did so before: the time for retries counts from then. */
  readonly failingSince?: number | undefined;
  /** Made by another call's attempt, whose turn it shares: waiting for one of its own, it could wait for that call. */
  readonly isNested?: boolean;
}

export interface CallsInit {
  readonly adapter: string;
  readonly endpoint: string;
  readonly clock: Clock;
  readonly maxRetryTimeMs: number;
  readonly pacer: Pacer;
  readonly signal?: AbortSignal;
  /** Ends requests made through `forWrites`. Default: `signal`. */
  readonly writeSignal?: AbortSignal;
  /** Ends the wait for permission to send. Default: `signal`. */
  readonly pacingSignal?: AbortSignal;
  /** Turns any thrown thing into a RestoreError. Must return RestoreErrors unchanged. */
  readonly classify: (error: unknown, operation: string) => RestoreError;
}

/** What all calls of a target know of it. */
interface Shared {
  readonly stats: CallStats;
  /** When the request began that succeeded and began last, by operation. */
  readonly passed: Map<string, number>;
  readonly governor: Governor;
}

export class Calls {
  readonly #init: CallsInit;
  readonly #shared: Shared;

  constructor(init: CallsInit, shared: Shared | undefined = undefined) {
    this.#init = init;
    this.#shared = shared ?? {
      stats: { requests: 0, retries: 0, throttled: 0 },
      passed: new Map(),
      governor: new Governor(),
    };
  }

  /** The same target, for writes of records: requests under way may go on for some time when the run is to stop. */
  forWrites(): Calls {
    const { writeSignal } = this.#init;
    if (writeSignal === undefined) return this;
    const { signal: pacingSignal } = this.#init;
    // What is under way may end; what has no permission yet is not under way.
    const pacing = pacingSignal === undefined ? {} : { pacingSignal };
    return new Calls({ ...this.#init, ...pacing, signal: writeSignal }, this.#shared);
  }

  /** The same target, with no more time for retries than this. */
  within(maxRetryTimeMs: number): Calls {
    const most = Math.min(maxRetryTimeMs, this.#init.maxRetryTimeMs);
    return new Calls({ ...this.#init, maxRetryTimeMs: most }, this.#shared);
  }

  /** The same target, for what can be done without: asked once, and given up when this signal aborts, too. */
  aside(signal: AbortSignal): Calls {
    const { pacingSignal: _, signal: own, ...init } = this.#init;
    const either = own === undefined ? signal : AbortSignal.any([own, signal]);
    return new Calls({ ...init, signal: either, maxRetryTimeMs: 0 }, this.#shared);
  }

  /**
   * The same target, for giving back what was taken from it: begun also when the run is to stop, until writes have to end
   * as well. Retries last as long as told, or as long as all of them where that is shorter.
   */
  forReturns(maxRetryTimeMs: number): Calls {
    const { signal: _, pacingSignal: _pacing, writeSignal, ...init } = this.#init;
    return new Calls(
      {
        ...init,
        maxRetryTimeMs: Math.min(maxRetryTimeMs, init.maxRetryTimeMs),
        ...(writeSignal === undefined ? {} : { signal: writeSignal }),
      },
      this.#shared,
    );
  }

  get stats(): CallStats {
    return this.#shared.stats;
  }

  /** As the pacer's. */
  get portion(): Portion {
    return this.#init.pacer.portion;
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

  /** Milliseconds since then, in Unix milliseconds, in which requests could be made: what counts against retries. */
  workedSince(at: number): number {
    const { clock, pacer } = this.#init;
    return clock.now() - at - (pacer.pausedSince?.(at) ?? 0);
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or `maxRetryTimeMs` has passed since the first failure.
   * `attempt` may keep what it achieved in its closure and throw a THROTTLED error to be called again for the rest.
   * @throws RestoreError OUTAGE, INTERRUPTED, REPLY_LOST, CALL_FAILED or what `classify` made of the error
   */
  async run<T>(options: CallOptions, attempt: () => Promise<T>): Promise<T> {
    const { clock, maxRetryTimeMs, signal } = this.#init;
    let firstFailureAt = options.failingSince;
    for (let failures = 0; ; ) {
      this.#throwIfInterrupted();
      await this.#permission(options);
      try {
        return await this.#once(options, attempt);
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
        const isTooLong = this.workedSince(firstFailureAt) + waitMs > maxRetryTimeMs;
        if (isTooLong) throw this.#gaveUp(error, options, firstFailureAt);
        this.stats.retries++;
        await this.#waiting(clock.sleep(waitMs, signal));
      }
    }
  }

  async #permission(options: CallOptions): Promise<void> {
    const { pacer, signal, pacingSignal = signal } = this.#init;
    const [ops, bytes] = [amountOf(options.ops, 1), amountOf(options.bytes, 0)];
    if (options.isNested === true) pacer.ended?.();
    try {
      await pacer.acquire(ops, bytes, pacingSignal);
    } catch (error) {
      if (pacingSignal?.aborted === true) throw interrupted();
      throw error;
    }
  }

  /** One attempt, when its turn has come. */
  async #once<T>({ operation, isNested }: CallOptions, attempt: () => Promise<T>): Promise<T> {
    const { pacer } = this.#init;
    try {
      return await this.#inTurn(operation, isNested === true, attempt);
    } finally {
      if (isNested !== true) pacer.ended?.();
    }
  }

  async #inTurn<T>(operation: string, isNested: boolean, attempt: () => Promise<T>): Promise<T> {
    const { clock, classify, signal } = this.#init;
    const { governor, passed, stats } = this.#shared;
    const ticket = isNested ? undefined : await this.#waiting(governor.enter(signal));
    const beganAt = clock.now();
    stats.requests++;
    try {
      const answer = await attempt();
      passed.set(operation, Math.max(beganAt, passed.get(operation) ?? beganAt));
      if (ticket !== undefined) governor.leave(ticket, "passed");
      return answer;
    } catch (thrown) {
      const error = classify(thrown, operation);
      if (ticket !== undefined) governor.leave(ticket, isTooMuch(error) ? "put-off" : "other");
      throw error;
    }
  }

  /** What ends a wait early is an interruption, whatever the timer threw. */
  async #waiting<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      this.#throwIfInterrupted();
      throw error;
    }
  }

  #throwIfInterrupted(): void {
    if (this.#init.signal?.aborted) throw interrupted();
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
    const othersPassed = (this.#shared.passed.get(options.operation) ?? 0) > firstFailureAt;
    // A request that never reached the server cannot be at fault itself.
    if (isOfTheTarget(error) && (!othersPassed || error.reason === "not-sent")) {
      const state = error.code === "CONNECTION" ? "was out of reach" : "took no requests";
      return new RestoreError("OUTAGE", `${this.#init.endpoint} ${state} for ${seconds} s: ${error.message}`, {
        where: this.#where(options),
        hint: "Bring the target back and take the job up again; --max-retry-time sets how long it waits.",
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

/** The target has more requests than it can serve; a server under load fails some before it says so. */
function isTooMuch({ code, reason }: RestoreError): boolean {
  return code === "THROTTLED" || reason === "server-error";
}

/** Not of this request alone, unless others of its kind pass. Other words for a delay name what it waits for. */
function isOfTheTarget({ code, reason }: RestoreError): boolean {
  return code === "CONNECTION" || (code === "THROTTLED" && (reason === "throttled" || reason === "reply-lost"));
}

/** The word for a request that was given up. */
function lastingReason({ code, reason }: RestoreError): string {
  if (code === "THROTTLED") return "throttled";
  return reason === "server-error" ? reason : "kept-failing";
}

function amountOf(value: number | (() => number) | undefined, fallback: number): number {
  return typeof value === "function" ? value() : (value ?? fallback);
}
