/**
 * A map from byte strings of any number to 64-bit integers in bounded memory: the fingerprints of the latest strings are
 * in memory, those before them in a table in a file, to which they go many at a time. Most strings that are asked for
 * and not there are known to be absent without a look at the file.
 *
 * Two different strings would have to share 128 bits of their SHA-256 to be taken for one.
 */

import { FingerprintTable } from "./fingerprint-table.js";
import { FingerprintMap, fingerprint } from "./fingerprints.js";
import { QuickFilter } from "./quick-filter.js";

/** About 8 MB, and as much again once the file is needed: several of these live at a time. */
const KEPT_IN_MEMORY = 150_000;

export class SpillingMap {
  readonly #directory: string;
  readonly #kept: number;
  /** Indexes into `#values`. */
  readonly #latest = new FingerprintMap();
  #values = new BigInt64Array(1024);
  /** Most strings that are asked for are not there, and need no fingerprint. */
  readonly #added = new QuickFilter();
  #table: FingerprintTable | undefined;
  #absence: AbsenceFilter | undefined;
  #size = 0;

  /** `directory` takes the file, if one is needed; `kept` strings stay in memory. */
  constructor(directory: string, kept: number = KEPT_IN_MEMORY) {
    this.#directory = directory;
    this.#kept = kept;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws RestoreError LOCAL_IO */
  get(bytes: Uint8Array | string): bigint | undefined {
    return this.#added.mayHold(bytes) ? this.#find(fingerprint(bytes)) : undefined;
  }

  /** Adds or overwrites. Returns what stood there before. @throws RestoreError LOCAL_IO */
  set(bytes: Uint8Array | string, value: bigint): bigint | undefined {
    this.#added.add(bytes);
    const print = fingerprint(bytes);
    const before = this.#find(print);
    if (before === value) return before;
    if (this.#latest.size >= this.#kept) this.#spill();
    this.#keep(print, value);
    if (before === undefined) this.#size++;
    return before;
  }

  /** Removes the file. Repeatable. The map may be asked nothing afterwards. */
  close(): void {
    this.#table?.close();
  }

  #find(print: Uint32Array): bigint | undefined {
    const index = this.#latest.getPrint(print);
    if (index !== undefined) return this.#values[index];
    return this.#absence?.mayHold(print) === true ? this.#table?.get(print) : undefined;
  }

  #keep(print: Uint32Array, value: bigint): void {
    const known = this.#latest.getPrint(print);
    const index = known ?? this.#latest.size;
    if (known === undefined) this.#latest.setPrint(print, index);
    if (index === this.#values.length) {
      const grown = new BigInt64Array(index * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
  }

  #spill(): void {
    this.#table ??= new FingerprintTable(this.#directory);
    this.#absence ??= new AbsenceFilter();
    for (const [print] of this.#latest.entries()) this.#absence.add(print);
    this.#table.putAll(this.#latest, this.#values);
    this.#latest.clear();
  }
}

/** A Bloom filter of fixed size. The more fingerprints it has seen, the more often it cannot tell. */
class AbsenceFilter {
  readonly #bits = new Uint8Array(8 * 1024 * 1024);
  readonly #mask = this.#bits.length * 8 - 1;

  add(print: Uint32Array): void {
    for (let word = 1; word < print.length; word++) {
      const bit = (print[word] ?? 0) & this.#mask;
      this.#bits[bit >>> 3] = (this.#bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  }

  mayHold(print: Uint32Array): boolean {
    for (let word = 1; word < print.length; word++) {
      const bit = (print[word] ?? 0) & this.#mask;
      if (((this.#bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}
