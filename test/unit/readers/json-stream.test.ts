import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type StreamedElement, streamElements } from "../../../src/readers/json-stream.js";
import { JsonNumber, parseJson } from "../../../src/support/json.js";
import { collect } from "../../support/read-dump.js";

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
          const whole = values.map((value) => parseJson(Buffer.from(JSON.stringify(value))));
          expect(found.map(({ value }) => value)).toEqual(whole);
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
