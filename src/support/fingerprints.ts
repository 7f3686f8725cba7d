/**
 * Sets and maps of byte strings that keep 128 bits of each string's SHA-256 and nothing else: about 40 bytes an entry,
 * however long the strings are. Two different strings would have to share 128 bits to be taken for one.
 */
import { createHash } from "node:crypto";

const WORDS = 4;
const FIRST_CAPACITY = 1024;
const FULL = 0.6;

export class FingerprintMap {
  #capacity = FIRST_CAPACITY;
  #keys = new Uint32Array(FIRST_CAPACITY * WORDS);
  #values = new Float64Array(FIRST_CAPACITY);
  #used = new Uint8Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(bytes: Uint8Array | string): number | undefined {
    const slot = this.#slot(fingerprint(bytes));
    return this.#used[slot] === 1 ? this.#values[slot] : undefined;
  }

  /** Adds or overwrites. Returns what stood there before. */
  set(bytes: Uint8Array | string, value: number): number | undefined {
    if (this.#size >= this.#capacity * FULL) this.#grow();
    const key = fingerprint(bytes);
    const slot = this.#slot(key);
    const before = this.#used[slot] === 1 ? this.#values[slot] : undefined;
    if (before === undefined) this.#size++;
    this.#put(slot, key, value);
    return before;
  }

  #put(slot: number, key: Uint32Array, value: number): void {
    this.#used[slot] = 1;
    this.#keys.set(key, slot * WORDS);
    this.#values[slot] = value;
  }

  #slot(key: Uint32Array): number {
    const mask = this.#capacity - 1;
    let slot = (key[0] ?? 0) & mask;
    while (this.#used[slot] === 1 && !this.#holds(slot, key)) slot = (slot + 1) & mask;
    return slot;
  }

  #holds(slot: number, key: Uint32Array): boolean {
    const at = slot * WORDS;
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
    this.#keys = new Uint32Array(this.#capacity * WORDS);
    this.#values = new Float64Array(this.#capacity);
    this.#used = new Uint8Array(this.#capacity);
    for (let old = 0; old < used.length; old++) {
      if (used[old] !== 1) continue;
      const key = keys.subarray(old * WORDS, old * WORDS + WORDS);
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

function fingerprint(bytes: Uint8Array | string): Uint32Array {
  const digest = createHash("sha256").update(bytes).digest();
  return new Uint32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + WORDS * 4));
}
