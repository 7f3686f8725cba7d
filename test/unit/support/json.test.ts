import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson, parseLocated } from "../../../src/support/json.js";

function parse(text: string): JsonValue {
  return parseJson(Buffer.from(text));
}

function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([name, each]) => [name, plain(each)]));
  return value;
}

function mapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([name, each]) => [name, mapped(each)]));
}

describe("text that is JSON", () => {
  it("is read as any other parser would, however it is laid out", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
        const value: unknown = JSON.parse(text);
        expect(plain(parse(JSON.stringify(value, null, indent)))).toEqual(mapped(value));
      }),
    );
  });

  it("keeps numbers as they stand", () => {
    for (const text of ["0", "-0", "1.50", "1E+400", "-12e-3", "18446744073709551615"]) {
      expect(parse(text)).toEqual(new JsonNumber(text));
    }
  });

  it("may hold __proto__ and an empty name like any other name", () => {
    expect(parse('{"__proto__":true,"":null}')).toEqual(
      new Map<string, JsonValue>([
        ["__proto__", true],
        ["", null],
      ]),
    );
  });

  it("keeps the order of names, also of those that look like numbers", () => {
    const value = parse('{"10":1,"9":2,"a":3}');
    expect(value instanceof Map && [...value.keys()]).toEqual(["10", "9", "a"]);
  });

  it("may hold every escape, pairs of surrogates and the replacement character itself", () => {
    expect(parse('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\ufffd😀"')).toBe('"\\/\b\f\n\r\té😀\ufffd😀');
  });
});

describe("text that is not", () => {
  it.each([
    ["", "malformed-json"],
    [" ", "malformed-json"],
    ["{", "malformed-json"],
    ["[1,]", "malformed-json"],
    ['{"a":1,}', "malformed-json"],
    ["{a:1}", "malformed-json"],
    ["'a'", "malformed-json"],
    ["{'a':1}", "malformed-json"],
    ['"a', "malformed-json"],
    ['"a\\"', "malformed-json"],
    ['"\\x"', "malformed-json"],
    ['"\\u12g4"', "malformed-json"],
    ['"\\u12"', "malformed-json"],
    ['"a\nb"', "malformed-json"],
    ['"\\n\u0001"', "malformed-json"],
    ["01", "malformed-json"],
    ["+1", "malformed-json"],
    [".5", "malformed-json"],
    ["1.", "malformed-json"],
    ["1e", "malformed-json"],
    ["-", "malformed-json"],
    ["NaN", "malformed-json"],
    ["Infinity", "malformed-json"],
    ["tru", "malformed-json"],
    ["nulll", "malformed-json"],
    ["1 2", "malformed-json"],
    ["{} {}", "malformed-json"],
    ["[1] // why", "malformed-json"],
    ['{"a":1,"a":2}', "duplicate-key"],
    ['{"a":1,"\\u0061":2}', "duplicate-key"],
    ['[{"b":{"c":1,"c":1}}]', "duplicate-key"],
    ['"\\ud83d"', "lone-surrogate"],
    ['"\\ude00\\ud83d"', "lone-surrogate"],
    ['{"\\ud800":1}', "lone-surrogate"],
    ['"\\ud800x\\udc00"', "lone-surrogate"],
    ["\ufeff1", "byte-order-mark"],
  ] as const)("is refused: %j is %s", (text, reason) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: "JsonSyntaxError", reason }));
  });

  it.each([
    [[0xff], "malformed-json"],
    [[0x22, 0xff, 0x22], "bad-utf8"],
    [[0x22, 0xed, 0xa0, 0x80, 0x22], "bad-utf8"],
    [[0x22, 0xc0, 0x80, 0x22], "bad-utf8"],
    [[0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], "bad-utf8"],
    [[0x22, 0xe2, 0x82, 0x22], "bad-utf8"],
    [[0x22, 0x5c, 0x6e, 0xc3, 0x22], "bad-utf8"],
  ] as const)("is refused: the bytes %j are %s", (bytes, reason) => {
    expect(() => parseJson(Buffer.from(bytes))).toThrow(expect.objectContaining({ reason }));
  });

  it("says at which byte", () => {
    expect(() => parse('{"ä":tru}')).toThrow(expect.objectContaining({ offset: 6 }));
    expect(new JsonSyntaxError("malformed-json", "a value was expected", 6).message).toBe(
      "a value was expected at byte 6",
    );
  });

  it("never makes anything but a JsonSyntaxError of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseJson(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(JsonSyntaxError);
        }
      }),
    );
  });
});

describe("nesting", () => {
  it("is taken to the depth that was allowed and no deeper", () => {
    const nested = (depth: number) => Buffer.from("[".repeat(depth) + "]".repeat(depth));
    expect(() => parseJson(nested(3), { maxDepth: 3 })).not.toThrow();
    expect(() => parseJson(nested(4), { maxDepth: 3 })).toThrow(expect.objectContaining({ reason: "too-deep" }));
    expect(() => parseJson(nested(100_000))).toThrow(expect.objectContaining({ reason: "too-deep" }));
  });
});

it("the values of an object's members are found in its text, in bytes", () => {
  const text = Buffer.from('{ "ä" : {"S":"ü"} ,"b":[1, 2], "c":-1.0}');
  const { ranges } = parseLocated(text);
  const values = [...ranges].map(([name, [start, end]]) => [name, text.toString("utf8", start, end)]);
  expect(values).toEqual([
    ["ä", '{"S":"ü"}'],
    ["b", "[1, 2]"],
    ["c", "-1.0"],
  ]);
});

it("more values than any record has are refused while they are few enough for memory", () => {
  const text = Buffer.from(`[${"{},".repeat(2_000_000)}{}]`);
  expect(() => parseJson(text)).toThrow(expect.objectContaining({ reason: "too-many-values" }));
});
