import { describe, expect, it } from "vitest";
import { ERROR_CODES, EXIT } from "../../../src/errors/codes.js";
import { messageOf, RestoreError, systemCode } from "../../../src/errors/restore-error.js";

describe("an error", () => {
  it.each([
    ["USAGE", 2],
    ["CONFIG_INVALID", 2],
    ["ENDPOINT_MISSING", 2],
    ["SECRET_ON_COMMAND_LINE", 2],
    ["SELECTION_UNKNOWN", 2],
    ["MANIFEST_MISSING", 4],
    ["VERSION_UNSUPPORTED", 4],
    ["CHECKSUM_MISMATCH", 4],
    ["DUMP_INCONSISTENT", 4],
    ["TARGET_NOT_EMPTY", 5],
    ["TARGET_UNREACHABLE", 5],
    ["NOT_CONFIRMED", 5],
    ["OUTAGE", 1],
    ["TARGET_FULL", 1],
    ["INTERNAL", 1],
    ["INTERRUPTED", 130],
  ] as const)("%s ends with %i", (code, status) => {
    expect(new RestoreError(code, "what and where").exitStatus).toBe(status);
  });

  it("has an exit status that is documented, whatever its code", () => {
    for (const status of Object.values(ERROR_CODES)) expect(Object.values(EXIT)).toContain(status);
  });

  it("is not tried again unless it says so", () => {
    const error = new RestoreError("USAGE", "m");
    expect(error).toMatchObject({ retry: "no", where: {}, hint: undefined, reason: undefined, name: "RestoreError" });
    expect(error).not.toHaveProperty("cause");
  });
});

describe("the system's code", () => {
  const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });

  it("is found in an error and in its causes", () => {
    expect(systemCode(refused)).toBe("ECONNREFUSED");
    expect(systemCode(new Error("outer", { cause: new Error("inner", { cause: refused }) }))).toBe("ECONNREFUSED");
  });

  it("is none where there is none, also in causes that go in a circle", () => {
    const circle = new Error("a");
    circle.cause = circle;
    for (const error of [circle, new Error("a"), "text", undefined, Object.assign(new Error("a"), { code: 5 })]) {
      expect(systemCode(error)).toBeUndefined();
    }
  });
});

it("a message is had of anything that was thrown", () => {
  expect([new Error("m"), "text", 5, undefined].map(messageOf)).toEqual(["m", "text", "5", "undefined"]);
});
