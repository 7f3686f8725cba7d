import { describe, expect, it } from "vitest";
import {
  compositeEtag,
  etagOfParts as etagOfEqualParts,
  etagOfLayout,
  hasEtag,
  matchingPartSize,
  ownPartSize,
  partSizeCandidates,
  partsOf,
} from "../../../../src/replayers/s3/part-size.js";
import { bufferContent, etagOfParts, MIB, md5, patterned } from "../../../support/s3-records.js";

describe("the number of parts in an ETag", () => {
  it.each([
    [`${"a".repeat(32)}-3`, 3],
    [`${"A".repeat(32)}-10000`, 10_000],
    [`${"a".repeat(32)}-0`, undefined],
    ["a".repeat(32), undefined],
    ["something-2", undefined],
  ])("of %s is %s", (etag, parts) => expect(partsOf(etag)).toBe(parts));
});

describe("part size candidates", () => {
  it("make exactly that many parts, each of 5 MiB at least", () => {
    for (const [size, parts] of [
      [17 * MIB, 3],
      [100 * MIB + 1, 13],
      [5 * MIB + 1, 2],
      [4_000 * MIB, 63],
    ] as const) {
      const candidates = partSizeCandidates(size, parts);
      expect(candidates.length).toBeGreaterThan(0);
      for (const bytes of candidates) {
        expect(Math.ceil(size / bytes)).toBe(parts);
        expect(bytes).toBeGreaterThanOrEqual(5 * MIB);
      }
    }
  });

  it("begin with what clients usually take", () => expect(partSizeCandidates(17 * MIB, 3)[0]).toBe(8 * MIB));

  it("are the whole size for one part", () => {
    expect(partSizeCandidates(10, 1)).toEqual([10]);
    expect(partSizeCandidates(0, 1)).toEqual([1]);
    expect(partSizeCandidates(6 * 1024 * MIB, 1)).toEqual([]);
  });

  it("are none where parts would be too small or too many", () => {
    expect(partSizeCandidates(MIB, 3)).toEqual([]);
    expect(partSizeCandidates(9 * MIB, 2)).toContain(5 * MIB);
    expect(partSizeCandidates(1e12, 10_001)).toEqual([]);
  });

  it("are bounded", () => expect(partSizeCandidates(8_000 * MIB, 2).length).toBeLessThanOrEqual(32));
});

describe("the part size that an ETag was made with", () => {
  const bytes = patterned(23 * MIB + 3);

  it.each([5, 7, 8, 10])("is found for %i MiB", async (mib) => {
    const etag = etagOfParts(bytes, mib * MIB);
    const candidates = partSizeCandidates(bytes.length, partsOf(etag) ?? 0);
    expect(await matchingPartSize(bufferContent(bytes), etag.toUpperCase(), candidates)).toBe(mib * MIB);
  });

  it("is not found for other bytes", async () => {
    const etag = etagOfParts(patterned(bytes.length, 2), 8 * MIB);
    expect(await matchingPartSize(bufferContent(bytes), etag, partSizeCandidates(bytes.length, 3))).toBeUndefined();
  });
});

it("an ETag of parts is the MD5 of their MD5s", () => {
  const bytes = patterned(11 * MIB);
  const md5s = [bytes.subarray(0, 5 * MIB), bytes.subarray(5 * MIB, 10 * MIB), bytes.subarray(10 * MIB)].map(md5);
  expect(compositeEtag(md5s)).toBe(etagOfParts(bytes, 5 * MIB));
});

it("content has its own ETag in either form and no other", async () => {
  const content = bufferContent("hello");
  expect(await hasEtag(content, md5("hello"))).toBe(true);
  expect(await hasEtag(content, etagOfParts(Buffer.from("hello"), 8 * MIB))).toBe(true);
  expect(await hasEtag(content, md5("hullo"))).toBe(false);
  expect(await hasEtag(content, "opaque")).toBe(false);
});

it("parts of our own stay below ten thousand", () => {
  for (const size of [1, 300 * MIB, 5e12]) expect(Math.ceil(size / ownPartSize(size))).toBeLessThanOrEqual(10_000);
});

describe("the ETag of a layout", () => {
  const body = patterned(3_000_007);

  it("of equal parts is that of equal parts", async () => {
    const content = bufferContent(body);
    expect(await etagOfLayout(content, [1_000_000, 1_000_000, 1_000_000, 7])).toBe(etagOfParts(body, 1_000_000));
    expect(await etagOfEqualParts(content, 1_000_000)).toBe(etagOfParts(body, 1_000_000));
  });

  it("of unequal parts is that of those", async () => {
    const parts = [body.subarray(0, 3), body.subarray(3, 2_000_000), body.subarray(2_000_000)];
    const sizes = parts.map(({ length }) => length);
    expect(await etagOfLayout(bufferContent(body), sizes)).toBe(compositeEtag(parts.map((part) => md5(part))));
  });

  it("of nothing is that of one empty part", async () => {
    expect(await etagOfLayout(bufferContent(""), [0])).toBe(compositeEtag([md5("")]));
  });
});
