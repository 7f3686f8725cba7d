/**
 * Elements of collections as ranges of the text that they stand in. Nearly all strings of a dump stand there as they are,
 * without an escape: then their bytes need no copy, and no value of JSON is made of them.
 *
 * What is not plain (escapes, base64, members in another order, numbers beyond fifteen digits) is left to the strict
 * parser, and so is every fault, which is told by that one alone: here it is enough to know what is surely right.
 */
import { isUtf8 } from "node:buffer";

import type { CollectionType, Packed } from "../model/record.js";
import { behindSpace, isSpace, standsAt } from "../support/json-text.js";

const QUOTE = 0x22;
const [BACKSLASH, COLON, COMMA, OPEN, CLOSE, MINUS, DOT] = [0x5c, 0x3a, 0x2c, 0x7b, 0x7d, 0x2d, 0x2e];
/** A double keeps as many decimal digits, whatever they are. */
const SURE_DIGITS = 15;

const [NAME, VALUE, MEMBER, SCORE] = ["name", "value", "member", "score"].map((name) => Buffer.from(`"${name}"`)) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

/** How the elements of objects stand there mostly, between and around their values. */
const [FIELD_OPEN, FIELD_INNER, SCORED_OPEN, SCORED_INNER] = [
  '{"name":"',
  '","value":"',
  '{"member":"',
  '","score":',
].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer];

/**
 * Behind the closing quote of a string without escapes that begins at `at`; -1 when there is none. `isText`: its bytes
 * are known to be UTF-8.
 */
export function behindString(text: Buffer, at: number, isText = false): number {
  if (at >= text.length || text[at] !== QUOTE) return -1;
  const end = endOfString(text, at + 1, isText);
  return end < 0 ? -1 : end + 1;
}

/** As `behindString`, from the first character up to the closing quote. */
function endOfString(text: Buffer, from: number, isText: boolean): number {
  const { length } = text;
  let high = 0;
  for (let at = from; at < length; at++) {
    const byte = text[at] ?? 0;
    if (byte === QUOTE) return high < 0x80 || isText || isUtf8(text.subarray(from, at)) ? at : -1;
    if (byte < 0x20 || byte === BACKSLASH) return -1;
    high |= byte;
  }
  return -1;
}

/** Behind `word` and one colon with the space around it; -1 when something else stands there. */
export function behindName(text: Buffer, at: number, word: Buffer): number {
  if (!standsAt(text, at, word)) return -1;
  const colon = behindSpace(text, at + word.length);
  return text[colon] === COLON ? behindSpace(text, colon + 1) : -1;
}

/** As `behindName`, of a name behind the bracket or the comma at `at`. Mostly no space stands round it. */
function behindMember(text: Buffer, at: number, word: Buffer): number {
  const colon = at + 1 + word.length;
  if (colon + 1 >= text.length || text[colon] !== COLON || isSpace(text[colon + 1]))
    return behindName(text, behindSpace(text, at + 1), word);
  return standsAt(text, at + 1, word) ? colon + 1 : -1;
}

/** Behind a number that a double surely is; -1 for any other. */
function behindScore(text: Buffer, at: number): number {
  const first = byteAt(text, at) === MINUS ? at + 1 : at;
  const dot = behindDigits(text, first);
  if (dot === first || (text[first] === 0x30 && dot > first + 1)) return -1;
  const end = byteAt(text, dot) === DOT ? behindDigits(text, dot + 1) : dot;
  if (end === dot + 1 || end - first > SURE_DIGITS) return -1;
  const next = byteAt(text, end);
  return next === COMMA || next === CLOSE || behindSpace(text, end) > end ? end : -1;
}

/** Asks for none behind the last one, for which compiled code would have to be thrown away. */
function byteAt(text: Buffer, at: number): number | undefined {
  return at < text.length ? text[at] : undefined;
}

export function behindDigits(text: Buffer, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const byte = text[at] ?? 0;
    if (byte < 0x30 || byte > 0x39) break;
  }
  return at;
}

function isComma(text: Buffer, at: number): boolean {
  return at < text.length && text[at] === COMMA;
}

/** Whether an element's object ends there, and another one follows. */
function isLast(text: Buffer, at: number): boolean {
  return at + 1 < text.length && text[at] === CLOSE && text[at + 1] === COMMA;
}

/** From here on, one look at the whole text is less than one at each of its strings. */
const LONG_BYTES = 16 * 1024;

