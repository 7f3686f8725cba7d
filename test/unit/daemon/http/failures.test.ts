import { expect, it } from "vitest";
import { FailedAuthentications } from "../../../../src/daemon/http/failures.js";
import { fakeClock } from "../../../support/fake-clock.js";

function failing(failures: FailedAuthentications, address: string, times: number) {
  return Array.from({ length: times }, () => failures.add(address));
}

it("the eleventh failure of an address in a minute has to wait for the rest of it", () => {
  const clock = fakeClock();
  const failures = new FailedAuthentications(clock);
  expect(failing(failures, "10.0.0.1", 10)).toEqual(Array.from({ length: 10 }, () => undefined));
  clock.advance(20_000);
  expect(failures.add("10.0.0.1")).toBe(40);
  expect(failures.add("10.0.0.2")).toBeUndefined();
  clock.advance(40_000);
  expect(failures.add("10.0.0.1")).toBeUndefined();
});

it("addresses of one IPv6 network count as one", () => {
  const failures = new FailedAuthentications(fakeClock());
  failing(failures, "fd00:1:2:3::1", 10);
  expect(failures.add("fd00:1:2:3:ffff::9")).toBeGreaterThan(0);
  expect(failures.add("fd00:1:2:4::1")).toBeUndefined();
  failing(failures, "fd00::1", 10);
  expect(failures.add("fd00:0:0:0:5:6:7:8")).toBeGreaterThan(0);
});

it("a sea of addresses forgets the oldest of them", () => {
  const failures = new FailedAuthentications(fakeClock());
  failing(failures, "10.0.0.1", 10);
  for (let i = 0; i < 10_000; i++) failures.add(`client-${i}`);
  expect(failures.add("10.0.0.1")).toBeUndefined();
});
