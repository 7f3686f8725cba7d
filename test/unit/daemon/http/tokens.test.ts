import { describe, expect, it } from "vitest";
import { clientOf, digestOf, mayDo, type Token } from "../../../../src/daemon/http/tokens.js";

const TOKENS: readonly Token[] = [
  { name: "watcher", role: "read", digest: digestOf("watching-only-0001") },
  { name: "on-call", role: "destroy", digest: digestOf("may-do-all-of-it-02") },
];

describe("a bearer token", () => {
  it("names its client", () => {
    expect(clientOf("Bearer may-do-all-of-it-02", TOKENS)).toEqual({ name: "on-call", role: "destroy" });
    expect(clientOf("bearer watching-only-0001", TOKENS)).toEqual({ name: "watcher", role: "read" });
  });

  it.each([
    "",
    "Bearer ",
    "Bearer x",
    "Bearer watching-only-0001 ",
    " Bearer watching-only-0001",
    "watching-only-0001",
    "Bearer watching-only-0001, Bearer x",
  ])("is not %j", (header) => {
    expect(clientOf(header, TOKENS)).toBeUndefined();
  });
});

it.each([
  ["read", "read", true],
  ["read", "restore", false],
  ["restore", "read", true],
  ["restore", "destroy", false],
  ["destroy", "restore", true],
] as const)("who may %s may %s: %s", (has, wants, may) => {
  expect(mayDo({ name: "x", role: has }, wants)).toBe(may);
});