/** Whether all strings of the text are UTF-8, as far as they lie in it whole. False where that takes a look at each. */
function isAllText(text: Buffer): boolean {
  return text.length >= LONG_BYTES && isUtf8(text.subarray(0, text.lastIndexOf(QUOTE) + 1));
}

/** How elements of a type are taken in a run. */
interface Compact {
  /** Arguments of an element. */
  readonly width: number;
  /**
   * Puts where the arguments of the element at `at` lie into `ranges`, from `used` on, which have room. The index behind its
   * comma; -1 when it is not plain, or has space in it, or no comma behind it.
   */
  readonly step: (text: Buffer, at: number, isText: boolean, ranges: Uint32Array, used: number) => number;
}

const STRINGS: Compact = {
  width: 1,
  step(text, at, isText, ranges, used) {
    if (at >= text.length || text[at] !== QUOTE) return -1;
    const end = endOfString(text, at + 1, isText);
    if (end < 0 || !isComma(text, end + 1)) return -1;
    ranges[used] = at + 1;
    ranges[used + 1] = end;
    return end + 2;
  },
};

const COMPACT: Record<CollectionType, Compact> = {
  list: STRINGS,
  set: STRINGS,
  hash: {
    width: 2,
    step(text, at, isText, ranges, used) {
      if (!standsAt(text, at, FIELD_OPEN)) return -1;
      const name = at + FIELD_OPEN.length;
      const nameEnd = endOfString(text, name, isText);
      if (nameEnd < 0 || !standsAt(text, nameEnd, FIELD_INNER)) return -1;
      const value = nameEnd + FIELD_INNER.length;
      const valueEnd = endOfString(text, value, isText);
      if (valueEnd < 0 || !isLast(text, valueEnd + 1)) return -1;
      ranges[used] = name;
      ranges[used + 1] = nameEnd;
      ranges[used + 2] = value;
      ranges[used + 3] = valueEnd;
      return valueEnd + 3;
    },
  },
  zset: {
    width: 2,
    step(text, at, isText, ranges, used) {
      if (!standsAt(text, at, SCORED_OPEN)) return -1;
      const member = at + SCORED_OPEN.length;
      const memberEnd = endOfString(text, member, isText);
      if (memberEnd < 0 || !standsAt(text, memberEnd, SCORED_INNER)) return -1;
      const score = memberEnd + SCORED_INNER.length;
      const scoreEnd = behindScore(text, score);
      if (scoreEnd < 0 || !isLast(text, scoreEnd)) return -1;
      ranges[used] = score;
      ranges[used + 1] = scoreEnd;
      ranges[used + 2] = member;
      ranges[used + 3] = memberEnd;
      return scoreEnd + 2;
    },
  },
};

/** Gathers the arguments of elements, in the order in which their command takes them. */
export class PackedElements {
  readonly #plain: (text: Buffer, at: number) => number;
  readonly #compact: Compact;
  #ranges = new Uint32Array(64);
  #used = 0;
  #text: Buffer = Buffer.alloc(0);
  #isText = false;
  #others: Buffer[] = [];
  #otherBytes = 0;
  #bytes = 0;
  #count = 0;

  constructor(type: CollectionType) {
    this.#compact = COMPACT[type];
    this.#plain =
      type === "hash"
        ? (text, at) => this.#field(text, at)
        : type === "zset"
          ? (text, at) => this.#scored(text, at)
          : (text, at) => this.#string(text, at);
  }

