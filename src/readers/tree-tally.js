/**
 * The files of a tree as a tally, for a thread: without a wait, and without their order. Plain JavaScript, because the
 * threads load it.
 */
import { opendirSync } from "node:fs";
import { asBytes, PathTally } from "./path-tally.js";

/** @typedef {import("./path-tally.js").PathSum} PathSum */

/** Entries asked from the system at a time. */
const READ_AHEAD = 128;
/** Names of directories that are still to be read. */
const MOST_FOLDERS = 10_000;
/** Stands for bytes that are no text. */
const NO_TEXT = "\ufffd";

const DEBRIS = /^\..*\.tmp-[^/]*$|^\.MANIFEST\.json\..*\.tmp$/s;
const REMAP = "._id_remap.jsonl";
const DOT = ".";

/**
 * Files that may stand in a tree unlisted: what a crashed writer left, and what this tool writes beside streams. Takes
 * the path as text or as its bytes, a character each.
 * @param {string} path
 */
export function mayBeUnlisted(path) {
  if (path.endsWith(REMAP) || path.startsWith(".scratch/")) return true;
  const name = path.lastIndexOf("/") + 1;
  return path[name] === DOT && DEBRIS.test(path.slice(name));
}

/**
 * Of all files but `own` and those that may be unlisted. Undefined for a tree with anything unusual about it, which
 * `tallyFiles` finds out.
 * @param {string} root
 * @param {string} own
 * @returns {PathSum | undefined}
 */
export function tallyTree(root, own) {
  const tally = new PathTally();
  const folders = [""];
  try {
    for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
      if (!tallyFolder(root, below, { tally, folders, own })) return undefined;
    }
    return tally.sum;
  } catch {
    return undefined;
  }
}

/**
 * Adds the folder's files to the tally, and what is below it to the folders.
 * @param {string} root
 * @param {string} below
 * @param {{ tally: PathTally, folders: string[], own: string }} into
 */
function tallyFolder(root, below, { tally, folders, own }) {
  const directory = opendirSync(`${root}/${below}`, { bufferSize: READ_AHEAD });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const path = below + entry.name;
      if (path.includes(NO_TEXT)) return false;
      if (entry.isDirectory()) folders.push(`${path}/`);
      else if (!entry.isFile()) return false;
      else if (path !== own && !mayBeUnlisted(path)) tally.add(asBytes(path));
    }
    return folders.length <= MOST_FOLDERS;
  } finally {
    directory.closeSync();
  }
}
