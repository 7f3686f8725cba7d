import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type StreamedElement, streamElements } from "../../../src/readers/json-stream.js";
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson } from "../../../src/support/json.js";
import { collect } from "../../support/read-dump.js";

function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [name, plain(member)]));
  return value;
}

/** What JSON.parse gives, with maps for objects. */
function reference(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reference);
  if (typeof value === "object" && value !== null) {
    return new Map(Object.entries(value).map(([name, member]) => [name, reference(member)]));
  }
  return value;
}

function reasonOf(text: string | Buffer): string {
  try {
    parseJson(Buffer.from(text));
    return "none";
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.reason;
    throw error;
  }
}

describe("strict JSON", () => {
  it("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        if (/\\ud[89a-f]/i.test(text)) return;
        const read = plain(parseJson(Buffer.from(text)));
        expect(read).toEqual(reference(JSON.parse(text)));
      }),
    );
  });

  it("keeps numbers as they stand there", () => {
    for (const text of ["-0", "1E+5", "100.0", "18446744073709551615", `0.${"1".repeat(50)}`]) {
      expect(parseJson(Buffer.from(text))).toEqual(new JsonNumber(text));
    }
  });

  it("keeps the order of names that look like numbers, and __proto__", () => {
    const value = parseJson(Buffer.from('{"10":1,"9":2,"__proto__":{"x":1}}'));
    expect([...(value as Map<string, JsonValue>).keys()]).toEqual(["10", "9", "__proto__"]);
  });

  it("takes escapes of pairs of surrogates and of any character", () => {
    expect(parseJson(Buffer.from('"\\ud83d\\ude00\\u0000\\/\\b"'))).toBe("\u{1f600}\0/\b");
  });

  it.each([
    ['{"a":1,"a":2}', "duplicate-key"],
    ['{"a":1,"\\u0061":2}', "duplicate-key"],
    ["\ufeff{}", "byte-order-mark"],
    ['"\\ud800"', "lone-surrogate"],
    ['"\\ud800x\\udc00"', "lone-surrogate"],
    [`${"[".repeat(200)}${"]".repeat(200)}`, "too-deep"],
    ["", "malformed-json"],
    ["{} {}", "malformed-json"],
    ["[1,]", "malformed-json"],
    ['{"a":1,}', "malformed-json"],
    ["{'a':1}", "malformed-json"],
    ["{a:1}", "malformed-json"],
    ["01", "malformed-json"],
    ["+1", "malformed-json"],
    ["1.", "malformed-json"],
    [".5", "malformed-json"],
    ["NaN", "malformed-json"],
    ["tru", "malformed-json"],
    ['"a\nb"', "malformed-json"],
    ['"\\x41"', "malformed-json"],
    ['"\\u12g4"', "malformed-json"],
    ['"open', "malformed-json"],
    ["// c\n1", "malformed-json"],
  ])("refuses %j", (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  it.each([
    ["a lone continuation", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0x80]],
    ["a code point above the last", [0xf4, 0x90, 0x80, 0x80]],
    ["a cut sequence", [0xe2, 0x82]],
  ])("refuses %s as bad UTF-8, and takes a replacement character of the text's own", (_what, bad) => {
    expect(reasonOf(Buffer.from([0x22, ...bad, 0x22]))).toBe("bad-utf8");
    expect(reasonOf(Buffer.from([0x22, ...bad, 0x5c, 0x6e, 0x22]))).toBe("bad-utf8");
    expect(reasonOf('"\ufffd"')).toBe("none");
  });
});

describe("streamed elements", () => {
  async function* blocksOf(text: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
  }

  it("are those that the whole text holds, wherever blocks end", async () => {
    const items = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        items,
        fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(4096)),
        fc.constantFrom(0, 1),
        async (values, size, indent) => {
          const text = JSON.stringify({ before: { items: [1] }, items: values, after: null }, undefined, indent);
          const found: StreamedElement[] = (
            await collect(streamElements(blocksOf(Buffer.from(text), size), "items"))
          ).flat();
          expect(found.map(({ value }) => plain(value))).toEqual(
            values.map((value) => reference(JSON.parse(JSON.stringify(value)))),
          );
        },
      ),
    );
  });

  it("have names where the container is an object", async () => {
    const text = Buffer.from('{"f":{"a":"1" , "\\u0062":{"x":[]},"c":"" }}');
    for (const size of [3, 1000]) {
      const found = (await collect(streamElements(blocksOf(text, size), "f"))).flat();
      expect(found.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    }
  });

  it("are told with their place in the file when they are faulty", async () => {
    for (const [text, offset] of [
      ['{"f":["a", "b", tru, "c"]}', 16],
      ['{"f":{"a":"b","c":[ "\\x" ]}}', 21],
      ['{"f":[], "g":[1,]}', 16],
    ] as const) {
      for (const size of [3, 1000]) {
        const found = collect(streamElements(blocksOf(Buffer.from(text), size), "f"));
        await expect(found).rejects.toMatchObject({ reason: "malformed-json", offset });
      }
    }
  });

  it("give up their source when the reading stops", async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield Buffer.from('{"f":[1,2,3,');
      } finally {
        isClosed = true;
      }
    }
    for await (const [element] of streamElements(source(), "f")) {
      expect(element?.value).toEqual(new JsonNumber("1"));
      break;
    }
    expect(isClosed).toBe(true);
  });
});
