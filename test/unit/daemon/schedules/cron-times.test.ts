import { expect, test } from "vitest";
import { cronTimes } from "../../../../src/daemon/schedules/cron-times.js";

function following(cron: string, timezone: string, from: string, count: number): string[] {
  const { next } = cronTimes(cron, timezone);
  const found: string[] = [];
  for (let at: number | undefined = Date.parse(from); found.length < count; ) {
    at = next(at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return found;
}

test("a time is one of its time zone's, in winter and in summer", () => {
  expect(following("0 2 * * *", "Europe/Berlin", "2026-01-10T00:00:00Z", 1)).toEqual(["2026-01-10T01:00Z"]);
  expect(following("0 2 * * *", "Europe/Berlin", "2026-07-10T00:00:00Z", 2)).toEqual([
    "2026-07-11T00:00Z",
    "2026-07-12T00:00Z",
  ]);
});

test("a fixed time that does not exist on a day is due at the first moment behind the gap", () => {
  expect(following("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2)).toEqual([
    "2026-03-29T01:00Z",
    "2026-03-30T00:30Z",
  ]);
});

test("of several fixed times a day, one that does not exist is due behind the gap as well", () => {
  expect(following("30 2,14 * * *", "Europe/Berlin", "2026-03-28T14:00:00Z", 2)).toEqual([
    "2026-03-29T01:00Z",
    "2026-03-29T12:30Z",
  ]);
});

test("a fixed time that exists twice on a day is due the first time only", () => {
  expect(following("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)).toEqual([
    "2026-10-25T00:30Z",
    "2026-10-26T01:30Z",
  ]);
});

test("a fixed time that exists twice is not due again for who asks between the two", () => {
  expect(following("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1)).toEqual(["2026-10-26T01:30Z"]);
});

test("an interval leaves out what does not exist, and is due in both of an hour that exists twice", () => {
  expect(following("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:10:00Z", 2)).toEqual([
    "2026-03-29T00:30Z",
    "2026-03-29T01:00Z",
  ]);
  expect(following("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:50:00Z", 5)).toEqual([
    "2026-10-25T00:00Z",
    "2026-10-25T00:30Z",
    "2026-10-25T01:00Z",
    "2026-10-25T01:30Z",
    "2026-10-25T02:00Z",
  ]);
});

test("half an hour that is left out is known as well as an hour", () => {
  expect(following("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2)).toEqual([
    "2026-10-03T15:30Z",
    "2026-10-04T15:15Z",
  ]);
});

test("the next time is behind the one that is given, the latest may be it", () => {
  const { next, latest } = cronTimes("0 2 * * *", "UTC");
  const at = Date.parse("2026-01-10T02:00:00Z");
  expect(next(at)).toBe(at + 86_400_000);
  expect(latest(at)).toBe(at);
  expect(latest(at - 1)).toBe(at - 86_400_000);
  expect(latest(at + 5000)).toBe(at);
});

test("seconds may stand in front, and words in place of a pattern", () => {
  expect(following("15 0 2 * * *", "UTC", "2026-01-10T00:00:00Z", 1)).toEqual(["2026-01-10T02:00:15.000Z"]);
  expect(following("@daily", "UTC", "2026-01-10T01:00:00Z", 1)).toEqual(["2026-01-11T00:00Z"]);
});

test("a pattern that is never due says so", () => {
  expect(cronTimes("0 0 30 2 *", "UTC").next(0)).toBeUndefined();
});

test.each([
  ["61 0 * * *", "UTC", /minute: 61/],
  ["0 0 * *", "UTC", /five or six/],
  ["0 0 1 1 * * 2030", "UTC", /five or six/],
  ["2026-10-24T00:00:00", "UTC", /a date, not a pattern/],
  ["0 0 * * *", "Europe/Nowhere", /no time zone/],
  ["0 0 * * *", "", /no time zone/],
])('"%s" in "%s" is refused', (cron, timezone, why) => {
  expect(() => cronTimes(cron, timezone)).toThrow(why);
});
