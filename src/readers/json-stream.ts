/**
 * Reads a collection file element by element: one JSON object in which one member (`fields`, `items`, `members`) is an
 * array or object of any size. Only the element at hand is held in memory; the other members are kept whole.
 *
 * Element boundaries are found by counting brackets outside strings; each element's text then goes through the strict
 * parser. What lies between elements is checked here.
 */

import { JsonNumber, type JsonObject, JsonSyntaxError, type JsonValue, parseJson } from "../support/json.js";
import { behindSpace, isSpace, standsAt } from "../support/json-text.js";
import { FieldError } from "./json-access.js";
import { behindString } from "./packed-elements.js";

/** Longest text of one element; Redis holds no value above 512 MiB. Bytes. */
const MAX_ELEMENT_BYTES = 64 * 1024 * 1024;

/** All that stands beside the elements; the format has two numbers there. */
const MAX_REST_BYTES = 1024 * 1024;

/** Unless a taker says otherwise. */
const ELEMENTS_AT_ONCE = 4096;

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
  return yield* streamBatches(blocks, container, new ElementList());
}

/** Takes elements while they are found, and hands them out in batches. */
export interface ElementTaker<Batch> {
  /** Elements of this part of the text follow. */
  begin(text: Buffer): void;
  /** Takes the element of an array that begins there. The index behind it; -1, and nothing taken, where it has to be parsed. */
  take(at: number): number;
  /**
   * Takes elements of an array from there on, up to `most` since `begin`, of which it can be told without a look around
   * that they are whole. Where the next element begins.
   */
  takeRun(from: number, most: number): number;
  /** Gives up the element that was taken last. */
  untake(): void;
  /** Takes one that was parsed. */
  parsed(element: StreamedElement): void;
  /** How many were taken since `begin`. */
  readonly count: number;
  /** How many a batch may hold. */
  readonly most?: number;
  /** What was taken since `begin`. */
  batch(): Batch;
}

/** As `streamElements`, with what `taker` makes of the elements. A batch holds no more than it says. */
export async function* streamBatches<Batch>(
  blocks: AsyncIterable<Buffer>,
  container: string,
  taker: ElementTaker<Batch>,
): AsyncGenerator<Batch, JsonObject> {
  const scanner = new Scanner(blocks);
  try {
    return yield* objectElements(scanner, container, taker);
  } finally {
    await scanner.close();
  }
}

class ElementList implements ElementTaker<readonly StreamedElement[]> {
  #elements: StreamedElement[] = [];

  begin(): void {
    this.#elements = [];
  }

  take(): number {
    return -1;
  }

  takeRun(from: number): number {
    return from;
  }

  untake(): void {
    this.#elements.pop();
  }

  parsed(element: StreamedElement): void {
    this.#elements.push(element);
  }

  get count(): number {
    return this.#elements.length;
  }

  batch(): readonly StreamedElement[] {
    return this.#elements;
  }
}

/**
 * The same of a text that is in memory whole, without a wait: `taker` has the elements then. Only what is surely right:
 * undefined when anything about it is unusual, for whoever tells it to find out.
 */
export function elementsInMemory(
  text: Buffer,
  container: string,
  taker: ElementTaker<unknown>,
): JsonObject | undefined {
  const rest: JsonObject = new Map();
  let met = false;
  let at = behindSpace(text, 0);
  if (text[at] !== 0x7b) return undefined;
  do {
    at = behindSpace(text, at + 1);
    const end = behindString(text, at);
    if (end < 0) return undefined;
    const name = text.toString("utf8", at + 1, end - 1);
    at = behindSpace(text, end);
    if (text[at] !== 0x3a || rest.has(name) || (met && name === container)) return undefined;
    at = behindSpace(text, at + 1);
    if (name === container) {
      met = true;
      at = arrayInMemory(text, at, taker);
    } else at = memberInMemory(text, at, { rest, name });
    if (at < 0) return undefined;
    at = behindSpace(text, at);
  } while (text[at] === 0x2c);
  return met && text[at] === 0x7d && behindSpace(text, at + 1) === text.length ? rest : undefined;
}

/** The index behind the array; -1 when it is none, or not plain. */
function arrayInMemory(text: Buffer, from: number, taker: ElementTaker<unknown>): number {
  if (text[from] !== 0x5b) return -1;
  taker.begin(text);
  let at = behindSpace(text, from + 1);
  if (text[at] === 0x5d) return at + 1;
  for (;;) {
    at = taker.takeRun(at, taker.most ?? ELEMENTS_AT_ONCE);
    const end = taker.take(at);
    at = behindSpace(text, end >= 0 ? end : parsedInMemory(text, at, (value) => taker.parsed({ value })));
    if (text[at] === 0x5d) return at + 1;
    if (text[at] !== 0x2c) return -1;
    at = behindSpace(text, at + 1);
  }
}

