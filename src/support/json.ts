/**
 * Strict JSON for text out of a dump, and for answers that are compared with it: fatal UTF-8, no BOM, no name twice in an object, no lone surrogates, bounded depth,
 * exactly one value, numbers kept as text. Objects are Maps, so `__proto__` is a name like any other.
 *
 * It works on bytes and decodes only names and string values.
 */
import { behindSpace } from "./json-text.js";

export class JsonNumber {
  /** The number as it stands in the text. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type JsonObject = Map<string, JsonValue>;
export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;

export type JsonFault =
  | "malformed-json"
  | "duplicate-key"
  | "bad-utf8"
  | "lone-surrogate"
  | "too-deep"
  | "too-many-values"
  | "byte-order-mark";

export class JsonSyntaxError extends Error {
  readonly reason: JsonFault;
  /** Byte offset in the text. */
  readonly offset: number;
  readonly #what: string;

  constructor(reason: JsonFault, what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.name = "JsonSyntaxError";
    this.reason = reason;
    this.offset = offset;
    this.#what = what;
  }

  /** The same fault for a reader whose text begins so many bytes before the one that was parsed. */
  movedBy(bytes: number): JsonSyntaxError {
    return new JsonSyntaxError(this.reason, this.#what, this.offset + bytes);
  }
}

/** An item of the 32 levels that DynamoDB takes has 66; what nests deeper than a target takes is that target's matter. */
const DEFAULT_DEPTH = 128;

/**
 * An item of 400 KB, the most that DynamoDB takes, has at most some 400,000. An empty object of three bytes takes over 200
 * in memory: without a limit, a line of the longest kind allowed would need many gigabytes.
 */
const MAX_VALUES = 2_000_000;

/**
 * Parses one JSON value that fills `bytes`, white space around it aside.
 * @throws JsonSyntaxError
 */
export function parseJson(bytes: Buffer, options: { readonly maxDepth?: number } = {}): JsonValue {
  const parser = new JsonParser(bytes, options.maxDepth ?? DEFAULT_DEPTH);
  return parser.document();
}

export interface LocatedJson {
  readonly value: JsonValue;
  /** Where the value of each member stands, when the value is an object: `[start, end)` in bytes. */
  readonly ranges: ReadonlyMap<string, readonly [start: number, end: number]>;
}

/** As `parseJson`, telling also where the members of the outermost object stand. @throws JsonSyntaxError */
export function parseLocated(bytes: Buffer): LocatedJson {
  const parser = new JsonParser(bytes, DEFAULT_DEPTH);
  return { value: parser.document(), ranges: parser.topLevelRanges };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<number, string>> = {
  34: '"',
  92: "\\",
  47: "/",
  98: "\b",
  102: "\f",
  110: "\n",
  114: "\r",
  116: "\t",
};
/** The same as bytes; 0 for what is no escape of one character. */
export const ESCAPED_BYTES = new Uint8Array(256);
for (const [kind, char] of Object.entries(ESCAPES)) ESCAPED_BYTES[Number(kind)] = char.charCodeAt(0);
const LONE_SURROGATE = /\p{Cs}/u;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class JsonParser {
  readonly topLevelRanges = new Map<string, readonly [number, number]>();
  readonly #bytes: Buffer;
  readonly #maxDepth: number;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer, maxDepth: number) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
  }

  document(): JsonValue {
    if (this.#bytes[0] === 0xef && this.#bytes[1] === 0xbb && this.#bytes[2] === 0xbf) {
      throw new JsonSyntaxError("byte-order-mark", "byte order mark", 0);
    }
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#bytes.length) throw this.#malformed("text after the value");
    return value;
  }

  #value(depth: number): JsonValue {
    if (++this.#values > MAX_VALUES) {
      throw new JsonSyntaxError("too-many-values", `more than ${MAX_VALUES} values`, this.#at);
    }
    const byte = this.#bytes[this.#at];
    switch (byte) {
      case QUOTE:
        return this.#string();
      case 0x7b:
        return this.#object(depth + 1);
      case 0x5b:
        return this.#array(depth + 1);
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const members: JsonObject = new Map();
    if (this.#closes(0x7d)) return members;
    for (;;) {
      this.#space();
      if (this.#bytes[this.#at] !== QUOTE) throw this.#malformed("a name was expected");
      const nameAt = this.#at;
      const name = this.#string();
      if (members.has(name)) throw new JsonSyntaxError("duplicate-key", "a name stands twice in an object", nameAt);
      this.#space();
      this.#expect(0x3a, "a colon");
      this.#space();
      const start = this.#at;
      members.set(name, this.#value(depth));
      if (depth === 1) this.topLevelRanges.set(name, [start, this.#at]);
      this.#space();
      if (this.#bytes[this.#at] === 0x2c) this.#at++;
      else {
        this.#expect(0x7d, "a comma or a closing brace");
        return members;
      }
    }
  }

  #array(depth: number): JsonValue[] {
    this.#enter(depth);
    const items: JsonValue[] = [];
    if (this.#closes(0x5d)) return items;
    for (;;) {
      this.#space();
      items.push(this.#value(depth));
      this.#space();
      if (this.#bytes[this.#at] === 0x2c) this.#at++;
      else {
        this.#expect(0x5d, "a comma or a closing bracket");
        return items;
      }
    }
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) {
      throw new JsonSyntaxError("too-deep", `nested deeper than ${this.#maxDepth} levels`, this.#at);
    }
    this.#at++;
  }

  #closes(byte: number): boolean {
    this.#space();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #string(): string {
    const bytes = this.#bytes;
    const start = ++this.#at;
    let ascii = true;
    for (let at = start; ; at++) {
      const byte = bytes[at];
      if (byte === undefined) throw this.#malformed("an unterminated string");
      if (byte === QUOTE) {
        this.#at = at + 1;
        return ascii ? bytes.toString("latin1", start, at) : this.#utf8(start, at);
      }
      if (byte === BACKSLASH) return this.#escapedString(start, at);
      if (byte < 0x20) {
        this.#at = at;
        throw this.#malformed("a control character in a string");
      }
      if (byte >= 0x80) ascii = false;
    }
  }

  #escapedString(start: number, firstEscape: number): string {
    return this.#simplyEscaped(start) ?? this.#anyEscaped(start, firstEscape);
  }

  /** A sound string whose escapes stand for one byte each: decoded at once. Undefined for all others, `at` as it was. */
  #simplyEscaped(start: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.#endOfSimple(start);
    if (end === undefined) return undefined;
    const plain = Buffer.allocUnsafe(end - start);
    let length = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      plain[length++] = byte === BACKSLASH ? (ESCAPED_BYTES[bytes[++at] ?? 0] ?? 0) : byte;
    }
    const text = plain.toString("utf8", 0, length);
    if (text.includes("\ufffd")) return undefined;
    this.#at = end + 1;
    return text;
  }

  /** Where the closing quote stands. */
  #endOfSimple(start: number): number | undefined {
    const bytes = this.#bytes;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) return at;
      if (byte < 0x20 || (byte === BACKSLASH && ESCAPED_BYTES[bytes[++at] ?? 0] === 0)) return undefined;
    }
    return undefined;
  }

  #anyEscaped(start: number, firstEscape: number): string {
    const bytes = this.#bytes;
    let text = this.#utf8(start, firstEscape);
    let at = firstEscape;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) throw this.#malformed("an unterminated string");
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.#at = at;
        text += this.#escape();
        at = this.#at;
        continue;
      }
      let end = at;
      for (let next = bytes[end]; next !== undefined && next >= 0x20 && next !== QUOTE && next !== BACKSLASH; ) {
        next = bytes[++end];
      }
      if (end === at) throw this.#malformed("a control character in a string");
      text += this.#utf8(at, end);
      at = end;
    }
    this.#at = at + 1;
    if (LONE_SURROGATE.test(text)) throw new JsonSyntaxError("lone-surrogate", "a lone surrogate", firstEscape);
    return text;
  }

