import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BATCH_OVERHEAD_BYTES,
  batchBody,
  compactJson,
  getBody,
  ITEM_OVERHEAD_BYTES,
  putBody,
  putIfAbsentBody,
} from "../../../../src/replayers/dynamodb/requests.js";

const text = Buffer.from('{ "pk":{"S":"a"}, "__proto__":{"S":"p"}, "n":{"N":"1.0"} }');

describe("a request's body", () => {
  it("holds the items' text byte for byte", () => {
    const body = batchBody("orders", [text, text]);
    const put = `{"PutRequest":{"Item":${text.toString()}}}`;
    expect(body.toString()).toBe(`{"RequestItems":{"orders":[${put},${put}]}}`);
  });

  it("of a put holds the item's text", () => {
    expect(putBody("orders", text).toString()).toBe(`{"TableName":"orders","Item":${text.toString()}}`);
  });

  it("of a conditional put asks for the hash key, whatever its name", () => {
    const body = JSON.parse(putIfAbsentBody("orders", Buffer.from('{"a":{"S":"1"}}'), 'size "x"').toString());
    expect(body).toMatchObject({
      ConditionExpression: "attribute_not_exists(#k)",
      ExpressionAttributeNames: { "#k": 'size "x"' },
      Item: { a: { S: "1" } },
    });
  });

  it("of a read asks for the whole key, consistently", () => {
    const key = { hash: { name: "pk", type: "S" }, range: { name: "sk", type: "N" } } as const;
    const keyText = { hash: Buffer.from('{"S":"a"}'), range: Buffer.from('{"N":"1.0"}') };
    const body = getBody({ table: "orders", key, keyOnly: false }, keyText);
    expect(body.toString()).toBe(
      '{"TableName":"orders","ConsistentRead":true,"Key":{"pk":{"S":"a"},"sk":{"N":"1.0"}}}',
    );
  });

  it("is not larger than its items and the overhead that is reckoned", () => {
    const table = "\u0001".repeat(255);
    const texts = Array.from({ length: 25 }, () => text);
    const most = 25 * (text.length + ITEM_OVERHEAD_BYTES) + BATCH_OVERHEAD_BYTES;
    expect(batchBody(table, texts).length).toBeLessThanOrEqual(most);
  });
});

describe("compacting", () => {
  it.each([
    ['{ "a" :\n\t{ "S" : "x y" } }\r\n', '{"a":{"S":"x y"}}'],
    ['{"a": {"S": "\\" : \\\\"} }', '{"a":{"S":"\\" : \\\\"}}'],
    ['{"ü ü": {"L": [ ] } }', '{"ü ü":{"L":[]}}'],
    ["", ""],
  ])("takes the space between tokens and nothing else out of %j", (from, to) => {
    expect(compactJson(Buffer.from(from)).toString()).toBe(to);
  });

  it("leaves what a parser reads as it is, however it was indented", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom("  ", "\t", ""), (value, indent) => {
        const text = Buffer.from(JSON.stringify(value, undefined, indent));
        expect(compactJson(text).toString()).toBe(JSON.stringify(value));
      }),
    );
  });
});
