/**
 * KEYMAP.jsonl: the originals of names that a file name cannot hold. Lines can be over a megabyte and many, so only
 * where each line stands is kept; the line is read again when its name is asked for.
 */
import type { Content } from "../model/record.js";
import { FingerprintMap } from "../support/fingerprints.js";
import { parseJson } from "../support/json.js";
import { structural, structuralError } from "./faults.js";
import { asObject, asString, decodeBase64Url, FieldError } from "./json-access.js";
import { lines } from "./lines.js";

const BLOCK = 1024 * 1024;
const BLOCKS_KEPT = 16;

export interface KeymapEntry {
  readonly encoded: string;
  readonly original: Buffer;
  /** As it stands there; what is allowed depends on the adapter. */
  readonly kind: string;
}

export class Keymap {
  readonly #path: string;
  readonly #content: Content | undefined;
  readonly #offsets = new FingerprintMap();
  readonly #blocks = new Map<number, Buffer>();

  private constructor(path: string, content: Content | undefined) {
    this.#path = path;
    this.#content = content;
  }

  static empty(path: string): Keymap {
    return new Keymap(path, undefined);
  }

  /**
   * Reads and checks the whole file, showing each entry to `check`. With `unique`, a name twice is an error; else the
   * last line wins. @throws RestoreError KEYMAP_INVALID
   */
  static async load(
    path: string,
    content: Content,
    options: { readonly unique: boolean; readonly check: (entry: KeymapEntry, line: number) => void },
  ): Promise<Keymap> {
    const keymap = new Keymap(path, content);
    for await (const { bytes, line, start } of lines(content.blocks())) {
      if (bytes === undefined) throw structuralError("KEYMAP_INVALID", { path, line }, "the line is too long");
      const entry = structural("KEYMAP_INVALID", { path, line }, () => parseEntry(bytes));
      options.check(entry, line);
      const before = keymap.#offsets.set(entry.encoded, start);
      if (before !== undefined && options.unique) {
        throw structuralError("KEYMAP_INVALID", { path, line }, `"${entry.encoded}" stands twice`);
      }
    }
    return keymap;
  }

  get size(): number {
    return this.#offsets.size;
  }

  has(encoded: string): boolean {
    return this.#offsets.get(encoded) !== undefined;
  }

  /** Reads the line again. @throws RestoreError CHANGED_AFTER_CHECK */
  async find(encoded: string): Promise<KeymapEntry | undefined> {
    const start = this.#offsets.get(encoded);
    if (start === undefined || this.#content === undefined) return undefined;
    for await (const { bytes } of lines(this.#blocksFrom(this.#content, start))) {
      if (bytes !== undefined) return structural("KEYMAP_INVALID", { path: this.#path }, () => parseEntry(bytes));
    }
    return undefined;
  }

  /** Names are asked for in another order than that of the lines: recent blocks are kept. */
  async *#blocksFrom(content: Content, start: number): AsyncGenerator<Buffer> {
    for (let at = start - (start % BLOCK); at < content.size; at += BLOCK) {
      const block = this.#blocks.get(at) ?? (await readBlock(content, at));
      this.#blocks.delete(at);
      this.#blocks.set(at, block);
      if (this.#blocks.size > BLOCKS_KEPT) this.#blocks.delete(this.#blocks.keys().next().value ?? at);
      yield at < start ? block.subarray(start - at) : block;
    }
  }
}

async function readBlock(content: Content, start: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content.blocks({ start, end: Math.min(start + BLOCK, content.size) })) parts.push(part);
  return Buffer.concat(parts);
}

function parseEntry(bytes: Buffer): KeymapEntry {
  const object = asObject(parseJson(bytes), "the line");
  const kind = asString(object.get("kind"), '"kind"');
  const encoded = asString(object.get("encoded"), '"encoded"');
  if (encoded === "" || kind === "") throw new FieldError('"encoded" or "kind" is empty');
  return { encoded, original: decodeBase64Url(asString(object.get("original"), '"original"'), '"original"'), kind };
}
