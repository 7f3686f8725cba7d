import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Line, lines } from "../../../src/readers/lines.js";
import { collect } from "../../support/read-dump.js";

/** `text` in blocks that end at `cuts`. */
async function* blocksOf(text: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, text.length]) {
    if (end > start) yield text.subarray(start, end);
    start = Math.max(start, end);
  }
}

const shown = ({ bytes, line, start, end }: Line) => [bytes?.toString("latin1"), line, start, end];
const someText = fc
  .array(fc.constantFrom("a", "bc", "\n", "é", "\r"), { maxLength: 30 })
  .map((parts) => Buffer.from(parts.join("")));
const someCuts = fc.array(fc.nat(), { maxLength: 6 });

describe("lines", () => {
  it("are those between line feeds, wherever blocks end", async () => {
    await fc.assert(
      fc.asyncProperty(someText, someCuts, async (text, cuts) => {
        const expected = text.toString("latin1").split("\n");
        if (expected.at(-1) === "") expected.pop();
        const found = await collect(lines(blocksOf(text, cuts)));
        expect(found.map(({ bytes }) => bytes?.toString("latin1"))).toEqual(expected);
        for (const { bytes, start } of found) {
          expect(text.subarray(start, start + (bytes?.length ?? 0))).toEqual(bytes);
        }
      }),
    );
  });

  it("go on behind any of them", async () => {
    await fc.assert(
      fc.asyncProperty(someText, someCuts, async (text, cuts) => {
        const all = await collect(lines(blocksOf(text, cuts)));
        for (const [index, { end, line }] of all.entries()) {
          const rest = await collect(lines(blocksOf(text.subarray(end), cuts), { offset: end, line }));
          expect(rest.map(shown)).toEqual(all.slice(index + 1).map(shown));
        }
      }),
    );
  });

  it("over the limit have no bytes, and the next ones are whole", async () => {
    const found = await collect(
      lines(blocksOf(Buffer.from("12345\n123456\nab\n1234567"), [2, 9, 11]), { offset: 0, line: 0 }, 5),
    );
    expect(found.map(shown)).toEqual([
      ["12345", 1, 0, 6],
      [undefined, 2, 6, 13],
      ["ab", 3, 13, 16],
      [undefined, 4, 16, 23],
    ]);
  });
});
