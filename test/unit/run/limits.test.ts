import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNPACED } from "../../../src/replayers/calls.js";
import { RunControl } from "../../../src/run/control.js";
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

/** How many were granted in each second from now on. */
async function perSecond(granted: { readonly count: number }, seconds: number): Promise<number[]> {
  const counts: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const before = granted.count;
    await vi.advanceTimersByTimeAsync(1000);
    counts.push(granted.count - before);
  }
  return counts;
}

/** Asks only for what may go: an unlimited one that never waits would hang the test. */
async function asked(pacer: { acquire(ops: number, bytes: number): Promise<void> }, requests: number): Promise<number> {
  let granted = 0;
  for (let i = 0; i < requests; i++) void pacer.acquire(1, 1).then(() => granted++);
  await vi.advanceTimersByTimeAsync(0);
  return granted;
}

describe("limits that are changed while they are waited for", () => {
  it.each([
    [1000, 100],
    [20_000, 50],
    [5, 1],
  ])("from %i to %i hold from the first second on", async (from, to) => {
    const control = new RunControl(clock);
    const granted = load({ pacer: pacersFor({ redis: { opsPerSecond: from } }, clock, control)("redis") });
    await vi.advanceTimersByTimeAsync(3_000);
    control.limitTo({ rates: { redis: { opsPerSecond: to } } });
    const counts = await perSecond(granted, 5);
    for (const count of counts) expect(count).toBeLessThanOrEqual(Math.max(to * 1.05, to + 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(Math.floor(to * 5 * 0.95));
  });

  it("hold for what the limit before had left over", async () => {
    const control = new RunControl(clock);
    const pacer = pacersFor({ redis: { opsPerSecond: 100_000 } }, clock, control)("redis");
    await Promise.all([pacer.acquire(1, 0), vi.advanceTimersByTimeAsync(10)]);
    control.limitTo({ rates: { redis: { opsPerSecond: 10 } } });
    expect(await asked(pacer, 500)).toBe(0);
  });

  it("to a higher one let those go on who wait already", async () => {
    const control = new RunControl(clock);
    const pacer = pacersFor({ all: { opsPerSecond: 1 } }, clock, control)("s3");
    const granted = load({ pacer });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(pacer.portion.ops).toBe(1);
    control.limitTo({ rates: { all: { opsPerSecond: 1000 } } });
    expect(pacer.portion.ops).toBe(10);
    const counts = await perSecond(granted, 3);
    for (const count of counts) expect(count).toBeLessThanOrEqual(1050);
    expect(counts.at(-1)).toBeGreaterThanOrEqual(950);
  });

  it("to none and back to some hold for the same pacer", async () => {
    const control = new RunControl(clock);
    const pacer = pacersFor({}, clock, control)("sqs");
    expect(await asked(pacer, 500)).toBe(500);
    control.limitTo({ rates: { sqs: { opsPerSecond: 10 } } });
    expect(pacer.portion.ops).toBe(1);
    expect(await asked(pacer, 500)).toBe(0);
    await vi.advanceTimersByTimeAsync(2_000);
    control.limitTo({ rates: {} });
    await vi.advanceTimersByTimeAsync(20);
    expect(await asked(pacer, 500)).toBe(500);
    control.limitTo({ rates: { all: { bytesPerSecond: 20 } } });
    const granted = load({ pacer, bytes: 1 });
    for (const count of await perSecond(granted, 3)) expect(count).toBeLessThanOrEqual(21);
    expect(granted.count).toBeGreaterThanOrEqual(55);
  });

  it("do not forgive what a request before had overdrawn", async () => {
    const control = new RunControl(clock);
    const pacer = pacersFor({ s3: { bytesPerSecond: 1000 } }, clock, control)("s3");
    await Promise.all([pacer.acquire(1, 5000), vi.advanceTimersByTimeAsync(50)]);
    control.limitTo({ rates: { s3: { bytesPerSecond: 500 } } });
    let isServed = false;
    void pacer.acquire(1, 1).then(() => {
      isServed = true;
    });
    await vi.advanceTimersByTimeAsync(9_800);
    expect(isServed).toBe(false);
    await vi.advanceTimersByTimeAsync(400);
    expect(isServed).toBe(true);
  });

  it("of an adapter that is freed let nobody over the limit for all who waited for its own", async () => {
    const control = new RunControl(clock);
    const rates = { all: { opsPerSecond: 100 }, redis: { opsPerSecond: 1 } };
    const pacer = pacersFor(rates, clock, control)("redis");
    let granted = 0;
    for (let i = 0; i < 1000; i++) void pacer.acquire(1, 0).then(() => granted++);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(granted).toBeLessThanOrEqual(11);
    control.limitTo({ rates: { all: rates.all } });
    const before = granted;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(granted - before).toBeLessThanOrEqual(105);
    expect(granted - before).toBeGreaterThanOrEqual(90);
  });

  it("hold for pacers that are made later", () => {
    const control = new RunControl(clock);
    control.limitTo({ rates: { redis: { opsPerSecond: 300 } } });
    expect(pacersFor({ redis: { opsPerSecond: 9000 } }, clock, control)("redis").portion.ops).toBe(3);
  });
});

describe("a pause", () => {
  it.each([
    ["with a limit", { all: { opsPerSecond: 100 } }],
    ["without one", {}],
  ])("%s lets nobody by until it is over", async (_, rates) => {
    const control = new RunControl(clock);
    const pacer = pacersFor(rates, clock, control)("redis");
    control.pause();
    const done: number[] = [];
    for (let i = 0; i < 5; i++) void pacer.acquire(1, 0).then(() => done.push(i));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toEqual([]);
    control.resume();
    await vi.advanceTimersByTimeAsync(200);
    expect(done).toEqual([0, 1, 2, 3, 4]);
  });

  it("is no licence for a burst behind it: whoever waited goes by the limit", async () => {
    const control = new RunControl(clock);
    const granted = load({ pacer: pacersFor({ all: { opsPerSecond: 200 } }, clock, control)("redis") });
    await vi.advanceTimersByTimeAsync(2_000);
    control.pause();
    await vi.advanceTimersByTimeAsync(10);
    const before = granted.count;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(granted.count).toBe(before);
    control.resume();
    for (const count of await perSecond(granted, 3)) expect(count).toBeLessThanOrEqual(210);
  });

  it("is idle when every request that was let by has ended", async () => {
    const control = new RunControl(clock);
    const pacer = pacersFor({}, clock, control)("redis");
    await Promise.all([pacer.acquire(1, 0), pacer.acquire(1, 0)]);
    let isIdle = false;
    control.pause(() => {
      isIdle = true;
    });
    pacer.ended?.();
    expect(isIdle).toBe(false);
    pacer.ended?.();
    expect(isIdle).toBe(true);
  });

  it("lets whoever is interrupted go", async () => {
    const stop = new AbortController();
    const control = new RunControl(clock, stop.signal);
    const pacer = pacersFor({ all: { opsPerSecond: 100 } }, clock, control)("redis");
    control.pause();
    const end = pacer.acquire(1, 0, stop.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    stop.abort();
    await vi.advanceTimersByTimeAsync(10);
    expect(await end).toMatchObject({ name: "AbortError" });
  });
});
