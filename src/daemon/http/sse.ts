/**
 * Live events as text. The source is asked for its next event once the client's connection has taken the last one: what a
 * slow client has not read waits in the source, which knows what may be left out.
 */
import type { Clock } from "../../support/clock.js";
import { within } from "../../support/within.js";
import { Fault } from "../fault.js";

const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2_000;

export interface ServerEvent {
  readonly id?: number;
  readonly event: string;
  /** JSON, on one line. */
  readonly data: string;
}

function textOf({ id, event, data }: ServerEvent): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/** Ends with the source, or when it is aborted. A comment is sent wherever nothing else was for a while. */
export async function* eventText(
  source: AsyncIterable<ServerEvent>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  const events = source[Symbol.asyncIterator]();
  // Asked for before the client learns that it is connected: it misses nothing from then on.
  let next = events.next();
  try {
    yield `retry: ${RECONNECT_MS}\n\n`;
    while (!signal.aborted) {
      const result = await within(HEARTBEAT_MS, next, clock);
      if (result === undefined) {
        yield ": nothing new\n\n";
        continue;
      }
      if (result.done === true) return;
      yield textOf(result.value);
      next = events.next();
    }
  } finally {
    next.catch(() => undefined);
    await events.return?.();
  }
}

/** Clients that follow events, so many at once at most. */
export class EventClients {
  readonly #most: number;
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#open.size;
  }

  /** The caller aborts it when its client is gone. @throws Fault UNAVAILABLE */
  open(): AbortController {
    if (this.#isClosed) throw new Fault("UNAVAILABLE", "the daemon is about to end");
    if (this.#open.size >= this.#most) {
      throw new Fault("UNAVAILABLE", `${this.#most} clients follow events already`, { hint: "Try again later." });
    }
    const client = new AbortController();
    this.#open.add(client);
    client.signal.addEventListener("abort", () => this.#open.delete(client), { once: true });
    return client;
  }

  /** Ends them all, and takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const client of this.#open) client.abort();
  }
}
