import fc from "fast-check";
import { expect, it } from "vitest";
import { keyOfRecord } from "../../../../src/replayers/dynamodb/keys.js";
import { canonicalKey } from "../../../../src/replayers/dynamodb/same-item.js";
import { parseJson } from "../../../../src/support/json.js";
import { itemRecords, tableScope } from "../../../support/dynamodb-records.js";

it("a key has one name whatever way it is written", () => {
  const written = fc.constantFrom(
    '{"S":"a"}',
    '{ "S" : "a" }',
    '{"S":"\\u0061"}',
    '{"S":"é\u007f\u2028"}',
    '{"S":"\\u00e9\u007f\u2028"}',
    '{"S":"a\\"}"}',
    '{"S":""}',
    '{"N":"1"}',
    '{"N":"1.0"}',
    '{"N":" 1e0"}',
    '{"N" :"10"}',
    '{"N":"abc"}',
    '{"B":"YQ=="}',
    '{"B":"YR=="}',
  );
  fc.assert(
    fc.property(written, fc.option(written, { nil: undefined }), (hash, range) => {
      const parts = [hash, ...(range === undefined ? [] : [range])].map((text) => Buffer.from(text));
      const [hashText = Buffer.alloc(0), rangeText] = parts;
      const keyText = { hash: hashText, ...(rangeText === undefined ? {} : { range: rangeText }) };
      const records = itemRecords(tableScope("t"), '{"pk":{"S":"a"}}').map((record) => ({ ...record, keyText }));
      expect(records.map(keyOfRecord)).toEqual([canonicalKey(parts.map((part) => parseJson(part)))]);
    }),
  );
});
