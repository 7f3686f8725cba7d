/**
 * How many paths, and the sum of their hashes: two tallies of different paths are equal for two equal sets, in whatever
 * order each was met, and hardly ever for others (64 bits). Against mistakes, not against malice: who may write into a
 * dump may write its CHECKSUMS too.
 */
export class PathTally {
  #count = 0;
  #low = 0;
  #high = 0;

  /** `bytes` is the path's UTF-8, a character each. */
  add(bytes: string): void {
    let [low, high] = [0x811c9dc5, 0x9747b28c];
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes.charCodeAt(at);
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#count++;
    this.#low = (this.#low + mixed(low)) >>> 0;
    this.#high = (this.#high + mixed(high)) >>> 0;
  }

  equals(other: PathTally): boolean {
    return this.#count === other.#count && this.#low === other.#low && this.#high === other.#high;
  }
}

/** Spreads what the last bytes did over all bits. */
function mixed(hash: number): number {
  let spread = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  spread = Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35);
  return spread ^ (spread >>> 16);
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** A path's UTF-8, a character for each byte. */
export function asBytes(path: string): string {
  return NOT_ASCII.test(path) ? Buffer.from(path).toString("latin1") : path;
}

/** The path of such bytes, as a string of its own: a part of a longer one would keep all of that in memory. */
export function asText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}
