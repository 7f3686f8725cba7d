import { describe, expect, it } from "vitest";
import { differences, fingerprintOf } from "../../../../src/run/job/identity.js";
import { identity } from "../../../support/jobs.js";

describe("an identity", () => {
  it("has one fingerprint, in whatever order its members were made", () => {
    const { endpoints, ...rest } = identity();
    expect(fingerprintOf({ ...rest, endpoints })).toBe(fingerprintOf({ endpoints, ...rest }));
    expect(fingerprintOf(identity())).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ["dump", { dump: "e".repeat(64) }, `dump was ${"d".repeat(64)} and is ${"e".repeat(64)}`],
    ["mode", { mode: "none" }, "--mode was merge and is none"],
    ["option", { options: { "--ttl-policy": "skip" } }, "--ttl-policy was preserve and is skip"],
    ["new option", { options: { "--ttl-policy": "preserve", "--x": "1" } }, "--x was not there and is 1"],
    ["adapters", { adapters: ["dynamodb", "s3"] }, "--adapter was dynamodb and is dynamodb, s3"],
    ["scopes", { scopes: ["orders"] }, "--scope was not there and is orders"],
    ["include", { include: ["a"] }, "--include was not there and is a"],
    ["exclude", { exclude: ["a"] }, "--exclude was not there and is a"],
    [
      "target",
      { targets: [{ adapter: "dynamodb" as const, scope: "orders", target: "o" }] },
      "target of dynamodb:orders was orders and is o",
    ],
    ["endpoint", { endpoints: { dynamodb: "http://b" } }, "dynamodb endpoint was http://127.0.0.1:1 and is http://b"],
  ])("with another %s is another one, and says so", (_, more, sentence) => {
    const other = identity("orders", more);
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(identity()));
    expect(differences(identity(), other)).toEqual([sentence]);
  });

  it("does not differ from itself", () => {
    expect(differences(identity(), identity())).toEqual([]);
  });
});
