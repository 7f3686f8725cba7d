/** Typed access to parsed JSON. Every mismatch is a FieldError, which readers turn into a fault of the file or record. */
import { JsonNumber, type JsonObject, type JsonValue } from "../support/json.js";

/** A member that is missing or of another type than the format says. */
export class FieldError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FieldError";
  }
}

export function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (!(value instanceof Map)) throw new FieldError(`${what} is not an object`);
  return value;
}

export function asArray(value: JsonValue | undefined, what: string): JsonValue[] {
  if (!Array.isArray(value)) throw new FieldError(`${what} is not an array`);
  return value;
}

export function asString(value: JsonValue | undefined, what: string): string {
  if (typeof value !== "string") throw new FieldError(`${what} is not a string`);
  return value;
}

/** Missing, null and the empty string are one: undefined. */
export function optionalString(object: JsonObject, name: string): string | undefined {
  const value = object.get(name);
  if (value === undefined || value === null) return undefined;
  return asString(value, `"${name}"`) || undefined;
}

export function optionalBoolean(object: JsonObject, name: string): boolean | undefined {
  const value = object.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw new FieldError(`"${name}" is not true or false`);
  return value;
}

/** Far beyond any field of the format; BigInt takes quadratic time for more. */
const INTEGER = /^-?\d{1,100}$/;

/** An integer, also beyond 64 bits. @throws FieldError for fractions, exponents and other types */
export function asInteger(value: JsonValue | undefined, what: string): bigint {
  if (!(value instanceof JsonNumber) || !INTEGER.test(value.text)) throw new FieldError(`${what} is not an integer`);
  return BigInt(value.text);
}

export function optionalInteger(object: JsonObject, name: string): bigint | undefined {
  const value = object.get(name);
  return value === undefined || value === null ? undefined : asInteger(value, `"${name}"`);
}

const UINT64_MAX = 2n ** 64n - 1n;

export function optionalUint64(object: JsonObject, name: string): bigint | undefined {
  const value = optionalInteger(object, name);
  if (value !== undefined && (value < 0n || value > UINT64_MAX))
    throw new FieldError(`"${name}" is not a 64-bit number`);
  return value;
}

/** A small integer that is safe as a number. Missing and null: undefined. */
export function optionalNumber(object: JsonObject, name: string): number | undefined {
  const value = optionalInteger(object, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new FieldError(`"${name}" is out of range`);
  return number;
}

/** Every metadata file names its format; above 1 is a newer one. Missing counts as 1 where the file says nothing. */
export function assertFormatVersion(object: JsonObject): void {
  const version = optionalInteger(object, "format_version");
  if (version !== undefined && version !== 1n)
    throw new FieldError(`format_version ${version} is not supported, only 1`);
}

// Searches for what must not be there: matching tens of megabytes from end to end would overflow the matcher's stack.
const NOT_BASE64URL = /[^A-Za-z0-9_-]/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;

/** base64url without padding, as the format writes binary names and values. */
export function decodeBase64Url(text: string, what: string): Buffer {
  if (NOT_BASE64URL.test(text) || text.length % 4 === 1) {
    throw new FieldError(`${what} is not base64url without padding`);
  }
  return Buffer.from(text, "base64url");
}

/** Standard base64 with padding, as DynamoDB and SQS write binary values. */
export function decodeBase64(text: string, what: string): Buffer {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0 || NOT_BASE64.test(text.slice(0, text.length - padding))) {
    throw new FieldError(`${what} is not base64`);
  }
  return Buffer.from(text, "base64");
}

/** Binary-safe text: a string, or `{"base64":"<base64url>"}`. */
export function asBytes(value: JsonValue | undefined, what: string): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  if (value instanceof Map && value.size === 1) {
    return decodeBase64Url(asString(value.get("base64"), `${what}: "base64"`), what);
  }
  throw new FieldError(`${what} is neither a string nor {"base64": …}`);
}

const INT64_MAX = 2n ** 63n - 1n;

/** `expire_at_ms`: missing and null mean none; 0 and below are past. */
export function expireAtMs(object: JsonObject): bigint | undefined {
  const value = optionalInteger(object, "expire_at_ms");
  if (value !== undefined && value > INT64_MAX) throw new FieldError('"expire_at_ms" is above 2^63-1');
  return value;
}
