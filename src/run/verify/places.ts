/** Records by their places in the dump, in bounded memory: those that are to be looked at again. */
import { formatPlace, type Place } from "../../model/position.js";
import { SpillingSet } from "../../support/spilling-set.js";

export class Places {
  readonly #set: SpillingSet;

  /** `directory` takes a file, where they are very many. */
  constructor(directory: string) {
    this.#set = new SpillingSet(directory);
  }

  get size(): number {
    return this.#set.size;
  }

  add(place: Place): void {
    this.#set.add(formatPlace(place));
  }

  has(place: Place): boolean {
    return this.#set.has(formatPlace(place));
  }

  /** Removes the file. Repeatable. */
  close(): void {
    this.#set.close();
  }
}
