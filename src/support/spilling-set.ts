/**
 * A set of byte strings of any number in bounded memory: fingerprints in memory while they are few, then in a hash table
 * in a file. Two different strings would have to share 128 bits of their SHA-256 to be taken for one.
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FingerprintSet } from "./fingerprints.js";

const KEPT_IN_MEMORY = 500_000;

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
    return this.#file.add(createHash("sha256").update(bytes).digest().subarray(0, SLOT));
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

const SLOT = 16;
const PAGE = 4096;
const FIRST_PAGES = 4096;
const FULL = 0.6;
const EMPTY = Buffer.alloc(SLOT);

/** Open addressing over pages: a slot of zeros is free, a full page overflows into the next. */
class FileTable {
  readonly #directory: string;
  readonly #page = Buffer.alloc(PAGE);
  #path: string;
  #fd: number;
  #pages = FIRST_PAGES;
  #size = 0;

  constructor(directory: string) {
    this.#directory = directory;
    [this.#path, this.#fd] = this.#create(FIRST_PAGES);
  }

  add(key: Buffer): boolean {
    if (this.#size >= (this.#pages * PAGE * FULL) / SLOT) this.#grow();
    const isNew = this.#put(key);
    if (isNew) this.#size++;
    return isNew;
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  #put(key: Buffer): boolean {
    for (let page = key.readUInt32LE(0) % this.#pages; ; page = (page + 1) % this.#pages) {
      readSync(this.#fd, this.#page, 0, PAGE, page * PAGE);
      for (let at = 0; at < PAGE; at += SLOT) {
        const slot = this.#page.subarray(at, at + SLOT);
        if (slot.equals(key)) return false;
        if (!slot.equals(EMPTY)) continue;
        writeSync(this.#fd, key, 0, SLOT, page * PAGE + at);
        return true;
      }
    }
  }

  #grow(): void {
    const [oldPath, oldFd, oldPages] = [this.#path, this.#fd, this.#pages];
    this.#pages *= 2;
    [this.#path, this.#fd] = this.#create(this.#pages);
    const old = Buffer.alloc(PAGE);
    for (let page = 0; page < oldPages; page++) {
      readSync(oldFd, old, 0, PAGE, page * PAGE);
      for (let at = 0; at < PAGE; at += SLOT) {
        const slot = old.subarray(at, at + SLOT);
        if (!slot.equals(EMPTY)) this.#put(slot);
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
