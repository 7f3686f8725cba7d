import { describe, expect, it } from "vitest";
import { foreseenEtag } from "../../../../src/replayers/s3/foreseen-etag.js";
import { bufferContent, etagOfParts, MIB, md5, objectRecord, patterned } from "../../../support/s3-records.js";

const SINGLE = { kind: "single" } as const;
const body = patterned(6 * MIB);
const inParts = (isProven: boolean, partBytes = 5 * MIB) => ({ kind: "parts", partBytes, isProven }) as const;
/** A body that must not be read. */
const unread = (size: number) => ({ ...bufferContent(""), size, blocks: () => unreadable() });

function unreadable(): never {
  throw new Error("it was read");
}

describe("the ETag that an upload will give", () => {
  it("is the MD5 of what goes in one piece", async () => {
    expect(await foreseenEtag(objectRecord("a", { body: "x", etag: md5("y") }), SINGLE)).toBe(md5("x"));
    expect(await foreseenEtag(objectRecord("a", { body: "x", etag: `${md5("y")}-2` }), SINGLE)).toBe(md5("x"));
  });

  it("is the parts' MD5 of what goes in parts", async () => {
    const etag = `${"0".repeat(32)}-2`;
    expect(await foreseenEtag(objectRecord("a", { body, etag }), inParts(false))).toBe(etagOfParts(body, 5 * MIB));
    expect(await foreseenEtag(objectRecord("a", { body, etag: md5(body) }), inParts(false, 64 * MIB))).toBe(
      etagOfParts(body, 64 * MIB),
    );
  });

  it("is nobody's matter where the dump has none", async () => {
    expect(await foreseenEtag(objectRecord("a", { body: unread(1) }), SINGLE)).toBeUndefined();
  });

  it("is not looked for where the parts were found by it", async () => {
    const etag = `${"0".repeat(32)}-2`;
    expect(await foreseenEtag(objectRecord("a", { body: unread(6 * MIB), etag }), inParts(true))).toBe(etag);
  });

  it("is taken at its word where reading would cost more, if it has the form", async () => {
    const size = 65 * MIB;
    const etag = md5("x");
    expect(await foreseenEtag(objectRecord("a", { body: unread(size), etag }), SINGLE)).toBe(etag);
    const composite = `${"0".repeat(32)}-13`;
    expect(await foreseenEtag(objectRecord("a", { body: unread(size), etag: composite }), inParts(false))).toBe(
      composite,
    );
    await expect(foreseenEtag(objectRecord("a", { body: unread(size), etag }), inParts(false))).rejects.toThrow("read");
  });
});
