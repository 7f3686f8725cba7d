import { describe, expect, it } from "vitest";
import type { ItemRecord } from "../../../../src/model/record.js";
import type { TableScope } from "../../../../src/model/scope.js";
import type { PlainItem, TransformFunction } from "../../../../src/run/transform/plain-records.js";
import { transformRecord } from "../../../../src/run/transform/transform.js";
import { itemRecord, tableScope } from "../../../support/records.js";
import { detailOf, returning } from "../../../support/transforms.js";

const SCOPE: TableScope = {
  ...tableScope(),
  schema: {
    key: { hash: { name: "id", type: "S" }, range: { name: "at", type: "N" } },
    globalIndexes: [],
    localIndexes: [],
  },
};

const TEXT = `{
  "id": {"S": "a"}, "at": {"N": "1.50"}, "__proto__": {"M": {"constructor": {"BOOL": true}}},
  "big": {"N": "12345678901234567890.10"}, "raw": {"B": "AAEC"}, "set": {"NS": ["1", "2"]}, "none": {"NULL": true},
  "list": {"L": [{"S": "é\\n"}, {"BS": ["AA=="]}]}
}`;

const record = (text = TEXT): ItemRecord => ({ ...itemRecord("a / 1.50"), text: Buffer.from(text) });
const transformed = async (call: TransformFunction, text?: string) =>
  await transformRecord(record(text), { scope: SCOPE, transform: { name: "t", digest: "d", call } });
const item = async (change: (item: PlainItem) => unknown) => await transformed(returning<PlainItem>(change));

async function textOf(change: (item: PlainItem) => unknown): Promise<string> {
  const made = await item(change);
  if (!("record" in made) || made.record.kind !== "item") throw new Error(detailOf(made));
  return made.record.text.toString();
}

describe("an item", () => {
  it("comes as DynamoDB's JSON: numbers are text, names of every kind are attributes, nothing is inherited", async () => {
    await item((given) => {
      expect({ ...given, item: undefined }).toEqual({
        adapter: "dynamodb",
        scope: "orders",
        kind: "item",
        key: "a / 1.50",
        item: undefined,
      });
      expect(Object.keys(given.item)).toEqual(["id", "at", "__proto__", "big", "raw", "set", "none", "list"]);
      expect(given.item["big"]).toEqual({ N: "12345678901234567890.10" });
      expect(given.item["constructor"]).toBeUndefined();
      return given;
    });
    expect.assertions(4);
  });

  it("that comes back as it was loses nothing", async () => {
    const text = await textOf((given) => given);
    expect(text).toBe(TEXT.replace(/(?<!n)\s+/g, ""));
  });

  it("may be spread, parsed from text and changed in place", async () => {
    const parsed = await textOf((given) => ({ ...given, item: JSON.parse(JSON.stringify(given.item)) as unknown }));
    expect(parsed).toContain('"__proto__":{"M":{"constructor":{"BOOL":true}}}');
    const spread = await textOf(({ item: attributes, ...rest }) => ({
      ...rest,
      item: { ...attributes, big: { N: "0" } },
    }));
    expect(spread).toContain('"__proto__":{"M":{"constructor":{"BOOL":true}}}');
    expect(spread).toContain('"big":{"N":"0"}');
  });

  it("may get binary values as bytes", async () => {
    const text = await textOf((given) => {
      given.item["raw"] = { B: Buffer.from("é") };
      given.item["more"] = { BS: [Uint8Array.of(255)] };
      return given;
    });
    expect(text).toContain('"raw":{"B":"w6k="}');
    expect(text).toContain('"more":{"BS":["/w=="]}');
  });

  it("may get another key, which is then the record's", async () => {
    const made = await item((given) => {
      given.item["id"] = { S: "b" };
      return given;
    });
    expect(made).toMatchObject({
      identity: expect.stringContaining("Sb") as unknown,
      record: {
        displayKey: "b / 1.50",
        keyText: { hash: Buffer.from('{"S":"b"}'), range: Buffer.from('{"N":"1.50"}') },
        place: record().place,
        after: record().after,
      },
    });
  });

  it.each<[string, (given: PlainItem) => unknown, RegExp]>([
    ["without a key attribute", ({ item: { at, ...rest }, ...given }) => ({ ...given, item: rest, at }), /member "at"/],
    [
      "without its range key",
      ({ item: { at: _, ...rest }, ...given }) => ({ ...given, item: rest }),
      /no key attribute "at"/,
    ],
    [
      "with a key of another type",
      (given) => ({ ...given, item: { ...given.item, at: { S: "1" } } }),
      /"at" is not of type N/,
    ],
    [
      "with a number that is none of text",
      (given) => ({ ...given, item: { ...given.item, n: { N: 1 } } }),
      /item\.n\.N is of type number/,
    ],
    [
      "with an attribute that is undefined",
      (given) => ({ ...given, item: { ...given.item, n: undefined } }),
      /item\.n is of type undefined/,
    ],
    ["with an attribute of no type", (given) => ({ ...given, item: { ...given.item, n: {} } }), /exactly one type/],
    [
      "with bytes that are no binary value",
      (given) => ({ ...given, item: { ...given.item, n: { S: Buffer.from("x") } } }),
      /item\.n\.S is not a plain object/,
    ],
    ["with a lone surrogate", (given) => ({ ...given, item: { ...given.item, n: { S: "\ud800" } } }), /lone surrogate/],
    [
      "with a prototype from a literal",
      (given) => ({ ...given, item: { ...given.item, n: { M: { __proto__: { S: "x" } } } } }),
      /not a plain object/,
    ],
    ["that is a string", (given) => ({ ...given, item: "x" }), /the item is not an object/],
    ["whose key for people was changed", (given) => ({ ...given, key: "b" }), /key stands in its attributes/],
    ["with a member too many", (given) => ({ ...given, itme: {} }), /member "itme"/],
    ["of another table", (given) => ({ ...given, scope: "users" }), /scope has to stay "orders"/],
    ["of another kind", (given) => ({ ...given, kind: "object" }), /kind has to stay "item"/],
  ])("%s is rejected, and no value of it is quoted", async (_what, change, detail) => {
    const made = await item(change);
    expect(made).toMatchObject({
      kind: "faulty",
      outcome: "rejected",
      reason: "transform-failed",
      displayKey: "a / 1.50",
    });
    expect(detailOf(made)).toMatch(detail);
    expect(detailOf(made)).not.toContain("12345678901234567890");
  });

  it("that holds itself is rejected", async () => {
    const made = await item((given) => {
      const map: { M: Record<string, unknown> } = { M: {} };
      map.M["again"] = map;
      return { ...given, item: { ...given.item, map } };
    });
    expect(detailOf(made)).toMatch(/nested too deep/);
  });
});
