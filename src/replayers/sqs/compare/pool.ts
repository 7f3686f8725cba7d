/** Numbers by key, any number under one, taken in the order in which they were put. In bounded memory. */
import type { SpillingMap } from "../../../support/spilling-map.js";

const HALF = 31n;
const LOW = (1n << HALF) - 1n;

export class Pool {
  readonly #map: SpillingMap;
  readonly #name: string;

  /** Pools of different names may share a map. */
  constructor(map: SpillingMap, name: string) {
    this.#map = map;
    this.#name = name;
  }

  put(key: string, value: number): void {
    const { count, taken } = this.#stateOf(key);
    this.#map.set(`${this.#name}\0${key}\0${count}`, BigInt(value));
    this.#keep(key, count + 1n, taken);
  }

  /** The next one that `isFree`; those before it are taken as well. */
  take(key: string, isFree: (value: number) => boolean): number | undefined {
    const { count, taken } = this.#stateOf(key);
    for (let next = taken; next < count; next++) {
      const value = Number(this.#map.get(`${this.#name}\0${key}\0${next}`));
      if (!isFree(value)) continue;
      this.#keep(key, count, next + 1n);
      return value;
    }
    if (taken < count) this.#keep(key, count, count);
    return undefined;
  }

  #stateOf(key: string): { readonly count: bigint; readonly taken: bigint } {
    const state = this.#map.get(`${this.#name}\0${key}`) ?? 0n;
    return { count: state >> HALF, taken: state & LOW };
  }

  #keep(key: string, count: bigint, taken: bigint): void {
    this.#map.set(`${this.#name}\0${key}`, (count << HALF) | taken);
  }
}
