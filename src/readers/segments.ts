/**
 * File name segments: bytes `A-Z a-z 0-9 . _ -` stand for themselves, every other byte is `%HH` in upper case. Names that
 * are too long, or look like a special form, are `<32 hex of sha256>__<encoded first 64 bytes>`; only a KEYMAP line knows
 * what they stood for.
 */
import { hash } from "node:crypto";
import { structuralError } from "./faults.js";

const ENCODED = /^(?:[A-Za-z0-9._-]|%[0-9A-F]{2})*$/;
/** Escapes of bytes that need one. */
const PLAIN = /^(?:[A-Za-z0-9._-]|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-F]))*$/;
const FALLBACK = /^[0-9a-f]{32}__/;
const FALLBACK_PREFIX_BYTES = 64;
/** Escapes of bytes that need none. */
const NEEDLESS = /%(?:2[DE]|3\d|[46][1-9A-F]|5[\dAF]|7[\dA])/;
const PERCENT = 0x25;
const UNRESERVED = /^[A-Za-z0-9._-]$/;
const BINARY = /^b64\.[A-Za-z0-9_-]*$/;
/** By byte. */
const ENCODED_BYTES = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return UNRESERVED.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});
export const MAX_SEGMENT_BYTES = 240;

export class SegmentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SegmentError";
  }
}

/** True for the form whose original only KEYMAP.jsonl holds. */
export function isFallback(segment: string): boolean {
  return FALLBACK.test(segment);
}

/** True for a segment that stands for its own bytes: all but a few do. */
export function isPlain(segment: string): boolean {
  return (
    segment.length <= MAX_SEGMENT_BYTES && PLAIN.test(segment) && !segment.startsWith("b64.") && !isFallback(segment)
  );
}

/** By code: it stands for itself. */
const BARE_CODES = Uint8Array.from({ length: 128 }, (_, code) => (UNRESERVED.test(String.fromCharCode(code)) ? 1 : 0));

/**
 * Of a part of a text, which need not be cut out: it is the key itself, letter by letter. False for some that look like a
 * special form.
 */
export function isBarePart(text: string, from: number, to: number): boolean {
  if (to - from > MAX_SEGMENT_BYTES || text.startsWith("b64.", from) || text.startsWith("__", from + 32)) return false;
  for (let at = from; at < to; at++) if (BARE_CODES[text.charCodeAt(at)] !== 1) return false;
  return true;
}

/**
 * The bytes that a plain segment stands for.
 * @throws SegmentError for lower-case hex, unescaped bytes and bytes that are escaped without need
 */
export function decodeSegment(segment: string): Buffer {
  if (isBarePart(segment, 0, segment.length)) return Buffer.from(segment, "latin1");
  if (!ENCODED.test(segment)) throw new SegmentError("it holds a byte that should be escaped as %HH in upper case");
  if (segment.length > MAX_SEGMENT_BYTES) throw new SegmentError(`it is longer than ${MAX_SEGMENT_BYTES} bytes`);
  if (segment.startsWith("b64.")) throw new SegmentError("it has the form of a binary key");
  if (!PLAIN.test(segment)) {
    throw new SegmentError(`it escapes ${NEEDLESS.exec(segment)?.[0]}, which stands for itself`);
  }
  const bytes = Buffer.allocUnsafe(segment.length);
  let length = 0;
  for (let at = 0; at < segment.length; at++) {
    const code = segment.charCodeAt(at);
    const isEscape = code === PERCENT;
    bytes[length++] = isEscape ? Number.parseInt(segment.slice(at + 1, at + 3), 16) : code;
    if (isEscape) at += 2;
  }
  return bytes.subarray(0, length);
}

export function encodeSegment(bytes: Buffer): string {
  let segment = "";
  for (const byte of bytes) segment += ENCODED_BYTES[byte];
  return segment;
}

/** The fallback form of a key. */
export function fallbackSegment(original: Buffer): string {
  const digest = hash("sha256", original).slice(0, 32);
  return `${digest}__${encodeSegment(original.subarray(0, FALLBACK_PREFIX_BYTES))}`;
}

/**
 * Any segment of the format, whatever it stands for: plain, fallback or binary.
 * @throws RestoreError NAME_INVALID
 */
export function assertSegment(path: string, segment: string): void {
  if (isPlain(segment) || BINARY.test(segment) || (isFallback(segment) && ENCODED.test(segment))) return;
  try {
    decodeSegment(segment);
  } catch (error) {
    if (error instanceof SegmentError) throw structuralError("NAME_INVALID", { path }, error.message);
    throw error;
  }
}