  #escape(): string {
    const kind = this.#bytes[this.#at + 1];
    if (kind === 0x75) {
      const digits = this.#bytes.toString("latin1", this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#malformed("a bad \\u escape");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const char = kind === undefined ? undefined : ESCAPES[kind];
    if (char === undefined) throw this.#malformed("an unknown escape");
    this.#at += 2;
    return char;
  }

  #utf8(start: number, end: number): string {
    const text = this.#bytes.toString("utf8", start, end);
    // A replacement character may be the text's own; only then the bytes are compared.
    if (text.includes("\ufffd") && !Buffer.from(text, "utf8").equals(this.#bytes.subarray(start, end))) {
      throw new JsonSyntaxError("bad-utf8", "bytes that are not UTF-8", start);
    }
    return text;
  }

  #number(): JsonNumber {
    const end = Math.min(this.#bytes.length, this.#numberEnd());
    const text = this.#bytes.toString("latin1", this.#at, end);
    NUMBER.lastIndex = 0;
    if (NUMBER.exec(text)?.[0] !== text || text === "") throw this.#malformed("a value was expected");
    this.#at = end;
    return new JsonNumber(text);
  }

  #numberEnd(): number {
    let end = this.#at;
    for (let byte = this.#bytes[end]; byte !== undefined && isNumberByte(byte); ) byte = this.#bytes[++end];
    return end;
  }

  #word<T>(word: string, value: T): T {
    if (this.#bytes.toString("latin1", this.#at, this.#at + word.length) !== word)
      throw this.#malformed("a value was expected");
    this.#at += word.length;
    return value;
  }

  #expect(byte: number, what: string): void {
    if (this.#bytes[this.#at] !== byte) throw this.#malformed(`${what} was expected`);
    this.#at++;
  }

  #space(): void {
    this.#at = behindSpace(this.#bytes, this.#at);
  }

  #malformed(what: string): JsonSyntaxError {
    return new JsonSyntaxError("malformed-json", what, this.#at);
  }
}

function isNumberByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}
