/**
 * Points at which the process that loads this may be killed: before and after every write to a socket, before every
 * answer is handed on, before and after every change of a file. Plain JavaScript, to be loaded before anything that
 * keeps a function of `net` or `fs`.
 *
 * Files that are read, and those written synchronously (the run's own work files), are no points.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { basename } from "node:path";
import { Readable } from "node:stream";

/** Of a large body's pieces, one in so many is a point. */
const LARGE_BYTES = 16 * 1024;
const LARGE_STRIDE = 20;

/** @type {string[]} */
let passed = [];
let killAt = 0;
let folder = "";
let isCounting = false;
let large = 0;

/**
 * Counts anew, from the first change below `below` on, and kills this process at the `n`-th point; 0: never.
 *
 * @param {string} below
 * @param {number} n
 */
export function arm(below, n) {
  passed = [];
  folder = below;
  killAt = n;
  isCounting = false;
}

/** The points passed since `arm`, in words. */
export function pointsPassed() {
  isCounting = false;
  return passed;
}

/** @param {string} what */
function point(what) {
  if (!isCounting) return;
  passed.push(what);
  if (passed.length === killAt) process.kill(process.pid, "SIGKILL");
}

/** @typedef {(this: unknown, ...args: unknown[]) => unknown} Method */

/** Paths of open files. @type {WeakMap<object, string>} */
const paths = new WeakMap();

/**
 * @param {Record<string, Method>} owner
 * @param {string} name
 * @param {(self: unknown, first: unknown) => string} pathOf
 */
function watch(owner, name, pathOf) {
  const original = owner[name];
  if (original === undefined) throw new Error(`there is no ${name} to watch`);
  owner[name] = async function (...args) {
    const path = pathOf(this, args[0]);
    if (path.startsWith(folder)) isCounting = true;
    const what = `${name} ${basename(path)}`;
    point(`before ${what}`);
    const answer = await original.apply(this, args);
    point(`after ${what}`);
    return answer;
  };
}

const promises = /** @type {Record<string, Method>} */ (/** @type {unknown} */ (fs.promises));
const someFile = await fs.promises.open("/dev/null");
const handles = /** @type {Record<string, Method>} */ (Object.getPrototypeOf(someFile));
await someFile.close();
const open = fs.promises.open;
fs.promises.open = async (path, ...more) => {
  const handle = await open(path, ...more);
  paths.set(handle, String(path));
  return handle;
};
for (const name of ["write", "writeFile", "appendFile", "datasync", "sync", "truncate"]) {
  watch(handles, name, (self) => paths.get(Object(self)) ?? "");
}
for (const name of ["rename", "rm", "mkdir", "link", "writeFile"]) watch(promises, name, (_, path) => String(path));
syncBuiltinESMExports();

const sockets = /** @type {Record<string, Method>} */ (/** @type {unknown} */ (net.Socket.prototype));

/** @param {string} name */
function watchSocket(name) {
  const original = sockets[name];
  if (original === undefined) throw new Error(`sockets have no ${name}`);
  sockets[name] = function (...args) {
    const isPiece = isLarge(args[0]);
    if (isPiece && large++ % LARGE_STRIDE !== 0) return original.apply(this, args);
    point(`before ${isPiece ? "piece" : "send"}`);
    const answer = original.apply(this, args);
    point(`after ${isPiece ? "piece" : "send"}`);
    return answer;
  };
}

/** @param {unknown} data */
function isLarge(data) {
  return Buffer.isBuffer(data) && data.length >= LARGE_BYTES;
}

watchSocket("_write");
watchSocket("_writev");
sockets["push"] = function (/** @type {unknown[]} */ ...args) {
  if (args[0] !== null) point("reply");
  return /** @type {Method} */ (Readable.prototype.push).apply(this, args);
};
