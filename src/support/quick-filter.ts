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
    if (this.#bits === undefined) return false;
    const hash = hashOf(bytes);
    return isSet(this.#bits, hash & (BITS - 1)) && isSet(this.#bits, other(hash));
  }
}

function isSet(bits: Uint8Array, bit: number): boolean {
  return ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function other(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 9;
}

/** FNV-1a, with the bits of its end mixed once more. */
function hashOf(bytes: Uint8Array | string): number {
  let hash = 0x811c9dc5;
  if (typeof bytes === "string") {
    for (let at = 0; at < bytes.length; at++) {
      const unit = bytes.charCodeAt(at);
      if (unit > 0x7f) return hashOf(Buffer.from(bytes));
      hash = Math.imul(hash ^ unit, 0x01000193);
    }
  } else {
    for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
