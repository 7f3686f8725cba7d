import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertSegment,
  decodeSegment,
  encodeSegment,
  fallbackSegment,
  isFallback,
  SegmentError,
} from "../../../src/readers/segments.js";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

describe("segments", () => {
  it("decode to the bytes that were encoded, whatever these are", () => {
    fc.assert(
      fc.property(bytes(80), (original) => {
        expect(decodeSegment(encodeSegment(original))).toEqual(original);
      }),
    );
  });

  it("have one form: what decodes encodes to itself", () => {
    const text = fc.stringMatching(/^(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2}){0,20}$/);
    fc.assert(
      fc.property(text, (segment) => {
        let decoded: Buffer;
        try {
          decoded = decodeSegment(segment);
        } catch (error) {
          expect(error).toBeInstanceOf(SegmentError);
          return;
        }
        expect(encodeSegment(decoded)).toBe(segment);
      }),
    );
  });

  it("fall back to a digest and the first 64 bytes, within 240 bytes", () => {
    fc.assert(
      fc.property(bytes(400), (original) => {
        const segment = fallbackSegment(original);
        expect(isFallback(segment)).toBe(true);
        expect(segment.length).toBeLessThanOrEqual(240);
        expect(segment.slice(34)).toBe(encodeSegment(original.subarray(0, 64)));
        assertSegment("x", segment);
      }),
    );
  });

  it.each(["%2f", "%zz", "%4", "a b", "é", "a/b", "~", "%41", "b64.QUJD", "x".repeat(241)])("refuse %s", (segment) => {
    expect(() => decodeSegment(segment)).toThrow(SegmentError);
  });

  it("of binary DynamoDB keys are known", () => {
    expect(() => assertSegment("x", "b64.QU-_")).not.toThrow();
    expect(() => assertSegment("x", "b64.QU=")).toThrow();
  });
});
