import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNPACED } from "../../../src/replayers/calls.js";
import { LeasedPacer, pacersFor } from "../../../src/run/limits.js";
import { type Clock, systemClock } from "../../../src/support/clock.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Follows the faked timers. */
const clock: Clock = { ...systemClock, now: () => Date.now(), monotonic: () => Date.now() };

interface Load {
  readonly pacer: { acquire(ops: number, bytes: number): Promise<void> };
  readonly ops?: number;
  readonly bytes?: number;
}

/** Asks for one operation after another, for ever, and counts what was granted. */
function load({ pacer, ops = 1, bytes = 0 }: Load) {
  const granted = { count: 0 };
  const run = async () => {
    for (;;) {
      await pacer.acquire(ops, bytes);
      granted.count++;
    }
  };
  void run();
  return granted;
}

describe("a limit", () => {
  it.each([5, 50, 1000, 20_000])("of %i operations a second grants so many, and no more", async (opsPerSecond) => {
    const granted = load({ pacer: new LeasedPacer({ opsPerSecond }, clock) });
    await vi.advanceTimersByTimeAsync(10_000);
    // What one lease may be ahead.
    expect(granted.count).toBeLessThanOrEqual(opsPerSecond * 10 + Math.max(1, opsPerSecond * 0.03));
    expect(granted.count).toBeGreaterThanOrEqual(opsPerSecond * 9.7);
  });

  it.each([100, 1000, 5000, 40_000])(
    "of %i is in no second of the clock more than 5 % over, in requests as large as a portion",
    async (opsPerSecond) => {
      const pacer = new LeasedPacer({ opsPerSecond }, clock);
      const ops = pacer.portion.ops;
      // What an idle moment saved up is spent from a second's very start.
      await Promise.all([pacer.acquire(ops, 0), vi.advanceTimersByTimeAsync(500)]);
      for (let second = 0; second < 10; second++) {
        await vi.advanceTimersByTimeAsync(1000 - (Date.now() % 1000));
        let granted = 0;
        const until = Date.now() + 1000;
        const asking = (async () => {
          for (;;) {
            await pacer.acquire(ops, 0);
            if (Date.now() >= until) return;
            granted += ops;
          }
        })();
        await Promise.all([asking, vi.advanceTimersByTimeAsync(1100)]);
        expect(granted).toBeLessThanOrEqual(Math.max(opsPerSecond * 1.05, opsPerSecond + 1));
        expect(granted).toBeGreaterThanOrEqual(opsPerSecond * 0.97);
      }
    },
  );

  it("names a hundredth of a second's budget as the portion, of the tighter limit, and one at least", () => {
    expect(new LeasedPacer({ opsPerSecond: 5000 }, clock).portion).toEqual({
      ops: 50,
      bytes: Number.POSITIVE_INFINITY,
    });
    expect(new LeasedPacer({ opsPerSecond: 5, bytesPerSecond: 1e6 }, clock).portion).toEqual({ ops: 1, bytes: 1e4 });
    const limits = { all: { opsPerSecond: 2000 }, sqs: { opsPerSecond: 1000, bytesPerSecond: 500 } };
    expect(pacersFor(limits, clock)("sqs").portion).toEqual({ ops: 10, bytes: 5 });
    expect(pacersFor(limits, clock)("s3").portion.ops).toBe(20);
  });

  it("counts bytes as well as operations, and the tighter one holds", async () => {
    const granted = load({ pacer: new LeasedPacer({ opsPerSecond: 1000, bytesPerSecond: 5000 }, clock), bytes: 100 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(granted.count).toBeLessThanOrEqual(500 + 3);
    expect(granted.count).toBeGreaterThanOrEqual(475);
  });

  it("sends a request that is larger than a second's budget whole and makes the next one wait for it", async () => {
    const pacer = new LeasedPacer({ bytesPerSecond: 1000 }, clock);
    const done: string[] = [];
    void pacer.acquire(1, 5000).then(() => done.push("large"));
    void pacer.acquire(1, 1).then(() => done.push("next"));
    await vi.advanceTimersByTimeAsync(100);
    expect(done).toEqual(["large"]);
    await vi.advanceTimersByTimeAsync(4500);
    expect(done).toEqual(["large"]);
    await vi.advanceTimersByTimeAsync(600);
    expect(done).toEqual(["large", "next"]);
  });

  it("counts time in which nobody asked as paying off, once", async () => {
    const pacer = new LeasedPacer({ bytesPerSecond: 1000 }, clock);
    const done: string[] = [];
    void pacer.acquire(1, 5000);
    await vi.advanceTimersByTimeAsync(20_000);
    void pacer.acquire(1, 1).then(() => done.push("next"));
    await vi.advanceTimersByTimeAsync(100);
    expect(done).toEqual(["next"]);
  });

  it("does not pay a request off by the time before it", async () => {
    const pacer = new LeasedPacer({ bytesPerSecond: 1000 }, clock);
    await Promise.all([pacer.acquire(1, 1), vi.advanceTimersByTimeAsync(50)]);
    await vi.advanceTimersByTimeAsync(800);
    const done: string[] = [];
    void pacer.acquire(1, 500).then(() => done.push("large"));
    void pacer.acquire(1, 1).then(() => done.push("next"));
    await vi.advanceTimersByTimeAsync(440);
    expect(done).toEqual(["large"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(done).toEqual(["large", "next"]);
  });

  it("lets an unused lease expire: an idle minute is no licence for a burst", async () => {
    const pacer = new LeasedPacer({ opsPerSecond: 1000 }, clock);
    await Promise.all([pacer.acquire(1, 0), vi.advanceTimersByTimeAsync(50)]);
    await vi.advanceTimersByTimeAsync(60_000);
    const granted = load({ pacer });
    await vi.advanceTimersByTimeAsync(10);
    // The longest lease, and not a minute's.
    expect(granted.count).toBeLessThanOrEqual(30 + 10);
    await vi.advanceTimersByTimeAsync(1000);
    expect(granted.count).toBeLessThanOrEqual(1000 + 30 + 10);
  });

  it("serves callers in the order in which they came", async () => {
    const pacer = new LeasedPacer({ opsPerSecond: 20 }, clock);
    const done: number[] = [];
    for (let i = 0; i < 10; i++) void pacer.acquire(1, 0).then(() => done.push(i));
    await vi.advanceTimersByTimeAsync(2000);
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("lets a caller that waits go when it is interrupted, and serves the others", async () => {
    const pacer = new LeasedPacer({ opsPerSecond: 1 }, clock);
    const stop = new AbortController();
    void pacer.acquire(3, 0);
    const interrupted = pacer.acquire(1, 0, stop.signal).catch((error: unknown) => error);
    let served = false;
    void pacer.acquire(1, 0).then(() => {
      served = true;
    });
    await vi.advanceTimersByTimeAsync(500);
    stop.abort();
    await vi.advanceTimersByTimeAsync(100);
    expect(await interrupted).toMatchObject({ name: "AbortError" });
    expect(served).toBe(false);
    await vi.advanceTimersByTimeAsync(4000);
    expect(served).toBe(true);
  });
});

describe("limits of a run", () => {
  it("are nobody's where none was given", () => {
    expect(pacersFor({}, clock)("s3")).toBe(UNPACED);
    expect(pacersFor({ redis: { opsPerSecond: 1 } }, clock)("s3")).toBe(UNPACED);
  });

  it("for all are spent by all adapters together", async () => {
    const pacerFor = pacersFor({ all: { opsPerSecond: 100 } }, clock);
    const loads = (["dynamodb", "s3", "redis"] as const).map((adapter) => load({ pacer: pacerFor(adapter) }));
    await vi.advanceTimersByTimeAsync(10_000);
    const sum = loads.reduce((total, { count }) => total + count, 0);
    expect(sum).toBeLessThanOrEqual(1006);
    expect(sum).toBeGreaterThanOrEqual(950);
  });

  it("of one adapter hold beside those for all, and slow no other", async () => {
    const pacerFor = pacersFor({ all: { opsPerSecond: 1000 }, redis: { opsPerSecond: 10 } }, clock);
    const [slow, fast] = [load({ pacer: pacerFor("redis") }), load({ pacer: pacerFor("s3") })];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(slow.count).toBeLessThanOrEqual(102);
    expect(fast.count).toBeGreaterThanOrEqual(9000);
  });
});
