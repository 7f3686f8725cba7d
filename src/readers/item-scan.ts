/**
 * Checks a plain item in one pass over its bytes, without making its values, and finds its key.
 *
 * Plain is what items nearly always are: no escapes in names, types and keys, no `\u` escapes anywhere, no deep nesting.
 * The scan accepts nothing that the full reading (`readItem`) would not, and gives the same answer for what it accepts:
 * it follows the same grammar byte by byte, names without escapes are the same exactly when their bytes are, lone
 * surrogates need `\u`, and UTF-8 is asked of the whole text. All else it leaves to the full reading, faults included.
 */
import { isUtf8 } from "node:buffer";

import type { KeyAttribute, KeyType, TableSchema } from "../model/scope.js";
import { ESCAPED_BYTES } from "../support/json.js";
import { behindSpace, standsAt } from "../support/json-text.js";

/** A key attribute's value. */
export interface ScannedKey {
  /** The attribute's whole value, `{"S":"a"}`. */
  readonly raw: Buffer;
  /** What stands between the inner quotes: no escapes. */
  readonly value: string;
}

export interface ScannedItem {
  readonly hash: ScannedKey;
  readonly range?: ScannedKey;
}

/** Well within what the full reading allows in nesting and number of values. */
const MOST_BYTES = 1024 * 1024;
const MOST_DEPTH = 40;
/** Each name is compared with those before it. */
const MOST_NAMES = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const EQUALS = 0x3d;

const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");

/** By byte: 1 ends a run of plain characters in a string, 0 does not; 2 for those above ASCII. */
const STRING_BYTES = new Uint8Array(256).map((_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : byte >= 0x80 ? 2 : 0,
);
const BASE64_BYTES = new Uint8Array(256);
for (const byte of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
  BASE64_BYTES[byte] = 1;

/** By their letters' bytes, put together to one number. */
const TYPES = new Map(
  ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"].map((type) => [
    folded(Buffer.from(type), 0, type.length),
    type,
  ]),
);

interface Wanted {
  readonly name: Buffer;
  readonly type: KeyType;
}

export class ItemScanner {
  readonly #hash: Wanted;
  readonly #range: Wanted | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #depth = 0;
  /** A byte above ASCII was met. */
  #isWide = false;
  /** The last string: where it stands, and whether it had escapes. */
  #from = 0;
  #to = 0;
  #hadEscapes = false;
  /** Names of the objects that are open, one after another: where each starts and ends. */
  readonly #names: number[] = [];
  #hashKey: ScannedKey | undefined;
  #rangeKey: ScannedKey | undefined;

  constructor({ key }: TableSchema) {
    this.#hash = wanted(key.hash);
    this.#range = key.range === undefined ? undefined : wanted(key.range);
  }

