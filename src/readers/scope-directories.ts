/**
 * Which scopes a dump holds: the directories below its adapters' directories, matched with the manifest's lists. Looks at
 * names only; what stands in the directories is other files' matter.
 */
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RestoreError, systemCode } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";
import { ADAPTERS, type Adapter, SCOPE_NOUN } from "../model/scope.js";
import { compareUtf8 } from "../support/byte-order.js";
import { CHECKSUMS_FILE } from "./checksum-row.js";
import { structuralError } from "./faults.js";
import { MANIFEST_FILE, type Manifest } from "./manifest.js";
import { decodeSegment, encodeSegment, fallbackSegment, isFallback, SegmentError } from "./segments.js";
import { unreadable } from "./tree-fault.js";
import { mayBeUnlisted } from "./tree-tally.js";

export interface ScopeDirectory {
  readonly adapter: Adapter;
  /** Relative to the dump's root. */
  readonly path: string;
  /** Decoded from the directory's name; absent where only the scope's metadata holds it (the fallback form). */
  readonly name?: string;
}

/** True when `directory`, a name without its parents, is the segment for `name`. */
export function isDirectoryOf(name: string, directory: string): boolean {
  const bytes = Buffer.from(name, "utf8");
  return isFallback(directory) ? fallbackSegment(bytes) === directory : encodeSegment(bytes) === directory;
}

/** The adapter's scope directories in bytewise order. @throws RestoreError NAME_INVALID */
export function scopeDirectories(root: string, adapter: Adapter): ScopeDirectory[] {
  return list(root, adapter)
    .filter((entry) => entry.isDirectory() && !isForensic(adapter, entry.name))
    .map((entry) => entry.name)
    .sort(compareUtf8)
    .map((directory) => {
      const path = `${adapter}/${directory}`;
      const name = scopeName(adapter, directory, path);
      return name === undefined ? { adapter, path } : { adapter, path, name };
    });
}

/**
 * The directories in the order of the manifest's list, which has to name just these; in their own where there is none.
 * `names` are the directories' names as their metadata tells.
 * @throws RestoreError DUMP_INCONSISTENT
 */
export function inManifestOrder<T extends { readonly name: string; readonly path: string }>(
  adapter: Adapter,
  manifest: Manifest,
  scopes: readonly T[],
): readonly T[] {
  assertDistinct(adapter, scopes);
  const listed = manifest.adapters.get(adapter)?.scopes;
  if (listed === undefined) return scopes;
  const byName = new Map(scopes.map((scope) => [scope.name, scope]));
  const ordered = listed.map((name) => {
    const scope = byName.get(name);
    if (scope === undefined)
      throw inconsistent(`it lists the ${SCOPE_NOUN[adapter]} "${name}", which has no directory`);
    byName.delete(name);
    return scope;
  });
  const [extra] = byName.values();
  if (extra !== undefined) throw inconsistent(`it does not list ${extra.path}`, extra.path);
  return ordered;
}

/**
 * Two directories can be one scope's: a plain name and its fallback form.
 * @throws RestoreError DUMP_INCONSISTENT
 */
export function assertDistinct(
  adapter: Adapter,
  scopes: readonly { readonly name: string; readonly path: string }[],
): void {
  const paths = new Map<string, string>();
  for (const { name, path } of scopes) {
    const other = paths.get(name);
    if (other === undefined) paths.set(name, path);
    else throw inconsistent(`the ${SCOPE_NOUN[adapter]} "${name}" has two directories, ${other} and ${path}`, path);
  }
}

/**
 * What the root and the adapters' directories hold that this build does not know, as warnings. Adapters that the manifest
 * excludes hold nothing.
 */
export function rootWarnings(root: string): string[] {
  const known: readonly string[] = [...ADAPTERS, MANIFEST_FILE, CHECKSUMS_FILE, ".scratch"];
  const strange = namesIn(root).filter((name) => !known.includes(name));
  const betweenScopes = ADAPTERS.flatMap((adapter) =>
    list(root, adapter).flatMap((entry) => (entry.isFile() ? [`${adapter}/${entry.name}`] : [])),
  );
  return [...strange, ...betweenScopes]
    .filter((path) => !mayBeUnlisted(path))
    .sort(compareUtf8)
    .map((name) => `"${escapeForDisplay(name)}" is no part of format version 1: it is left out`);
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root);
  } catch (error) {
    throw unreadable(root, error);
  }
}

/** @throws RestoreError DUMP_INCONSISTENT when an adapter that the manifest excludes has files or scopes */
export function assertExcludedAreAbsent(root: string, manifest: Manifest): void {
  for (const adapter of ADAPTERS) {
    if (manifest.adapters.has(adapter)) continue;
    const [entry] = list(root, adapter).filter(({ name }) => !mayBeUnlisted(name));
    if (entry === undefined) continue;
    throw inconsistent(
      `it excludes ${adapter}, of which there is ${adapter}/${entry.name}`,
      `${adapter}/${entry.name}`,
    );
  }
}

/**
 * The tree is looked at again after the check, for directories may be empty: one that was checked and is gone by now
 * would be left out without a word.
 * @throws RestoreError TREE_INVALID
 */
export function assertAllThere(
  adapter: Adapter,
  directories: readonly ScopeDirectory[],
  checked: Iterable<string>,
): void {
  const there = new Set(directories.map(({ path }) => path));
  for (const directory of checked) {
    const path = `${adapter}/${directory}`;
    if (there.has(path) || isForensic(adapter, directory)) continue;
    throw new RestoreError("TREE_INVALID", `${escapeForDisplay(path)} is gone since it was checked`, {
      where: { path },
      hint: "Leave the dump alone while it is restored, then run the command again.",
    });
  }
}

/** @throws RestoreError SCOPE_INVALID for a file where the adapter's scopes belong */
function list(root: string, adapter: Adapter): Dirent[] {
  const path = join(root, adapter);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) throw structuralError("SCOPE_INVALID", { path: adapter }, "it is no directory");
  // A link would lead out of the dump; the check, which may still be to come, refuses it.
  if (found?.isDirectory() !== true) return [];
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw unreadable(adapter, error);
  }
}

/** Queue names hold neither dots but `.fifo` nor would a queue be called `_internals`. */
function isForensic(adapter: Adapter, directory: string): boolean {
  return adapter === "sqs" && (directory.endsWith(".orphan") || directory === "_internals");
}

function scopeName(adapter: Adapter, directory: string, path: string): string | undefined {
  if (adapter === "redis") {
    if (/^db_(?:0|[1-9]\d{0,9})$/.test(directory)) return directory;
    throw structuralError("NAME_INVALID", { path }, "it is not named db_<number>");
  }
  if (isFallback(directory)) return undefined;
  try {
    const bytes = decodeSegment(directory);
    const name = bytes.toString("utf8");
    if (name !== "" && Buffer.from(name, "utf8").equals(bytes)) return name;
  } catch (error) {
    if (error instanceof SegmentError) throw structuralError("NAME_INVALID", { path }, error.message);
    throw error;
  }
  throw structuralError("NAME_INVALID", { path }, `it is no ${SCOPE_NOUN[adapter]}'s name: not UTF-8`);
}

function inconsistent(what: string, path: string = MANIFEST_FILE): RestoreError {
  return new RestoreError("DUMP_INCONSISTENT", `${MANIFEST_FILE} and the tree disagree: ${escapeForDisplay(what)}`, {
    where: { path },
    hint: "Copy the dump again, or mend the manifest by hand and run `elastickv-restore reseal <dump>`.",
  });
}
