/**
 * A hash table in a file: 64-bit integers by fingerprint. Pages lie in the order of the fingerprints that belong on them,
 * so that many entries, sorted, are written in one pass. An entry whose page is full goes to the next; a slot whose
 * fingerprint is zero is free.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { FINGERPRINT_WORDS, type FingerprintMap } from "./fingerprints.js";
import { WorkFile } from "./work-file.js";

const PAGE = 512;
const PAGE_WORDS = PAGE / 4;
const SLOT_WORDS = FINGERPRINT_WORDS + 2;
const SLOTS_A_PAGE = Math.floor(PAGE_WORDS / SLOT_WORDS);
const FIRST_PAGES = 16 * 1024;
const FULL = 0.6;
/** Pages read and written at a time where entries lie close together, and where they do not. */
const CLOSE_PAGES = 1024;
const SPARSE_PAGES = 8;

export class FingerprintTable {
  readonly #directory: string;
  readonly #page = new Uint32Array(PAGE_WORDS);
  #file: WorkFile;
  #pages = FIRST_PAGES;
  #size = 0;

  /** @throws RestoreError LOCAL_IO */
  constructor(directory: string) {
    this.#directory = directory;
    this.#file = this.#create(FIRST_PAGES);
  }

  /** @throws RestoreError LOCAL_IO */
  get(print: Uint32Array): bigint | undefined {
    for (let page = homeOf(print, this.#pages); ; page = (page + 1) % this.#pages) {
      this.#file.read(this.#page, page * PAGE);
      const slot = slotFor(this.#page, 0, print);
      if (slot === undefined) continue;
      return isFree(this.#page, slot) ? undefined : valueAt(this.#page, slot);
    }
  }

  /** Adds or overwrites every entry of `map`, whose values are indexes into `values`. @throws RestoreError LOCAL_IO */
  putAll(map: FingerprintMap, values: BigInt64Array): void {
    const entries = sortedEntries(map, values);
    while (this.#size + map.size > this.#pages * SLOTS_A_PAGE * FULL) this.#grow();
    const isSparse = this.#pages > map.size * 4;
    const window = new Window(this.#file, this.#pages, isSparse ? SPARSE_PAGES : CLOSE_PAGES);
    for (let at = 0; at < entries.length; at += SLOT_WORDS) {
      if (window.put(entries.subarray(at, at + SLOT_WORDS))) this.#size++;
    }
    window.flush();
  }

  /** Removes the file. */
  close(): void {
    this.#file.remove();
  }

  /** Twice the pages: what lay on one lies on two that follow one another. */
  #grow(): void {
    const [old, oldPages] = [this.#file, this.#pages];
    this.#pages *= 2;
    this.#file = this.#create(this.#pages);
    const window = new Window(this.#file, this.#pages, CLOSE_PAGES);
    const part = new Uint32Array(CLOSE_PAGES * PAGE_WORDS);
    for (let page = 0; page < oldPages; page += CLOSE_PAGES) {
      old.read(part, page * PAGE);
      for (let inPart = 0; inPart < CLOSE_PAGES; inPart++) {
        for (let slot = 0; slot < SLOTS_A_PAGE; slot++) {
          const at = inPart * PAGE_WORDS + slot * SLOT_WORDS;
          if (!isFree(part, at)) window.put(part.subarray(at, at + SLOT_WORDS));
        }
      }
    }
    window.flush();
    old.remove();
  }

  #create(pages: number): WorkFile {
    const file = new WorkFile(join(this.#directory, `table-${randomBytes(8).toString("hex")}`));
    file.resize(pages * PAGE);
    return file;
  }
}

/** Some pages of the table in memory, written back when others are asked for. */
class Window {
  readonly #file: WorkFile;
  readonly #pages: number;
  readonly #length: number;
  readonly #words: Uint32Array;
  #first = -1;
  #isChanged = false;

  /** `length` divides `pages`. */
  constructor(file: WorkFile, pages: number, length: number) {
    this.#file = file;
    this.#pages = pages;
    this.#length = length;
    this.#words = new Uint32Array(length * PAGE_WORDS);
  }

  /** True when the fingerprint was not there yet. */
  put(entry: Uint32Array): boolean {
    for (let page = homeOf(entry, this.#pages); ; page = (page + 1) % this.#pages) {
      const slot = slotFor(this.#words, this.#offsetOf(page), entry);
      if (slot === undefined) continue;
      const isNew = isFree(this.#words, slot);
      this.#words.set(entry, slot);
      this.#isChanged = true;
      return isNew;
    }
  }

  flush(): void {
    if (this.#isChanged) this.#file.write(this.#words, this.#first * PAGE);
    this.#isChanged = false;
  }

  #offsetOf(page: number): number {
    const first = page - (page % this.#length);
    if (first !== this.#first) {
      this.flush();
      this.#file.read(this.#words, first * PAGE);
      this.#first = first;
    }
    return (page - first) * PAGE_WORDS;
  }
}

/** Whole slots, in the order of the pages. */
function sortedEntries(map: FingerprintMap, values: BigInt64Array): Uint32Array {
  const entries = new Uint32Array(map.size * SLOT_WORDS);
  const order = new Float64Array(map.size);
  let count = 0;
  for (const [print, index] of map.entries()) {
    entries.set(print, count * SLOT_WORDS);
    const value = BigInt.asUintN(64, values[index] ?? 0n);
    entries[count * SLOT_WORDS + FINGERPRINT_WORDS] = Number(value & 0xffffffffn);
    entries[count * SLOT_WORDS + FINGERPRINT_WORDS + 1] = Number(value >> 32n);
    order[count] = (print[0] ?? 0) * 2 ** 21 + count;
    count++;
  }
  const sorted = new Uint32Array(entries.length);
  order.sort().forEach((mixed, place) => {
    const from = (mixed % 2 ** 21) * SLOT_WORDS;
    sorted.set(entries.subarray(from, from + SLOT_WORDS), place * SLOT_WORDS);
  });
  return sorted;
}

function homeOf(print: Uint32Array, pages: number): number {
  return Math.floor(((print[0] ?? 0) / 2 ** 32) * pages);
}

/** Where the fingerprint stands on the page at `start`, or else the page's first free slot; undefined when it is full. */
function slotFor(words: Uint32Array, start: number, print: Uint32Array): number | undefined {
  const end = start + SLOTS_A_PAGE * SLOT_WORDS;
  for (let at = start; at < end; at += SLOT_WORDS) if (isFree(words, at) || holds(words, at, print)) return at;
  return undefined;
}

function isFree(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0;
}

function holds(words: Uint32Array, at: number, print: Uint32Array): boolean {
  return (
    words[at] === print[0] && words[at + 1] === print[1] && words[at + 2] === print[2] && words[at + 3] === print[3]
  );
}

function valueAt(words: Uint32Array, slot: number): bigint {
  const [low, high] = [words[slot + FINGERPRINT_WORDS] ?? 0, words[slot + FINGERPRINT_WORDS + 1] ?? 0];
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}
