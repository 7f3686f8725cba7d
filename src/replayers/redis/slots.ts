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
  for (const byte of hashed) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
  return crc % SLOTS;
}

let tags: readonly string[] | undefined;

/**
 * A few letters and digits that are in the slot: `{tag}` in a key puts it there, whatever the keys are that it shall be
 * with. No part of such a key would do for all: one may hold a brace, or be long.
 */
export function tagOf(slot: number): string {
  tags ??= tagsOfAll();
  return tags[slot] ?? "";
}

/** The first number in base 36 of every slot. Takes some milliseconds. */
function tagsOfAll(): readonly string[] {
  const found = new Array<string>(SLOTS);
  for (let number = 0, left = SLOTS; left > 0; number++) {
    const tag = number.toString(36);
    const slot = slotOf(Buffer.from(tag));
    if (found[slot] !== undefined) continue;
    found[slot] = tag;
    left--;
  }
  return found;
}
