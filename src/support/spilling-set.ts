/** A set of byte strings of any number in bounded memory: see `spilling-map.ts`. */
import { SpillingMap } from "./spilling-map.js";

export class SpillingSet {
  readonly #map: SpillingMap;

  /** `directory` takes a file, if one is needed; `kept` strings stay in memory. */
  constructor(directory: string, kept?: number) {
    this.#map = new SpillingMap(directory, kept);
  }

  get size(): number {
    return this.#map.size;
  }

  /** True when the bytes were not in the set yet. @throws RestoreError LOCAL_IO */
  add(bytes: Uint8Array | string): boolean {
    return this.#map.set(bytes, 0n) === undefined;
  }

  /** @throws RestoreError LOCAL_IO */
  has(bytes: Uint8Array | string): boolean {
    return this.#map.get(bytes) !== undefined;
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#map.close();
  }
}
