/**
 * Reads a collection file element by element: one JSON object in which one member (`fields`, `items`, `members`) is an
 * array or object of any size. Only the element at hand is held in memory; the other members are kept whole.
 *
 * Element boundaries are found by counting brackets outside strings; each element's text then goes through the strict
 * parser. What lies between elements is checked here.
 */

import { type JsonObject, JsonSyntaxError, type JsonValue, parseJson } from "../support/json.js";
import { FieldError } from "./json-access.js";

/** Longest text of one element; Redis holds no value above 512 MiB. Bytes. */
const MAX_ELEMENT_BYTES = 64 * 1024 * 1024;

/** All that stands beside the elements; the format has two numbers there. */
const MAX_REST_BYTES = 1024 * 1024;

const ELEMENTS_AT_ONCE = 1000;

export interface StreamedElement {
  /** The name, where the container is an object. */
  readonly name?: string;
  readonly value: JsonValue;
}

export class LimitError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LimitError";
  }
}

/**
 * Yields the elements of member `container` in their order, some at a time; returns the other members when the text has
 * ended.
 * @throws JsonSyntaxError, FieldError, LimitError
 */
export async function* streamElements(
  blocks: AsyncIterable<Buffer>,
  container: string,
): AsyncGenerator<readonly StreamedElement[], JsonObject> {
  const scanner = new Scanner(blocks);
  try {
    return yield* objectElements(scanner, container);
  } finally {
    await scanner.close();
  }
}

async function* objectElements(
  scanner: Scanner,
  container: string,
): AsyncGenerator<readonly StreamedElement[], JsonObject> {
  const rest: JsonObject = new Map();
  let restBytes = 0;
  let met = false;
  await scanner.rejectByteOrderMark();
  await scanner.expect("{");
  if (!(await scanner.takes("}"))) {
    do {
      const name = await scanner.name();
      if (rest.has(name) || (met && name === container)) {
        throw new JsonSyntaxError("duplicate-key", "a name stands twice in an object", scanner.offset);
      }
      await scanner.expect(":");
      if (name === container) {
        met = true;
        yield* containerElements(scanner);
      } else {
        const value = await scanner.value();
        restBytes += name.length + value.text.length;
        if (restBytes > MAX_REST_BYTES) throw new LimitError(`more than ${MAX_REST_BYTES} bytes beside "${container}"`);
        rest.set(name, parsePiece(value));
      }
    } while (await scanner.takes(","));
    await scanner.expect("}");
  }
  await scanner.expectEnd();
  if (!met) throw new FieldError(`"${container}" is missing`);
  return rest;
}

async function* containerElements(scanner: Scanner): AsyncGenerator<readonly StreamedElement[]> {
  if (await scanner.takes("[")) {
    if (await scanner.takes("]")) return;
    do {
      yield scanner.elementsAtHand(false);
      yield [{ value: parsePiece(await scanner.value()) }];
    } while (await scanner.takes(","));
    await scanner.expect("]");
  } else if (await scanner.takes("{")) {
    if (await scanner.takes("}")) return;
    do {
      yield scanner.elementsAtHand(true);
      const name = await scanner.name();
      await scanner.expect(":");
      yield [{ name, value: parsePiece(await scanner.value()) }];
    } while (await scanner.takes(","));
    await scanner.expect("}");
  } else if (parsePiece(await scanner.value()) !== null) {
    throw new FieldError("the collection is neither an array nor an object");
  }
}

/** A part of the text, and where in it that begins. */
interface Piece {
  readonly text: Buffer;
  readonly offset: number;
}

/** @throws JsonSyntaxError, with its place in the whole text */
function parsePiece({ text, offset }: Piece): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof JsonSyntaxError ? error.movedBy(offset) : error;
  }
}

function nameIn(piece: Piece): string {
  const name = piece.text[0] === 0x22 ? parsePiece(piece) : undefined;
  if (typeof name !== "string") throw new JsonSyntaxError("malformed-json", "a name was expected", piece.offset);
  return name;
}

class Scanner {
  offset = 0;
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #ended = false;

  constructor(blocks: AsyncIterable<Buffer>) {
    this.#source = blocks[Symbol.asyncIterator]();
  }

