/**
 * Keys that a reading has met, in a few bits each: one that it has not met is surely new. For whoever can look again
 * where it says otherwise, which is wrong once in some hundred keys.
 */

const BITS_A_KEY = 16;
const LEAST_BITS = 1024;
/** Memory ends here; with more keys it errs more often. */
const MOST_BITS = 2 ** 27;
/** Of a long key, its ends tell enough. */
const ENDS = 64;

export class SeenKeys {
  readonly #bits: Uint32Array;
  readonly #mask: number;

  /** `keys`: how many there may be. */
  constructor(keys: number) {
    const bits = 2 ** Math.ceil(Math.log2(Math.min(MOST_BITS, Math.max(LEAST_BITS, keys * BITS_A_KEY))));
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  /** Adds a key. True when it was surely not there. */
  isNew(key: Buffer): boolean {
    const [one, other] = hashesOf(key);
    const isNew = this.#mark(one & this.#mask);
    return this.#mark(other & this.#mask) || isNew;
  }

  /** True when the bit was not set. */
  #mark(bit: number): boolean {
    const word = this.#bits[bit >>> 5] ?? 0;
    const marked = word | (1 << (bit & 31));
    this.#bits[bit >>> 5] = marked;
    return marked !== word && marked >>> 0 !== word;
  }
}

function hashesOf(key: Buffer): [one: number, other: number] {
  let one = 0x811c9dc5 ^ key.length;
  let other = 0x9747b28c ^ key.length;
  const end = Math.min(key.length, ENDS);
  const rest = Math.max(end, key.length - ENDS);
  for (let at = 0; at < key.length; at = at + 1 === end ? rest : at + 1) {
    const byte = key[at] ?? 0;
    one = Math.imul(one ^ byte, 0x01000193);
    other = Math.imul(other ^ byte, 0x5bd1e995);
    other ^= other >>> 15;
  }
  return [mixed(one), mixed(other)];
}

function mixed(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (half ^ (half >>> 13)) >>> 0;
}
