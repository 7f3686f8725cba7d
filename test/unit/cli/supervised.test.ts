import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Supervision } from "../../../src/cli/supervised.js";
import { JOB_ID_VARIABLE, type Progress, type Reported, reportedSchema } from "../../../src/daemon/channel.js";
import { RestoreError } from "../../../src/errors/restore-error.js";
import { type Clock, systemClock } from "../../../src/support/clock.js";
import { databaseScope, tableScope } from "../../support/records.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Follows the faked timers. */
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => reject(new Error("aborted")));
    }),
};

/** `isListening` false: what is said is not handed on. */
function setUp({ isListening = true } = {}) {
  const said: Reported[] = [];
  const stops = { count: 0 };
  const waiting: (() => void)[] = [];
  const stopper = new AbortController();
  const channel = { isListening };
  const supervision = Supervision.begin({
    env: { [JOB_ID_VARIABLE]: "0123456789abcdef" },
    clock,
    stop: () => stops.count++,
    signal: stopper.signal,
    send: (message, done) => {
      said.push(reportedSchema.parse(message));
      if (channel.isListening) done();
      else waiting.push(done);
    },
  });
  if (supervision === undefined) throw new Error("no supervisor");
  const progress = () => said.flatMap((message) => (message.type === "progress" ? [message.progress] : []));
  const others = () => said.filter(({ type }) => type !== "progress");
  return { supervision, said, stops, stopper, waiting, channel, progress, others };
}

function scopesOf(progress: Progress | undefined): string[] {
  return progress?.scopes.map(({ scope, records }) => `${scope} ${records}`) ?? [];
}

