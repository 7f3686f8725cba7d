/** Questions to the daemon: the token that goes with them, and what went wrong as an error that people can read. */
import { learnTime } from "./clock.js";

/**
 * @typedef {import("../schema/http.js").FaultAnswer["error"]} Fault
 * @typedef {"read" | "restore" | "destroy"} Role
 * @typedef {{ name: string, role: Role }} Who
 */

const TOKEN_KEY = "elastickv-restore-token";

export class ApiError extends Error {
  /**
   * @param {number} status of HTTP; 0: no answer
   * @param {{ code: string, message: string, hint?: string | undefined, where?: Fault["where"] }} fault
   */
  constructor(status, { code, message, hint, where }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.where = where;
  }
}

/** @type {(why: string | undefined) => Promise<void>} */
let askForToken = async () => undefined;
/** @type {Promise<void> | undefined} */
let asked;

/** How to ask a person for a token; resolves once there is one. @param {typeof askForToken} ask */
export function onTokenWanted(ask) {
  askForToken = ask;
}

/** Kept as long as the tab is open. @param {string} token */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function forgetToken() {
  sessionStorage.removeItem(TOKEN_KEY);
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

/**
 * @typedef {{ method?: string, body?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} Request
 */

/**
 * The daemon's answer, whose status is one of success. Where a token is wanted, a person is asked for it, and then the
 * daemon again.
 * @param {string} path
 * @param {Request} [request]
 * @returns {Promise<Response>}
 * @throws {ApiError}
 */
export async function answerOf(path, request = {}) {
  for (;;) {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const response = await send(path, request, token);
    learnTime(response.headers.get("date"));
    if (response.ok) return response;
    const error = await errorOf(response);
    if (response.status !== 401) throw error;
    // Somebody else may have given one meanwhile.
    if (sessionStorage.getItem(TOKEN_KEY) === token) await tokenFor(token === null ? undefined : error.message);
    request.signal?.throwIfAborted();
  }
}

/** Questions that want a token at the same time ask for it once. @param {string | undefined} why the last one is not accepted */
async function tokenFor(why) {
  asked ??= askForToken(why).finally(() => {
    asked = undefined;
  });
  await asked;
}

/**
 * @param {string} path
 * @param {Request} request
 * @param {string | null} token
 */
async function send(path, { method = "GET", body, headers = {}, signal }, token) {
  try {
    return await fetch(path, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, {
      code: "UNREACHABLE",
      message: "the daemon does not answer",
      hint: "Its jobs may go on all the same. Look whether the daemon, the network or a tunnel to it has ended.",
    });
  }
}

/** @param {Response} response */
async function errorOf(response) {
  const { status, statusText } = response;
  try {
    const { error } = /** @type {{ error: Fault }} */ (await response.json());
    return new ApiError(status, error);
  } catch {
    return new ApiError(status, {
      code: `HTTP ${status}`,
      message: statusText || "an answer that is no answer of the daemon",
    });
  }
}

/**
 * @template T
 * @param {string} path
 * @param {Request} [request]
 * @returns {Promise<T>}
 * @throws {ApiError}
 */
export async function ask(path, request) {
  const response = await answerOf(path, request);
  return /** @type {T} */ (await response.json());
}

/**
 * @param {string} path
 * @param {Record<string, string | number | readonly string[] | undefined>} query what is undefined or empty is left out
 */
export function withQuery(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value ?? []].flat()) if (each !== "") parameters.append(name, String(each));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** A key by which a request that is sent twice counts once. */
export function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {Readonly<Record<Role, number>>} */
const RANK = { read: 0, restore: 1, destroy: 2 };

/**
 * @param {Who} who
 * @param {Role} role
 */
export function may(who, role) {
  return RANK[who.role] >= RANK[role];
}
