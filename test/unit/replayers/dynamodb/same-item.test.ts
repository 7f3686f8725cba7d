import { describe, expect, it } from "vitest";
import { itemDifferences } from "../../../../src/replayers/dynamodb/item-differences.js";
import { canonicalKey } from "../../../../src/replayers/dynamodb/same-item.js";
import { type JsonObject, parseJson } from "../../../../src/support/json.js";

function item(text: string): JsonObject {
  const parsed = parseJson(Buffer.from(text));
  if (!(parsed instanceof Map)) throw new Error("no object");
  return parsed;
}

function areSame(a: string, b: string): boolean {
  return itemDifferences(item(a), item(b)).count === 0;
}

describe("two items are the same", () => {
  it.each([
    ["whatever the order of names", '{"a":{"S":"1"},"b":{"S":"2"}}', '{"b":{"S":"2"},"a":{"S":"1"}}'],
    ["with numbers written otherwise", '{"a":{"N":"1.50"}}', '{"a":{"N":"15e-1"}}'],
    ["with sets in another order", '{"a":{"SS":["x","y"]}}', '{"a":{"SS":["y","x"]}}'],
    ["with number sets written otherwise", '{"a":{"NS":["10","1.0"]}}', '{"a":{"NS":["1","1e1"]}}'],
    ["with binary sets in another order", '{"a":{"BS":["AA==","AQ=="]}}', '{"a":{"BS":["AQ==","AA=="]}}'],
    ["with escapes written otherwise", '{"a":{"S":"\\u00fc"}}', '{"a":{"S":"ü"}}'],
    ["deep down", '{"a":{"L":[{"M":{"n":{"N":"1"}}}]}}', '{"a":{"L":[{"M":{"n":{"N":"1.0"}}}]}}'],
  ])("%s", (_what, a, b) => {
    expect(areSame(a, b)).toBe(true);
  });
});

describe("two items differ", () => {
  it.each([
    ["in a value", '{"a":{"S":"1"}}', '{"a":{"S":"2"}}'],
    ["in a type", '{"a":{"S":"1"}}', '{"a":{"N":"1"}}'],
    ["in the 38th digit", `{"a":{"N":"1${"0".repeat(36)}1"}}`, `{"a":{"N":"1${"0".repeat(36)}2"}}`],
    ["in an attribute called __proto__", '{"a":{"S":"1"},"__proto__":{"S":"1"}}', '{"a":{"S":"1"}}'],
    ["in a list's order", '{"a":{"L":[{"S":"x"},{"S":"y"}]}}', '{"a":{"L":[{"S":"y"},{"S":"x"}]}}'],
    ["in a set's member", '{"a":{"SS":["x","y"]}}', '{"a":{"SS":["x","z"]}}'],
    ["in a byte", '{"a":{"B":"AA=="}}', '{"a":{"B":"AQ=="}}'],
    ["where one is empty", '{"a":{"L":[]}}', '{"a":{"M":{}}}'],
    ["in true and false", '{"a":{"BOOL":true}}', '{"a":{"BOOL":false}}'],
    ["in structure that looks alike", '{"a":{"S":"[\\"S\\",\\"b\\"]"}}', '{"a":{"L":[{"S":"b"}]}}'],
  ])("%s", (_what, a, b) => {
    expect(areSame(a, b)).toBe(false);
  });
});

describe("keys", () => {
  const key = (...texts: readonly string[]) => canonicalKey(texts.map((text) => parseJson(Buffer.from(text))));

  it("are one in every spelling of a number", () => {
    const spellings = ["1", "1.0", "1e0", "10e-1", "+1", "01"].map((n) => key(`{"N":"${n}"}`));
    expect(new Set(spellings).size).toBe(1);
  });

  it("are told apart by type, part and place", () => {
    const keys = [key('{"S":"1"}'), key('{"N":"1"}'), key('{"S":"1"}', '{"S":"2"}'), key('{"S":"2"}', '{"S":"1"}')];
    expect(new Set(keys).size).toBe(4);
  });
});
