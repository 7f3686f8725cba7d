/**
 * What stands under the keys that are written next, listed a page at a time: one request tells what would take hundreds.
 *
 * A page is asked for behind a key that no page tells of, or before the one that serves comes to its end. So it does not
 * matter in which order keys come, and keys of others between them are passed over. A page costs credit, and every request
 * that a page spares earns some: where pages spare little, they are asked for ever more seldom. Nothing depends on one: a
 * key of which none tells is asked for itself, and so is every key while pages cannot be had.
 */
import { compareUtf8 } from "../../support/byte-order.js";
import type { Clock } from "../../support/clock.js";
import type { ListedObject, S3Api } from "./api.js";
import { ListedPage } from "./listed-page.js";
import type { ObjectName } from "./requests.js";

export type Told = ListedObject | "absent";

export interface ListingAheadInit {
  /** For what can be done without. */
  readonly api: Pick<S3Api, "listObjects" | "headObject">;
  readonly clock: Clock;
  /** Whether the target does not list what lies below another object's key: MinIO, `a/b` under an object `a`. */
  readonly hidesBelow: boolean;
}

/** A page that is older tells nothing any more. */
const LIFE_MS = 5_000;
/** One that serves and is older is followed by another in time. */
const RENEWED_MS = 4_000;
/** In requests for single objects: as much work for client and server (MinIO) as some sixty of them. */
const PAGE_COST = 64;
const MOST_CREDIT = 4 * PAGE_COST;
/** For each key, whatever became of it: in some thousand requests a page is tried all the same. */
const CREDIT_A_KEY = 0.01;
/** Buckets of fewer objects are written before a page could serve. */
const FIRST_KEYS = 16;
/** MinIO reads what follows in a key as the name of a listing of its own, and fails where it is none. */
const MINIO_MARK = "[minio_cache:";

export class ListingAhead {
  readonly #init: ListingAheadInit;
  readonly #buckets = new Map<string, BucketAhead>();

  constructor(init: ListingAheadInit) {
    this.#init = init;
  }

  /** What a page tells of the key. `absence`: whether it is to be found out that nothing stands there. Never throws. */
  async look({ bucket, key }: ObjectName, { absence }: { readonly absence: boolean }): Promise<Told | undefined> {
    const ahead = this.#buckets.get(bucket) ?? new BucketAhead(bucket, this.#init);
    this.#buckets.set(bucket, ahead);
    return await ahead.look(key, absence);
  }

  /** What was told of a key of the bucket has spared a request. */
  spared({ bucket }: ObjectName): void {
    this.#buckets.get(bucket)?.earn(1);
  }

  forget(bucket: string): void {
    this.#buckets.delete(bucket);
  }
}

interface Coming {
  readonly after: string;
  /** Whether it goes on where a page ends that served. */
  readonly goesOn: boolean;
  readonly arrival: Promise<void>;
}

class BucketAhead {
  readonly #bucket: string;
  readonly #init: ListingAheadInit;
  #credit = PAGE_COST;
  #keys = 0;
  /** The one that serves and the one behind it; the newest last. */
  #pages: readonly ListedPage[] = [];
  #coming: Coming | undefined;
  /** Whether an object stands under a key before the newest page. */
  readonly #above = new Map<string, Promise<boolean>>();

  constructor(bucket: string, init: ListingAheadInit) {
    this.#bucket = bucket;
    this.#init = init;
  }

  earn(credit: number): void {
    this.#credit = Math.min(MOST_CREDIT, this.#credit + credit);
  }

  async look(key: string, absence: boolean): Promise<Told | undefined> {
    this.#keys++;
    this.earn(CREDIT_A_KEY);
    let page = this.#pageOf(key);
    if (page === undefined && this.#coming?.goesOn === true && compareUtf8(this.#coming.after, key) < 0) {
      await this.#coming.arrival;
      page = this.#pageOf(key);
    }
    this.#listOn(key, page);
    const held = page?.find(key);
    if (held !== undefined || page === undefined || !absence) return held;
    return (await this.#isHidden(page, key)) ? undefined : "absent";
  }

  #pageOf(key: string): ListedPage | undefined {
    return this.#pages.findLast((page) => this.#ageOf(page) <= LIFE_MS && page.covers(key));
  }

  #ageOf({ askedAt }: ListedPage): number {
    return this.#init.clock.monotonic() - askedAt;
  }

  /** Asks for the page that will be needed next. */
  #listOn(key: string, page: ListedPage | undefined): void {
    if (page === undefined || (page === this.#pages.at(-1) && this.#ageOf(page) > RENEWED_MS)) this.#list(key, false);
    else if (page === this.#pages.at(-1) && page.upTo !== undefined && page.isPastMiddle(key))
      this.#list(page.upTo, true);
  }

  #list(after: string, goesOn: boolean): void {
    const isWorthIt = this.#keys > FIRST_KEYS && this.#credit >= PAGE_COST;
    if (this.#coming !== undefined || !isWorthIt || after.includes(MINIO_MARK)) return;
    this.#credit -= PAGE_COST;
    // What is amiss shows in what is asked for instead.
    const arrived = this.#arrive(after).catch(() => undefined);
    const arrival = arrived.finally(() => {
      this.#coming = undefined;
    });
    this.#coming = { after, goesOn, arrival };
  }

  async #arrive(after: string): Promise<void> {
    const { api, clock } = this.#init;
    let askedAt = clock.monotonic();
    const onSend = () => {
      askedAt = clock.monotonic();
    };
    const page = ListedPage.of(after, await api.listObjects(this.#bucket, { behind: after, onSend }), askedAt);
    if (page === undefined) return;
    this.#pages = [...this.#pages.slice(-1), page];
    this.#above.clear();
  }

  /** Whether the key could be there and not be listed. */
  async #isHidden(page: ListedPage, key: string): Promise<boolean> {
    if (!this.#init.hidesBelow) return false;
    const above = keysAbove(key);
    if (above.some((one) => page.find(one) !== undefined)) return true;
    const before = above.filter((one) => !page.covers(one));
    return (await Promise.all(before.map((one) => this.#stands(one)))).includes(true);
  }

  /** Asked after the page: one that came to stand there since then counts, too. True where the target does not say. */
  async #stands(key: string): Promise<boolean> {
    const known = this.#above.get(key);
    if (known !== undefined) return await known;
    this.#credit--;
    const asked = this.#init.api.headObject({ bucket: this.#bucket, key }).then(
      (held) => held !== undefined,
      () => true,
    );
    this.#above.set(key, asked);
    return await asked;
  }
}

/** `a` and `a/b` for `a/b/c`. */
function keysAbove(key: string): string[] {
  const ends = Array.from(key.matchAll(/\//g), ({ index }) => index);
  return ends.filter((end) => end > 0).map((end) => key.slice(0, end));
}
