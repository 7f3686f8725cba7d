import { describe, expect, it } from "vitest";
import { asBytes, PathTally } from "../../../src/readers/path-tally.js";

function tallyOf(paths: readonly string[]): PathTally {
  const tally = new PathTally();
  for (const path of paths) tally.add(asBytes(path));
  return tally;
}

describe("a tally of paths", () => {
  const paths = Array.from({ length: 2000 }, (_, index) => `redis/db_0/strings/${index}é.bin`);

  it("is the same in whatever order the paths come", () => {
    expect(tallyOf(paths).equals(tallyOf(paths.toReversed()))).toBe(true);
  });

  it("tells sets of one size apart that differ in one path, and in no more than a letter's case", () => {
    const whole = tallyOf([...paths, "s3/b/a"]);
    for (const other of ["s3/b/A", "s3/b/b", "s3/a/b", "s3/b/a ", "s3/b/e\u0301"]) {
      expect(tallyOf([...paths, other]).equals(whole)).toBe(false);
    }
  });

  it("tells a path that is there twice from two", () => {
    expect(tallyOf(["a", "a", "b"]).equals(tallyOf(["a", "b", "b"]))).toBe(false);
  });
});
