import { expect, it } from "vitest";
import { nearest } from "../../../src/support/nearest.js";

it("the nearest names are the five with the fewest edits, equal ones by name", () => {
  expect(nearest("abc", ["xyz", "abd", "abc1", "ab", "abcdef", "zzzzzz"])).toEqual([
    "ab",
    "abc1",
    "abd",
    "abcdef",
    "xyz",
  ]);
  expect(nearest("a", [])).toEqual([]);
});
