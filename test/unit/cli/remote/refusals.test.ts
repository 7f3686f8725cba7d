import { describe, expect, it } from "vitest";
import { refusal } from "../../../../src/cli/remote/refusals.js";

const answer = (code: string, more: object = {}) => ({ error: { code, message: "what was wrong", ...more } });

describe("what a daemon refuses", () => {
  it.each([
    [400, "BAD_REQUEST", 2],
    [404, "NOT_FOUND", 2],
    [422, "UNPROCESSABLE", 2],
    [422, "MANIFEST_MISSING", 4],
    [409, "PLAN_OUTDATED", 5],
    [409, "NOT_CONFIRMED", 5],
    [409, "CONFLICT", 1],
    [401, "UNAUTHORIZED", 1],
    [403, "FORBIDDEN", 1],
    [500, "INTERNAL", 1],
    [503, "UNAVAILABLE", 1],
    [418, "OF_ANOTHER_BUILD", 1],
  ])("%i %s leads to the exit status %i, in the daemon's words", (status, code, exitStatus) => {
    const error = refusal(status, answer(code), "unix:/d");
    expect([error.message, error.exitStatus]).toEqual(["what was wrong", exitStatus]);
  });

  it("keeps the hint and the place, but for words that are meant for programs", () => {
    const told = answer("UNPROCESSABLE", { hint: "do this", where: { path: "/x", line: 3 } });
    expect(refusal(422, told, "unix:/d")).toMatchObject({ hint: "do this", where: { path: "/x", line: 3 } });
    expect(refusal(401, answer("UNAUTHORIZED", { hint: "Send the header" }), "unix:/d").hint).toContain("--token-file");
  });

  it("another moment may change only where it says so", () => {
    expect([503, 502, 429].map((status) => refusal(status, answer("UNAVAILABLE"), "x").retry)).toEqual(
      Array(3).fill("yes"),
    );
    expect([400, 403, 404, 409, 500].map((status) => refusal(status, answer("INTERNAL"), "x").retry)).toEqual(
      Array(5).fill("no"),
    );
  });

  it("by something that is no daemon is told as that", () => {
    expect(refusal(200, "<html>", "http://127.0.0.1:80").message).toBe(
      "what answers at http://127.0.0.1:80 is no daemon: status 200",
    );
  });
});
