import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globToRegExp } from "../../../src/support/glob.js";

describe("a glob", () => {
  it.each([
    ["", ""],
    ["user:*", "user:"],
    ["user:*", "user:1/2\n3"],
    ["*", ""],
    ["**", "anything"],
    ["*.json", "a.json.json"],
    ["a*b*c", "axxbxxbxc"],
    ["*ab", "aab"],
    ["a?c", "abc"],
    ["?", "😀"],
    ["😀*", "😀!"],
    ["[abc]x", "bx"],
    ["[a-c]", "b"],
    ["[!a-c]", "d"],
    ["[^a-c]", "d"],
    ["[]]", "]"],
    ["[!]]", "x"],
    ["[a-]", "-"],
    ["[-a]", "-"],
    ["[a^]", "^"],
    ["[\\]]", "]"],
    ["[[]", "["],
    ["[.]", "."],
    ["[α-ω]", "λ"],
    ["[😀😁]", "😁"],
    ["\\*", "*"],
    ["\\[a]", "[a]"],
    ["a\\", "a\\"],
    ["[abc", "[abc"],
    ["[]", "[]"],
    ["(a|b)+.$^{1}", "(a|b)+.$^{1}"],
    ["a/b-c", "a/b-c"],
  ])("%s matches %j", (glob, key) => {
    expect(globToRegExp(glob).test(key)).toBe(true);
  });

  it.each([
    ["", "a"],
    ["user:*", "xuser:1"],
    ["*.json", "a.jsonl"],
    ["a*b*c", "acb"],
    ["a*a", "a"],
    ["?", ""],
    ["?", "ab"],
    ["a.c", "abc"],
    ["[a-c]", "d"],
    ["[!a-c]", "b"],
    ["[!]]", "]"],
    ["[abc]", "abc"],
    ["\\*", "x"],
    ["A", "a"],
    ["a", "a\n"],
  ])("%s does not match %j", (glob, key) => {
    expect(globToRegExp(glob).test(key)).toBe(false);
  });

  it("refuses a set whose range runs backwards", () => {
    expect(() => globToRegExp("[z-a]")).toThrow(SyntaxError);
  });

  it("finds its pieces in order, as any split of the key would", () => {
    const char = fc.constantFrom("a", "b");
    const piece = fc.string({ unit: char, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        fc.string({ unit: char, maxLength: 12 }),
        (parts, key) => {
          expect(globToRegExp(parts.join("*")).test(key)).toBe(new RegExp(`^${parts.join(".*")}$`).test(key));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("with many stars does not try every way to split a long key", () => {
    const key = "a".repeat(100_000);
    for (const glob of ["a*a*a*a*a*a*a*a*b", `${"*a".repeat(20)}*b*c`, "*?*?*?*?*?*?*b", "*[ab]*[ab]*[ab]*[ab]*c"]) {
      expect(globToRegExp(glob).test(key)).toBe(false);
    }
    expect(globToRegExp("*a*a*a*a*").test(key)).toBe(true);
  });
});
