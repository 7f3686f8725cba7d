/**
 * KEYMAP.jsonl: the originals of names that a file name cannot hold. Lines can be over a megabyte and many: the file is
 * read once, and what it tells lies in the work directory.
 */
import type { Content } from "../model/record.js";
import { parseJson } from "../support/json.js";
import { structural, structuralError } from "./faults.js";
import { asObject, asString, decodeBase64Url, FieldError } from "./json-access.js";
import { lines, tooLong } from "./lines.js";
import { indexKey, type KeptBytes } from "./scope-indexes.js";

export interface KeymapEntry {
  readonly encoded: string;
  readonly original: Buffer;
  /** As it stands there; what is allowed depends on the adapter. */
  readonly kind: string;
}

export interface KeymapLoad {
  /** Takes the names; no other file's under the same path. */
  readonly names: KeptBytes;
  /** A name twice is an error; else the last line wins. */
  readonly unique: boolean;
  /** Shown each entry. May throw. */
  readonly check: (entry: KeymapEntry, line: number) => void;
}

export class Keymap {
  readonly #path: string;
  readonly #names: KeptBytes | undefined;
  #size = 0;

  private constructor(path: string, names: KeptBytes | undefined) {
    this.#path = path;
    this.#names = names;
  }

  static empty(path: string): Keymap {
    return new Keymap(path, undefined);
  }

  /** Reads and checks the whole file. @throws RestoreError KEYMAP_INVALID, LOCAL_IO, CHANGED_AFTER_CHECK */
  static async load(path: string, content: Content, { names, unique, check }: KeymapLoad): Promise<Keymap> {
    const keymap = new Keymap(path, names);
    for await (const { bytes, line } of lines(content.blocks())) {
      if (bytes === undefined) throw structuralError("KEYMAP_INVALID", { path, line }, tooLong());
      const entry = structural("KEYMAP_INVALID", { path, line }, () => parseEntry(bytes));
      check(entry, line);
      if (names.set(indexKey(path, entry.encoded), entry.original)) keymap.#size++;
      else if (unique) throw structuralError("KEYMAP_INVALID", { path, line }, `"${entry.encoded}" stands twice`);
    }
    return keymap;
  }

  /** Different names. */
  get size(): number {
    return this.#size;
  }

  has(encoded: string): boolean {
    return this.#size > 0 && this.#names?.has(indexKey(this.#path, encoded)) === true;
  }

  /** @throws RestoreError LOCAL_IO */
  originalOf(encoded: string): Buffer | undefined {
    return this.#size === 0 ? undefined : this.#names?.get(indexKey(this.#path, encoded));
  }
}

function parseEntry(bytes: Buffer): KeymapEntry {
  const object = asObject(parseJson(bytes), "the line");
  const kind = asString(object.get("kind"), '"kind"');
  const encoded = asString(object.get("encoded"), '"encoded"');
  if (encoded === "" || kind === "") throw new FieldError('"encoded" or "kind" is empty');
  return { encoded, original: decodeBase64Url(asString(object.get("original"), '"original"'), '"original"'), kind };
}
