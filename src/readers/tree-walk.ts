/**
 * Walks a dump's files in the bytewise order of their whole paths, which is the order of shipped CHECKSUMS. Holds the
 * names of one directory a level. A tree holds regular files and directories and nothing else.
 */
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { compareUtf8 } from "../support/byte-order.js";
import { CHECKSUMS_FILE } from "./checksums.js";

/** Paths of regular files relative to `root`. CHECKSUMS itself is left out. @throws RestoreError TREE_INVALID */
export function* walkFiles(root: string, below = ""): Generator<string> {
  const entries = readdirSync(join(root, below), { withFileTypes: true })
    .map((entry) => ({ entry, order: entry.isDirectory() ? `${entry.name}/` : entry.name }))
    .sort((a, b) => compareUtf8(a.order, b.order));
  for (const { entry } of entries) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walkFiles(root, path);
    else {
      assertRegular(root, path, entry);
      if (path !== CHECKSUMS_FILE) yield path;
    }
  }
}

function assertRegular(root: string, path: string, entry: Dirent): void {
  const what = entry.isSymbolicLink()
    ? "a symbolic link"
    : entry.isFIFO()
      ? "a FIFO"
      : entry.isSocket()
        ? "a socket"
        : entry.isFile()
          ? undefined
          : "a device or unknown thing";
  if (what !== undefined) throw invalid(path, `is ${what}`);
  if (path.includes("\ufffd") && lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined) {
    throw invalid(path, "has a name that is not UTF-8");
  }
}

export function invalid(path: string, what: string): RestoreError {
  return new RestoreError("TREE_INVALID", `${escapeForDisplay(path)} ${what}: a dump holds regular files only`, {
    where: { path },
    hint: "Remove it, or copy the dump again without links.",
  });
}

const DEBRIS = /^\..*\.tmp-[^/]*$|^\.MANIFEST\.json\..*\.tmp$/;
const REMAP = /\._id_remap\.jsonl$/;

/** Files that may stand in a tree unlisted: what a crashed writer left, and what this tool writes beside streams. */
export function mayBeUnlisted(path: string): boolean {
  return path.startsWith(".scratch/") || DEBRIS.test(path.slice(path.lastIndexOf("/") + 1)) || REMAP.test(path);
}
