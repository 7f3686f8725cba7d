import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemDifferences } from "../../../../src/replayers/dynamodb/item-differences.js";
import { type JsonObject, parseJson } from "../../../../src/support/json.js";

/** DynamoDB's JSON, as a test writes it. */
type Attribute = { readonly [type: string]: unknown };
type Item = Record<string, Attribute>;

function parsed(item: Item): JsonObject {
  const value = parseJson(Buffer.from(JSON.stringify(item)));
  if (!(value instanceof Map)) throw new Error("no object");
  return value;
}

function found(own: Item, other: Item): string[] {
  const { differences, count } = itemDifferences(parsed(own), parsed(other));
  expect(count).toBe(differences.length);
  return differences.map(({ kind, at }) => `${kind} ${at}`);
}

/** A number in words that mean the same. */
const digits = fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n });
const respelled = (n: string): string => (n.startsWith("-") ? `${n}000e-3` : `00${n}.00`);

const leaf: fc.Arbitrary<Attribute> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 5 }).map((S) => ({ S })),
  digits.map((n) => ({ N: String(n) })),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => ({ B: Buffer.from(bytes).toString("base64") })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
  fc.uniqueArray(fc.string({ unit: "binary", maxLength: 3 }), { minLength: 1, maxLength: 4 }).map((SS) => ({ SS })),
  fc.uniqueArray(digits, { minLength: 1, maxLength: 4 }).map((numbers) => ({ NS: numbers.map(String) })),
);
const names = fc.oneof(fc.constantFrom("a", "b", "c d", "e.f", "__proto__", '"', "[0]"), fc.string({ maxLength: 3 }));
const { attribute } = fc.letrec<{ attribute: Attribute }>((tie) => ({
  attribute: fc.oneof(
    { depthSize: "small" },
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie("attribute"), { maxLength: 4 }).map((L) => ({ L })) },
    {
      weight: 1,
      arbitrary: fc.dictionary(names, tie("attribute"), { maxKeys: 4, noNullPrototype: true }).map((M) => ({ M })),
    },
  ),
}));
const items = fc.dictionary(names, attribute, { minKeys: 1, maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Item>;

/** The same item as another server might write it. */
function rewritten(attributes: Attribute): Attribute {
  const [[type, content] = ["", null]] = Object.entries(attributes);
  if (type === "N") return { N: respelled(content as string) };
  if (type === "NS") return { NS: (content as string[]).map(respelled).reverse() };
  if (type === "SS") return { SS: (content as string[]).toReversed() };
  if (type === "L") return { L: (content as Attribute[]).map(rewritten) };
  if (type === "M") return { M: rewrittenMembers(content as Item) };
  return attributes;
}

function rewrittenMembers(members: Item): Item {
  return Object.fromEntries(
    Object.entries(members)
      .reverse()
      .map(([name, value]) => [name, rewritten(value)]),
  );
}

/** Every attribute in the item with a copy of the item in which it alone is another one. */
function damagedAt(members: Item, path: string, wrap: (damaged: Item) => Item): [path: string, item: Item][] {
  return Object.entries(members).flatMap(([name, value]) => {
    const at = `${path}${JSON.stringify([name])}`;
    return damagedIn(value, at, (other) => wrap(Object.fromEntries([...Object.entries(members), [name, other]])));
  });
}

function damagedIn(value: Attribute, at: string, wrap: (damaged: Attribute) => Item): [path: string, item: Item][] {
  const [[type, content] = ["", null]] = Object.entries(value);
  const own: [string, Item] = [at, wrap({ S: `${JSON.stringify(value)} no more` })];
  if (type === "M") return [own, ...damagedAt(content as Item, at, (M) => wrap({ M }))];
  if (type !== "L") return [own];
  const list = content as Attribute[];
  return [own, ...list.flatMap((e, i) => damagedIn(e, `${at}[${i}]`, (other) => wrap({ L: list.with(i, other) })))];
}

/** `a["b c"][0]` as `["a"]["b c"][0]`, so that names need not be escaped as people read them. */
const printable = (path: string): boolean => /^(\["[a-z]"\]|\["__proto__"\]|\[\d+\])+$/.test(path);
const asShown = (path: string): string => path.replace(/\["(\w+)"\]/g, ".$1").replace(/^\./, "");

describe("an item", () => {
  it("is the same in every form", () => {
    fc.assert(
      fc.property(items, (item) => {
        expect(found(item, rewrittenMembers(item))).toEqual([]);
      }),
    );
  });

  it("with one attribute changed, however deep, differs there and nowhere else", () => {
    fc.assert(
      fc.property(items, (item) => {
        for (const [path, damaged] of damagedAt(item, "", (all) => all)) {
          const differences = found(item, damaged);
          expect(differences).toHaveLength(1);
          expect(differences[0]).toMatch(/^(value|type) /);
          if (printable(path)) expect(differences[0]?.replace(/^\w+ /, "")).toBe(asShown(path));
        }
      }),
    );
  });

  it("with an attribute taken away or added tells its name", () => {
    fc.assert(
      fc.property(items, fc.string({ maxLength: 3 }), (item, name) => {
        const less = Object.fromEntries(Object.entries(item).filter(([own]) => own !== name));
        const more = Object.fromEntries([...Object.entries(item), [name, { S: "" }]]);
        const path = itemPath(name);
        expect(found(more, less)).toEqual([`missing-part ${path}`]);
        expect(found(less, more)).toEqual([`extra-part ${path}`]);
      }),
    );
  });
});

/** Told by an item with nothing else in it. */
function itemPath(name: string): string {
  return found(Object.fromEntries([[name, { S: "" }]]), {})[0]?.replace("missing-part ", "") ?? "";
}

describe("a path", () => {
  it.each([
    ["lines", "lines"],
    ["größe", "größe"],
    ["a-b_2", "a-b_2"],
    ["", '[""]'],
    ["2nd", '["2nd"]'],
    ["a.b", '["a.b"]'],
    ['a"b', '["a\\"b"]'],
    ["a\\", '["a\\\\"]'],
    ["a\u202eb", '["a\\u{202e}b"]'],
    ["n".repeat(200), `${"n".repeat(100)}…`],
  ])("of an attribute called %j", (name, path) => {
    expect(itemPath(name)).toBe(path.endsWith("…") ? `["${path}"]` : path);
  });

  it("names members and elements behind one another", () => {
    const item = (v: string) => ({ a: { M: { "b c": { L: [{ S: "x" }, { M: { d: { S: v } } }] } } } });
    expect(found(item("1"), item("2"))).toEqual(['value a["b c"][1].d']);
  });
});

describe("a list", () => {
  const list = (text: string): Item => ({ v: { L: [...text].map((S) => ({ S })) } });

  it.each([
    ["abcd", "abcd", []],
    ["abcd", "bcd", ["missing-part v[0]"]],
    ["abcd", "abd", ["missing-part v[2]"]],
    ["abcd", "abc", ["missing-part v[3]"]],
    ["abcd", "", ["missing-part v[0]", "missing-part v[1]", "missing-part v[2]", "missing-part v[3]"]],
    ["bcd", "abcd", ["extra-part v[0]"]],
    ["aa", "aaa", ["extra-part v[2]"]],
    ["abcd", "axcd", ["value v[1]"]],
    ["abcd", "acbd", ["order v"]],
    ["abcd", "dcba", ["order v"]],
    ["aab", "aba", ["order v"]],
    ["abcd", "axyd", ["value v[1]", "value v[2]"]],
    ["abcd", "axd", ["value v[1]", "missing-part v[2]"]],
    ["abc", "axyc", ["value v[1]", "extra-part v[2]"]],
  ])("of %s that is %s", (own, other, differences) => {
    expect(found(list(own), list(other))).toEqual(differences);
  });
});

it("tells a hundred differences of an item and counts all", () => {
  const item = (v: string): Item => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`n${i}`, { S: v }]));
  const { differences, count } = itemDifferences(parsed(item("a")), parsed(item("b")));
  expect([differences.length, count]).toEqual([100, 300]);
});

it("says where texts and bytes part, and how long they are, but not what they hold", () => {
  const told = (own: Attribute, other: Attribute) =>
    itemDifferences(parsed({ v: own }), parsed({ v: other })).differences[0]?.detail;
  expect(told({ S: "abc" }, { S: "abd" })).toBe("another string, as long as the dump's, different from byte 2 on");
  expect(told({ S: "é" }, { S: "éa" })).toBe("another string, of 3 bytes, the dump's of 2, different from byte 2 on");
  expect(told({ B: "AAEC" }, { B: "AAE=" })).toBe("other bytes, of 2 bytes, the dump's of 3, different from byte 2 on");
  expect(told({ N: "1" }, { N: "2" })).toBe("another number");
  expect(told({ N: "1" }, { SS: ["2"] })).toBe("it is of type SS, the dump's of type N");
});
