import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TableSchema } from "../../../src/model/scope.js";
import { ItemReader, readItem } from "../../../src/readers/dynamodb-item.js";
import { ItemScanner } from "../../../src/readers/item-scan.js";

const schema: TableSchema = {
  key: { hash: { name: "id", type: "S" }, range: { name: "n", type: "N" } },
  globalIndexes: [],
  localIndexes: [],
} as unknown as TableSchema;

const scanner = new ItemScanner(schema);

function scan(text: string | Buffer) {
  return scanner.scan(Buffer.from(text));
}

/** What the full reading makes of a text: its answer, or the fault. */
function full(text: Buffer) {
  try {
    return readItem(text, schema);
  } catch {
    return undefined;
  }
}

const KEYS = '"id":{"S":"a"},"n":{"N":"1.0"}';

describe("a plain item", () => {
  it("is read in one pass, with every type and white space anywhere", () => {
    const text = ` { ${KEYS} , "é" : { "S" : "line\\n\\"x\\"" } , "b":{"B":"YQ=="},"t":{"BOOL":true},"f":{"BOOL":false},
      "nul":{"NULL":true},"ss":{"SS":["a","b"]},"ns":{"NS":["1"]},"bs":{"BS":["","YWI="]},"l":{"L":[]},
      "m":{"M":{"id":{"L":[{"M":{}},{"S":""}]}}} } `.trim();
    expect(scan(text)).toMatchObject({
      hash: { raw: Buffer.from('{"S":"a"}'), value: "a" },
      range: { raw: Buffer.from('{"N":"1.0"}'), value: "1.0" },
    });
  });

  it("gives the key's own text, also beyond ASCII", () => {
    expect(scan('{"n":{"N":"1"},"id":{ "S":"käy" }}')?.hash).toEqual({
      raw: Buffer.from('{ "S":"käy" }'),
      value: "käy",
    });
  });

  it.each(["", "a", "käy", "a\u007fb", "a\u202eb", "\ufeff"])("shows the key as the full reading does: %j", (key) => {
    const bytes = Buffer.from(`{"n":{"N":"1"},"id":{"S":"${key}"}}`);
    expect(scan(bytes)).toBeDefined();
    expect(new ItemReader(schema).read(bytes)).toEqual(readItem(bytes, schema));
  });
});

describe("left to the full reading", () => {
  it.each([
    ["a name twice", `{${KEYS},"x":{"S":""},"x":{"S":""}}`],
    ["a name twice in a map", `{${KEYS},"x":{"M":{"y":{"S":""},"y":{"S":""}}}}`],
    ["an escape in a name", `{${KEYS},"\\n":{"S":""}}`],
    ["an escape in a key", '{"id":{"S":"a\\n"},"n":{"N":"1"}}'],
    ["a \\u escape", `{${KEYS},"x":{"S":"\\u0041"}}`],
    ["a lone surrogate", `{${KEYS},"x":{"S":"\\ud800"}}`],
    ["an unknown escape", `{${KEYS},"x":{"S":"\\x"}}`],
    ["a control character", `{${KEYS},"x":{"S":"\u0001"}}`],
    ["two types", `{${KEYS},"x":{"S":"","N":""}}`],
    ["no type", `{${KEYS},"x":{}}`],
    ["an unknown type", `{${KEYS},"x":{"X":""}}`],
    ["a number for a string", `{${KEYS},"x":{"N":1}}`],
    ["base64 of another length", `{${KEYS},"x":{"B":"YQ="}}`],
    ["base64 of other letters", `{${KEYS},"x":{"B":"Y_=="}}`],
    ["base64 with its end in the middle", `{${KEYS},"x":{"B":"YQ==YQ=="}}`],
    ["a NULL that is false", `{${KEYS},"x":{"NULL":false}}`],
    ["a word that goes on", `{${KEYS},"x":{"NULL":truer}}`],
    ["a comma at the end", `{${KEYS},}`],
    ["text behind the item", `{${KEYS}}x`],
    ["an end in the middle", `{${KEYS}`],
    ["a key that is missing", '{"id":{"S":"a"}}'],
    ["a key of another type", '{"id":{"S":"a"},"n":{"S":"1"}}'],
    ["deep nesting", `{${KEYS},"x":${'{"L":['.repeat(60)}${"]}".repeat(60)}}`],
  ])("is an item with %s", (_what, text) => {
    expect(scan(text)).toBeUndefined();
  });

  it("are bytes that are not UTF-8", () => {
    expect(
      scan(Buffer.concat([Buffer.from(`{${KEYS},"x":{"S":"`), Buffer.of(0xff), Buffer.from('"}}')])),
    ).toBeUndefined();
  });
});

it("what the scan accepts, the full reading accepts with the same answer", () => {
  const name = fc.constantFrom("id", "n", "x", "y", "é", "\\n", "");
  const string = fc.constantFrom(
    '""',
    '"a"',
    '"1.0"',
    '"YQ=="',
    '"é\u007f"',
    '"\\""',
    '"\\u0041"',
    '"\\ud800"',
    "1",
    "true",
  );
  const { attribute } = fc.letrec((tie) => ({
    attribute: fc.oneof(
      { maxDepth: 4 },
      fc.tuple(fc.constantFrom("S", "N", "B", "BOOL", "NULL", "X"), string).map(([t, v]) => `{"${t}":${v}}`),
      fc.array(string, { maxLength: 3 }).map((all) => `{"SS":[${all.join(",")}]}`),
      fc.array(string, { maxLength: 3 }).map((all) => `{"BS": [${all.join(" ,")}]}`),
      fc.array(tie("attribute"), { maxLength: 3 }).map((all) => `{"L":[${all.join(",")}]}`),
      fc.array(fc.tuple(name, tie("attribute")), { maxLength: 3 }).map((all) => `{"M":${object(all)}}`),
    ),
  }));
  const item = fc.array(fc.tuple(name, attribute), { maxLength: 3 }).map((more) => {
    return object([["id", '{"S":"a"}'], ["n", '{"N":"1"}'], ...more] as [string, unknown][]);
  });
  const harm = fc.tuple(fc.nat(), fc.constantFrom("", "{", "}", '"', "\\", ",", "[", " ", "\u0000", "é"));
  let accepted = 0;
  fc.assert(
    fc.property(item, fc.option(harm), (text, change) => {
      const at = change === null ? 0 : change[0] % text.length;
      const bytes = Buffer.from(change === null ? text : text.slice(0, at) + change[1] + text.slice(at + 1));
      if (scanner.scan(bytes) === undefined) return;
      accepted++;
      expect(new ItemReader(schema).read(bytes)).toEqual(full(bytes));
    }),
    { numRuns: 3_000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

function object(members: readonly (readonly [string, unknown])[]): string {
  return `{${members.map(([name, value]) => `"${name}":${String(value)}`).join(",")}}`;
}
