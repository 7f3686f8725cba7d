/** Collections as ranges of their text: what is found so is what the strict parser finds, in memory and wherever blocks end. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { CollectionType, Content } from "../../../src/model/record.js";
import { PackedElements } from "../../../src/readers/packed-elements.js";
import { collectionInMemory, readCollection } from "../../../src/readers/redis-collection.js";

/** A size above which a file is streamed, whatever its blocks hold. */
const LARGE = 64 * 1024 * 1024;

function contentOf(text: Buffer, cuts: readonly number[]): Content {
  return {
    size: LARGE,
    sha256: "",
    blocks: async function* () {
      const ends = [...cuts.filter((cut) => cut < text.length), text.length].sort((a, b) => a - b);
      for (const [i, end] of ends.entries()) yield text.subarray(ends[i - 1] ?? 0, end);
    },
    buffer: () => Promise.reject(new Error("too large")),
  };
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom('"', "\\", "\n", "ä", "\u{1f600}", ",", "]}", "", "base64"),
);
const bytes = fc.oneof(
  { weight: 4, arbitrary: text.map((value) => [value, JSON.stringify(value)] as const) },
  fc
    .uint8Array({ maxLength: 5 })
    .map(
      (value) => [Buffer.from(value), JSON.stringify({ base64: Buffer.from(value).toString("base64url") })] as const,
    ),
);
const scores = fc.constantFrom(
  "0",
  "-0",
  "1",
  "1.50",
  "123456789012345",
  "9007199254740992",
  "1e300",
  '"+inf"',
  "0.1",
  "-7.25",
);
const space = fc.constantFrom("", " ", "\n  ", "\t");

const ELEMENTS: Record<CollectionType, fc.Arbitrary<readonly [string[], string]>> = {
  list: bytes.map(([value, json]) => [[hex(value)], json] as const),
  set: bytes.map(([value, json]) => [[hex(value)], json] as const),
  hash: fc
    .tuple(bytes, bytes, space)
    .map(
      ([[name, n], [value, v], s]) => [[hex(name), hex(value)], `{${s}"name"${s}:${n},${s}"value":${s}${v}}`] as const,
    ),
  zset: fc
    .tuple(bytes, scores, fc.boolean(), space)
    .map(
      ([[member, m], score, isFirst, s]) =>
        [
          [hex(score.replaceAll('"', "")), hex(member)],
          isFirst ? `{"score":${s}${score}${s},"member":${m}}` : `{${s}"member":${m}${s},"score":${s}${score}${s}}`,
        ] as const,
    ),
};
const CONTAINER = { list: "items", set: "members", hash: "fields", zset: "members" };
const IDENTITY = { list: undefined, set: 0, hash: 0, zset: 1 };

function hex(value: string | Buffer): string {
  return Buffer.from(value).toString("hex");
}

async function elementsOf(made: { elements(): AsyncIterable<readonly (readonly Buffer[])[]> }): Promise<string[][]> {
  const elements: string[][] = [];
  for await (const chunk of made.elements()) for (const element of chunk) elements.push(element.map(hex));
  return elements;
}

it.each(["list", "set", "hash", "zset"] as const)(
  "a %s has the elements of its text, and says when two are one",
  async (type) => {
    const arbitrary = fc.array(ELEMENTS[type], { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(arbitrary, space, fc.array(fc.nat(600), { maxLength: 8 }), async (elements, s, cuts) => {
        const json = elements.map(([, element]) => element).join(`${s},${s}`);
        const whole = Buffer.from(
          `{"format_version":1,${s}"${CONTAINER[type]}":${s}[${s}${json}${s}],"expire_at_ms":null}`,
        );
        const expected = elements.map(([element]) => element);
        const identity = IDENTITY[type];
        const names = identity === undefined ? [] : expected.map((element) => element[identity]);
        const streamed = readCollection(type, contentOf(whole, cuts), ".");
        if (new Set(names).size < names.length) {
          await expect(streamed).rejects.toMatchObject({ reason: "duplicate-element" });
          expect(collectionInMemory(type, whole)).toBeUndefined();
          return;
        }
        expect(await elementsOf(await streamed)).toEqual(expected);
        const inMemory = collectionInMemory(type, whole);
        if (inMemory !== undefined) expect(await elementsOf(inMemory)).toEqual(expected);
        expect((await streamed).bytes).toBe(expected.flat().reduce((sum, part) => sum + part.length / 2, 0));
      }),
    );
  },
);

it("plain text needs no parser", () => {
  const plain = collectionInMemory(
    "hash",
    Buffer.from('{"fields":[{"name":"a","value":"1"},{"name":"b","value":"ä"}]}'),
  );
  expect(plain).toMatchObject({ count: 2, bytes: 5 });
});

it.each([
  '{"items":["a" "b"]}',
  '{"items":["a",]}',
  '{"items":["a"]',
  '{"items":["a"]} x',
  '{"items":["a"],"items":["b"]}',
  '{"items":["a"],"x":1,"x":2}',
  '{"x":1}',
  '{"items":["\u0001"]}',
  '{"items":[1]}',
  '["a"]',
])("what is not right is left to who tells it: %s", (json) => {
  expect(collectionInMemory("list", Buffer.from(json))).toBeUndefined();
});

it("bytes that are no UTF-8 are left to who tells it", () => {
  expect(collectionInMemory("list", Buffer.from('{"items":["\xff"]}', "latin1"))).toBeUndefined();
});

it.each([
  ["list", '"a","b","c","d",', 1],
  ["set", '"a","b","c","d",', 1],
  ["hash", '{"name":"a","value":"b"},'.repeat(4), 2],
  ["zset", '{"member":"a","score":1},'.repeat(4), 2],
] as const)("a run of a %s takes no more elements than it is to", (type, json, width) => {
  const elements = new PackedElements(type);
  elements.begin(Buffer.from(json));
  expect(elements.takeRun(0, 3)).toBe((json.length / 4) * 3);
  expect(elements.count).toBe(3);
  expect(elements.packed().ranges).toHaveLength(3 * width * 2);
  expect(elements.takeRun((json.length / 4) * 3, 3)).toBe((json.length / 4) * 3);
  expect(elements.takeRun((json.length / 4) * 3, 9)).toBe(json.length);
  expect(elements.packed().ranges).toHaveLength(4 * width * 2);
});
