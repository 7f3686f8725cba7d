import { describe, expect, it } from "vitest";
import type { HeldObject, KeyPage, KeysAsked } from "../../../../src/replayers/s3/api.js";
import { ListingAhead } from "../../../../src/replayers/s3/listing-ahead.js";
import { compareUtf8 } from "../../../../src/support/byte-order.js";
import { fakeClock } from "../../../support/fake-clock.js";

const PAGE_KEYS = 1_000;
const OBJECT = { size: 1, etag: "e" };

/** A bucket, and what is asked of it. */
class Bucket {
  readonly lists: string[] = [];
  readonly heads: string[] = [];
  readonly clock = fakeClock();
  keys: string[];
  /** What becomes of a page on its way. */
  alter: (page: KeyPage) => KeyPage | Promise<KeyPage> = (page) => page;
  readonly ahead: ListingAhead;

  constructor(keys: readonly string[], { hidesBelow = false } = {}) {
    this.keys = [...keys].sort(compareUtf8);
    this.ahead = new ListingAhead({ api: this, clock: this.clock, hidesBelow });
  }

  async listObjects(_bucket: string, { behind = "", onSend }: KeysAsked = {}): Promise<KeyPage> {
    this.lists.push(behind);
    onSend?.();
    const found = this.keys.filter((key) => compareUtf8(key, behind) > 0);
    const keys = found.slice(0, PAGE_KEYS);
    const next = found.length > keys.length ? { next: "token" } : {};
    return await this.alter({ keys, objects: keys.map(() => OBJECT), isExact: true, ...next });
  }

  async headObject({ key }: { readonly key: string }): Promise<HeldObject | undefined> {
    this.heads.push(key);
    await Promise.resolve();
    return this.keys.includes(key) ? { ...OBJECT, headers: {} } : undefined;
  }

  /** What is told of each key, asked one after another. What is told counts as spared. */
  async look(keys: readonly string[], { absence = true, spares = true } = {}): Promise<unknown[]> {
    const told: unknown[] = [];
    for (const key of keys) {
      const one = await this.ahead.look({ bucket: "bucket", key }, { absence });
      told.push(one);
      if (one !== undefined && spares) this.ahead.spared({ bucket: "bucket", key });
      await settled();
    }
    return told;
  }
}

/** What stands in no need of a timer has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function numbered(count: number, prefix = "k"): string[] {
  return Array.from({ length: count }, (_, i) => prefix + String(i).padStart(6, "0"));
}

/** Enough keys of no page, before all others, for one to be worth it. */
const FIRST = numbered(16, "a");

