/**
 * What the scopes' own files tell of single keys, read once and looked up as often as needed: names from KEYMAP.jsonl and
 * times from expiry files. One for all scopes of a dump, so that memory is bounded however many scopes there are; what
 * does not fit lies in the work directory.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { QuickFilter } from "../support/quick-filter.js";
import { SpillingMap } from "../support/spilling-map.js";
import { SpillingSet } from "../support/spilling-set.js";
import { WorkFile } from "../support/work-file.js";

export class ScopeIndexes {
  /** Originals of names, by KEYMAP's path and the name: see `indexKey`. */
  readonly names: KeptBytes;
  /** Expiry times, by the file's path and the key's segment. */
  readonly times: SpillingMap;
  /** Segments of keys that have one, of whatever file: most keys have none. */
  readonly expiring = new QuickFilter();
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
  readonly #window = Buffer.alloc(READ_AHEAD);
  /** Where the window's bytes stand in the file. */
  #windowStart = 0;
  #windowEnd = 0;
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
    const start = Number(offset);
    // Names are asked for in much the order that they were written in.
    return this.#inWindow(start) ?? this.#read(start);
  }

  #inWindow(start: number): Buffer | undefined {
    const at = start - this.#windowStart;
    const end = this.#windowEnd - this.#windowStart;
    if (at < 0 || at + LENGTH_BYTES > end) return undefined;
    const first = at + LENGTH_BYTES;
    const last = first + this.#window.readUInt32LE(at);
    return last > end ? undefined : Buffer.from(this.#window.subarray(first, last));
  }

  #read(start: number): Buffer {
    this.#flush();
    this.#windowStart = start;
    this.#windowEnd = start + (this.#file?.readUpTo(this.#window, start) ?? 0);
    const whole = this.#inWindow(start);
    if (whole !== undefined) return whole;
    const bytes = Buffer.allocUnsafe(this.#window.readUInt32LE());
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
