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
    let slot = hashOf(bytes, ranges[at] ?? 0, ranges[at + 1] ?? 0, FNV_PRIME) & (slots.length - 1);
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

function hashOf(bytes: Buffer, start: number, end: number, prime: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), prime);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Of the marks that a filter holds: with their room, 16 MiB. */
const MOST = 2 ** 20;

/**
 * Byte strings by two hashes of 32 bits each: what it has not seen is surely new, and what it takes for seen is so but
 * for one case in thousands of millions. For whoever can look again in that case.
 */
export class NameFilter {
  #marks = new Uint32Array(2 * 1024);
  #count = 0;

  /** False: perhaps seen before, or too many to tell. */
  isNew(bytes: Buffer, start: number, end: number): boolean {
    if (this.#count >= MOST) return false;
    if (this.#count * 4 > this.#marks.length) this.#grow();
    const mark = hashOf(bytes, start, end, FNV_PRIME);
    // Zero is for a place that is free.
    const other = hashOf(bytes, start, end, OTHER_PRIME) || 1;
    if (!this.#put(mark, other)) return false;
    this.#count++;
    return true;
  }

  #put(mark: number, other: number): boolean {
    const marks = this.#marks;
    const mask = marks.length / 2 - 1;
    for (let slot = mark & mask; ; slot = (slot + 1) & mask) {
      if (marks[slot * 2 + 1] === 0) {
        marks[slot * 2] = mark;
        marks[slot * 2 + 1] = other;
        return true;
      }
      if (marks[slot * 2] === mark && marks[slot * 2 + 1] === other) return false;
    }
  }

  #grow(): void {
    const marks = this.#marks;
    this.#marks = new Uint32Array(marks.length * 2);
    for (let at = 0; at < marks.length; at += 2) {
      const [mark = 0, other = 0] = [marks[at], marks[at + 1]];
      if (other !== 0) this.#put(mark, other);
    }
  }
}
