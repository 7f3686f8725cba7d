/**
 * Looks at what a transform returned. Every mismatch is a TransformFault, whose message names members and types and
 * never a value.
 */

export class TransformFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TransformFault";
  }
}

/** The own members of a plain object; undefined ones count as missing. */
export function asMembers(value: unknown, what: string): Map<string, unknown> {
  if (typeof value !== "object" || value === null) throw new TransformFault(`${what} is not an object`);
  // `{ __proto__: … }` in a literal sets the prototype: what it names would be lost without a word.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw new TransformFault(`${what} is not a plain object`);
  return new Map(Object.entries(value));
}

/** Members that are defined, all of them known. */
export function asOnly(value: unknown, what: string, names: readonly string[]): Map<string, unknown> {
  const members = asMembers(value, what);
  for (const [name, member] of members) {
    if (!names.includes(name)) throw new TransformFault(`${what} has a member "${name}", which its kind does not have`);
    if (member === undefined) members.delete(name);
  }
  return members;
}

export function asList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TransformFault(`${what} is not an array`);
  return value;
}

/** Text that UTF-8 can carry. */
export function asText(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TransformFault(`${what} is not a string`);
  if (/\p{Cs}/u.test(value)) throw new TransformFault(`${what} holds a lone surrogate`);
  return value;
}

export function asOptionalText(value: unknown, what: string): string | undefined {
  return value === undefined || value === null ? undefined : asText(value, what);
}

/** A copy, so that a buffer that is used again does no harm. */
export function asBytes(value: unknown, what: string): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "string") throw new TransformFault(`${what} is neither a Buffer nor a string`);
  return Buffer.from(asText(value, what));
}

const INT64_MAX = 2n ** 63n - 1n;

export function asExpiry(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof time !== "bigint") throw new TransformFault("expireAtMs is neither a bigint nor a whole number");
  if (time > INT64_MAX) throw new TransformFault("expireAtMs is above 2^63-1");
  return time;
}

export function asTime(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TransformFault(`${what} is not a time in whole milliseconds`);
}

export function assertSame(value: unknown, given: string, what: string): void {
  if (value !== given) throw new TransformFault(`${what} was changed`);
}

/** For what is read piece by piece elsewhere. */
export async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
