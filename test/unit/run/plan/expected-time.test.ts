import { describe, expect, it } from "vitest";
import type { Adapter } from "../../../../src/model/scope.js";
import { expectedTime, type ScopeDemand } from "../../../../src/run/plan/expected-time.js";
import type { PastRate } from "../../../../src/run/plan/past-restores.js";

const scope = (adapter: Adapter, records: number, bytes = 0): ScopeDemand => ({ adapter, records, bytes });
const past = (recordsPerSecond: number, bytesPerSecond = 0): PastRate => ({
  recordsPerSecond,
  bytesPerSecond,
  jobs: ["aa"],
});

describe("by rate limits", () => {
  it("is the longer of operations and bytes", () => {
    const limits = { redis: { opsPerSecond: 10, bytesPerSecond: 100 } };
    expect(expectedTime({ demands: [scope("redis", 50, 100)], limits, past: new Map() }).seconds).toBe(5);
    expect(expectedTime({ demands: [scope("redis", 50, 1000)], limits, past: new Map() }).seconds).toBe(10);
  });

  it("spends a limit for all on all adapters together, beside their own", () => {
    const demands = [scope("redis", 50), scope("s3", 50)];
    const limits = { all: { opsPerSecond: 10 }, s3: { opsPerSecond: 2 } };
    expect(expectedTime({ demands, limits, past: new Map() })).toEqual({
      seconds: 25,
      adapters: [
        { adapter: "s3", seconds: 25, by: "rate-limit" },
        { adapter: "redis", seconds: 10, by: "rate-limit" },
      ],
    });
  });
});

describe("by past restores", () => {
  it("is the longer of records and bytes, in as many scopes at once as a run works on", () => {
    const five = Array.from({ length: 5 }, () => scope("redis", 100, 1000));
    expect(expectedTime({ demands: five, limits: {}, past: new Map([["redis", past(10, 1000)]]) }).seconds).toBe(20);
    expect(expectedTime({ demands: five, limits: {}, past: new Map([["redis", past(1000, 50)]]) }).seconds).toBe(40);
  });

  it("gives way to a limit that takes longer, and still tells what was achieved", () => {
    const rates = new Map([["redis", past(100)] as const]);
    const time = expectedTime({ demands: [scope("redis", 100)], limits: { redis: { opsPerSecond: 10 } }, past: rates });
    expect(time.adapters).toEqual([{ adapter: "redis", seconds: 10, by: "rate-limit", past: past(100) }]);
    const fast = expectedTime({
      demands: [scope("redis", 100)],
      limits: { redis: { opsPerSecond: 1000 } },
      past: rates,
    });
    expect(fast.adapters).toMatchObject([{ seconds: 1, by: "past-restores" }]);
  });
});

describe("is not known", () => {
  it("where an adapter has neither; what is known of the others is told", () => {
    const demands = [scope("redis", 100), scope("s3", 100)];
    expect(expectedTime({ demands, limits: {}, past: new Map([["redis", past(10)]]) })).toEqual({
      adapters: [{ adapter: "s3" }, { adapter: "redis", seconds: 10, by: "past-restores", past: past(10) }],
    });
  });

  it("unless that adapter has nothing to do", () => {
    const demands = [scope("redis", 100), scope("s3", 0)];
    expect(expectedTime({ demands, limits: {}, past: new Map([["redis", past(10)]]) }).seconds).toBe(10);
  });
});

it("is no time where there is nothing to do", () => {
  expect(expectedTime({ demands: [], limits: {}, past: new Map() })).toEqual({ seconds: 0, adapters: [] });
});
