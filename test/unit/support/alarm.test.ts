import { expect, test } from "vitest";
import { Alarm } from "../../../src/support/alarm.js";
import { heldClock } from "../../support/held-clock.js";

const START = Date.parse("2026-01-10T00:00:00Z");
const never = new AbortController().signal;

async function isPending(waiting: Promise<void>): Promise<boolean> {
  const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(resolve, "pending"))]);
  return first === "pending";
}

test("a wait ends at its time", async () => {
  const clock = heldClock(START);
  const waiting = new Alarm(clock).wait(START + 5000, never);
  clock.pass(4999);
  expect(await isPending(waiting)).toBe(true);
  clock.pass(1);
  expect(await isPending(waiting)).toBe(false);
});

test("a wait for a far time ends after a minute, so that the clock is looked at", async () => {
  const clock = heldClock(START);
  void new Alarm(clock).wait(START + 86_400_000, never);
  void new Alarm(clock).wait(undefined, never);
  expect(clock.asleep()).toEqual([60_000, 60_000]);
});

test("a wait for a time that is over ends at once", async () => {
  const clock = heldClock(START);
  void new Alarm(clock).wait(START - 1, never);
  expect(clock.asleep()).toEqual([0]);
});

test("ringing ends the wait", async () => {
  const alarm = new Alarm(heldClock(START));
  const waiting = alarm.wait(undefined, never);
  alarm.ring();
  expect(await isPending(waiting)).toBe(false);
});

test("an alarm that rang while nobody waited ends the next wait, and that one only", async () => {
  const alarm = new Alarm(heldClock(START));
  alarm.ring();
  expect(await isPending(alarm.wait(undefined, never))).toBe(false);
  expect(await isPending(alarm.wait(undefined, never))).toBe(true);
});

test("an abort ends the wait without an error", async () => {
  const clock = heldClock(START);
  const ending = new AbortController();
  const waiting = new Alarm(clock).wait(undefined, ending.signal);
  ending.abort();
  await waiting;
  await new Alarm(clock).wait(undefined, ending.signal);
  expect(clock.asleep()).toEqual([]);
});

test("what is wrong with the clock is not taken for a wake-up", async () => {
  const clock = { ...heldClock(START), sleep: async () => Promise.reject(new Error("broken")) };
  await expect(new Alarm(clock).wait(undefined, never)).rejects.toThrow("broken");
});
