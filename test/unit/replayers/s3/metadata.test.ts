import { describe, expect, it } from "vitest";
import {
  decodeWords,
  encodeWords,
  type HeaderRules,
  hasWideText,
  metadataFault,
  metadataHeaders,
} from "../../../../src/replayers/s3/metadata.js";

const RAW: HeaderRules = { userText: "raw", headerText: "raw", takesTabs: true, takesWideSpace: true };
const ENCODED: HeaderRules = { userText: "encoded", headerText: "none", takesTabs: true, takesWideSpace: true };
const NONE: HeaderRules = { userText: "none", headerText: "none", takesTabs: false, takesWideSpace: false };

describe("RFC 2047 words", () => {
  it.each(["ü", "ファイル".repeat(30), "😀 and ASCII", "=?UTF-8?B?w7w=?=", "a b", ""])("give %j back", (text) => {
    const words = encodeWords(text);
    expect(decodeWords(words)).toBe(text);
    for (const word of words.split(" ")) expect(word.length).toBeLessThanOrEqual(75);
  });

  it("are read in the quoted form, too", () => expect(decodeWords("=?UTF-8?q?=C3=BC_x?=")).toBe("ü x"));

  it("leave other text alone", () => expect(decodeWords("a =? b ?=")).toBe("a =? b ?="));
});

describe("metadata as headers", () => {
  it("holds every name, in lower case, and no content type of its own", () => {
    const headers = metadataHeaders(
      {
        user: [
          ["Name", "v"],
          ["__proto__", "p"],
        ],
      },
      RAW,
    );
    expect(Object.entries(headers)).toEqual([
      ["x-amz-meta-name", "v"],
      ["x-amz-meta-__proto__", "p"],
    ]);
  });

  it("encodes text outside ASCII only where the target reads it so", () => {
    const metadata = {
      user: [
        ["k", "ü"],
        ["plain", "x"],
        ["word", "=?x?="],
      ],
    } as const;
    expect(metadataHeaders(metadata, RAW)).toMatchObject({ "x-amz-meta-k": "ü" });
    expect(metadataHeaders(metadata, ENCODED)).toEqual({
      "x-amz-meta-k": "=?UTF-8?B?w7w=?=",
      "x-amz-meta-plain": "x",
      "x-amz-meta-word": encodeWords("=?x?="),
    });
  });
});

describe("metadata that a target would change", () => {
  it.each([
    [{ user: [["k", "ü"]] }, "metadata-value"],
    [{ user: [], contentDisposition: "ü" }, "metadata-value"],
    [{ user: [["k", "a\tb"]] }, "metadata-value"],
    [{ user: [], contentType: "a\nb" }, "metadata-value"],
    [{ user: [], contentEncoding: "gzip, aws-chunked" }, "metadata-refused"],
  ] as const)("%j is refused", (metadata, reason) => {
    expect(metadataFault(metadata, NONE)).toMatchObject({ reason });
  });

  it("is none where the target keeps it", () => {
    expect(metadataFault({ user: [["k", "ü\tx"]], contentDisposition: "ü" }, RAW)).toBeUndefined();
    expect(metadataFault({ user: [["k", "v".repeat(2_047)]] }, RAW)).toBeUndefined();
  });

  it("may depend on text outside ASCII", () => {
    expect(hasWideText({ user: [["k", "v"]] })).toBe(false);
    expect(hasWideText({ user: [["k", "ü"]] })).toBe(true);
    expect(hasWideText({ user: [], contentType: "ü" })).toBe(true);
  });
});