  /** Gives up the source, which may hold a file open. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#source.return?.();
  }

  async rejectByteOrderMark(): Promise<void> {
    if ((await this.#peek()) === 0xef) throw new JsonSyntaxError("byte-order-mark", "byte order mark", 0);
  }

  async takes(char: string): Promise<boolean> {
    if ((await this.#nextToken()) !== char.charCodeAt(0)) return false;
    this.#skip(1);
    return true;
  }

  async expect(char: string): Promise<void> {
    if (!(await this.takes(char))) throw this.#malformed(`"${char}" was expected`);
  }

  async expectEnd(): Promise<void> {
    if ((await this.#nextToken()) !== undefined) throw this.#malformed("text after the value");
  }

  async name(): Promise<string> {
    return nameIn(await this.value());
  }

  /** The value that begins here, whole. */
  async value(): Promise<Piece> {
    await this.#nextToken();
    const scan = new ValueScan();
    for (let length = 0; ; ) {
      const end = scan.endIn(this.#buffer, this.#at + length);
      length = (end >= 0 ? end : this.#buffer.length) - this.#at;
      if (length > MAX_ELEMENT_BYTES) throw new LimitError(`an element is longer than ${MAX_ELEMENT_BYTES} bytes`);
      if (end >= 0) return this.#cut(length);
      if (!(await this.#more())) return this.#cut(length);
    }
  }

  /**
   * The elements that lie in the buffer whole, their comma behind them: all that needs no waiting, which is nearly all.
   * The next element begins where this stops.
   */
  elementsAtHand(areNamed: boolean): StreamedElement[] {
    const elements: StreamedElement[] = [];
    while (elements.length < ELEMENTS_AT_ONCE) {
      const start = this.#at;
      const name = areNamed ? this.#pieceAtHand(0x3a) : undefined;
      const value = areNamed && name === undefined ? undefined : this.#pieceAtHand(0x2c);
      if (value === undefined) {
        this.#skip(start - this.#at);
        return elements;
      }
      try {
        elements.push(
          name === undefined ? { value: parsePiece(value) } : { name: nameIn(name), value: parsePiece(value) },
        );
      } catch (error) {
        // Those before it are handed out first: of two faults the first in the text is told, wherever blocks end.
        if (elements.length === 0) throw error;
        this.#skip(start - this.#at);
        return elements;
      }
    }
    return elements;
  }

  /** The value at hand, when it is followed by `delimiter`. Steps behind that. */
  #pieceAtHand(delimiter: number): Piece | undefined {
    const start = skipSpace(this.#buffer, this.#at);
    const end = new ValueScan().endIn(this.#buffer, start);
    const next = end < 0 ? -1 : skipSpace(this.#buffer, end);
    if (next < 0 || this.#buffer[next] !== delimiter) return undefined;
    const piece = { text: this.#buffer.subarray(start, end), offset: this.offset + start - this.#at };
    this.#skip(next + 1 - this.#at);
    return piece;
  }

  #cut(length: number): Piece {
    const piece = { text: this.#buffer.subarray(this.#at, this.#at + length), offset: this.offset };
    this.#skip(length);
    return piece;
  }

  #skip(length: number): void {
    this.#at += length;
    this.offset += length;
  }

  async #nextToken(): Promise<number | undefined> {
    for (;;) {
      const byte = await this.#peek();
      if (!isSpace(byte)) return byte;
      this.#skip(1);
    }
  }

  async #peek(): Promise<number | undefined> {
    while (this.#at >= this.#buffer.length) if (!(await this.#more())) return undefined;
    return this.#buffer[this.#at];
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#source.next();
    if (next.done === true) {
      this.#ended = true;
      return false;
    }
    const left = this.#buffer.subarray(this.#at);
    this.#buffer = left.length === 0 ? next.value : Buffer.concat([left, next.value]);
    this.#at = 0;
    return true;
  }

  #malformed(what: string): JsonSyntaxError {
    return new JsonSyntaxError("malformed-json", what, this.offset);
  }
}

/** Finds a value's end by counting brackets outside strings. What lies between is the parser's matter. */
class ValueScan {
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  /** Index behind the value's last byte, or -1 when it goes on behind the buffer; asked again, it continues. */
  endIn(buffer: Buffer, from: number): number {
    for (let at = from; at < buffer.length; at++) {
      const byte = buffer[at];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === 0x5c) this.#isEscaped = true;
        else if (byte === 0x22) {
          this.#inString = false;
          if (this.#depth === 0) return at + 1;
        }
      } else if (byte === 0x22) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        if (this.#depth === 0) return at;
        if (--this.#depth === 0) return at + 1;
      } else if (this.#depth === 0 && (byte === 0x2c || byte === 0x3a || isSpace(byte))) return at;
    }
    return -1;
  }
}

function skipSpace(buffer: Buffer, from: number): number {
  let at = from;
  while (isSpace(buffer[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
