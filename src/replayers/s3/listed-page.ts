/** What one listing told of a stretch of a bucket's keys. */
import { compareUtf8 } from "../../support/byte-order.js";
import type { KeyPage, ListedObject } from "./api.js";

export class ListedPage {
  /** It tells of keys behind this one. */
  readonly after: string;
  /** And of none behind this one. Undefined: of all. */
  readonly upTo: string | undefined;
  /** When it was asked for, in monotonic milliseconds. */
  readonly askedAt: number;
  readonly #middle: string;
  readonly #objects: ReadonlyMap<string, ListedObject>;

  private constructor(after: string, { keys, objects, next }: KeyPage, askedAt: number) {
    this.after = after;
    this.upTo = next === undefined ? undefined : (keys.at(-1) ?? after);
    this.askedAt = askedAt;
    this.#middle = keys[keys.length >> 1] ?? after;
    this.#objects = new Map(keys.flatMap((key, i) => (objects[i] === undefined ? [] : [[key, objects[i]]])));
  }

  /** Undefined where the keys do not come as they are and in their order: then nothing is known of those between them. */
  static of(after: string, page: KeyPage, askedAt: number): ListedPage | undefined {
    const isOrdered = page.keys.every((key, i) => compareUtf8(page.keys[i - 1] ?? after, key) < 0);
    return page.isExact && isOrdered ? new ListedPage(after, page, askedAt) : undefined;
  }

  covers(key: string): boolean {
    return compareUtf8(this.after, key) < 0 && (this.upTo === undefined || compareUtf8(key, this.upTo) <= 0);
  }

  isPastMiddle(key: string): boolean {
    return compareUtf8(key, this.#middle) > 0;
  }

  find(key: string): ListedObject | undefined {
    return this.#objects.get(key);
  }
}
