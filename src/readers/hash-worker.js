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
const COLUMN_FLOATS = COLUMN_WORDS / 2;
/** Not Buffers: parts of those take twice as long to make, and there is one of each file. */
const buffer = new Uint8Array(BLOCK);
/** Contents of a batch that is to be kept. */
const kept = new Uint8Array(KEPT_BYTES);
/** Columns of the file at hand. */
const found = columnsFor(1);

/**
 * @param {HashJob} job
 * @returns {HashAnswer}
 */
function compareRows({ root, rows, count, isKept }) {
  const text = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength).toString("utf8");
  const columns = columnsFor(count);
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
      const { links, size, sha256, tags } = hashFile(`${root}/${path}`, columns, row);
      if (links > 1) linked.push(row);
      if (tags !== "") tagged.push({ row, tags });
      if (!text.startsWith(sha256, at)) exceptions.push({ row, sha256 });
      // The buffer holds all of a file that is shorter.
      if (isKept && bytes + size <= KEPT_BYTES) kept.set(buffer.subarray(0, size), bytes);
      bytes += size;
    } catch (error) {
      const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
      exceptions.push({ row, error: message, isAbsent: code === "ENOENT" || code === "ENOTDIR" });
    }
    at = end + 1;
  }
  const contents = isKept && bytes <= KEPT_BYTES ? kept.slice(0, bytes) : undefined;
  const ms = performance.now() - start;
  return { columns: columns.words, bytes, ms, exceptions, linked, tagged, listed: listed.sum, contents };
}

/**
 * Columns, as words and as floats.
 * @typedef {{ readonly words: Uint32Array, readonly floats: Float64Array }} Columns
 */

/**
 * @param {number} count
 * @returns {Columns}
 */
function columnsFor(count) {
  const words = new Uint32Array(count * COLUMN_WORDS);
  return { words, floats: new Float64Array(words.buffer) };
}

/**
 * Fills the row's columns. The size is how much was read.
 * @param {string} path
 * @param {Columns} columns
 * @param {number} row
 * @returns {{ links: number, size: number, sha256: string, tags: string }}
 */
function hashFile(path, columns, row) {
  const fd = openSync(path, FLAGS);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error("not a regular file");
    describe(stat, fd, columns, row);
    let length = readSync(fd, buffer, 0, BLOCK, null);
    // A read that gives less than was asked for, and all that there is by the size, has met the end of a regular file.
    if (length !== stat.size) length = fill(fd, length);
    const links = stat.nlink;
    const { size, sha256, tags } =
      length === BLOCK
        ? hashBlocks(fd)
        : { size: length, sha256: hash("sha256", buffer.subarray(0, length)), tags: "" };
    columns.floats[row * COLUMN_FLOATS] = size;
    return { links, size, sha256, tags };
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
    describe(stat, path, found, 0);
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
    describe(stat, file, found, 0);
    return stat.isFile() && stat.size === into.length && readSync(file, into, 0, into.length, 0) === into.length;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Fills a row's columns. A number cannot hold device and inode on file systems that number files by all of 64 bits.
 * @param {import("node:fs").Stats} stat
 * @param {string | number} file what it is of: a path, or an open file
 * @param {Columns} columns
 * @param {number} row
 */
function describe(stat, file, { words, floats }, row) {
  const isExact = Number.isSafeInteger(stat.dev) && Number.isSafeInteger(stat.ino);
  const { dev, ino } = isExact ? stat : statExactly(file);
  floats[row * COLUMN_FLOATS] = stat.size;
  floats[row * COLUMN_FLOATS + 1] = stat.ctimeMs;
  setId(words, row * COLUMN_WORDS + DEVICE_WORD, dev);
  setId(words, row * COLUMN_WORDS + INODE_WORD, ino);
}

/** @param {string | number} file */
function statExactly(file) {
  return typeof file === "number" ? fstatSync(file, { bigint: true }) : lstatSync(file, { bigint: true });
}

/**
 * @param {Uint32Array} words
 * @param {number} word
 * @param {number | bigint} id
 */
function setId(words, word, id) {
  // Of a number, a word takes what is left by 2^32.
  const isNumber = typeof id === "number";
  words[word] = isNumber ? id : Number(BigInt.asUintN(32, id));
  words[word + 1] = isNumber ? id / WORD : Number(BigInt.asUintN(64, id) >> 32n);
}

/**
 * Compares one row's columns, from a word on.
 * @param {Uint32Array} columns
 * @param {number} first
 * @param {number} word
 */
function isAsFound(columns, first, word) {
  for (let at = word; at < COLUMN_WORDS; at++) if (columns[first + at] !== found.words[at]) return false;
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
