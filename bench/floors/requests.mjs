/** Requests as bytes, and where they lie: made by one program, sent by `send.mjs`. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";

/**
 * A piece of a request: `[file, offset, bytes]`.
 * @typedef {[file: string, offset: number, bytes: number]} Piece
 *
 * All requests of a restore: those before any other, those of each connection in their order, those behind all others.
 * @typedef {{ first: Piece[][], lanes: Piece[][][], last: Piece[][] }} Requests
 */

export const INDEX = "requests.json";

/** Writes requests into a folder. */
export class RequestFile {
  #folder;
  #path;
  #file;
  #at = 0;
  /** @type {Requests} */
  #requests;

  /** @param {string} folder @param {number} lanes */
  constructor(folder, lanes) {
    this.#folder = folder;
    this.#path = join(folder, "requests.bin");
    this.#file = openSync(this.#path, "w");
    this.#requests = { first: [], lanes: Array.from({ length: lanes }, () => []), last: [] };
  }

  /** @param {"first" | "last" | number} where @param {RecordedRequest} request @param {Piece[]} body if it is in no request */
  add(where, request, body = []) {
    const bytes = bytesOf(request);
    writeSync(this.#file, bytes);
    const list = typeof where === "number" ? this.#requests.lanes[where] : this.#requests[where];
    list?.push([[this.#path, this.#at, bytes.length], ...body]);
    this.#at += bytes.length;
  }

  close() {
    closeSync(this.#file);
    writeFileSync(join(this.#folder, INDEX), JSON.stringify(this.#requests));
  }
}

/**
 * What a client of the AWS SDK would send.
 * @typedef {{ method: string, path: string, query?: Record<string, any>, headers: Record<string, string>, body?: any }} RecordedRequest
 */

/** Takes a client's requests in place of sending them; each is answered with nothing. */
export class Recorder {
  metadata = { handlerProtocol: "http/1.1" };
  /** @type {RecordedRequest | undefined} */
  #last;

  /** @param {any} request @returns {Promise<any>} */
  handle(request) {
    this.#last = request;
    return Promise.resolve({ response: { statusCode: 200, headers: {}, body: Readable.from([]) } });
  }

  updateHttpClientConfig() {}

  httpHandlerConfigs() {
    return {};
  }

  /** The request that this asks for, signed. @param {Promise<unknown>} sent @returns {Promise<RecordedRequest>} */
  async requestOf(sent) {
    this.#last = undefined;
    // Some operations take no answer that is empty.
    const failure = await sent.then(
      () => undefined,
      (/** @type {unknown} */ error) => error,
    );
    if (this.#last === undefined) throw new Error("nothing was sent", { cause: failure });
    return this.#last;
  }
}

/** @param {RecordedRequest} request */
function bytesOf({ method, path, query = {}, headers, body }) {
  const asked = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const line = `${method} ${path}${asked.length === 0 ? "" : `?${asked.join("&")}`} HTTP/1.1\r\n`;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const content = typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(`${line}${fields.join("")}\r\n`), content]);
}
