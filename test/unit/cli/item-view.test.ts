import { expect, it } from "vitest";
import { plainItem, typedItem } from "../../../src/cli/item-view.js";

const text = (json: string) => Buffer.from(json);

it("shows an item without its types, to any depth", () => {
  const item =
    '{"a":{"M":{"b":{"L":[{"S":"x"},{"N":"1.50"},{"NULL":true},{"BOOL":false}]},"s":{"NS":["1","2"]}}},"c":{"B":"AA=="}}';
  expect(plainItem(text(item))).toEqual({ a: { b: ["x", 1.5, null, false], s: [1, 2] }, c: "AA==" });
});

it.each(["12345678901234567890.123456789012345678", "1E130", "0.1000000000000000055511151231257827"])(
  "keeps the digits of %s",
  (number) => {
    const shown = JSON.stringify(plainItem(text(`{"n":{"N":"${number}"}}`)));
    expect([`{"n":"${number}"}`, '{"n":1e+130}']).toContain(shown);
  },
);

it("keeps names that mean something to JavaScript", () => {
  expect(JSON.stringify(plainItem(text('{"__proto__":{"S":"own"}}')))).toBe('{"__proto__":"own"}');
  expect(JSON.stringify(typedItem(text('{"__proto__":{"N":"1"}}')))).toBe('{"__proto__":{"N":"1"}}');
});
