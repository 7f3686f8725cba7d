/** A database's directories: which type a file is of, and under which names a key's files can stand. */
import { compareUtf8 } from "../support/byte-order.js";
import type { Catalogue } from "./catalogue.js";
import type { Keymap } from "./keymap.js";
import { decodeSegment, encodeSegment, fallbackSegment, isBarePart, isFallback } from "./segments.js";

const REDIS_DIRECTORIES = {
  hashes: ".json",
  hll: ".bin",
  lists: ".json",
  sets: ".json",
  streams: ".jsonl",
  strings: ".bin",
  zsets: ".json",
} as const;

export type RedisDirectory = keyof typeof REDIS_DIRECTORIES;

export const TTL_FILES = { strings: "strings_ttl.jsonl", hll: "hll_ttl.jsonl" } as const;

const DIRECTORIES = Object.keys(REDIS_DIRECTORIES) as RedisDirectory[];

export interface KeyFile {
  readonly directory: RedisDirectory;
  /** Without the extension. */
  readonly segment: string;
}

interface KeyFolder {
  readonly directory: RedisDirectory;
  /** The directory with its slash. */
  readonly start: string;
  readonly extension: string;
}

const FOLDERS: readonly KeyFolder[] = DIRECTORIES.map((directory) => {
  return { directory, start: `${directory}/`, extension: REDIS_DIRECTORIES[directory] };
});

/** Of the path that was asked for last: the next one is mostly of the same. */
let latest: KeyFolder | undefined;

/** Undefined for a file that is no key's. `from`: where in the path begins what is below the database's directory. */
export function keyFileOf(path: string, from: number): KeyFile | undefined {
  const folder = folderAt(path, from);
  if (folder === undefined) return undefined;
  const { directory, start, extension } = folder;
  const segment = from + start.length;
  if (!path.endsWith(extension) || path.includes("/", segment)) return undefined;
  return { directory, segment: path.slice(segment, -extension.length) };
}

/** The latest file of a key that was met in a longer text, without its name being cut out. */
export class MetKeyFile {
  directory: RedisDirectory = "strings";
  /** Of the segment in the text. */
  start = 0;
  end = 0;

  /**
   * Takes the path from `from` up to `to`, which is below the database's directory, when the file is a key's and named by
   * the key itself, as most are. False for all others, and for some whose name looks like a special form.
   */
  meet(text: string, from: number, to: number): boolean {
    const folder = folderAt(text, from);
    if (folder === undefined) return false;
    const { directory, start, extension } = folder;
    this.directory = directory;
    this.start = from + start.length;
    this.end = to - extension.length;
    return text.startsWith(extension, this.end) && this.start <= this.end && isBarePart(text, this.start, this.end);
  }
}

/** True for a path that only a key's file may have. */
export function isInKeyFolder(path: string, from: number): boolean {
  return folderAt(path, from) !== undefined;
}

function folderAt(path: string, from: number): KeyFolder | undefined {
  if (latest === undefined || !path.startsWith(latest.start, from)) {
    latest = FOLDERS.find(({ start }) => path.startsWith(start, from));
  }
  return latest;
}

/** @throws SegmentError, and Error when KEYMAP has no line for a fallback name (which `scopes` has ruled out) */
export function keyOf(segment: string, keymap: Keymap): Buffer {
  if (!isFallback(segment)) return decodeSegment(segment);
  const original = keymap.originalOf(segment);
  if (original === undefined) throw new Error(`no KEYMAP line for ${segment}`);
  return original;
}

const PLAIN_KEY_BYTES = 240;

/**
 * The first path in catalogue order at which the key of `path` stands, when that is before `path`: a key is one thing of
 * one type, whatever directories name it.
 */
export function earlierFileOf(
  file: KeyFile & { readonly key: Buffer; readonly path: string },
  where: { readonly catalogue: Catalogue; readonly prefix: string; readonly keymap: Keymap },
): string | undefined {
  const { catalogue, prefix } = where;
  const segments = segmentsOf(file, where.keymap);
  for (const directory of DIRECTORIES) {
    for (const segment of segments) {
      const candidate = `${prefix}${directory}/${segment}${REDIS_DIRECTORIES[directory]}`;
      if (candidate === file.path) return undefined;
      if (catalogue.find(candidate) !== undefined) return candidate;
    }
  }
  return undefined;
}

/** The names that a key can have, in bytewise order. */
function segmentsOf({ segment, key }: { segment: string; key: Buffer }, keymap: Keymap): string[] {
  if (isFallback(segment)) {
    return key.length > PLAIN_KEY_BYTES ? [segment] : [segment, encodeSegment(key)].sort(compareUtf8);
  }
  const fallback = keymap.size === 0 ? "" : fallbackSegment(key);
  return keymap.has(fallback) ? [segment, fallback].sort(compareUtf8) : [segment];
}
