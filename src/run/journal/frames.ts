/**
 * Frames: how entries stand in a segment file, so that reading it again finds exactly a beginning of what was written.
 *
 * A segment is a header and frames. A frame is 20 bytes and a payload:
 * magic, payload length, durable (how many bytes of this segment were known to be on disk when it was written), the
 * CRC-32 of the frame before, and a CRC-32 over all of this; little endian, 4 bytes each.
 *
 * A crash or power loss may leave the end torn, missing or out of order: reading stops at the first frame that does not
 * follow the one before, and the rest is cut off. If a frame further on shows that the broken place was on disk once,
 * it is no torn end but damage, and cutting would lose what was promised to be kept.
 */
import { crc32 } from "node:zlib";
import { RestoreError } from "../../errors/restore-error.js";

const MAGIC = 0x4a56_4b45;
const FRAME_HEADER_BYTES = 20;
/** No entry is as long: a length beyond it is read as damage. */
const LONGEST_PAYLOAD_BYTES = 256 * 1024 * 1024;

export const FORMAT_VERSION = 1;
const SEGMENT_MAGIC = Buffer.from("elastickv-restore journal\n");
export const SEGMENT_HEADER_BYTES = SEGMENT_MAGIC.length + 8;

/** A segment's first bytes. `seed` makes frames of other segments and jobs strangers here. */
export function segmentHeader(seed: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, SEGMENT_MAGIC.length);
  header.writeUInt32LE(seed >>> 0, SEGMENT_MAGIC.length + 4);
  return header;
}

export type SegmentHeader =
  | { readonly kind: "torn" | "foreign" }
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "ok"; readonly seed: number };

export function readSegmentHeader(bytes: Buffer): SegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES) return { kind: "torn" };
  if (!bytes.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC)) {
    // A header that was never written to disk reads as zeros.
    return { kind: bytes.subarray(0, SEGMENT_MAGIC.length).every((byte) => byte === 0) ? "torn" : "foreign" };
  }
  const version = bytes.readUInt32LE(SEGMENT_MAGIC.length);
  if (version !== FORMAT_VERSION) return { kind: "version", version };
  return { kind: "ok", seed: bytes.readUInt32LE(SEGMENT_MAGIC.length + 4) };
}

export interface EncodedFrame {
  readonly bytes: Buffer;
  /** Goes into the next frame. */
  readonly crc: number;
}

export function encodeFrame(
  payload: Buffer,
  { durable, previous }: { durable: number; previous: number },
): EncodedFrame {
  if (payload.length > LONGEST_PAYLOAD_BYTES) {
    throw new RestoreError("INTERNAL", `an entry of ${payload.length} bytes is too long for a journal`, {
      retry: "fatal",
    });
  }
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt32LE(durable, 8);
  header.writeUInt32LE(previous >>> 0, 12);
  const crc = crcOf(header, payload);
  header.writeUInt32LE(crc, 16);
  return { bytes: Buffer.concat([header, payload]), crc };
}

export interface ScannedSegment {
  readonly payloads: readonly Buffer[];
  /** Where the frames end that can be used; what stands behind is to be cut off. */
  readonly end: number;
  /** Goes into the next frame. */
  readonly crc: number;
  /** A broken place that had been on disk once: offset of the frame. */
  readonly damagedAt?: number;
}

/** Reads the frames behind a segment's header. `seed`: the header's. */
export function scanFrames(bytes: Buffer, seed: number): ScannedSegment {
  const payloads: Buffer[] = [];
  let at = SEGMENT_HEADER_BYTES;
  let previous = seed;
  for (;;) {
    const frame = frameAt(bytes, at);
    if (frame === undefined || frame.previous !== previous) break;
    payloads.push(frame.payload);
    previous = frame.crc;
    at = frame.end;
  }
  const scanned = { payloads, end: at, crc: previous };
  return hasDurableFrame(bytes, at) ? { ...scanned, damagedAt: at } : scanned;
}

/** Whether a whole frame behind `broken` says that everything up to and beyond `broken` was on disk. */
export function hasDurableFrame(bytes: Buffer, broken: number): boolean {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = bytes.indexOf(magic, broken + 1); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    const frame = frameAt(bytes, at);
    if (frame !== undefined && frame.durable > broken) return true;
  }
  return false;
}

interface Frame {
  readonly payload: Buffer;
  readonly durable: number;
  readonly previous: number;
  readonly crc: number;
  readonly end: number;
}

/** The frame at an offset, if a whole one stands there. */
function frameAt(bytes: Buffer, at: number): Frame | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  const end = at + FRAME_HEADER_BYTES + length;
  if (length > LONGEST_PAYLOAD_BYTES || end > bytes.length) return undefined;
  const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end);
  const crc = bytes.readUInt32LE(at + 16);
  if (crcOf(bytes.subarray(at, at + FRAME_HEADER_BYTES), payload) !== crc) return undefined;
  return { payload, durable: bytes.readUInt32LE(at + 8), previous: bytes.readUInt32LE(at + 12), crc, end };
}

/** Over the header's first 16 bytes and the payload. */
function crcOf(header: Buffer, payload: Buffer): number {
  return crc32(payload, crc32(header.subarray(0, 16)));
}
