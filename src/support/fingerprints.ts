/**
 * Sets and maps of byte strings that keep 128 bits of each string's SHA-256 and nothing else: about 40 bytes an entry,
 * however long the strings are. Two different strings would have to share 128 bits to be taken for one.
 */
import { hash } from "node:crypto";

export const FINGERPRINT_WORDS = 4;
const FIRST_CAPACITY = 1024;
const FULL = 0.6;

export class FingerprintMap {
  #capacity = FIRST_CAPACITY;
  #keys = new Uint32Array(FIRST_CAPACITY * FINGERPRINT_WORDS);
  #values = new Float64Array(FIRST_CAPACITY);
  #used = new Uint8Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(bytes: Uint8Array | string): number | undefined {
    return this.getPrint(fingerprint(bytes));
  }

  /** Adds or overwrites. Returns what stood there before. */
  set(bytes: Uint8Array | string, value: number): number | undefined {
    return this.setPrint(fingerprint(bytes), value);
  }

  /** `get` for a string of which the fingerprint is known. */
  getPrint(print: Uint32Array): number | undefined {
    const slot = this.#slot(print);
    return this.#used[slot] === 1 ? this.#values[slot] : undefined;
  }

  /** `set` for a string of which the fingerprint is known. */
  setPrint(print: Uint32Array, value: number): number | undefined {
    if (this.#size >= this.#capacity * FULL) this.#grow();
    const slot = this.#slot(print);
    const before = this.#used[slot] === 1 ? this.#values[slot] : undefined;
    if (before === undefined) this.#size++;
    this.#put(slot, print, value);
    return before;
  }

  /** Every fingerprint with its value, in no order of use. A fingerprint is good until the next one is asked for. */
  *entries(): Generator<readonly [print: Uint32Array, value: number]> {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#used[slot] !== 1) continue;
      const at = slot * FINGERPRINT_WORDS;
      yield [this.#keys.subarray(at, at + FINGERPRINT_WORDS), this.#values[slot] ?? 0];
    }
  }

  /** Forgets all entries and keeps their room. */
  clear(): void {
    this.#used.fill(0);
    this.#size = 0;
  }

  #put(slot: number, key: Uint32Array, value: number): void {
    this.#used[slot] = 1;
    this.#keys.set(key, slot * FINGERPRINT_WORDS);
    this.#values[slot] = value;
  }

  #slot(key: Uint32Array): number {
    const mask = this.#capacity - 1;
    let slot = (key[0] ?? 0) & mask;
    while (this.#used[slot] === 1 && !this.#holds(slot, key)) slot = (slot + 1) & mask;
    return slot;
  }

  #holds(slot: number, key: Uint32Array): boolean {
    const at = slot * FINGERPRINT_WORDS;
    return (
      this.#keys[at] === key[0] &&
      this.#keys[at + 1] === key[1] &&
      this.#keys[at + 2] === key[2] &&
      this.#keys[at + 3] === key[3]
    );
  }

  #grow(): void {
    const [keys, values, used] = [this.#keys, this.#values, this.#used];
    this.#capacity *= 2;
    this.#keys = new Uint32Array(this.#capacity * FINGERPRINT_WORDS);
    this.#values = new Float64Array(this.#capacity);
    this.#used = new Uint8Array(this.#capacity);
    for (let old = 0; old < used.length; old++) {
      if (used[old] !== 1) continue;
      const key = keys.subarray(old * FINGERPRINT_WORDS, (old + 1) * FINGERPRINT_WORDS);
      this.#put(this.#slot(key), key, values[old] ?? 0);
    }
  }
}

export class FingerprintSet {
  readonly #map = new FingerprintMap();

  get size(): number {
    return this.#map.size;
  }

  /** True when the bytes were not in the set yet. */
  add(bytes: Uint8Array | string): boolean {
    return this.#map.set(bytes, 1) === undefined;
  }

  has(bytes: Uint8Array | string): boolean {
    return this.#map.get(bytes) !== undefined;
  }
}

const shared = new Uint32Array(FINGERPRINT_WORDS);

/** The first 128 bits of the SHA-256; good until the next ones are asked for, which is done for every record. */
export function fingerprint(bytes: Uint8Array | string): Uint32Array {
  // As text of a character a byte: the digest as a buffer takes thrice the time.
  const digest = hash("sha256", bytes, "binary");
  for (let word = 0, at = 0; word < FINGERPRINT_WORDS; word++, at += 4) {
    shared[word] =
      digest.charCodeAt(at) |
      (digest.charCodeAt(at + 1) << 8) |
      (digest.charCodeAt(at + 2) << 16) |
      (digest.charCodeAt(at + 3) << 24);
  }
  return shared;
}
