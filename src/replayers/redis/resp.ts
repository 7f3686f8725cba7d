/**
 * The protocol's bytes (RESP2): commands into buffers that go to the socket as they are, replies out of blocks as they
 * come. One buffer holds many commands, and a reply that says no more than that a write was done takes no memory.
 */
import type { Packed } from "../../model/record.js";
import { standsAt } from "../../support/json-text.js";
import { replyError } from "./classify-error.js";

export interface Arguments {
  readonly args: readonly (string | Buffer)[];
  /** Further arguments, behind those. */
  readonly packed?: Packed;
}

export interface Command extends Arguments {
  /** Upper case. */
  readonly name: string;
  /** Still further ones, behind those. */
  readonly more?: readonly Arguments[];
  /** On a cluster, the node that owns this slot gets it, whatever keys it names. */
  readonly slot?: number;
}

/** Bulk and status replies are Buffers, integers numbers. An error reply, also inside an array, is an Error. */
export type Reply = Buffer | number | null | Error | readonly Reply[];

/** A value that is sent from its source block by block, as the argument at `index`. */
export interface StreamedArgument {
  readonly index: number;
  readonly size: number;
  readonly blocks: () => AsyncIterable<Buffer>;
}

const BUFFER_BYTES = 64 * 1024;
/** Arguments from here on are not copied. */
const LARGE_BYTES = 16 * 1024;
/** The longest header: a letter, the digits of a length, the line's end. */
const HEADER_BYTES = 24;
/** Below, a loop is faster than a call out of JavaScript. */
const LOOPED_BYTES = 24;
const [CR, LF, STAR, DOLLAR, PLUS, MINUS, COLON, ZERO] = [0x0d, 0x0a, 0x2a, 0x24, 0x2b, 0x2d, 0x3a, 0x30];

/** The buffers to write, in order. Arguments above some kilobytes are among them as they are. */
export function encodeCommands(commands: readonly Command[]): Buffer[] {
  const encoder = new Encoder();
  for (const command of commands) encoder.command(command);
  return encoder.finish();
}

/** A command whose argument at `index` follows by hand: what goes before its bytes, and what behind them. */
export function encodeAround(
  { name, args }: Command,
  { index, size }: { readonly index: number; readonly size: number },
): { readonly header: Buffer; readonly trailer: Buffer } {
  const before = new Encoder();
  before.begin(STAR, args.length + 2);
  before.argument(name);
  for (const each of args.slice(0, index)) before.argument(each);
  before.begin(DOLLAR, size);
  const after = new Encoder();
  after.lineEnd();
  for (const each of args.slice(index)) after.argument(each);
  return { header: Buffer.concat(before.finish()), trailer: Buffer.concat(after.finish()) };
}

class Encoder {
  readonly #full: Buffer[] = [];
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #at = 0;

  command(command: Command): void {
    const { name, more } = command;
    let count = 1 + argumentsIn(command);
    if (more !== undefined) for (const each of more) count += argumentsIn(each);
    this.begin(STAR, count);
    this.argument(name);
    this.#arguments(command);
    if (more !== undefined) for (const each of more) this.#arguments(each);
  }

  argument(arg: string | Buffer): void {
    if (typeof arg === "string") this.#text(arg);
    else this.#bytes(arg, 0, arg.length);
  }

  /** A header: a type and a number. */
  begin(type: number, value: number): void {
    this.#room(HEADER_BYTES);
    this.#at = header(this.#buffer, this.#at, type, value);
  }

  lineEnd(): void {
    this.#room(2);
    this.#buffer[this.#at++] = CR;
    this.#buffer[this.#at++] = LF;
  }

  finish(): Buffer[] {
    if (this.#at > 0) this.#full.push(this.#buffer.subarray(0, this.#at));
    return this.#full;
  }

  #arguments({ args, packed }: Arguments): void {
    for (const arg of args) this.argument(arg);
    if (packed === undefined) return;
    const { bytes, ranges } = packed;
    for (let i = 0; i + 1 < ranges.length; i += 2) this.#bytes(bytes, ranges[i] ?? 0, ranges[i + 1] ?? 0);
  }

  #bytes(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length >= LARGE_BYTES) {
      this.begin(DOLLAR, length);
      this.#full.push(this.#buffer.subarray(0, this.#at), bytes.subarray(start, end));
      this.#buffer = this.#buffer.subarray(this.#at);
      this.#at = 0;
      this.lineEnd();
      return;
    }
    this.#room(HEADER_BYTES + length + 2);
    const buffer = this.#buffer;
    let at = header(buffer, this.#at, DOLLAR, length);
    if (length > LOOPED_BYTES) at += bytes.copy(buffer, at, start, end);
    else for (let from = start; from < end; from++) buffer[at++] = bytes[from] ?? 0;
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#at = at;
  }

  #text(text: string): void {
    if (text.length > LOOPED_BYTES || !isAscii(text)) {
      const bytes = Buffer.from(text);
      this.#bytes(bytes, 0, bytes.length);
      return;
    }
    this.begin(DOLLAR, text.length);
    this.#room(text.length);
    for (let i = 0; i < text.length; i++) this.#buffer[this.#at++] = text.charCodeAt(i);
    this.lineEnd();
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    if (this.#at > 0) this.#full.push(this.#buffer.subarray(0, this.#at));
    this.#buffer = Buffer.allocUnsafe(Math.max(BUFFER_BYTES, bytes));
    this.#at = 0;
  }
}