  /** The key of an item that is plain and sound. `text`: without space around it. */
  scan(text: Buffer): ScannedItem | undefined {
    if (text.length > MOST_BYTES) return undefined;
    this.#bytes = text;
    this.#at = this.#depth = this.#names.length = 0;
    this.#isWide = false;
    this.#hashKey = this.#rangeKey = undefined;
    const isSound = this.#attributes(true) && this.#at === text.length && (!this.#isWide || isUtf8(text));
    const [hash, range] = [this.#hashKey, this.#rangeKey];
    if (!isSound || hash === undefined) return undefined;
    if (this.#range === undefined) return { hash };
    return range === undefined ? undefined : { hash, range };
  }

  /** An object of attributes: the item itself (`isItem`), or a map. */
  #attributes(isItem: boolean): boolean {
    if (++this.#depth > MOST_DEPTH || !this.#takes(OPEN)) return false;
    const firstName = this.#names.length;
    if (this.#takes(CLOSE)) return this.#closed(firstName);
    for (;;) {
      if (!this.#name(firstName)) return false;
      const [nameFrom, nameTo] = [this.#from, this.#to];
      if (!this.#takes(COLON)) return false;
      this.#space();
      const start = this.#at;
      if (!this.#attribute(isItem ? this.#wantedAt(nameFrom, nameTo) : undefined, start)) return false;
      if (this.#takes(COMMA)) continue;
      return this.#takes(CLOSE) && this.#closed(firstName);
    }
  }

  #closed(firstName: number): boolean {
    this.#names.length = firstName;
    this.#depth--;
    return true;
  }

  /** One that stands for the first time in its object. */
  #name(firstName: number): boolean {
    if (!this.#string() || this.#hadEscapes) return false;
    const names = this.#names;
    const [from, to] = [this.#from, this.#to];
    if (names.length - firstName >= 2 * MOST_NAMES) return false;
    for (let i = firstName; i < names.length; i += 2) {
      const other = names[i] ?? 0;
      if ((names[i + 1] ?? 0) - other === to - from && this.#areSame(other, from, to - from)) return false;
    }
    names.push(from, to);
    return true;
  }

  #areSame(one: number, other: number, length: number): boolean {
    for (let i = 0; i < length; i++) if (this.#bytes[one + i] !== this.#bytes[other + i]) return false;
    return true;
  }

  #wantedAt(from: number, to: number): Wanted | undefined {
    if (this.#isNamed(this.#hash, from, to)) return this.#hash;
    return this.#range !== undefined && this.#isNamed(this.#range, from, to) ? this.#range : undefined;
  }

  #isNamed({ name }: Wanted, from: number, to: number): boolean {
    return name.length === to - from && name.compare(this.#bytes, from, to) === 0;
  }

  /** `{"S":"a"}`: exactly one type and its value. */
  #attribute(key: Wanted | undefined, start: number): boolean {
    if (!this.#takes(OPEN) || !this.#string() || this.#hadEscapes) return false;
    const type = this.#to - this.#from > 4 ? undefined : TYPES.get(folded(this.#bytes, this.#from, this.#to));
    if (type === undefined || !this.#takes(COLON) || !this.#typed(type)) return false;
    const [from, to] = [this.#from, this.#to];
    if (!this.#takes(CLOSE)) return false;
    if (key === undefined) return true;
    if (key.type !== type || this.#hadEscapes) return false;
    const raw = this.#bytes.subarray(start, this.#at);
    const found = { raw, value: this.#bytes.toString("utf8", from, to) };
    if (key === this.#hash) this.#hashKey = found;
    else this.#rangeKey = found;
    return true;
  }

  #typed(type: string): boolean {
    switch (type) {
      case "S":
      case "N":
        return this.#string();
      case "B":
        return this.#base64();
      case "BOOL":
        return this.#word(TRUE) || this.#word(FALSE);
      case "NULL":
        return this.#word(TRUE);
      case "SS":
      case "NS":
        return this.#list("string");
      case "BS":
        return this.#list("base64");
      case "L":
        return this.#list("attribute");
      case "M":
        return this.#attributes(false);
      default:
        return false;
    }
  }

  #list(of: "string" | "base64" | "attribute"): boolean {
    if (++this.#depth > MOST_DEPTH || !this.#takes(OPEN_LIST)) return false;
    const isSound = this.#takes(CLOSE_LIST) || this.#members(of);
    this.#depth--;
    return isSound;
  }

  #members(of: "string" | "base64" | "attribute"): boolean {
    do {
      const isSound =
        of === "string" ? this.#string() : of === "base64" ? this.#base64() : this.#attribute(undefined, 0);
      if (!isSound) return false;
    } while (this.#takes(COMMA));
    return this.#takes(CLOSE_LIST);
  }

  /** A string, with white space before it. */
  #string(): boolean {
    if (!this.#takes(QUOTE)) return false;
    const bytes = this.#bytes;
    let at = this.#at;
    this.#from = at;
    this.#hadEscapes = false;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      const kind = STRING_BYTES[byte];
      if (kind === 0) continue;
      if (kind === 2) this.#isWide = true;
      else if (byte === QUOTE) {
        this.#to = at;
        this.#at = at + 1;
        return true;
      } else if (byte !== BACKSLASH || ESCAPED_BYTES[bytes[++at] ?? 0] === 0) return false;
      else this.#hadEscapes = true;
    }
    return false;
  }

  #base64(): boolean {
    if (!this.#string() || this.#hadEscapes) return false;
    const bytes = this.#bytes;
    const [from, to] = [this.#from, this.#to];
    if ((to - from) % 4 !== 0) return false;
    let end = to;
    if (end > from && bytes[end - 1] === EQUALS) end--;
    if (end > from && bytes[end - 1] === EQUALS) end--;
    for (let at = from; at < end; at++) if (BASE64_BYTES[bytes[at] ?? 0] !== 1) return false;
    return true;
  }

  /** A word, with white space before it. */
  #word(word: Buffer): boolean {
    this.#space();
    if (!standsAt(this.#bytes, this.#at, word)) return false;
    this.#at += word.length;
    return true;
  }

  /** Whether this byte comes next, white space aside; it is passed then. */
  #takes(byte: number): boolean {
    this.#space();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    this.#at = behindSpace(this.#bytes, this.#at);
  }
}

function folded(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum = sum * 256 + (bytes[at] ?? 0);
  return sum;
}

function wanted({ name, type }: KeyAttribute): Wanted {
  return { name: Buffer.from(name), type };
}
