/** Whether byte strings differ from one another, found without a cryptographic hash of each. */
import type { Packed } from "../model/record.js";

/** Below, each is compared with all others. */
const FEW = 8;

/**
 * Whether no two elements of `width` arguments share the one at `identity`. Exact: what hashes alike is compared.
 */
export function areDifferent({ bytes, ranges }: Packed, width: number, identity: number): boolean {
  const count = ranges.length / 2 / width;
  const indexOf = (element: number): number => (element * width + identity) * 2;
  if (count <= FEW) {
    for (let i = 1; i < count; i++) {
      for (let j = 0; j < i; j++) if (isSame(bytes, ranges, indexOf(i), indexOf(j))) return false;
    }
    return true;
  }
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(count * 2)));
  for (let i = 0; i < count; i++) {
    const at = indexOf(i);
    let slot = hashOf(bytes, ranges[at] ?? 0, ranges[at + 1] ?? 0) & (slots.length - 1);
    for (let held = slots[slot] ?? 0; held !== 0; held = slots[slot] ?? 0) {
      if (isSame(bytes, ranges, at, indexOf(held - 1))) return false;
      slot = (slot + 1) & (slots.length - 1);
    }
    slots[slot] = i + 1;
  }
  return true;
}

function isSame(bytes: Buffer, ranges: Uint32Array, one: number, other: number): boolean {
  const [start = 0, otherStart = 0] = [ranges[one], ranges[other]];
  const length = (ranges[one + 1] ?? 0) - start;
  if (length !== (ranges[other + 1] ?? 0) - otherStart) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[otherStart + i]) return false;
  return true;
}

const FNV_PRIME = 0x01000193;
const OTHER_PRIME = 0x9e3779b1;
const SEED = 0x811c9dc5;

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = SEED;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
  return mixed(hash);
}

function mixed(hash: number): number {
  const folded = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (folded ^ (folded >>> 13)) >>> 0;
}

/** Of the names that a filter holds: with their room, 8 MiB. */
const MOST = 2 ** 20;

/**
 * Byte strings by a hash of 32 bits, each in a place that another hash tells: what it has not seen is surely new, and what
 * it takes for seen is so but for one case in thousands of millions. For whoever can look again in that case.
 */
export class NameFilter {
  readonly #marks: Uint32Array;
  #count = 0;
  /** Of a batch: where each name's mark belongs, and the mark. */
  #hashes = new Uint32Array(0);

  /** `most`: more names cannot come. */
  constructor(most: number) {
    this.#marks = new Uint32Array(2 * 2 ** Math.ceil(Math.log2(Math.min(Math.max(most, 1), MOST))));
  }

  /**
   * Takes the names of elements of `width` arguments, each the one at `identity`. False: perhaps one was seen before, or
   * there are too many to tell.
   */
  areNew(batch: Packed, width: number, identity: number): boolean {
    const count = batch.ranges.length / 2 / width;
    if (this.#count + count > this.#marks.length / 2) return false;
    this.#count += count;
    this.#hash(batch, { count, width, identity });
    // By themselves, so that the processor waits for many places of a large table at once.
    for (let at = 0; at < count * 2; at += 2) {
      if (!this.#put(this.#hashes[at] ?? 0, this.#hashes[at + 1] ?? 0)) return false;
    }
    return true;
  }

  #hash(
    { bytes, ranges }: Packed,
    { count, width, identity }: { readonly count: number; readonly width: number; readonly identity: number },
  ): void {
    if (this.#hashes.length < count * 2) this.#hashes = new Uint32Array(count * 2);
    const hashes = this.#hashes;
    for (let i = 0; i < count; i++) {
      const range = (i * width + identity) * 2;
      const end = ranges[range + 1] ?? 0;
      let [place, mark] = [SEED, SEED];
      for (let at = ranges[range] ?? 0; at < end; at++) {
        const byte = bytes[at] ?? 0;
        place = Math.imul(place ^ byte, FNV_PRIME);
        mark = Math.imul(mark ^ byte, OTHER_PRIME);
      }
      hashes[i * 2] = mixed(place);
      // Zero is for a place that is free.
      hashes[i * 2 + 1] = mixed(mark) || 1;
    }
  }

  #put(place: number, mark: number): boolean {
    const marks = this.#marks;
    const mask = marks.length - 1;
    for (let slot = place & mask; ; slot = (slot + 1) & mask) {
      const held = marks[slot];
      if (held === mark) return false;
      if (held !== 0) continue;
      marks[slot] = mark;
      return true;
    }
  }
}
