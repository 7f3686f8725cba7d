/**
 * Redis's HyperLogLogs, computed here: which register a member raises and how far, and the registers that a sketch holds.
 * Two sketches count the same members exactly as far as Redis can tell when their registers agree.
 *
 * The algorithm is MurmurHash64A with Redis's seed, 14 bits of which choose one of 16,384 registers, and the zeros that
 * follow its value; the two layouts of a sketch are described at the head of Redis's hyperloglog.c.
 */

export const REGISTERS = 16_384;

const INDEX_BITS = 14n;
/** Bits of the hash that are left to count zeros in. */
const COUNTED_BITS = 50n;
const SEED = 0xadc83b19n;
const FACTOR = 0xc6a4a7935bd1e995n;
const SHIFT = 47n;

const HEADER_BYTES = 16;
const ENCODING_AT = 4;
/** The cached count's highest byte, whose highest bit says that the count is out of date. */
const CACHE_AT = 15;
const DENSE = 0;
const SPARSE = 1;
const REGISTER_BITS = 6;
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8;

export interface Raise {
  readonly register: number;
  /** What the register holds at least once the member is counted. */
  readonly value: number;
}

/** What PFADD of the member does to a sketch. */
export function raiseOf(member: Buffer): Raise {
  const hash = murmurHash64A(member);
  const register = Number(hash & ((1n << INDEX_BITS) - 1n));
  // The bit behind the last ends the zeros.
  let rest = (hash >> INDEX_BITS) | (1n << COUNTED_BITS);
  let value = 1;
  for (; (rest & 1n) === 0n; rest >>= 1n) value++;
  return { register, value };
}

function murmurHash64A(bytes: Buffer): bigint {
  const mixed = (word: bigint): bigint => {
    const product = times(word, FACTOR);
    return times(product ^ (product >> SHIFT), FACTOR);
  };
  const whole = bytes.length - (bytes.length % 8);
  let hash = SEED ^ times(BigInt(bytes.length), FACTOR);
  for (let at = 0; at < whole; at += 8) hash = times(hash ^ mixed(bytes.readBigUInt64LE(at)), FACTOR);
  if (whole < bytes.length) {
    const tail = Buffer.alloc(8);
    bytes.copy(tail, 0, whole);
    hash = times(hash ^ tail.readBigUInt64LE(0), FACTOR);
  }
  hash = times(hash ^ (hash >> SHIFT), FACTOR);
  return hash ^ (hash >> SHIFT);
}

function times(a: bigint, b: bigint): bigint {
  return BigInt.asUintN(64, a * b);
}

/** Whether Redis takes the string for a HyperLogLog when it is asked to add to it. Damage further on may show later. */
export function looksLikeSketch(bytes: Buffer, size = bytes.length): boolean {
  const encoding = bytes[ENCODING_AT];
  if (size < HEADER_BYTES || bytes.toString("latin1", 0, ENCODING_AT) !== "HYLL") return false;
  return encoding === SPARSE || (encoding === DENSE && size === DENSE_BYTES);
}

/** Bytes from a string's start that tell whether it looks like one. */
export const SKETCH_HEAD_BYTES = HEADER_BYTES;

/** Whether Redis can tell a count from it: with a count that is cached, it looks at nothing else. */
export function isCountable(bytes: Buffer): boolean {
  if (!looksLikeSketch(bytes)) return false;
  const isCached = ((bytes[CACHE_AT] ?? 0) & 0x80) === 0;
  return isCached || registersOf(bytes) !== undefined;
}

/** The registers that a sketch holds. Undefined: it is none. */
export function registersOf(bytes: Buffer): Uint8Array | undefined {
  if (!looksLikeSketch(bytes)) return undefined;
  return bytes[ENCODING_AT] === DENSE ? denseRegisters(bytes) : sparseRegisters(bytes);
}

function denseRegisters(bytes: Buffer): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  for (let i = 0; i < REGISTERS; i++) {
    const bit = i * REGISTER_BITS;
    const at = HEADER_BYTES + (bit >> 3);
    const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    registers[i] = (pair >> (bit & 7)) & 0x3f;
  }
  return registers;
}

/** Runs of equal registers; all of them together are all registers. */
function sparseRegisters(bytes: Buffer): Uint8Array | undefined {
  const registers = new Uint8Array(REGISTERS);
  let register = 0;
  for (let at = HEADER_BYTES; at < bytes.length; at++) {
    const code = bytes[at] ?? 0;
    if ((code & 0x80) !== 0) {
      const end = register + (code & 0x03) + 1;
      registers.fill(((code >> 2) & 0x1f) + 1, register, end);
      register = end;
    } else if ((code & 0x40) !== 0) {
      register += (((code & 0x3f) << 8) | (bytes[++at] ?? 0)) + 1;
    } else register += (code & 0x3f) + 1;
    if (register > REGISTERS) return undefined;
  }
  return register === REGISTERS ? registers : undefined;
}
