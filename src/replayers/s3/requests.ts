/**
 * How this adapter's requests are sent: through `Calls`, by one client, with what was learned of the server's ways. It
 * knows no operations.
 */
import { RestoreError } from "../../errors/restore-error.js";
import { type AwsOptions, endpointLabel } from "../aws-client.js";
import { Calls, type CallsInit } from "../calls.js";
import type { ReplayerContext } from "../replayer.js";
import { asksForDigest, classifyError } from "./classify-error.js";
import { createWire, type Wire } from "./client.js";

/** An object's bucket and key on the target. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

interface Core {
  readonly endpoint: string;
  readonly wire: Wire;
  readonly calls: Calls;
  /** Gives up soon. */
  readonly probeCalls: Calls;
  /** As that, and works after the run was interrupted. */
  readonly cleanupCalls: Calls;
  readonly classify: CallsInit["classify"];
  /** Buckets that asked for digests in headers of their own. */
  readonly wantDigests: Set<string>;
}

const SHORT_RETRY_MS = 5_000;

export class Requests {
  readonly endpoint: string;
  readonly wire: Wire;
  readonly calls: Calls;
  readonly probeCalls: Calls;
  readonly cleanupCalls: Calls;
  readonly classify: CallsInit["classify"];
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
    this.endpoint = core.endpoint;
    this.wire = core.wire;
    this.calls = core.calls;
    this.probeCalls = core.probeCalls;
    this.cleanupCalls = core.cleanupCalls;
    this.classify = core.classify;
  }

  /** The same, for what belongs to the write of an object: it may go on for some time when the run is to stop. */
  forWrites(): Requests {
    return new Requests({ ...this.#core, calls: this.calls.forWrites() });
  }

  /** The same, for what can be done without: asked once, and given up when this signal aborts, too. */
  aside(signal: AbortSignal): Requests {
    return new Requests({ ...this.#core, calls: this.calls.aside(signal) });
  }

  async run<T>(operation: string, scope: string, attempt: () => Promise<T>, bytes = 0): Promise<T> {
    return await this.calls.run({ operation, scope, bytes }, attempt);
  }

  /** A bucket that asks for digests is remembered, and what it refused is sent again. */
  async withDigest<T>(bucket: string, send: (wanted: boolean) => Promise<T>): Promise<T> {
    const wanted = this.#core.wantDigests.has(bucket);
    try {
      return await send(wanted);
    } catch (error) {
      if (wanted || !asksForDigest(error)) throw error;
      this.#core.wantDigests.add(bucket);
      const message = "the bucket asks for a digest in a header";
      throw new RestoreError("CALL_FAILED", message, { retry: "yes", reason: "digest-wanted", cause: error });
    }
  }
}

export function createRequests(options: AwsOptions, context: ReplayerContext): Requests {
  const { clock, pacer, maxRetryTimeMs, signal, writeSignal } = context;
  const endpoint = endpointLabel(options.endpoint, options.region);
  const classify: CallsInit["classify"] = (error, operation) =>
    classifyError(error, operation, { adapter: "s3", endpoint }, options.region);
  const init = { adapter: "s3", endpoint, clock, pacer, classify };
  const stopping = {
    ...(signal === undefined ? {} : { signal }),
    ...(writeSignal === undefined ? {} : { writeSignal }),
  };
  const shortTimeMs = Math.min(maxRetryTimeMs, SHORT_RETRY_MS);
  return new Requests({
    endpoint,
    wire: createWire(options),
    calls: new Calls({ ...init, ...stopping, maxRetryTimeMs }),
    probeCalls: new Calls({ ...init, ...stopping, maxRetryTimeMs: shortTimeMs }),
    cleanupCalls: new Calls({ ...init, maxRetryTimeMs: shortTimeMs }),
    classify,
    wantDigests: new Set(),
  });
}

const ATTEMPTS = new WeakMap<object, number>();

export function withAttempts(error: unknown, attempts: number): unknown {
  if (typeof error === "object" && error !== null) ATTEMPTS.set(error, attempts);
  return error;
}

/** How many requests an error comes from that may have been applied. Of what uses `withAttempts`. */
export function attemptsOf(error: unknown): number {
  return typeof error === "object" && error !== null ? (ATTEMPTS.get(error) ?? 0) : 0;
}

/** A server that does not know the encoding says so by not repeating it. */
export function decodedKey(key: string, encoding: string | undefined): string {
  return encoding === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key;
}