  /** Elements of `text` follow. Those before are forgotten. */
  begin(text: Buffer): void {
    if (text !== this.#text) this.#isText = isAllText(text);
    this.#text = text;
    this.#used = this.#otherBytes = this.#bytes = this.#count = 0;
    this.#others = [];
  }

  get count(): number {
    return this.#count;
  }

  /** Of all arguments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the element that begins at `at`. The index behind it; -1, and nothing taken, when it is not plain or not whole. */
  take(at: number): number {
    const end = this.#plain(this.#text, at);
    if (end >= 0) this.#count++;
    return end;
  }

  /**
   * Takes elements from there on that are plain and have a comma behind them, without space, until there are `most`. The
   * index behind the last comma; `from` when there was none.
   */
  takeRun(from: number, most: number): number {
    const [text, isText, { width, step }] = [this.#text, this.#isText, this.#compact];
    const ranges = this.#roomFor(width * (most - this.#count));
    const first = this.#used;
    let used = first;
    let behind = from;
    for (let left = most - this.#count; left > 0; left--) {
      const end = step(text, behind, isText, ranges, used);
      if (end < 0) break;
      used += 2 * width;
      behind = end;
    }
    for (let at = first; at < used; at += 2) this.#bytes += (ranges[at + 1] ?? 0) - (ranges[at] ?? 0);
    this.#used = used;
    this.#count += (used - first) / (2 * width);
    return behind;
  }

  /** Gives up the element that was taken last, which has `width` arguments. */
  untake(width: number): void {
    for (let i = 0; i < width; i++) {
      this.#used -= 2;
      this.#bytes -= (this.#ranges[this.#used + 1] ?? 0) - (this.#ranges[this.#used] ?? 0);
    }
    this.#count--;
  }

  /** Takes an element that had to be parsed. */
  add(element: readonly Buffer[]): void {
    for (const argument of element) {
      const start = this.#text.length + this.#otherBytes;
      this.#others.push(argument);
      this.#otherBytes += argument.length;
      this.#push(start, start + argument.length);
    }
    this.#count++;
  }

  /** What was taken since `begin`. */
  packed(): Packed {
    const { bytes, ranges } = this.passing();
    return { bytes, ranges: ranges.slice() };
  }

  /** The same without a copy: good until the next `begin`. */
  passing(): Packed {
    const bytes = this.#others.length === 0 ? this.#text : Buffer.concat([this.#text, ...this.#others]);
    return { bytes, ranges: this.#ranges.subarray(0, this.#used) };
  }

  #string(text: Buffer, at: number): number {
    const end = behindString(text, at, this.#isText);
    if (end >= 0) this.#push(at + 1, end - 1);
    return end;
  }

  #field(text: Buffer, at: number): number {
    if (text[at] !== OPEN) return -1;
    const name = behindMember(text, at, NAME);
    const nameEnd = name < 0 ? -1 : behindString(text, name, this.#isText);
    const comma = nameEnd < 0 ? -1 : behindSpace(text, nameEnd);
    if (comma < 0 || text[comma] !== COMMA) return -1;
    const value = behindMember(text, comma, VALUE);
    const valueEnd = value < 0 ? -1 : behindString(text, value, this.#isText);
    const close = valueEnd < 0 ? -1 : behindSpace(text, valueEnd);
    if (close < 0 || text[close] !== CLOSE) return -1;
    this.#push(name + 1, nameEnd - 1);
    this.#push(value + 1, valueEnd - 1);
    return close + 1;
  }

  #scored(text: Buffer, at: number): number {
    if (text[at] !== OPEN) return -1;
    const member = behindMember(text, at, MEMBER);
    const memberEnd = member < 0 ? -1 : behindString(text, member, this.#isText);
    const comma = memberEnd < 0 ? -1 : behindSpace(text, memberEnd);
    if (comma < 0 || text[comma] !== COMMA) return -1;
    const score = behindMember(text, comma, SCORE);
    const scoreEnd = score < 0 ? -1 : behindScore(text, score);
    const close = scoreEnd < 0 ? -1 : behindSpace(text, scoreEnd);
    if (close < 0 || text[close] !== CLOSE) return -1;
    this.#push(score, scoreEnd);
    this.#push(member + 1, memberEnd - 1);
    return close + 1;
  }

  #roomFor(ranges: number): Uint32Array {
    const needed = this.#used + 2 * ranges;
    if (needed > this.#ranges.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * this.#ranges.length));
      larger.set(this.#ranges.subarray(0, this.#used));
      this.#ranges = larger;
    }
    return this.#ranges;
  }

  /** Takes an argument that belongs to no element. */
  range(start: number, end: number): void {
    this.#push(start, end);
  }

  #push(start: number, end: number): void {
    const ranges = this.#roomFor(1);
    ranges[this.#used++] = start;
    ranges[this.#used++] = end;
    this.#bytes += end - start;
  }
}

/** Elements of so many arguments each. */
export function unpacked({ bytes, ranges }: Packed, width: number): Buffer[][] {
  const elements: Buffer[][] = [];
  for (let at = 0; at < ranges.length; ) {
    const element: Buffer[] = [];
    for (let i = 0; i < width; i++, at += 2) element.push(bytes.subarray(ranges[at], ranges[at + 1]));
    elements.push(element);
  }
  return elements;
}
