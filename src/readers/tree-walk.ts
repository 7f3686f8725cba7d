/**
 * Walks a dump's files in the bytewise order of their whole paths, which is the order of shipped CHECKSUMS. Holds the
 * names of one directory a level. A tree holds regular files and directories and nothing else.
 */
import { type Dirent, lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../errors/restore-error.js";
import { compareUtf8 } from "../support/byte-order.js";
import { CHECKSUMS_FILE } from "./checksums.js";
import { treeFault, unreadable } from "./tree-fault.js";

/** Entries asked from the system at a time. */
const READ_AHEAD = 512;

/** Paths of regular files relative to `root`. CHECKSUMS itself is left out. @throws RestoreError TREE_INVALID */
export function* walkFiles(root: string, below = ""): Generator<string> {
  for (const name of sortedNames(root, below)) {
    if (name.endsWith("/")) yield* walkFiles(root, below + name);
    else if (below + name !== CHECKSUMS_FILE) yield below + name;
  }
}

/** Names of one directory, those of directories with a slash, as the whole paths sort. */
function sortedNames(root: string, below: string): string[] {
  const names: string[] = [];
  try {
    const directory = opendirSync(join(root, below), { bufferSize: READ_AHEAD });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        names.push(checkedName(root, below, entry));
      }
    } finally {
      directory.closeSync();
    }
  } catch (error) {
    if (systemCode(error) === "ENAMETOOLONG") throw treeFault(below, "lies too deep");
    throw unreadable(below === "" ? root : below, error);
  }
  return names.sort(compareUtf8);
}

function checkedName(root: string, below: string, entry: Dirent): string {
  const path = below + entry.name;
  const what = kindOf(entry);
  if (what !== undefined) throw treeFault(path, `is ${what}`);
  // Bytes that are not UTF-8 arrive as replacement characters, under which nothing is found.
  if (path.includes("\ufffd") && lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined) {
    throw treeFault(path, "has a name that is not UTF-8");
  }
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

function kindOf(entry: Dirent): string | undefined {
  if (entry.isFile() || entry.isDirectory()) return undefined;
  if (entry.isSymbolicLink()) return "a symbolic link";
  if (entry.isFIFO()) return "a FIFO";
  return entry.isSocket() ? "a socket" : "a device or unknown thing";
}

const DEBRIS = /^\..*\.tmp-[^/]*$|^\.MANIFEST\.json\..*\.tmp$/s;
const REMAP = /\._id_remap\.jsonl$/;

/** Files that may stand in a tree unlisted: what a crashed writer left, and what this tool writes beside streams. */
export function mayBeUnlisted(path: string): boolean {
  return path.startsWith(".scratch/") || DEBRIS.test(path.slice(path.lastIndexOf("/") + 1)) || REMAP.test(path);
}
