/**
 * `node send.mjs FOLDER ENDPOINT`: sends the requests that lie in the folder, each when the one before it on its connection
 * was answered. Ends badly when one is refused, wholly or in part.
 */
import { openSync, readFileSync, readSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { INDEX } from "./requests.mjs";

const [, , folder = "", endpoint = ""] = process.argv;
const { hostname, port } = new URL(endpoint);
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const REFUSED = /"Failed":\s*\[\s*\{|"UnprocessedItems":\s*\{\s*"|<Error>/;
/** @type {Map<string, number>} */
const files = new Map();

/** @type {import("./requests.mjs").Requests} */
const { first, lanes, last } = JSON.parse(readFileSync(join(folder, INDEX), "utf8"));
await send(first);
await Promise.all(lanes.map(send));
await send(last);

/** @param {import("./requests.mjs").Piece[][]} requests */
async function send(requests) {
  if (requests.length === 0) return;
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const answers = answersFrom(socket);
  for (const pieces of requests) {
    socket.write(read(pieces));
    const { value } = await answers.next();
    if (value === undefined) throw new Error("the server hung up");
    if (!value.startsWith("HTTP/1.1 200") || REFUSED.test(value)) throw new Error(`refused: ${value.slice(0, 500)}`);
  }
  socket.destroy();
}

/** @param {import("./requests.mjs").Piece[]} pieces */
function read(pieces) {
  const bytes = Buffer.allocUnsafe(pieces.reduce((sum, [, , length]) => sum + length, 0));
  let at = 0;
  for (const [path, offset, length] of pieces) {
    const file = files.get(path) ?? openSync(path, "r");
    files.set(path, file);
    for (let done = 0; done < length; ) done += readSync(file, bytes, at + done, length - done, offset + done);
    at += length;
  }
  return bytes;
}

/** @param {import("node:net").Socket} socket @returns {AsyncGenerator<string>} */
async function* answersFrom(socket) {
  let held = Buffer.alloc(0);
  for await (const chunk of socket) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (let end = endOf(held); end !== undefined; end = endOf(held)) {
      yield held.toString("latin1", 0, end);
      held = held.subarray(end);
    }
  }
}

/** Where the first answer ends, once it is whole. @param {Buffer} held */
function endOf(held) {
  const head = held.indexOf(END_OF_HEAD);
  if (head === -1) return undefined;
  const body = head + END_OF_HEAD.length;
  const text = held.toString("latin1", 0, head).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
  if (length !== undefined) return held.length >= body + Number(length) ? body + Number(length) : undefined;
  if (!/\r\ntransfer-encoding: *chunked/.test(text)) return body;
  const last = held.indexOf("0\r\n\r\n", body, "latin1");
  return last === -1 ? undefined : last + "0\r\n\r\n".length;
}
