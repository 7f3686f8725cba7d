import { describe, expect, it } from "vitest";
import { parseYamlFile } from "../../../src/cli/yaml-file.js";

const TEXT = `# a comment
a:
  b: 1
  list:
    - x
    - y: &anchor
        deep: 1
again: *anchor
`;

describe("the line of a value", () => {
  it.each([
    [[], 2],
    [["a"], 2],
    [["a", "b"], 3],
    [["a", "list", 0], 5],
    [["a", "list", 1, "y"], 6],
    [["a", "list", 1, "y", "deep"], 7],
    [["again"], 8],
  ])("%j is %i", (path, line) => {
    expect(parseYamlFile(TEXT).lineOf(path)).toBe(line);
  });

  it("that is missing is that of the innermost one around it", () => {
    expect(parseYamlFile(TEXT).lineOf(["a", "list", 7, "x"])).toBe(4);
    expect(parseYamlFile(TEXT).lineOf(["a", "none"])).toBe(2);
  });

  it("behind an alias is where its anchor stands", () => {
    expect(parseYamlFile(TEXT).lineOf(["again", "deep"])).toBe(7);
  });
});

describe("a text that is no YAML", () => {
  it.each(["a: 1\nb: [", "a: 1\na: 2", "x: *nowhere"])("%j is told with its line and nothing of the text", (text) => {
    expect(() => parseYamlFile(text)).toThrow(/line \d|nowhere/);
  });

  it("is not quoted", () => {
    expect(() => parseYamlFile('p: "s3cret\nx: [')).toThrow(/^(?!.*s3cret)/s);
  });
});
