/**
 * Live events, over `fetch`: an EventSource cannot send a token. A stream that ends or falls silent is opened again behind
 * the last event that came, so none is missed, and none is told twice.
 */
import { ApiError, answerOf } from "./api.js";
import { now, pause } from "./clock.js";
import { connectionFound, connectionLost } from "./connection.js";

/** The daemon says something every 15 seconds. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** Nothing that trying again mends. */
const FINAL = new Set([400, 403, 404, 405]);

/**
 * @typedef {{ id?: number, data: unknown }} StreamEvent
 *
 * @typedef {object} Follower
 * @property {number} [after] the number of the event behind which the first one is wanted
 * @property {(event: StreamEvent) => void} onEvent
 * @property {() => void} [onOpen] each time that the stream is open: from now on nothing is missed
 * @property {(error: ApiError) => void} onRefused the daemon will not send these events; nothing follows
 * @property {() => boolean} [isDone] whether an end of the stream is the end of the story
 */

/**
 * Follows until the signal aborts. Never throws.
 * @param {string} path
 * @param {Follower} follower
 * @param {AbortSignal} signal
 */
export async function follow(path, follower, signal) {
  let lastId = follower.after;
  let failures = 0;
  let heardAt = now();
  while (!signal.aborted) {
    let why = "the daemon ended the connection";
    try {
      for await (const event of eventsOf(path, lastId, signal)) {
        heardAt = now();
        if (event === "open") {
          connectionFound();
          follower.onOpen?.();
        } else if (event !== "heartbeat") {
          failures = 0;
          lastId = event.id ?? lastId;
          follower.onEvent(event);
        } else failures = 0;
      }
      if (follower.isDone?.()) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && FINAL.has(error.status)) {
        follower.onRefused(error);
        return;
      }
      why = error instanceof ApiError ? error.message : "the connection broke off";
    }
    if (signal.aborted) return;
    await beforeTheNext(failures, { heardAt, why }, signal);
    failures++;
  }
}

/**
 * @param {number} failures in a row
 * @param {{ heardAt: number, why: string }} loss
 * @param {AbortSignal} signal
 */
async function beforeTheNext(failures, { heardAt, why }, signal) {
  const isOver = new AbortController();
  const end = () => isOver.abort();
  connectionLost(heardAt, why, end);
  const wake = () => {
    if (document.visibilityState === "visible") end();
  };
  signal.addEventListener("abort", end);
  // A phone that is looked at again, or is back in a network.
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", end);
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  await pause(longest / 2 + (longest / 2) * Math.random(), isOver.signal);
  signal.removeEventListener("abort", end);
  document.removeEventListener("visibilitychange", wake);
  window.removeEventListener("online", end);
}

/**
 * @param {string} path
 * @param {number | undefined} lastId
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<StreamEvent | "open" | "heartbeat">}
 */
async function* eventsOf(path, lastId, signal) {
  const connection = new AbortController();
  const end = () => connection.abort();
  signal.addEventListener("abort", end);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let silence;
  try {
    const headers = {
      accept: "text/event-stream",
      ...(lastId === undefined ? {} : { "last-event-id": String(lastId) }),
    };
    const response = await answerOf(path, { headers, signal: connection.signal });
    yield "open";
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      yield* blocks.map(eventIn);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", end);
    connection.abort();
  }
}

/**
 * @param {string} block of lines, as the daemon writes them
 * @returns {StreamEvent | "heartbeat"}
 */
function eventIn(block) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    fields.set(name, value);
  }
  const [id, data] = [fields.get("id"), fields.get("data")];
  if (data === undefined) return "heartbeat";
  // eslint-disable-next-line no-restricted-properties -- the daemon's own answer, whose numbers are no dump's
  return { data: /** @type {unknown} */ (JSON.parse(data)), ...(id === undefined ? {} : { id: Number(id) }) };
}
