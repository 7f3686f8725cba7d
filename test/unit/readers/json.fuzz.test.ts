/** Random texts for the two readers of JSON, held against `JSON.parse` and against each other. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FieldError } from "../../../src/readers/json-access.js";
import { LimitError, type StreamedElement, streamElements } from "../../../src/readers/json-stream.js";
import { JsonNumber, type JsonObject, JsonSyntaxError, type JsonValue, parseJson } from "../../../src/support/json.js";
import { contentIn, ending, fuzz, fuzzTimeout, mutated, someBytes, someCuts, someText } from "../../support/fuzz.js";
import { type Json, parseJson as parseLoosely } from "../../support/readback/json.js";

const space = fc.constantFrom("", "", "", " ", "\n", "\t\r ");
const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][-+]?\d{1,3})?$/);

/** A string in each of the ways that JSON has to write it. */
const quoted = fc
  .tuple(
    fc.oneof(fc.constantFrom("", "a", "__proto__", "items", "\ud83d", "\ude00x", '"', "\\", 'a\\"]}'), someText(12)),
    fc.nat(3),
  )
  .map(([text, style]) => {
    if (style === 0) return JSON.stringify(text);
    const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    const needed = (unit: string) => (unit < " " || unit === '"' || unit === "\\" ? escaped(unit) : unit);
    return `"${text
      .split("")
      .map(style === 1 ? escaped : needed)
      .join("")}"`;
  });

const deep = fc.integer({ min: 120, max: 140 }).map((depth) => "[".repeat(depth) + "]".repeat(depth));

/** Valid for `JSON.parse`. */
const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    { arbitrary: fc.constantFrom("null", "true", "false"), weight: 10 },
    { arbitrary: digits, weight: 10 },
    { arbitrary: quoted, weight: 10 },
    { arbitrary: deep, weight: 1 },
    {
      arbitrary: fc.array(padded(tie("value")), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      weight: 10,
    },
    {
      arbitrary: fc.array(member(quoted, tie("value")), { maxLength: 4 }).map((members) => `{${members.join(",")}}`),
      weight: 10,
    },
  ),
}));

function padded(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, text, space).map((parts) => parts.join(""));
}

function member(name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(padded(name), padded(value)).map((parts) => parts.join(":"));
}

const jsonBytes = padded(jsonText).map((text) => Buffer.from(text));

/** One notation for what any of the parsers gives. */
function shown(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return ["number", Number(value.text)];
  if (Array.isArray(value)) return value.map(shown);
  if (value instanceof Map) return new Map([...value].map(([name, each]) => [name, shown(each)]));
  return value;
}

function shownPlain(value: unknown): unknown {
  if (typeof value === "number") return ["number", value];
  if (Array.isArray(value)) return value.map(shownPlain);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([name, each]) => [name, shownPlain(each)]));
}

/** Whether a text that `JSON.parse` takes has what the strict parser refuses it for. */
const DECLARED: Readonly<Record<string, (json: Json) => boolean>> = {
  "duplicate-key": (json) => some(json, (each) => namesOf(each).length !== new Set(namesOf(each)).size),
  "lone-surrogate": (json) => some(json, (each) => [...namesOf(each), textOf(each)].some((text) => !isWhole(text))),
  "too-deep": (json) => depthOf(json) > 128,
};

function namesOf(json: Json): string[] {
  return json.kind === "object" ? json.entries.map(([name]) => name) : [];
}

function textOf(json: Json): string {
  return json.kind === "string" ? json.value : "";
}

function isWhole(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

function innerOf(json: Json): readonly Json[] {
  if (json.kind === "array") return json.items;
  return json.kind === "object" ? json.entries.map(([, value]) => value) : [];
}

function some(json: Json, test: (json: Json) => boolean): boolean {
  return test(json) || innerOf(json).some((each) => some(each, test));
}

function depthOf(json: Json): number {
  const inner = innerOf(json).map(depthOf);
  return json.kind === "array" || json.kind === "object" ? 1 + Math.max(0, ...inner) : 0;
}

/** Held against `JSON.parse`: the same value, or a fault that both find, or one that is declared and there. */
async function expectAgreement(bytes: Buffer): Promise<void> {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const loose = await ending((): unknown => JSON.parse(text.decode(bytes)));
  const strict = await ending(() => parseJson(bytes));
  if ("value" in strict) {
    if ("error" in loose) throw loose.error;
    expect(shown(strict.value)).toEqual(shownPlain(loose.value));
    const json = parseLoosely(text.decode(bytes));
    expect(Object.keys(DECLARED).filter((reason) => DECLARED[reason]?.(json))).toEqual([]);
    return;
  }
  if (!(strict.error instanceof JsonSyntaxError)) throw strict.error;
  expect(strict.error.offset).toBeLessThanOrEqual(bytes.length);
  if ("error" in loose) return;
  const isThere = DECLARED[strict.error.reason];
  expect(isThere?.(parseLoosely(text.decode(bytes))), strict.error.message).toBe(true);
}

describe("the strict parser", () => {
  const timeout = fuzzTimeout(20_000);

  it("gives of valid texts what JSON.parse gives, or refuses them for a reason that is there", {
    timeout,
  }, async () => {
    await fc.assert(fc.asyncProperty(jsonBytes, expectAgreement), fuzz());
  });

  it("takes no text that JSON.parse refuses, however little was changed", { timeout }, async () => {
    await fc.assert(fc.asyncProperty(mutated(jsonBytes), expectAgreement), fuzz(2));
  });

  it("takes no bytes that are not UTF-8", { timeout }, async () => {
    const broken = fc.tuple(jsonBytes, someBytes(3), fc.nat()).map(([bytes, noise, at]) => {
      const start = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, start), noise, bytes.subarray(start)]);
    });
    await fc.assert(fc.asyncProperty(broken, expectAgreement), fuzz());
  });
});

