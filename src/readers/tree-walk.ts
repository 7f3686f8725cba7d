/**
 * Walks a dump's files in the bytewise order of their whole paths, which is the order of shipped CHECKSUMS. The names of
 * a large directory are sorted on disk. A tree holds regular files and directories and nothing else.
 */
import { type Dirent, lstatSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../errors/restore-error.js";
import { Breath } from "../support/breathing.js";
import { compareUtf8 } from "../support/byte-order.js";
import { CHECKSUMS_FILE } from "./checksum-row.js";
import { asBytes, PathTally } from "./path-tally.js";
import { Sorter } from "./sorter.js";
import { treeFault, unreadable } from "./tree-fault.js";
import { mayBeUnlisted } from "./tree-tally.js";

/** Entries asked from the system at a time. */
const READ_AHEAD = 512;

/** Names in memory, in all directories that are open at a time: some megabytes. */
const NAMES_KEPT = 32_768;
const LEAST_NAMES_KEPT = 64;

export interface WalkOptions {
  /** Takes the names of large directories. */
  readonly workDirectory: string;
  /** How many names may be held in memory. */
  readonly namesKept?: number;
}

/**
 * Paths of regular files relative to `root`. CHECKSUMS itself is left out. Removes its files when the iteration ends.
 * @throws RestoreError TREE_INVALID, DUMP_UNREADABLE, LOCAL_IO
 */
export function walkFiles(root: string, { workDirectory, namesKept = NAMES_KEPT }: WalkOptions): Generator<string> {
  return walk({ root, workDirectory, isOrdered: true }, "", namesKept);
}

/**
 * The paths of the same files, but those that may stand in a tree unlisted, as a tally: without sorting them. Lets others
 * have a turn now and then, and ends early once the signal aborts.
 * @throws RestoreError TREE_INVALID, DUMP_UNREADABLE, LOCAL_IO
 */
export async function tallyFiles(root: string, workDirectory: string, signal: AbortSignal): Promise<PathTally> {
  const tally = new PathTally();
  const breath = new Breath();
  for (const path of walk({ root, workDirectory, isOrdered: false }, "", NAMES_KEPT)) {
    if (!mayBeUnlisted(path)) tally.add(asBytes(path));
    if (breath.isDue()) await breath.take();
    if (signal.aborted) break;
  }
  return tally;
}

interface Walk {
  readonly root: string;
  readonly workDirectory: string;
  /** Else a directory's files come before its directories, as the system gives them. */
  readonly isOrdered: boolean;
}

function* walk(job: Walk, below: string, room: number): Generator<string> {
  const { root, workDirectory } = job;
  const itemsARun = Math.max(LEAST_NAMES_KEPT, room);
  const names = new Sorter<string>({ directory: workDirectory, itemsARun, compare: compareUtf8 });
  try {
    let count = 0;
    for (const name of namesIn(root, below)) {
      if (!job.isOrdered && !name.endsWith("/")) {
        if (below + name !== CHECKSUMS_FILE) yield below + name;
        continue;
      }
      names.add(name);
      count++;
    }
    const left = count > itemsARun ? room : room - count;
    for (const name of names.sorted()) {
      if (name.endsWith("/")) yield* walk(job, below + name, left);
      else if (below + name !== CHECKSUMS_FILE) yield below + name;
    }
  } finally {
    names.close();
  }
}

/** Names of one directory, those of directories with a slash, as the whole paths sort. */
function* namesIn(root: string, below: string): Generator<string> {
  const directory = attempt(root, below, () => opendirSync(join(root, below), { bufferSize: READ_AHEAD }));
  try {
    for (;;) {
      const entry = attempt(root, below, () => directory.readSync());
      if (entry === null) return;
      yield checkedName(root, below, entry);
    }
  } finally {
    directory.closeSync();
  }
}

function attempt<T>(root: string, below: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    if (systemCode(error) === "ENAMETOOLONG") throw treeFault(below, "lies too deep");
    throw unreadable(below === "" ? root : below, error);
  }
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