export function argumentsIn({ args, packed }: Arguments): number {
  return args.length + (packed === undefined ? 0 : packed.ranges.length / 2);
}

/** Writes a type and a number. Behind its line's end. */
function header(buffer: Buffer, from: number, type: number, value: number): number {
  let digits = 1;
  for (let most = 10; most <= value; most *= 10) digits++;
  const end = from + 1 + digits;
  buffer[from] = type;
  for (let at = end - 1, rest = value; at > from; at--) {
    const quotient = Math.floor(rest / 10);
    buffer[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  buffer[end] = CR;
  buffer[end + 1] = LF;
  return end + 2;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

const OK = Buffer.from("OK");
const OK_LINE = Buffer.from("+OK\r\n");
const QUEUED = Buffer.from("QUEUED");
const NOTHING = Buffer.alloc(0);
/** No server nests deeper; one that did would be no Redis. */
const MAX_DEPTH = 32;

/** An array whose elements are still to come. */
interface Frame {
  readonly items: Reply[];
  left: number;
}

/** Puts replies together out of blocks that end anywhere. */
export class ReplyReader {
  readonly #take: (reply: Reply) => void;
  readonly #frames: Frame[] = [];
  #buffer: Buffer = NOTHING;
  #at = 0;
  /** Blocks that came while more than they hold is needed. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #needed = 0;

  /** `take` is called with each reply, in order. */
  constructor(take: (reply: Reply) => void) {
    this.#take = take;
  }

  /** @throws Error when the bytes are no replies */
  feed(block: Buffer): void {
    this.#held.push(block);
    this.#heldBytes += block.length;
    if (this.#heldBytes < this.#needed) return;
    this.#buffer = this.#held.length === 1 ? block : Buffer.concat(this.#held, this.#heldBytes);
    this.#at = 0;
    this.#readAll();
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer = NOTHING;
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
  }

  #readAll(): void {
    this.#needed = 0;
    const buffer = this.#buffer;
    while (this.#at < buffer.length) {
      // What a write is answered with, thousands of times a block.
      const isOk = standsAt(buffer, this.#at, OK_LINE);
      const reply = isOk ? OK : this.#next();
      if (isOk) this.#at += OK_LINE.length;
      if (reply === undefined) return;
      if (reply !== BEGUN) this.#hand(reply);
    }
  }

  /** A reply that is whole may be the last of its array, and that of its. */
  #hand(reply: Reply): void {
    let whole = reply;
    while (this.#frames.length > 0) {
      const frame = this.#frames[this.#frames.length - 1] as Frame;
      frame.items.push(whole);
      if (--frame.left > 0) return;
      this.#frames.pop();
      whole = frame.items;
    }
    this.#take(whole);
  }

  /** Undefined, and nothing read, when more bytes are needed. */
  #next(): Reply | typeof BEGUN | undefined {
    const buffer = this.#buffer;
    const start = this.#at + 1;
    const end = lineEnd(buffer, start);
    if (end < 0) {
      this.#needed = buffer.length - this.#at + 1;
      return undefined;
    }
    if (buffer[end + 1] !== LF) throw notOfThisProtocol();
    switch (buffer[this.#at]) {
      case PLUS:
        this.#at = end + 2;
        return standsAt(buffer, start, QUEUED) && end - start === QUEUED.length ? QUEUED : buffer.subarray(start, end);
      case COLON:
        this.#at = end + 2;
        return numberIn(buffer, start, end);
      case MINUS:
        this.#at = end + 2;
        return replyError(buffer.toString("utf8", start, end));
      case DOLLAR:
        return this.#bulk(numberIn(buffer, start, end), end + 2);
      case STAR:
        this.#at = end + 2;
        return this.#array(numberIn(buffer, start, end));
      default:
        throw notOfThisProtocol();
    }
  }

  #bulk(length: number, from: number): Buffer | null | undefined {
    if (length < 0) {
      this.#at = from;
      return null;
    }
    if (from + length + 2 > this.#buffer.length) {
      this.#needed = from + length + 2 - this.#at;
      return undefined;
    }
    this.#at = from + length + 2;
    return this.#buffer.subarray(from, from + length);
  }

  #array(length: number): Reply | typeof BEGUN {
    if (length < 0) return null;
    if (length === 0) return [];
    if (this.#frames.length >= MAX_DEPTH) throw new Error("the answer is nested too deep");
    this.#frames.push({ items: [], left: length });
    return BEGUN;
  }
}

/** An array has begun. */
const BEGUN = Symbol("begun");

/** Of the line's end, which has come whole; -1 when it has not. */
function lineEnd(buffer: Buffer, from: number): number {
  for (let at = from; at + 1 < buffer.length; at++) if (buffer[at] === CR) return at;
  return -1;
}

function numberIn(buffer: Buffer, start: number, end: number): number {
  const isNegative = buffer[start] === MINUS;
  let value = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at++) {
    const digit = (buffer[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) throw notOfThisProtocol();
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

function notOfThisProtocol(): Error {
  return new Error("the answer is none of this protocol");
}