describe("progress", () => {
  it("is told at most four times a second, and the last of it always", async () => {
    const { supervision, progress } = setUp();
    const sink = supervision.progress();
    const scope = databaseScope();
    sink.report({ type: "scope-started", scope, expectedBytes: 1000 });
    for (let i = 0; i < 1000; i++) {
      sink.report({ type: "records", scope, outcome: "restored", records: 1, bytes: 1 });
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(progress().length).toBeLessThanOrEqual(10 * 4 + 1);
    expect(progress().length).toBeGreaterThanOrEqual(10 * 4 - 1);
    sink.report({ type: "records", scope, outcome: "restored", records: 7, bytes: 1 });
    await supervision.end(1000);
    expect(scopesOf(progress().at(-1))).toEqual(["redis/db_0 1007"]);
  });

  it("counts records by outcome, with pace and time left", async () => {
    const { supervision, progress } = setUp();
    const sink = supervision.progress();
    const scope = tableScope();
    sink.report({ type: "checked", files: 3, bytes: 4 });
    sink.report({ type: "scope-started", scope, expectedBytes: 1000 });
    await vi.advanceTimersByTimeAsync(2000);
    sink.report({ type: "records", scope, outcome: "restored", records: 9, bytes: 400 });
    sink.report({ type: "records", scope, outcome: "rejected", records: 1, bytes: 100 });
    await vi.advanceTimersByTimeAsync(250);
    expect(progress().at(-1)).toMatchObject({
      check: { files: 3, bytes: 4, isDone: true },
      scopes: [
        {
          scope: "dynamodb/orders",
          records: 10,
          bytes: 500,
          expectedBytes: 1000,
          outcomes: { restored: 9, rejected: 1, failed: 0 },
          perSecond: 4.4,
          secondsLeft: 2,
          isComparison: false,
          isFinished: false,
        },
      ],
    });
    sink.report({ type: "scope-finished", scope });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(progress().at(-1)?.scopes[0]).toMatchObject({ isFinished: true, perSecond: 4.4 });
    expect(progress().at(-1)?.scopes[0]?.secondsLeft).toBeUndefined();
  });

  it("leaves a pause out of pace and time left", async () => {
    const { supervision, progress } = setUp();
    const sink = supervision.progress();
    const scope = tableScope();
    sink.report({ type: "scope-started", scope, expectedBytes: 1000 });
    await vi.advanceTimersByTimeAsync(2000);
    supervision.take({ type: "pause" });
    await vi.advanceTimersByTimeAsync(3_600_000);
    supervision.take({ type: "resume" });
    sink.report({ type: "records", scope, outcome: "restored", records: 10, bytes: 500 });
    expect(progress().at(-1)?.scopes[0]).toMatchObject({ perSecond: 5, secondsLeft: 2 });
  });

  it("of several runs of a process stands side by side, and of a scope that is compared again the later one", async () => {
    const { supervision, progress } = setUp();
    const compare = (records: number) => {
      const sink = supervision.progress();
      const scope = databaseScope();
      sink.report({ type: "scope-started", scope, expectedBytes: 1, isComparison: true });
      for (let i = 0; i < records; i++) sink.report({ type: "compared", scope, bytes: 1, differing: true });
    };
    const restore = supervision.progress();
    restore.report({ type: "scope-started", scope: databaseScope(), expectedBytes: 1 });
    compare(1);
    compare(2);
    await supervision.end(1000);
    expect(progress().at(-1)?.scopes).toMatchObject([
      { scope: "redis/db_0", records: 0, isComparison: false },
      { scope: "redis/db_0", records: 2, differing: 2, isComparison: true },
    ]);
  });

  it("waits for a supervisor that does not listen, and then tells how it stands", async () => {
    const { supervision, progress, waiting, channel } = setUp({ isListening: false });
    const sink = supervision.progress();
    for (let files = 1; files <= 1000; files++) {
      sink.report({ type: "checking", files, bytes: 1 });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(progress()).toHaveLength(1);
    channel.isListening = true;
    waiting[0]?.();
    expect(progress().map(({ check }) => check?.files)).toEqual([1, 1000]);
  });

  it("holds no timer that keeps the process alive", () => {
    const { supervision } = setUp();
    vi.useRealTimers();
    const sink = supervision.progress();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    for (const files of [1, 2]) sink.report({ type: "checking", files, bytes: 1 });
    expect(timers()).toBe(before);
  });
});

describe("a pause", () => {
  it("is told once nothing is under way, and its end at once", () => {
    const { supervision, others } = setUp();
    supervision.control.begin();
    supervision.take({ type: "pause" });
    expect([supervision.control.isPaused, others()]).toEqual([true, []]);
    supervision.control.end();
    supervision.take({ type: "resume" });
    expect(supervision.control.isPaused).toBe(false);
    expect(others()).toEqual([{ type: "paused" }, { type: "resumed" }]);
  });

  it("is over when the run is interrupted", () => {
    const { supervision, stopper } = setUp();
    supervision.take({ type: "pause" });
    stopper.abort();
    expect(supervision.control.isPaused).toBe(false);
  });
});

describe("limits", () => {
  it("hold and are told as they were given", () => {
    const { supervision, others } = setUp();
    const limits = { rateLimit: "redis=100ops/s,s3=1MiB/s", concurrency: "8,redis=2" };
    supervision.take({ type: "limits", limits });
    expect(supervision.control.rates).toEqual({ redis: { opsPerSecond: 100 }, s3: { bytesPerSecond: 1_048_576 } });
    expect((["redis", "s3"] as const).map((adapter) => supervision.control.concurrencyOf(adapter))).toEqual([2, 8]);
    supervision.take({ type: "limits", limits: { rateLimit: "none" } });
    expect([supervision.control.rates, supervision.control.concurrencyOf("s3")]).toEqual([{}, 8]);
    expect(others()).toEqual([
      { type: "limits", limits },
      { type: "limits", limits: { rateLimit: "none" } },
    ]);
  });

  it.each([
    { rateLimit: "500ops/s", concurrency: "many" },
    { rateLimit: "fast", concurrency: "3" },
    { rateLimit: "" },
    { concurrency: "redis=0" },
  ])("that are none are refused, and nothing changes: %o", (limits) => {
    const { supervision, others } = setUp();
    supervision.take({ type: "limits", limits });
    expect([supervision.control.rates, supervision.control.concurrencyOf("redis")]).toEqual([undefined, undefined]);
    expect(others()).toMatchObject([{ type: "limits-refused", failure: { code: "USAGE" } }]);
  });
});

describe("orders", () => {
  it("to stop interrupt the run", () => {
    const { supervision, stops } = setUp();
    supervision.take({ type: "stop" });
    expect(stops.count).toBe(1);
  });

  it.each([undefined, null, 7, "pause", {}, { type: "explode" }, { type: "pause", hard: true }, [{ type: "stop" }]])(
    "that are none are ignored with a warning: %o",
    (message) => {
      const { supervision, others, stops } = setUp();
      supervision.take(message);
      expect([supervision.control.isPaused, stops.count]).toEqual([false, 0]);
      expect(others()).toMatchObject([{ type: "warning" }]);
    },
  );
});

describe("what ends the process", () => {
  it("is told with code, hint and place, after the last progress, and once", () => {
    const { supervision, said } = setUp();
    const sink = supervision.progress();
    for (const files of [1, 2]) sink.report({ type: "checking", files, bytes: 1 });
    const where = { adapter: "redis", line: 3 };
    supervision.failed(new RestoreError("OUTAGE", "out of reach", { hint: "Bring it back.", where }));
    supervision.failed(new RestoreError("INTERNAL", "later"));
    expect(said.map(({ type }) => type)).toEqual(["progress", "progress", "failed"]);
    expect(said.at(-1)).toEqual({
      type: "failed",
      failure: { code: "OUTAGE", message: "out of reach", hint: "Bring it back.", where },
    });
  });

  it("is a bug where the error is none of ours, and is taken from a report as it stands there", () => {
    const [bug, reported] = [setUp(), setUp()];
    bug.supervision.failed(new TypeError("x is not a function"));
    expect(bug.said).toMatchObject([{ failure: { code: "INTERNAL", message: "x is not a function" } }]);
    reported.supervision.failed({ code: "TARGET_FULL", message: "no room", hint: "Make room.", exitStatus: 1 });
    expect(reported.said).toEqual([
      { type: "failed", failure: { code: "TARGET_FULL", message: "no room", hint: "Make room." } },
    ]);
  });
});

describe("warnings", () => {
  it("are told with their scope", () => {
    const { supervision, others } = setUp();
    const sink = supervision.progress();
    sink.report({ type: "warning", text: "odd", scope: tableScope() });
    sink.report({ type: "warning", text: "odder" });
    expect(others()).toEqual([
      { type: "warning", text: "odd", scope: "dynamodb/orders" },
      { type: "warning", text: "odder" },
    ]);
  });
});

describe("the end", () => {
  it("waits until all was handed on", async () => {
    const { supervision, waiting } = setUp({ isListening: false });
    supervision.failed(new RestoreError("OUTAGE", "out of reach"));
    let hasEnded = false;
    const ending = supervision.end(60_000).then(() => {
      hasEnded = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(hasEnded).toBe(false);
    for (const done of waiting) done();
    await ending;
    expect(hasEnded).toBe(true);
  });

  it("waits no longer than it is told for a supervisor that does not listen", async () => {
    const { supervision } = setUp({ isListening: false });
    supervision.failed(new RestoreError("OUTAGE", "out of reach"));
    const ending = supervision.end(500);
    await vi.advanceTimersByTimeAsync(500);
    await expect(ending).resolves.toBeUndefined();
  });
});

it("without the variable there is no supervisor", () => {
  const init = { clock: systemClock, stop: () => undefined, signal: AbortSignal.abort(), send: () => undefined };
  expect(Supervision.begin({ ...init, env: {} })).toBeUndefined();
});
