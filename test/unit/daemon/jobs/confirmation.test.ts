import { expect, it } from "vitest";
import { assertConfirmed, newConfirmation } from "../../../../src/daemon/jobs/confirmation.js";

const DAY_MS = 86_400_000;

it("a confirmation is another one each time, and holds for a day", () => {
  const [one, two] = [newConfirmation(1), newConfirmation(1)];
  expect(one.token).not.toBe(two.token);
  expect(one.token).toMatch(/^[0-9a-f]{32}$/u);
  expect(() => assertConfirmed(one, one.token, DAY_MS)).not.toThrow();
  expect(() => assertConfirmed(one, one.token, DAY_MS + 1)).toThrowError(
    expect.objectContaining({ code: "PLAN_OUTDATED", message: expect.stringContaining("over a day old") }),
  );
});

it("none and another one are refused, of whatever length", () => {
  const confirmation = newConfirmation(1);
  expect(() => assertConfirmed(confirmation, undefined, 2)).toThrowError(
    expect.objectContaining({ code: "NOT_CONFIRMED" }),
  );
  for (const given of ["", "0".repeat(32), confirmation.token.slice(1), `${confirmation.token}0`]) {
    expect(() => assertConfirmed(confirmation, given, 2)).toThrowError(
      expect.objectContaining({ code: "PLAN_OUTDATED" }),
    );
  }
});
