/**
 * `node redis-resp.mjs DUMP`: the dump's Redis database 0 as RESP commands on standard output. What somebody who knows Node
 * well would write for one restore: every file read whole and once, no check, no order, no second try.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expiriesIn, linesIn } from "./redis-files.mjs";

const OUT_BYTES = 1 << 20;
const PAIRS_IN_A_COMMAND = 500;
const root = join(process.argv[2] ?? ".", "redis", "db_0");

let out = Buffer.allocUnsafe(OUT_BYTES);
let at = 0;

/** @param {number} bytes room for so many, at least */
function room(bytes) {
  if (at + bytes <= out.length) return;
  flush();
  if (bytes > out.length) out = Buffer.allocUnsafe(bytes);
}

function flush() {
  for (let from = 0; from < at; ) {
    try {
      from += writeSync(1, out, from, at - from);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
  at = 0;
}

/** @param {readonly (string | Buffer)[]} parts */
function send(parts) {
  room(16);
  at += out.write(`*${parts.length}\r\n`, at, "latin1");
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.byteLength(part) : part.length;
    room(bytes + 32);
    at += out.write(`$${bytes}\r\n`, at, "latin1");
    at += typeof part === "string" ? out.write(part, at) : part.copy(out, at);
    out[at++] = 13;
    out[at++] = 10;
  }
}

/** @param {string} segment */
function keyOf(segment) {
  return segment.includes("%") ? Buffer.from(unescape(segment), "latin1") : segment;
}

/** @param {string | { base64: string }} text */
function bytesOf(text) {
  return typeof text === "string" ? text : Buffer.from(text.base64, "base64url");
}

/** @param {string} folder @returns {string[]} */
function filesOf(folder) {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
}

function strings() {
  const expiries = expiriesIn(root);
  let buffer = Buffer.allocUnsafe(OUT_BYTES);
  for (const name of filesOf("strings")) {
    const file = openSync(join(root, "strings", name), "r");
    let length = readSync(file, buffer, 0, buffer.length, null);
    // A short read of a regular file is its end.
    while (length === buffer.length) {
      buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
      length += readSync(file, buffer, length, length, null);
    }
    closeSync(file);
    const segment = name.slice(0, -".bin".length);
    const value = buffer.subarray(0, length);
    const expiry = expiries.get(segment);
    send(
      expiry === undefined ? ["SET", keyOf(segment), value] : ["SET", keyOf(segment), value, "PXAT", String(expiry)],
    );
  }
}

/**
 * @param {string} folder
 * @param {string} command
 * @param {(content: any) => Iterable<readonly (string | Buffer)[]>} elements
 */
function collections(folder, command, elements) {
  for (const name of filesOf(folder)) {
    const key = keyOf(name.slice(0, -".json".length));
    const content = JSON.parse(readFileSync(join(root, folder, name), "utf8"));
    /** @type {(string | Buffer)[]} */
    let parts = [command, key];
    for (const element of elements(content)) {
      parts.push(...element);
      if (parts.length < PAIRS_IN_A_COMMAND * 2) continue;
      send(parts);
      parts = [command, key];
    }
    if (parts.length > 2) send(parts);
    if (content.expire_at_ms !== null) send(["PEXPIREAT", key, String(content.expire_at_ms)]);
  }
}

function* hashElements(/** @type {any} */ { fields }) {
  for (const { name, value } of fields) yield [bytesOf(name), bytesOf(value)];
}

function* listElements(/** @type {any} */ { items }) {
  for (const item of items) yield [bytesOf(item)];
}

function* setElements(/** @type {any} */ { members }) {
  for (const member of members) yield [bytesOf(member)];
}

function* zsetElements(/** @type {any} */ { members }) {
  for (const { member, score } of members) yield [String(score), bytesOf(member)];
}

function streams() {
  for (const name of filesOf("streams")) {
    const key = keyOf(name.slice(0, -".jsonl".length));
    for (const entry of linesIn(join(root, "streams", name))) {
      if (entry._meta === undefined) {
        const fields = entry.fields.flatMap((/** @type {any} */ field) => [bytesOf(field.name), bytesOf(field.value)]);
        send(["XADD", key, entry.id, ...fields]);
      } else {
        send(["XSETID", key, `${entry.last_ms}-${entry.last_seq}`]);
        if (entry.expire_at_ms !== null) send(["PEXPIREAT", key, String(entry.expire_at_ms)]);
      }
    }
  }
}

strings();
collections("hashes", "HSET", hashElements);
collections("lists", "RPUSH", listElements);
collections("sets", "SADD", setElements);
collections("zsets", "ZADD", zsetElements);
streams();
flush();
