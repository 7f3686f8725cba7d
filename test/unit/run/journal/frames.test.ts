import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  FORMAT_VERSION,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  scanFrames,
  segmentHeader,
} from "../../../../src/run/journal/frames.js";

const SEED = 4_000_000_000;
const LONGEST = 256 * 1024 * 1024;
const texts = (payloads: readonly Buffer[]) => payloads.map(String);

/** A segment: each group of payloads was written, and synced, after the one before. */
function segment(...groups: string[][]): { bytes: Buffer; starts: number[] } {
  let bytes = segmentHeader(SEED);
  let previous = SEED;
  const starts: number[] = [];
  for (const group of groups) {
    const durable = bytes.length;
    for (const text of group) {
      starts.push(bytes.length);
      const frame = encodeFrame(Buffer.from(text), { durable, previous });
      previous = frame.crc;
      bytes = Buffer.concat([bytes, frame.bytes]);
    }
  }
  return { bytes, starts };
}

describe("a segment's header", () => {
  it("is read as it was written", () => {
    expect(readSegmentHeader(segmentHeader(SEED))).toEqual({ kind: "ok", seed: SEED });
    expect(segmentHeader(SEED)).toHaveLength(SEGMENT_HEADER_BYTES);
  });

  it("is torn where it is short or was never written", () => {
    expect(readSegmentHeader(segmentHeader(1).subarray(0, -1))).toEqual({ kind: "torn" });
    expect(readSegmentHeader(Buffer.alloc(600))).toEqual({ kind: "torn" });
  });

  it("tells other versions and other files", () => {
    const header = segmentHeader(1);
    header.writeUInt32LE(FORMAT_VERSION + 1, SEGMENT_HEADER_BYTES - 8);
    expect(readSegmentHeader(header)).toEqual({ kind: "version", version: FORMAT_VERSION + 1 });
    expect(readSegmentHeader(Buffer.alloc(600, "x"))).toEqual({ kind: "foreign" });
    expect(readSegmentHeader(Buffer.concat([Buffer.alloc(300), Buffer.alloc(300, "x")]))).toEqual({ kind: "torn" });
    expect(readSegmentHeader(Buffer.concat([Buffer.alloc(9), Buffer.alloc(600, "x")]))).toEqual({ kind: "foreign" });
  });
});

describe("frames", () => {
  it("are read back in order, empty ones too, with the checksum that the next one needs", () => {
    const { bytes } = segment(["one", "", "three"], ["four"]);
    const scanned = scanFrames(bytes, SEED);
    expect(texts(scanned.payloads)).toEqual(["one", "", "three", "four"]);
    expect([scanned.end, scanned.damagedAt]).toEqual([bytes.length, undefined]);
    const next = encodeFrame(Buffer.from("five"), { durable: 0, previous: scanned.crc });
    expect(texts(scanFrames(Buffer.concat([bytes, next.bytes]), SEED).payloads)).toContain("five");
  });

  it("are a beginning of what was written, at whatever byte they are cut off", () => {
    const { bytes, starts } = segment(["one", "two"], ["three"]);
    for (let length = SEGMENT_HEADER_BYTES; length < bytes.length; length++) {
      const scanned = scanFrames(bytes.subarray(0, length), SEED);
      const whole = starts.filter((_, i) => (starts[i + 1] ?? bytes.length) <= length);
      expect(texts(scanned.payloads)).toEqual(["one", "two", "three"].slice(0, whole.length));
      expect(scanned.end).toBe(starts[whole.length]);
      expect(scanned.damagedAt).toBeUndefined();
    }
  });

  it("of the last write end at any byte that changed; before it, that is damage at that frame", () => {
    const { bytes, starts } = segment(["one"], ["two", "three"], ["four"]);
    for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const frame = starts.findLastIndex((start) => start <= at);
      const scanned = scanFrames(changed, SEED);
      expect(texts(scanned.payloads)).toEqual(["one", "two", "three", "four"].slice(0, frame));
      expect(scanned.damagedAt).toBe(frame === 3 ? undefined : starts[frame]);
    }
  });

  it("of another segment are strangers", () => {
    const { bytes } = segment(["one"]);
    expect(scanFrames(bytes, SEED - 1)).toMatchObject({ payloads: [], end: SEGMENT_HEADER_BYTES });
  });

  it("of an earlier write at the same place do not follow", () => {
    const { bytes, starts } = segment(["one", "two"]);
    const stale = segment(["ONE", "two"]).bytes;
    const mixed = Buffer.concat([bytes.subarray(0, starts[1]), stale.subarray(starts[1])]);
    expect(texts(scanFrames(mixed, SEED).payloads)).toEqual(["one"]);
  });

  it("are refused where they could not be read again", () => {
    const long = (length: number) => () => encodeFrame({ length } as Buffer, { durable: 0, previous: 0 });
    expect(long(LONGEST + 1)).toThrow(expect.objectContaining({ code: "INTERNAL", retry: "fatal" }));
    expect(long(LONGEST + 1)).toThrow(`an entry of ${LONGEST + 1} bytes is too long`);
    expect(long(LONGEST)).not.toThrow(/too long/);
    const { bytes, starts } = segment(["one"]);
    const claimed = Buffer.from(bytes);
    claimed.writeUInt32LE(2 ** 32 - 1, (starts[0] ?? 0) + 4);
    expect(scanFrames(claimed, SEED).payloads).toEqual([]);
  });

  it("may be empty at the very end", () => {
    expect(texts(scanFrames(segment(["one", ""]).bytes, SEED).payloads)).toEqual(["one", ""]);
  });

  it("of one write may be on disk without those before them: that is no damage", () => {
    const { bytes, starts } = segment(["one"], ["two", "three"]);
    bytes[starts[1] ?? 0] = 0;
    const scanned = scanFrames(bytes, SEED);
    expect([texts(scanned.payloads), scanned.end, scanned.damagedAt]).toEqual([["one"], starts[1], undefined]);
  });

  it("are not seen in payloads that begin like one", () => {
    const { bytes, starts } = segment(["one"]);
    const start = bytes.subarray(starts[0], (starts[0] ?? 0) + 4);
    const torn = Buffer.concat([bytes, Buffer.from("torn"), start, start, Buffer.alloc(40, 0xff)]);
    expect(scanFrames(torn, SEED).damagedAt).toBeUndefined();
  });

  it.each([
    ["begin otherwise", 0, 0x4a56_4b46],
    ["claim more than is there", 4, 10],
  ])("are none that %s, though their checksum fits", (_, at, value) => {
    const { bytes, starts } = segment(["one"]);
    const frame = bytes.subarray(starts[0]);
    frame.writeUInt32LE(value, at);
    frame.writeUInt32LE(crc32(frame.subarray(20), crc32(frame.subarray(0, 16))), 16);
    expect(scanFrames(bytes, SEED)).toMatchObject({ payloads: [], end: SEGMENT_HEADER_BYTES });
  });
});
