import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFileOf, MetKeyFile } from "../../../src/readers/redis-layout.js";
import { decodeSegment, fallbackSegment, isFallback, isPlain } from "../../../src/readers/segments.js";

const segment = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{0,12}$/),
  fc.stringMatching(/^[A-Za-z0-9._%/é😀 -]{0,12}$/u),
  fc.constantFrom("", "b64.abc", "b64", "x".repeat(240), "x".repeat(241), `${"0".repeat(32)}_`),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => fallbackSegment(Buffer.from(bytes))),
);
const path = fc
  .tuple(
    fc.constantFrom("strings/", "hashes/", "streams/", "hll/", "strings/x/", "other/", "", "string"),
    segment,
    fc.constantFrom(".bin", ".json", ".jsonl", "", ".binx"),
  )
  .map((parts) => parts.join(""));

/** The segment is its key, letter by letter. */
function isNamedBy(segment: string): boolean {
  return isPlain(segment) && !isFallback(segment) && decodeSegment(segment).toString("latin1") === segment;
}

describe("a key's file that is met in a longer text", () => {
  it("is taken when it is one that is named by its key, letter by letter, and told like one cut out", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.string({ maxLength: 5 }), path, fc.constantFrom("\0", "\0bin", ""), (before, below, behind) => {
        const met = new MetKeyFile();
        const text = before + below + behind;
        const isMet = met.meet(text, before.length, before.length + below.length);
        const file = keyFileOf(before + below, before.length);
        const isNamedByKey = file !== undefined && isNamedBy(file.segment);
        const looksSpecial = file !== undefined && /^b64|^.{32}__/.test(file.segment);
        expect({ looksSpecial, isMet }).toEqual({ looksSpecial, isMet: isNamedByKey && (isMet || !looksSpecial) });
        if (!isMet) return;
        taken++;
        expect({ directory: met.directory, segment: text.slice(met.start, met.end) }).toEqual(file);
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