interface Streamed {
  readonly elements: readonly (readonly [name: string | undefined, value: unknown])[];
  readonly rest: unknown;
}

async function stream(bytes: Buffer, cuts: readonly number[]): Promise<Streamed> {
  const elements: StreamedElement[] = [];
  const source = streamElements(contentIn(bytes, cuts).blocks(), "items");
  for (;;) {
    const next = await source.next();
    if (next.done === true) return { elements: elements.map(shownElement), rest: shown(next.value) };
    elements.push(...next.value);
  }
}

function shownElement({ name, value }: StreamedElement): readonly [string | undefined, unknown] {
  return [name, shown(value)];
}

/** A stream's ending in one notation, its message and place included. */
async function streamEnding(bytes: Buffer, cuts: readonly number[]): Promise<unknown> {
  const found = await ending(() => stream(bytes, cuts));
  if ("value" in found) return found.value;
  const { error } = found;
  if (error instanceof JsonSyntaxError) return [error.reason, error.message];
  if (error instanceof FieldError || error instanceof LimitError) return [error.name, error.message];
  throw error;
}

const NOT_STREAMED: unknown = expect.stringMatching(/^(duplicate-key|too-deep)$/);

const element = fc.oneof(jsonText, quoted);
const container = fc.oneof(
  fc.array(padded(element), { maxLength: 8 }).map((items) => `[${items.join(",")}]`),
  fc.array(member(quoted, element), { maxLength: 8 }).map((members) => `{${members.join(",")}}`),
  fc.constantFrom("null", "7", "[]", "{}", "[ ]"),
);
const collectionBytes = fc
  .array(fc.oneof(member(fc.constant('"items"'), container), member(quoted, jsonText)), { maxLength: 4 })
  .map((members) => Buffer.from(`{${members.join(",")}}`));

describe("the streaming reader", () => {
  const timeout = fuzzTimeout(20_000);

  it("gives the same elements or the same fault, wherever blocks end", { timeout }, async () => {
    const property = fc.asyncProperty(
      fc.oneof(collectionBytes, mutated(collectionBytes)),
      someCuts,
      async (bytes, cuts) => {
        expect(await streamEnding(bytes, cuts)).toEqual(await streamEnding(bytes, []));
      },
    );
    await fc.assert(property, fuzz(2));
  });

  it("gives the same elements or the same fault when every block is one byte", { timeout }, async () => {
    const property = fc.asyncProperty(mutated(collectionBytes), async (bytes) => {
      const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
      expect(await streamEnding(bytes, everywhere)).toEqual(await streamEnding(bytes, []));
    });
    await fc.assert(property, fuzz());
  });

  it("takes just what the strict parser takes, but for the collection's own level and names, which are the caller's", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(
      fc.oneof(collectionBytes, mutated(collectionBytes)),
      someCuts,
      async (bytes, cuts) => {
        const whole = await ending(() => parseJson(bytes));
        const streamed = await ending(() => stream(bytes, cuts));
        if ("value" in whole) expectSame(whole.value, streamed);
        else if ("value" in streamed) expect(whole.error).toMatchObject({ reason: NOT_STREAMED });
      },
    );
    await fc.assert(property, fuzz(2));
  });
});

function expectSame(whole: JsonValue, streamed: Awaited<ReturnType<typeof ending<Streamed>>>): void {
  const items = whole instanceof Map ? whole.get("items") : undefined;
  if (items !== null && typeof items !== "object") {
    expect(streamed).toHaveProperty("error");
    return;
  }
  if (items instanceof JsonNumber) {
    expect(streamed).toMatchObject({ error: expect.any(FieldError) as FieldError });
    return;
  }
  const rest = new Map([...(whole as JsonObject)].filter(([name]) => name !== "items"));
  expect(streamed).toEqual({ value: { elements: elementsOf(items), rest: shown(rest) } });
}

function elementsOf(items: JsonValue[] | JsonObject | null): (readonly [string | undefined, unknown])[] {
  if (items === null) return [];
  if (Array.isArray(items)) return items.map((value) => [undefined, shown(value)]);
  return [...items].map(([name, value]) => [name, shown(value)]);
}