const NULL = Buffer.from("null");

function memberInMemory(text: Buffer, at: number, { rest, name }: { rest: JsonObject; name: string }): number {
  if (text.length > MAX_REST_BYTES) return -1;
  if (standsAt(text, at, NULL)) {
    rest.set(name, null);
    return at + NULL.length;
  }
  if (isDigitAlone(text, at)) {
    rest.set(name, new JsonNumber(text.toString("latin1", at, at + 1)));
    return at + 1;
  }
  return parsedInMemory(text, at, (value) => rest.set(name, value));
}

/** As versions are. */
function isDigitAlone(text: Buffer, at: number): boolean {
  if (at + 1 >= text.length) return false;
  const [digit = 0, next] = [text[at], text[at + 1]];
  return digit >= 0x30 && digit <= 0x39 && (next === 0x2c || next === 0x7d);
}

/** The index behind the value; that of the text's end, where nothing is right, when it is none. */
function parsedInMemory(text: Buffer, at: number, take: (value: JsonValue) => void): number {
  const end = new ValueScan().endIn(text, at);
  if (end < 0) return text.length;
  try {
    take(parseJson(text.subarray(at, end)));
    return end;
  } catch {
    // What is wrong is found, and told with its place, by those who read it all.
    return text.length;
  }
}

async function* objectElements<Batch>(
  scanner: Scanner,
  container: string,
  taker: ElementTaker<Batch>,
): AsyncGenerator<Batch, JsonObject> {
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
        yield* containerElements(scanner, taker);
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

async function* containerElements<Batch>(scanner: Scanner, taker: ElementTaker<Batch>): AsyncGenerator<Batch> {
  if (await scanner.takes("[")) {
    if (await scanner.takes("]")) return;
    do {
      while (scanner.elementsAtHand(false, taker)) yield taker.batch();
      const value = parsePiece(await scanner.value());
      yield single({ value }, taker);
    } while (await scanner.takes(","));
    await scanner.expect("]");
  } else if (await scanner.takes("{")) {
    if (await scanner.takes("}")) return;
    do {
      while (scanner.elementsAtHand(true, taker)) yield taker.batch();
      const name = await scanner.name();
      await scanner.expect(":");
      const value = parsePiece(await scanner.value());
      yield single({ name, value }, taker);
    } while (await scanner.takes(","));
    await scanner.expect("}");
  } else if (parsePiece(await scanner.value()) !== null) {
    throw new FieldError("the collection is neither an array nor an object");
  }
}

function single<Batch>(element: StreamedElement, taker: ElementTaker<Batch>): Batch {
  taker.begin(NOTHING);
  taker.parsed(element);
  return taker.batch();
}

const NOTHING = Buffer.alloc(0);

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
   * Hands `taker` elements that lie in the buffer whole, their comma behind them: all that needs no waiting, which is
   * nearly all. The next element begins where this stops. False when there was none.
   */
  elementsAtHand(areNamed: boolean, taker: ElementTaker<unknown>): boolean {
    taker.begin(this.#buffer);
    const { most = ELEMENTS_AT_ONCE } = taker;
    while (taker.count < most) {
      if (!areNamed) this.#skip(taker.takeRun(this.#at, most) - this.#at);
      if (taker.count >= most) break;
      const start = this.#at;
      if (!areNamed && this.#taken(taker)) continue;
      const name = areNamed ? this.#pieceAtHand(0x3a) : undefined;
      const value = areNamed && name === undefined ? undefined : this.#pieceAtHand(0x2c);
      if (value === undefined) {
        this.#skip(start - this.#at);
        break;
      }
      try {
        taker.parsed(
          name === undefined ? { value: parsePiece(value) } : { name: nameIn(name), value: parsePiece(value) },
        );
      } catch (error) {
        // Those before it are handed out first: of two faults the first in the text is told, wherever blocks end.
        if (taker.count === 0) throw error;
        this.#skip(start - this.#at);
        break;
      }
    }
    return taker.count > 0;
  }

  /** Whether `taker` could take the element at hand, its comma behind it. */
  #taken(taker: ElementTaker<unknown>): boolean {
    const end = taker.take(behindSpace(this.#buffer, this.#at));
    if (end < 0) return false;
    const next = behindSpace(this.#buffer, end);
    if (this.#buffer[next] === 0x2c) {
      this.#skip(next + 1 - this.#at);
      return true;
    }
    taker.untake();
    return false;
  }

  /** The value at hand, when it is followed by `delimiter`. Steps behind that. */
  #pieceAtHand(delimiter: number): Piece | undefined {
    const start = behindSpace(this.#buffer, this.#at);
    const end = new ValueScan().endIn(this.#buffer, start);
    const next = end < 0 ? -1 : behindSpace(this.#buffer, end);
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
