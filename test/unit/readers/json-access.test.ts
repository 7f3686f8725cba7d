import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asInteger, decodeBase64, decodeBase64Url, FieldError } from "../../../src/readers/json-access.js";
import { JsonNumber } from "../../../src/support/json.js";

describe("base64", () => {
  it("decodes what was encoded, in both alphabets", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        const bytes = Buffer.from(array);
        expect(decodeBase64(bytes.toString("base64"), "it")).toEqual(bytes);
        expect(decodeBase64Url(bytes.toString("base64url"), "it")).toEqual(bytes);
      }),
    );
  });

  it("takes tens of megabytes", () => {
    const large = Buffer.alloc(24_000_001, 0xfb);
    expect(decodeBase64(large.toString("base64"), "it")).toHaveLength(large.length);
    expect(decodeBase64Url(large.toString("base64url"), "it")).toHaveLength(large.length);
  });

  it.each(["A", "AA", "AAA", "AA=", "A===", "====", "A=AA", "AA==AA==", "_w==", "AA AA", "AAA\n"])(
    "refuses %j",
    (text) => {
      expect(() => decodeBase64(text, "it")).toThrow(FieldError);
    },
  );

  it.each(["A", "AA==", "+w", "/w", "AA AA"])("without padding refuses %j", (text) => {
    expect(() => decodeBase64Url(text, "it")).toThrow(FieldError);
  });
});

describe("integers", () => {
  it("keep all their digits", () => {
    expect(asInteger(new JsonNumber("-18446744073709551616"), "it")).toBe(-18446744073709551616n);
  });

  it.each(["1.0", "1e3", "9".repeat(101)])("are refused as %s", (text) => {
    expect(() => asInteger(new JsonNumber(text), "it")).toThrow(FieldError);
  });
});
