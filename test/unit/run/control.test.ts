import { describe, expect, it } from "vitest";
import { RunControl, workClock } from "../../../src/run/control.js";
import { fakeClock } from "../../support/fake-clock.js";

function setUp(signal?: AbortSignal) {
  const clock = fakeClock();
  const control = new RunControl(clock, signal);
  const idle = { count: 0 };
  const pause = () => control.pause(() => idle.count++);
  return { clock, control, idle, pause };
}

describe("a pause", () => {
  it("is idle at once where nothing is under way", () => {
    const { control, idle, pause } = setUp();
    pause();
    expect([control.isPaused, idle.count]).toEqual([true, 1]);
  });

  it("is idle once the last of what is under way has ended, and says so once", () => {
    const { control, idle, pause } = setUp();
    control.begin();
    control.begin();
    pause();
    control.end();
    expect(idle.count).toBe(0);
    control.end();
    control.end();
    expect(idle.count).toBe(1);
  });

  it("that is over before that is never idle", () => {
    const { control, idle, pause } = setUp();
    control.begin();
    pause();
    control.resume();
    control.end();
    expect([control.isPaused, idle.count]).toEqual([false, 0]);
  });

  it("asked for again says again that it is idle", () => {
    const { idle, pause } = setUp();
    pause();
    pause();
    expect(idle.count).toBe(2);
  });

  it("is idle while what is under way rests, and not when it goes on", async () => {
    const { control, idle, pause } = setUp();
    control.begin();
    pause();
    const resting = control.rest();
    expect(idle.count).toBe(1);
    control.resume();
    await resting;
    pause();
    expect(idle.count).toBe(1);
  });

  it("ends when the run is interrupted", async () => {
    const stop = new AbortController();
    const { control, pause } = setUp(stop.signal);
    pause();
    const passing = control.pass();
    stop.abort();
    await passing;
    expect(control.isPaused).toBe(false);
  });

  it("does not begin once the run is interrupted", () => {
    const stop = new AbortController();
    const { control, idle, pause } = setUp(stop.signal);
    stop.abort();
    pause();
    expect([control.isPaused, idle.count]).toEqual([false, 0]);
  });
});

describe("the time of pauses", () => {
  it("adds up, one under way included, and asking twice for a pause begins none", () => {
    const { clock, control, pause } = setUp();
    clock.advance(5_000);
    pause();
    clock.advance(1_000);
    pause();
    clock.advance(1_000);
    expect(control.pausedMs).toBe(2_000);
    control.resume();
    clock.advance(10_000);
    control.resume();
    pause();
    clock.advance(300);
    expect(control.pausedMs).toBe(2_300);
  });

  it("is no time of work", () => {
    const { clock, control, pause } = setUp();
    const working = workClock(clock, control);
    clock.advance(500);
    pause();
    clock.advance(3_600_000);
    expect(working.monotonic()).toBe(500);
    control.resume();
    clock.advance(250);
    expect(working.monotonic()).toBe(750);
    expect(workClock(clock, undefined)).toBe(clock);
  });

  it("is told since any moment: of a pause in which it lies, the rest", () => {
    const { clock, control, pause } = setUp();
    const begin = clock.now();
    pause();
    clock.advance(1_000);
    const within = clock.now();
    clock.advance(2_000);
    control.resume();
    clock.advance(50);
    const after = clock.now();
    pause();
    clock.advance(40);
    expect([begin, within, after].map((at) => control.pausedSince(at))).toEqual([3_040, 2_040, 40]);
  });
});

describe("limits", () => {
  it("that are not named stay, and those who listen hear of rates", () => {
    const { control } = setUp();
    const heard: unknown[] = [];
    control.onRates((rates) => heard.push(rates));
    expect([control.rates, control.concurrencyOf("s3")]).toEqual([undefined, undefined]);
    control.limitTo({ concurrency: { s3: 3 } });
    control.limitTo({ rates: { all: { opsPerSecond: 5 } } });
    expect([control.rates, control.concurrencyOf("s3"), control.concurrencyOf("sqs")]).toEqual([
      { all: { opsPerSecond: 5 } },
      3,
      undefined,
    ]);
    expect(heard).toEqual([{ all: { opsPerSecond: 5 } }]);
    control.limitTo({ concurrency: { sqs: 2 } });
    expect([control.concurrencyOf("s3"), control.concurrencyOf("sqs")]).toEqual([3, 2]);
  });
});