describe("listing ahead", () => {
  it("tells of the keys behind one that no page told of", async () => {
    const bucket = new Bucket(["k000001", "k000003"]);
    await bucket.look(FIRST);
    expect(await bucket.look(numbered(5))).toEqual([undefined, OBJECT, "absent", OBJECT, "absent"]);
    expect(bucket.lists).toEqual(["k000000"]);
  });

  it("lists nothing for a bucket of few keys", async () => {
    const bucket = new Bucket(numbered(100));
    await bucket.look(numbered(16));
    expect(bucket.lists).toEqual([]);
  });

  it("does not say what is absent when nobody asks", async () => {
    const bucket = new Bucket([]);
    await bucket.look([...FIRST, "k"]);
    expect(await bucket.look(["l"], { absence: false })).toEqual([undefined]);
  });

  it("has the next page before one ends, and asks for each once", async () => {
    const keys = numbered(5_000);
    const bucket = new Bucket(keys);
    const told = await bucket.look(keys);
    expect(told.slice(17).every((one) => one === OBJECT)).toBe(true);
    expect(bucket.lists).toEqual(["k000016", "k001016", "k002016", "k003016", "k004016"]);
  });

  it("waits for a page on its way that goes on where one ended", async () => {
    const keys = numbered(2_000);
    const bucket = new Bucket(keys);
    await bucket.look(keys.slice(0, 100));
    let arrive: (() => void) | undefined;
    bucket.alter = async (page) => {
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
      return page;
    };
    await bucket.look(keys.slice(100, 1_000));
    const told = bucket.look(["k001500"]);
    arrive?.();
    expect(await told).toEqual([OBJECT]);
  });

  it("passes over keys of others", async () => {
    const bucket = new Bucket(numbered(100_000, "b"));
    await bucket.look([...FIRST, "c"]);
    expect(await bucket.look(["d"])).toEqual(["absent"]);
    expect(bucket.lists).toEqual(["c"]);
  });

  it.each([
    ["tell only of what may be equal", numbered(10_000), false],
    ["tell of one key each", numbered(10_000).flatMap((key) => numbered(2, key)), true],
  ])("asks ever more seldom where pages %s", async (_what, held, spares) => {
    const bucket = new Bucket(held);
    // Backwards, so that each page lies behind the keys that come.
    const keys = numbered(10_000);
    await bucket.look(spares ? keys.reverse() : keys, { spares });
    expect(bucket.lists.length).toBeLessThanOrEqual(4);
  });

  it("goes on where pages begin to spare requests", async () => {
    const keys = numbered(20_000);
    const bucket = new Bucket(keys);
    await bucket.look(keys.slice(0, 10_000), { spares: false });
    const told = await bucket.look(keys.slice(10_000));
    expect(told.filter((one) => one === OBJECT).length).toBeGreaterThan(6_000);
  });

  it("takes no page for true that is older than some seconds", async () => {
    const bucket = new Bucket([]);
    await bucket.look([...FIRST, "k"]);
    bucket.keys = ["m"];
    bucket.clock.advance(5_001);
    expect(await bucket.look(["m"])).toEqual([undefined]);
    bucket.clock.advance(5_001);
    expect(await bucket.look(["l"])).toEqual([undefined]);
  });

  it("counts a page's age from when it was sent for", async () => {
    const bucket = new Bucket([]);
    bucket.alter = (page) => {
      bucket.clock.advance(5_001);
      return page;
    };
    expect(await bucket.look([...FIRST, "k", "l"])).toEqual(new Array(18).fill(undefined));
  });

  it("renews a page in time", async () => {
    const bucket = new Bucket([]);
    await bucket.look([...FIRST, ...numbered(200)]);
    bucket.clock.advance(4_001);
    await bucket.look(["l"]);
    bucket.clock.advance(3_000);
    expect(await bucket.look(["m"])).toEqual(["absent"]);
    expect(bucket.lists).toEqual(["k000000", "l"]);
  });

  it.each<[string, (page: KeyPage) => KeyPage | Promise<KeyPage>]>([
    ["is refused", () => Promise.reject(new Error("403"))],
    ["does not come in order", (page) => ({ ...page, keys: page.keys.toReversed() })],
    ["begins before what was asked for", (page) => ({ ...page, keys: ["a", ...page.keys] })],
    ["does not hold the keys as they are", (page) => ({ ...page, isExact: false })],
  ])("tells nothing by a page that %s", async (_what, alter) => {
    const bucket = new Bucket(numbered(100));
    bucket.alter = alter;
    expect(await bucket.look(numbered(100))).toEqual(new Array(100).fill(undefined));
    expect(bucket.lists).toHaveLength(1);
  });

  it("knows the order of keys by their bytes", async () => {
    const keys = ["k\ue000", "k\u{1f600}", "k\u{1f601}"];
    const bucket = new Bucket(keys);
    await bucket.look([...FIRST, "k"]);
    expect(await bucket.look([...keys, "k\uffff"])).toEqual([OBJECT, OBJECT, OBJECT, "absent"]);
  });

  it("starts no listing that MinIO would take for one of its own", async () => {
    const bucket = new Bucket([]);
    await bucket.look([...FIRST, "k[minio_cache:v2"]);
    expect(bucket.lists).toEqual([]);
  });

  it("does not call absent what a server hides below another object", async () => {
    const bucket = new Bucket(["a0/b/c", "k", "k/deep"], { hidesBelow: true });
    await bucket.look([...FIRST, "a0/b/c"]);
    expect(await bucket.look(["a0/b/c/d", "a0/b/d", "k/hidden", "k/hidden/e", "l/m"])).toEqual([
      undefined,
      "absent",
      undefined,
      undefined,
      "absent",
    ]);
    // Each key above, before the page, once.
    expect(bucket.heads).toEqual(["a0", "a0/b", "a0/b/c"]);
  });
});
