/**
 * What the scopes' own files tell of single keys, read once and looked up as often as needed: names from KEYMAP.jsonl and
 * times from expiry files. One for all scopes of a dump, so that memory is bounded however many scopes there are; what
 * does not fit lies in the work directory.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SpillingMap } from "../support/spilling-map.js";
import { SpillingSet } from "../support/spilling-set.js";
import { WorkFile } from "../support/work-file.js";

export class ScopeIndexes {
  /** Originals of names, by KEYMAP's path and the name: see `indexKey`. */
  readonly names: KeptBytes;
  /** Expiry times, by the file's path and the key's segment. */
  readonly times: SpillingMap;
  /** Keys that a bucket's KEYMAP gives, by its path and the key. */
  readonly mappedKeys: SpillingSet;

  constructor(workDirectory: string) {
    this.names = new KeptBytes(workDirectory);
    this.times = new SpillingMap(workDirectory);
    this.mappedKeys = new SpillingSet(workDirectory);
  }

  /** Removes the files. Repeatable. */
  close(): void {
    this.names.close();
    this.times.close();
    this.mappedKeys.close();
  }
}

/** A file's path holds no NUL, so no two pairs make one key. */
export function indexKey(path: string, name: string): string {
  return `${path}\0${name}`;
}

const LENGTH_BYTES = 4;
/** What is read at first: nearly all names are shorter. */
const READ_AHEAD = 2048;
const PENDING_BYTES = 256 * 1024;

/** Byte strings by name, in a file: a name in a KEYMAP can be over a megabyte long. */
export class KeptBytes {
  readonly #directory: string;
  readonly #offsets: SpillingMap;
  /** What is read lands here and is copied: names outlive one another by far, and none should hold on to a whole block. */
  readonly #first = Buffer.alloc(READ_AHEAD);
  #file: WorkFile | undefined;
  #written = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.#offsets = new SpillingMap(directory);
  }

  /** Adds or overwrites. True when there was none under that name. @throws RestoreError LOCAL_IO */
  set(name: string, bytes: Buffer): boolean {
    const isNew = this.#offsets.set(name, BigInt(this.#written + this.#pendingBytes)) === undefined;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    this.#pending.push(length, bytes);
    this.#pendingBytes += LENGTH_BYTES + bytes.length;
    if (this.#pendingBytes >= PENDING_BYTES) this.#flush();
    return isNew;
  }

  has(name: string): boolean {
    return this.#offsets.get(name) !== undefined;
  }

  /** @throws RestoreError LOCAL_IO */
  get(name: string): Buffer | undefined {
    const offset = this.#offsets.get(name);
    if (offset === undefined) return undefined;
    this.#flush();
    const start = Number(offset);
    const read = this.#file?.readUpTo(this.#first, start) ?? 0;
    const length = this.#first.readUInt32LE();
    if (LENGTH_BYTES + length <= read) return Buffer.from(this.#first.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    const bytes = Buffer.allocUnsafe(length);
    this.#file?.read(bytes, start + LENGTH_BYTES);
    return bytes;
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#offsets.close();
    this.#file?.remove();
  }

  #flush(): void {
    if (this.#pendingBytes === 0) return;
    this.#file ??= new WorkFile(join(this.#directory, `names-${randomBytes(8).toString("hex")}`));
    this.#file.write(Buffer.concat(this.#pending), this.#written);
    this.#written += this.#pendingBytes;
    [this.#pending, this.#pendingBytes] = [[], 0];
  }
}
