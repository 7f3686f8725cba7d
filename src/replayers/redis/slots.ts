/**
 * The hash slots of Redis Cluster: which slot a key is in, and a hash tag for every slot. Pure.
 *
 * A slot is CRC16 (the XMODEM one: polynomial 0x1021, from zero) of the key modulo 16,384, or of the part between its
 * first `{` and the next `}` when there is one and it is not empty, as the Redis Cluster specification says.
 */
export const SLOTS = 16_384;

const POLYNOMIAL = 0x1021;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

export function slotOf(key: Buffer): number {
  const open = key.indexOf(OPEN);
  const close = open < 0 ? -1 : key.indexOf(CLOSE, open + 1);
  const hashed = close > open + 1 ? key.subarray(open + 1, close) : key;
  let crc = 0;
  for (const byte of hashed) crc = further(crc, byte);
  return crc % SLOTS;
}

function further(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
}

const RADIX = 36;
const DIGITS = Buffer.from("0123456789abcdefghijklmnopqrstuvwxyz");

let numbers: Int32Array | undefined;

/**
 * A few letters and digits that are in the slot: `{tag}` in a key puts it there, whatever the keys are that it shall be
 * with. No part of such a key would do for all: one may hold a brace, or be long.
 */
export function tagOf(slot: number): string {
  numbers ??= numbersOfAll();
  return (numbers[slot] ?? 0).toString(RADIX);
}

/** The first number of every slot, whose digits are its tag. Each goes on where that of all digits but the last one ended. */
function numbersOfAll(): Int32Array {
  const found = new Int32Array(SLOTS).fill(-1);
  const crcs = new Uint16Array(SLOTS);
  for (let number = 0, left = SLOTS; left > 0; number++) {
    const before = number < RADIX ? 0 : (crcs[Math.floor(number / RADIX)] ?? 0);
    const crc = further(before, DIGITS[number % RADIX] ?? 0);
    if (number < crcs.length) crcs[number] = crc;
    const slot = crc % SLOTS;
    if (found[slot] !== -1) continue;
    found[slot] = number;
    left--;
  }
  return found;
}
