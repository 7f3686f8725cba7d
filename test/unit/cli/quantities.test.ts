import { describe, expect, it } from "vitest";
import {
  changedConcurrency,
  parseBytes,
  parseConcurrency,
  parseDurationMs,
  parseRateLimits,
} from "../../../src/cli/quantities.js";

const USAGE = expect.objectContaining({ code: "USAGE" });

describe("a size", () => {
  it.each([
    ["0", 0],
    ["1024", 1024],
    ["64MiB", 64 * 1024 ** 2],
    ["1.5 kib", 1536],
    ["5GB", 5e9],
    [" 5gib ", 5 * 1024 ** 3],
    ["7B", 7],
  ])("%j is %i bytes", (text, bytes) => {
    expect(parseBytes(text, "--x")).toBe(bytes);
  });

  it.each(["", "x", "-1", "1e3", "5 constructor", "5XB", "MiB", "1.", "1,5MiB"])("%j is none", (text) => {
    expect(() => parseBytes(text, "--multipart-threshold")).toThrow(
      expect.objectContaining({ code: "USAGE", message: `--multipart-threshold does not take "${text}"` }),
    );
  });
});

describe("a time", () => {
  it.each([
    ["500ms", 500],
    ["90s", 90_000],
    ["90", 90_000],
    ["5m", 300_000],
    ["1.5h", 5_400_000],
    ["0", 0],
  ])("%j is %i ms", (text, ms) => {
    expect(parseDurationMs(text, "--x")).toBe(ms);
  });

  it.each(["", "5 min", "5constructor", "-1s", "s"])("%j is none", (text) => {
    expect(() => parseDurationMs(text, "--x")).toThrow(USAGE);
  });
});

describe("rate limits", () => {
  it.each([
    [["5000ops/s"], { all: { opsPerSecond: 5000 } }],
    [["50MiB/s"], { all: { bytesPerSecond: 50 * 1024 ** 2 } }],
    [["0.5 ops/s"], { all: { opsPerSecond: 0.5 } }],
    [
      ["dynamodb=500ops/s,s3=50MB/s", "redis=20000OPS/s"],
      { dynamodb: { opsPerSecond: 500 }, s3: { bytesPerSecond: 5e7 }, redis: { opsPerSecond: 20_000 } },
    ],
    [["s3=10ops/s,s3=1KiB/s"], { s3: { opsPerSecond: 10, bytesPerSecond: 1024 } }],
    [["100ops/s", "sqs=10ops/s"], { all: { opsPerSecond: 100 }, sqs: { opsPerSecond: 10 } }],
    [[], {}],
    [["none"], {}],
    [[" none ,s3=5ops/s", "sqs=none"], { s3: { opsPerSecond: 5 } }],
  ])("%j", (texts, limits) => {
    expect(parseRateLimits(texts)).toEqual(limits);
  });

  it.each([
    "5000",
    "5000/s",
    "5000ops",
    "5000ops/m",
    "0ops/s",
    "-5ops/s",
    "ops/s",
    "5constructor/s",
    "",
    "5ops/s,",
    "dynamo=5ops/s",
    "s3=",
    "s3=5ops/s=6",
    "all=5ops/s",
    "none,5ops/s",
    "s3=5ops/s,s3=none",
    "None",
  ])("%j is refused", (text) => {
    expect(() => parseRateLimits([text])).toThrow(USAGE);
  });

  it("refuse the same unit of the same adapter twice", () => {
    expect(() => parseRateLimits(["s3=5ops/s,s3=6ops/s"])).toThrow(USAGE);
    expect(() => parseRateLimits(["5ops/s", "6ops/s"])).toThrow(USAGE);
  });
});

describe("concurrency", () => {
  it("is for all adapters, or for those that are named", () => {
    expect(parseConcurrency(["8"])).toEqual({ dynamodb: 8, s3: 8, redis: 8, sqs: 8 });
    expect(parseConcurrency(["dynamodb=8,s3=4"])).toEqual({ dynamodb: 8, s3: 4 });
    expect(parseConcurrency(["2,s3=4"])).toEqual({ dynamodb: 2, s3: 4, redis: 2, sqs: 2 });
  });

  it.each([
    ["8", "s3=4", "dynamodb=8,s3=4,redis=8,sqs=8"],
    ["dynamodb=2", "s3=4", "dynamodb=2,s3=4"],
    ["dynamodb=2,s3=3", "s3=4", "dynamodb=2,s3=4"],
    ["dynamodb=2,s3=3", "5", "5"],
  ])("of %s that is changed by %s is %s", (had, change, now) => {
    expect(changedConcurrency([had], [change])).toEqual([now]);
  });

  it("that nobody asked for stays as it is", () => {
    expect(changedConcurrency([], [])).toEqual([]);
  });

  it.each(["0", "-1", "1.5", "x", "", "1025", "s3=", "s4=1"])("%j is refused", (text) => {
    expect(() => parseConcurrency([text])).toThrow(USAGE);
  });
});
