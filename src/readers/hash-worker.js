/**
 * Opens, reads and hashes files in a worker thread, with synchronous I/O: for many small files that is several times
 * faster than promises. Plain JavaScript, because a worker is loaded by Node itself, from the sources as from the build.
 *
 * Takes a HashJob, a ReadJob or a TreeJob and answers `{ id, answer }` with a HashAnswer, a ReadAnswer or what
 * `tallyTree` says.
 */
import { createHash, hash, randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { asBytes, PathTally } from "./path-tally.js";
import { BLOCK, blockTag, COLUMN_WORDS, DEVICE_WORD, INODE_WORD, KEPT_BYTES, PATH_AT, TAG_BYTES } from "./row-batch.js";
import { mayBeUnlisted, tallyTree } from "./tree-tally.js";

/** @typedef {import("./hash-pool.js").HashJob} HashJob */
/** @typedef {import("./hash-pool.js").HashAnswer} HashAnswer */
/** @typedef {import("./hash-pool.js").TreeJob} TreeJob */
/** @typedef {import("./read-ahead.js").ReadJob} ReadJob */
/** @typedef {import("./read-ahead.js").ReadAnswer} ReadAnswer */

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const WORD = 2 ** 32;
const buffer = Buffer.allocUnsafe(BLOCK);
/** Contents of a batch that is to be kept. */
const kept = Buffer.allocUnsafe(KEPT_BYTES);
/** Columns of the file at hand, and the same as floats. */
const found = new Uint32Array(COLUMN_WORDS);
const foundFloats = new Float64Array(found.buffer);

/**
 * @param {HashJob} job
 * @returns {HashAnswer}
 */
function compareRows({ root, rows, count, isKept }) {
  const text = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength).toString("utf8");
  const columns = new Uint32Array(count * COLUMN_WORDS);
  /** @type {import("./hash-pool.js").RowException[]} */
  const exceptions = [];
  /** @type {number[]} */
  const linked = [];
  /** @type {{ row: number, tags: string }[]} */
  const tagged = [];
  const listed = new PathTally();
  let bytes = 0;
  const start = performance.now();
  for (let row = 0, at = 0; row < count; row++) {
    const end = text.indexOf("\0", at + PATH_AT);
    const path = text.slice(at + PATH_AT, end);
    if (!mayBeUnlisted(path)) listed.add(asBytes(path));
    try {
      const { links, size, sha256, tags } = hashFile(`${root}/${path}`);
      if (links > 1) linked.push(row);
      if (tags !== "") tagged.push({ row, tags });
      if (!text.startsWith(sha256, at)) exceptions.push({ row, sha256 });
      foundFloats[0] = size;
      columns.set(found, row * COLUMN_WORDS);
      // The buffer holds all of a file that is shorter.
      if (isKept && bytes + size <= KEPT_BYTES) buffer.copy(kept, bytes, 0, size);
      bytes += size;
    } catch (error) {
      const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
      exceptions.push({ row, error: message, isAbsent: code === "ENOENT" || code === "ENOTDIR" });
    }
    at = end + 1;
  }
  const contents = isKept && bytes <= KEPT_BYTES ? new Uint8Array(kept.subarray(0, bytes)) : undefined;
  const ms = performance.now() - start;
  return { columns, bytes, ms, exceptions, linked, tagged, listed: listed.sum, contents };
}

/**
 * Fills `found`, but for the size, which is how much was read.
 * @param {string} path
 * @returns {{ links: number, size: number, sha256: string, tags: string }}
 */
function hashFile(path) {
  const fd = openSync(path, FLAGS);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error("not a regular file");
    describe(stat, () => fstatSync(fd, { bigint: true }));
    let length = readSync(fd, buffer, 0, BLOCK, null);
    // A read that gives less than was asked for, and all that there is by the size, has met the end of a regular file.
    if (length !== stat.size) length = fill(fd, length);
    const links = stat.nlink;
    if (length === BLOCK) return { links, ...hashBlocks(fd) };
    return { links, size: length, sha256: hash("sha256", buffer.subarray(0, length)), tags: "" };
  } finally {
    closeSync(fd);
  }
}

/**
 * The first block is in the buffer. How many there are is known at the end alone: the file may have grown since it was
 * opened.
 * @param {number} fd
 */
