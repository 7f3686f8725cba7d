/**
 * What the random tests share. `ELASTICKV_RESTORE_TEST_RUNS` says how often each of them runs (300 unless told; tests of
 * more than a function run a fraction of that) and `ELASTICKV_RESTORE_TEST_SEED` takes the seed that a failure printed.
 */
import fc from "fast-check";

import type { Content } from "../../src/model/record.js";

const USUAL_RUNS = 300;

const RUNS = Number(process.env["ELASTICKV_RESTORE_TEST_RUNS"] ?? "") || USUAL_RUNS;
const SEED = process.env["ELASTICKV_RESTORE_TEST_SEED"] ?? "";

/** fast-check's parameters. `share`: which part of the runs, 1 unless told. */
export function fuzz(share = 1): { readonly numRuns: number; readonly seed?: number } {
  return { numRuns: Math.max(1, Math.round(RUNS * share)), ...(SEED === "" ? {} : { seed: Number(SEED) }) };
}

/** A test's timeout in milliseconds, where the usual number of runs is given `usualMs`. */
export function fuzzTimeout(usualMs: number): number {
  return usualMs * Math.max(1, RUNS / USUAL_RUNS);
}

export function someBytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
}

/** Any text that UTF-8 can hold, control characters and what lies beyond the first plane included. */
export function someText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: "binary", maxLength });
}

/** Where a text is cut: more of them than a short text has bytes. */
export const someCuts = fc.array(fc.nat(), { maxLength: 24 });

/** `text` in blocks that end at `cuts`, which may lie anywhere. No block is empty. */
export function* cutAt(text: Buffer, cuts: readonly number[]): Generator<Buffer> {
  const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, text.length]) {
    if (end > start) yield text.subarray(start, end);
    start = Math.max(start, end);
  }
}

/** Bytes in memory as the content of a file, handed out in blocks that end at `cuts`. */
export function contentIn(bytes: Buffer, cuts: readonly number[] = []): Content {
  return {
    size: bytes.length,
    sha256: "",
    buffer: () => Promise.resolve(bytes),
    async *blocks({ start, end } = { start: 0, end: bytes.length }) {
      yield* cutAt(bytes.subarray(start, end), cuts);
    },
  };
}

type Mutation = (bytes: Buffer) => Buffer;

/** Bytes that mean something to a parser of any of the dump's files. */
const TELLING = Buffer.from('{}[]",:\\/ \n\r\t\0%*-+.eE019unltrf\x7f\x80\xc0\xed\xef\xff', "latin1");

const someByte = fc.oneof(fc.constantFrom(...TELLING), fc.nat(255));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), someByte).map(([at, byte]) => spliced(at, 1, Buffer.of(byte))),
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => flipped(at, bit)),
  fc.tuple(fc.nat(), fc.array(someByte, { maxLength: 4 })).map(([at, bytes]) => spliced(at, 0, Buffer.from(bytes))),
  fc.tuple(fc.nat(), fc.nat(12)).map(([at, length]) => spliced(at, length, Buffer.alloc(0))),
  fc.tuple(fc.nat(), fc.nat(), fc.nat(40)).map(([from, to, length]) => repeated(from, to, length)),
  fc.nat().map((end) => (bytes: Buffer) => bytes.subarray(0, end % (bytes.length + 1))),
);

/** What `original` gives, with some bytes changed, added, lost or doubled: seldom what it was, often nearly so. */
export function mutated(original: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
  return fc.tuple(original, mutations).map(([bytes, all]) => all.reduce((now, mutate) => mutate(now), bytes));
}

function spliced(at: number, lost: number, gained: Buffer): Mutation {
  return (bytes) => {
    const start = at % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, start), gained, bytes.subarray(start + lost)]);
  };
}

function flipped(at: number, bit: number): Mutation {
  return (bytes) => {
    const copy = Buffer.from(bytes);
    const index = at % Math.max(1, bytes.length);
    if (copy.length > 0) copy[index] = (copy[index] ?? 0) ^ (1 << bit);
    return copy;
  };
}

function repeated(from: number, to: number, length: number): Mutation {
  return (bytes) => {
    const start = from % (bytes.length + 1);
    return spliced(to, 0, bytes.subarray(start, start + length))(bytes);
  };
}

/** What `read` gives, or the error that it fails with. */
export async function ending<T>(
  read: () => Promise<T> | T,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await read() };
  } catch (error) {
    return { error };
  }
}
