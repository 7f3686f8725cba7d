/**
 * JSON for the proof, apart from the product's own reader on purpose: a fault that both shared could hide. Everything
 * is held in memory. Numbers keep their text, objects are lists of pairs: nothing is lost to 2^53 or to `__proto__`.
 */

export type Json =
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "array"; readonly items: readonly Json[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [name: string, value: Json])[] };

const NULL: Json = { kind: "null" };
const TOKEN = /[\s]*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d[-+.\deE]*)|(true|false|null))/suy;

/** @throws Error on anything that is not one JSON value, with perhaps white space round it */
export function parseJson(text: string): Json {
  const tokens = new Tokens(text);
  const value = readValue(tokens, tokens.next());
  tokens.end();
  return value;
}

/** The values of a JSON lines file, without blank lines. */
export function parseLines(text: string): Json[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseJson(line));
}

/** A member by name; null where it is missing, the last one where it is repeated. */
export function member(value: Json, name: string): Json {
  if (value.kind !== "object") throw new Error(`an object was expected, not ${value.kind}`);
  return value.entries.findLast(([own]) => own === name)?.[1] ?? NULL;
}

export function items(value: Json): readonly Json[] {
  if (value.kind === "null") return [];
  if (value.kind !== "array") throw new Error(`an array was expected, not ${value.kind}`);
  return value.items;
}

export function entries(value: Json): readonly (readonly [name: string, value: Json])[] {
  if (value.kind === "null") return [];
  if (value.kind !== "object") throw new Error(`an object was expected, not ${value.kind}`);
  return value.entries;
}

/** A string; undefined where it is missing, null or empty. */
export function text(value: Json): string | undefined {
  if (value.kind === "null") return undefined;
  if (value.kind !== "string") throw new Error(`a string was expected, not ${value.kind}`);
  return value.value === "" ? undefined : value.value;
}

/** The text of a number; undefined where it is missing or null. */
export function digits(value: Json): string | undefined {
  if (value.kind === "null") return undefined;
  if (value.kind !== "number") throw new Error(`a number was expected, not ${value.kind}`);
  return value.text;
}

class Tokens {
  readonly #text: string;
  #at = 0;

  constructor(source: string) {
    this.#text = source;
  }

  next(): string {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) throw new Error(`no JSON token at character ${this.#at}`);
    this.#at = TOKEN.lastIndex;
    return found[0].trim();
  }

  end(): void {
    if (this.#text.slice(this.#at).trim() !== "") throw new Error(`something follows the value at ${this.#at}`);
  }
}

function readValue(tokens: Tokens, first: string): Json {
  if (first === "null") return NULL;
  if (first === "true" || first === "false") return { kind: "boolean", value: first === "true" };
  if (first === "[") return { kind: "array", items: readItems(tokens) };
  if (first === "{") return { kind: "object", entries: readEntries(tokens) };
  if (first.startsWith('"')) return { kind: "string", value: readString(first) };
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/u.test(first)) return { kind: "number", text: first };
  throw new Error(`${first} cannot start a value`);
}

function readItems(tokens: Tokens): Json[] {
  const found: Json[] = [];
  for (let token = tokens.next(); token !== "]"; token = tokens.next()) {
    if (found.length > 0) {
      expectToken(token, ",");
      token = tokens.next();
    }
    found.push(readValue(tokens, token));
  }
  return found;
}

function readEntries(tokens: Tokens): [string, Json][] {
  const found: [string, Json][] = [];
  for (let token = tokens.next(); token !== "}"; token = tokens.next()) {
    if (found.length > 0) {
      expectToken(token, ",");
      token = tokens.next();
    }
    const name = readString(token);
    expectToken(tokens.next(), ":");
    found.push([name, readValue(tokens, tokens.next())]);
  }
  return found;
}

/** The engine's own parser knows the escapes, and for a lone string it loses nothing. */
function readString(token: string): string {
  const value: unknown = JSON.parse(token);
  if (typeof value !== "string") throw new Error(`${token} is not a string`);
  return value;
}

function expectToken(token: string, wanted: string): void {
  if (token !== wanted) throw new Error(`${wanted} was expected, not ${token}`);
}
