/** A bucket's KEYMAP.jsonl: the keys of objects that had to be stored under another name. */
import type { Catalogue } from "./catalogue.js";
import { structuralError } from "./faults.js";
import { Keymap, type KeymapEntry } from "./keymap.js";
import { type BucketLayout, KEYMAP_FILE, LEAF_DATA_SUFFIX, USER_DATA_SUFFIX } from "./s3-layout.js";
import type { ScopeContext } from "./scope-context.js";
import { indexKey } from "./scope-indexes.js";

export interface BucketKeymap {
  readonly keymap: Keymap;
  /** True for a key that a line gives: only these can be an object's a second time. */
  readonly gives: (key: string) => boolean;
}

/** @throws RestoreError KEYMAP_INVALID */
export async function loadBucketKeymap(
  { catalogue, manifest, indexes }: ScopeContext,
  layout: BucketLayout,
): Promise<BucketKeymap> {
  const { names, mappedKeys } = indexes;
  const row = layout.ownFile(KEYMAP_FILE);
  if (row === undefined) return { keymap: Keymap.empty(layout.prefix + KEYMAP_FILE), gives: () => false };
  const check = (entry: KeymapEntry, line: number) => {
    const fault = faultOf(entry, manifest.metaSuffix) ?? fileFault(entry.encoded, catalogue, layout);
    if (fault !== undefined) throw structuralError("KEYMAP_INVALID", { path: row.path, line }, fault);
    mappedKeys.add(indexKey(row.path, entry.original.toString("utf8")));
  };
  const keymap = await Keymap.load(row.path, catalogue.content(row), { names, unique: true, check });
  return { keymap, gives: (key) => keymap.size > 0 && mappedKeys.has(indexKey(row.path, key)) };
}

function fileFault(encoded: string, catalogue: Catalogue, layout: BucketLayout): string | undefined {
  const path = layout.prefix + encoded;
  if (catalogue.find(path) === undefined) return `"${encoded}" has no file`;
  const { kind } = layout.kindOf(path);
  return kind === "object" || kind === "bare-object" ? undefined : `"${encoded}" is no object`;
}

function faultOf({ encoded, original, kind }: KeymapEntry, metaSuffix: string): string | undefined {
  const key = original.toString("utf8");
  if (!Buffer.from(key, "utf8").equals(original)) return '"original" is not UTF-8';
  if (key.includes("\0")) return '"original" holds NUL';
  if (key.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return '"original" has an empty, `.` or `..` segment';
  }
  if (kind === "s3-leaf-data") {
    return encoded.endsWith(LEAF_DATA_SUFFIX) ? undefined : `"encoded" does not end in ${LEAF_DATA_SUFFIX}`;
  }
  if (kind === "meta-suffix-rename") {
    if (!key.endsWith(metaSuffix)) return `"original" does not end in ${metaSuffix}`;
    return encoded.endsWith(USER_DATA_SUFFIX) ? undefined : `"encoded" does not end in ${USER_DATA_SUFFIX}`;
  }
  return kind === "sha-fallback" ? undefined : `unknown kind "${kind}"`;
}
