/**
 * Tells at once of most byte strings that they were never added: a Bloom filter of fixed size over a hash that costs next
 * to nothing. What it takes for added has to be looked up. The more strings it has seen, the more often it cannot tell.
 */

/** A MiB, used from the first string on: of a million strings, it takes one in twenty others for one of them. */
const BITS = 2 ** 23;

export class QuickFilter {
  #bits: Uint8Array | undefined;

  /** A string stands for its UTF-8 bytes. */
  add(bytes: Uint8Array | string): void {
    this.#bits ??= new Uint8Array(BITS / 8);
    const hash = hashOf(bytes);
    for (const bit of [hash & (BITS - 1), other(hash)])
      this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  /** False: it was never added. */
  mayHold(bytes: Uint8Array | string): boolean {
    return this.#bits !== undefined && isIn(this.#bits, hashOf(bytes));
  }

  /** The same of a part of a text, from one place up to another. */
  mayHoldPart(text: string, from: number, to: number): boolean {
    return this.#bits !== undefined && isIn(this.#bits, hashOfPart(text, from, to));
  }
}

function isIn(bits: Uint8Array, hash: number): boolean {
  return isSet(bits, hash & (BITS - 1)) && isSet(bits, other(hash));
}

function isSet(bits: Uint8Array, bit: number): boolean {
  return ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function other(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 9;
}

const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

function hashOf(bytes: Uint8Array | string): number {
  if (typeof bytes === "string") return hashOfPart(bytes, 0, bytes.length);
  let hash = BASIS;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), PRIME);
  return mixed(hash);
}

function hashOfPart(text: string, from: number, to: number): number {
  let hash = BASIS;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return hashOf(Buffer.from(text.slice(from, to)));
    hash = Math.imul(hash ^ unit, PRIME);
  }
  return mixed(hash);
}

/** FNV-1a, with the bits of its end mixed once more. */
function mixed(hash: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (spread ^ (spread >>> 13)) >>> 0;
}
