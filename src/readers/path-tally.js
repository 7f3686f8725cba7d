/**
 * How many paths, and the sum of their hashes: two tallies of different paths are equal for two equal sets, in whatever
 * order each was met, and hardly ever for others (64 bits). Against mistakes, not against malice: who may write into a
 * dump may write its CHECKSUMS too. Plain JavaScript, because the threads load it too.
 */

/** @typedef {{ readonly count: number, readonly low: number, readonly high: number }} PathSum */

export class PathTally {
  #count = 0;
  #low = 0;
  #high = 0;

  /**
   * `bytes` is the path's UTF-8, a character each.
   * @param {string} bytes
   */
  add(bytes) {
    let [low, high] = [0x811c9dc5, 0x9747b28c];
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes.charCodeAt(at);
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.join({ count: 1, low: mixed(low), high: mixed(high) });
  }

  /**
   * Adds the paths of another tally.
   * @param {PathSum} sum
   */
  join({ count, low, high }) {
    this.#count += count;
    this.#low = (this.#low + low) >>> 0;
    this.#high = (this.#high + high) >>> 0;
  }

  /**
   * As messages carry it.
   * @returns {PathSum}
   */
  get sum() {
    return { count: this.#count, low: this.#low, high: this.#high };
  }

  /** @param {PathTally} other */
  equals(other) {
    const [one, another] = [this.sum, other.sum];
    return one.count === another.count && one.low === another.low && one.high === another.high;
  }
}

/**
 * Spreads what the last bytes did over all bits.
 * @param {number} hash
 */
function mixed(hash) {
  let spread = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  spread = Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35);
  return spread ^ (spread >>> 16);
}

const NOT_ASCII = /[\u0080-\uffff]/;

/**
 * A path's UTF-8, a character for each byte.
 * @param {string} path
 */
export function asBytes(path) {
  return NOT_ASCII.test(path) ? Buffer.from(path).toString("latin1") : path;
}

/**
 * The path of such bytes, as a string of its own: a part of a longer one would keep all of that in memory.
 * @param {string} bytes
 */
export function asText(bytes) {
  return Buffer.from(bytes, "latin1").toString();
}