function hashBlocks(fd) {
  const whole = createHash("sha256");
  const key = randomBytes(TAG_BYTES);
  // Not an array of tags: a file of terabytes has millions.
  let tags = Buffer.from(key);
  let [tagBytes, size] = [TAG_BYTES, 0];
  for (let length = BLOCK, index = 0; length > 0; length = length < BLOCK ? 0 : fill(fd, 0), index++) {
    const block = buffer.subarray(0, length);
    whole.update(block);
    size += length;
    if (tagBytes === tags.length) tags = Buffer.concat([tags], Math.max(1024, tags.length * 2));
    tagBytes += blockTag(key, index, block).copy(tags, tagBytes);
  }
  return { size, sha256: whole.digest("hex"), tags: size > BLOCK ? tags.toString("base64", 0, tagBytes) : "" };
}

/**
 * Fills the buffer, which holds `length` bytes, as far as the file goes.
 * @param {number} fd
 * @param {number} length
 */
function fill(fd, length) {
  let filled = length;
  while (filled < BLOCK) {
    const read = readSync(fd, buffer, filled, BLOCK - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/**
 * Reads small files again that were checked, or only sees that they are unchanged. One that is not the same any more is
 * left to whoever asks for it alone.
 * @param {ReadJob} job
 * @returns {ReadAnswer}
 */
function readRows({ root, text, count, columns, bytes, isKept }) {
  const sizes = new Float64Array(columns.buffer);
  const contents = Buffer.from(new ArrayBuffer(isKept ? 0 : bytes));
  /** @type {number[]} */
  const failed = [];
  for (let row = 0, at = 0, filled = 0; row < count; row++) {
    const end = text.indexOf("\0", at + PATH_AT);
    const path = `${root}/${text.slice(at + PATH_AT, end)}`;
    const first = row * COLUMN_WORDS;
    if (isKept) {
      if (!look(path) || !isAsFound(columns, first, 0)) failed.push(row);
    } else {
      const into = contents.subarray(filled, filled + (sizes[first / 2] ?? 0));
      const isSame = readInto(into, path) && isAsFound(columns, first, DEVICE_WORD);
      if (!isSame || !text.startsWith(hash("sha256", into), at)) failed.push(row);
      filled += into.length;
    }
    at = end + 1;
  }
  return { contents, failed };
}

/**
 * Fills `found`. False when nothing can be seen there.
 * @param {string} path
 */
function look(path) {
  try {
    const stat = lstatSync(path);
    describe(stat, () => lstatSync(path, { bigint: true }));
    return true;
  } catch {
    return false;
  }
}

/**
 * Fills `found`, and `into` with a file that has just that size. False when there is none.
 * @param {Buffer} into
 * @param {string} path
 */
function readInto(into, path) {
  let fd;
  try {
    const file = openSync(path, FLAGS);
    fd = file;
    const stat = fstatSync(file);
    describe(stat, () => fstatSync(file, { bigint: true }));
    return stat.isFile() && stat.size === into.length && readSync(file, into, 0, into.length, 0) === into.length;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Fills `found`. A number cannot hold device and inode on file systems that number files by all of 64 bits.
 * @param {import("node:fs").Stats} stat
 * @param {() => import("node:fs").BigIntStats} exactly
 */
function describe(stat, exactly) {
  const { dev, ino } = Number.isSafeInteger(stat.dev) && Number.isSafeInteger(stat.ino) ? stat : exactly();
  foundFloats[0] = stat.size;
  foundFloats[1] = stat.ctimeMs;
  setId(DEVICE_WORD, dev);
  setId(INODE_WORD, ino);
}

/**
 * @param {number} word
 * @param {number | bigint} id
 */
function setId(word, id) {
  const isNumber = typeof id === "number";
  found[word] = isNumber ? id % WORD : Number(BigInt.asUintN(32, id));
  found[word + 1] = isNumber ? id / WORD : Number(BigInt.asUintN(64, id) >> 32n);
}

/**
 * Compares one row's columns, from a word on.
 * @param {Uint32Array} columns
 * @param {number} first
 * @param {number} word
 */
function isAsFound(columns, first, word) {
  for (let at = word; at < COLUMN_WORDS; at++) if (columns[first + at] !== found[at]) return false;
  return true;
}

parentPort?.on("message", (/** @type {{ id: number } & (HashJob | ReadJob | TreeJob)} */ job) => {
  if ("own" in job) {
    parentPort?.postMessage({ id: job.id, answer: tallyTree(job.root, job.own) });
    return;
  }
  const answer = "columns" in job ? readRows(job) : compareRows(job);
  const moved = "columns" in answer ? [answer.columns, answer.contents] : [answer.contents];
  const buffers = moved.flatMap((view) => (view === undefined ? [] : [/** @type {ArrayBuffer} */ (view.buffer)]));
  parentPort?.postMessage({ id: job.id, answer }, buffers);
});
