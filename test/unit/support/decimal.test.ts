import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalNumber } from "../../../src/support/decimal.js";

describe("a number", () => {
  it.each([
    ["1", "1.0", "1e0", "0.1e1", "10e-1", "+1", "001", "1.", "1E+0", " 1", "1\n"],
    ["0", "-0", "0.000", "0e99", ".0"],
    ["-2.50", "-25e-1", "-02.5"],
    ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
    ["1e-130", "0.1e-129"],
  ])("is one in every spelling: %s", (...spellings) => {
    expect(new Set(spellings.map(canonicalNumber)).size).toBe(1);
  });

  it.each([
    ["1", "10"],
    ["1", "-1"],
    ["9007199254740993", "9007199254740992"],
    ["1e126", "1e125"],
    ["0.1", "0.01"],
  ])("%s is not %s", (a, b) => {
    expect(canonicalNumber(a)).not.toBe(canonicalNumber(b));
  });

  it("of millions of digits is read in one pass", () => {
    const zeros = "0".repeat(400_000);
    expect(canonicalNumber(`1${zeros}1`)).toBe(`1${zeros}1e0`);
    expect(canonicalNumber(`1${zeros}`)).toBe("1e400000");
  });

  it("is compared exactly, wherever the point stands", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 38n }), fc.integer({ min: 0, max: 60 }), (digits, zeros) => {
        expect(canonicalNumber(`${digits}${"0".repeat(zeros)}e-${zeros}`)).toBe(canonicalNumber(`${digits}`));
        expect(canonicalNumber(`${digits + 1n}`)).not.toBe(canonicalNumber(`${digits}`));
      }),
    );
  });
});

it.each(["", ".", "-", "e5", "none", "1 2", "0x10", "1e", "1e1.5"])(
  "text that is no number stands for itself: %j",
  (text) => {
    expect(canonicalNumber(text)).toBe(text);
  },
);
