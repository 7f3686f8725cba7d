/**
 * A set of byte strings of any number in bounded memory: fingerprints in memory while they are few, then in a hash table
 * in a file. Two different strings would have to share 128 bits of their SHA-256 to be taken for one.
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FingerprintSet } from "./fingerprints.js";

/** About 50 MB. */
const KEPT_IN_MEMORY = 1_000_000;

export class SpillingSet {
  readonly #directory: string;
  readonly #kept: number;
  readonly #memory = new FingerprintSet();
  #file: FileTable | undefined;

  /** `directory` takes the file, if one is needed; `kept` strings stay in memory. */
  constructor(directory: string, kept: number = KEPT_IN_MEMORY) {
    this.#directory = directory;
    this.#kept = kept;
  }

  /** True when the bytes were not in the set yet. */
  add(bytes: Uint8Array | string): boolean {
    if (this.#memory.size < this.#kept) return this.#memory.add(bytes);
    if (this.#memory.has(bytes)) return false;
    this.#file ??= new FileTable(this.#directory);
    return this.#file.add(fingerprint(bytes));
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function fingerprint(bytes: Uint8Array | string): Uint32Array {
  const digest = createHash("sha256").update(bytes).digest();
  return new Uint32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + SLOT));
}

const SLOT = 16;
const SLOT_WORDS = 4;
const PAGE = 512;
const FIRST_PAGES = 64 * 1024;
const FULL = 0.6;

/** Open addressing over pages: a slot of zeros is free, a full page overflows into the next. */
class FileTable {
  readonly #directory: string;
  readonly #page = new Uint32Array(PAGE / 4);
  #path: string;
  #fd: number;
  #pages = FIRST_PAGES;
  #size = 0;

  constructor(directory: string) {
    this.#directory = directory;
    [this.#path, this.#fd] = this.#create(FIRST_PAGES);
  }

  add(key: Uint32Array): boolean {
    if (this.#size >= (this.#pages * PAGE * FULL) / SLOT) this.#grow();
    const isNew = this.#put(key);
    if (isNew) this.#size++;
    return isNew;
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  #put(key: Uint32Array): boolean {
    for (let page = (key[0] ?? 0) % this.#pages; ; page = (page + 1) % this.#pages) {
      readSync(this.#fd, this.#page, 0, PAGE, page * PAGE);
      for (let at = 0; at < this.#page.length; at += SLOT_WORDS) {
        if (holds(this.#page, at, key)) return false;
        if (!isFree(this.#page, at)) continue;
        writeSync(this.#fd, key, 0, SLOT, page * PAGE + at * 4);
        return true;
      }
    }
  }

  #grow(): void {
    const [oldPath, oldFd, oldPages] = [this.#path, this.#fd, this.#pages];
    this.#pages *= 2;
    [this.#path, this.#fd] = this.#create(this.#pages);
    const old = new Uint32Array(PAGE / 4);
    for (let page = 0; page < oldPages; page++) {
      readSync(oldFd, old, 0, PAGE, page * PAGE);
      for (let at = 0; at < old.length; at += SLOT_WORDS) {
        if (!isFree(old, at)) this.#put(old.slice(at, at + SLOT_WORDS));
      }
    }
    closeSync(oldFd);
    rmSync(oldPath, { force: true });
  }

  #create(pages: number): [path: string, fd: number] {
    const path = join(this.#directory, `keys-${randomBytes(8).toString("hex")}`);
    const fd = openSync(path, "wx+", 0o600);
    ftruncateSync(fd, pages * PAGE);
    return [path, fd];
  }
}

function isFree(page: Uint32Array, at: number): boolean {
  return page[at] === 0 && page[at + 1] === 0 && page[at + 2] === 0 && page[at + 3] === 0;
}

function holds(page: Uint32Array, at: number, key: Uint32Array): boolean {
  return page[at] === key[0] && page[at + 1] === key[1] && page[at + 2] === key[2] && page[at + 3] === key[3];
}
