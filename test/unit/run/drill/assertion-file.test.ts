import { describe, expect, it } from "vitest";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import { assertKnownScopes, parseAssertions } from "../../../../src/run/drill/assertion-file.js";

/** The lines of what is thrown. */
function mistakes(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof RestoreError && error.code === "USAGE") return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("an assertions file", () => {
  it("may be YAML or JSON, and numbers keep their digits", () => {
    const yaml = `
assertions:
  - kind: record
    scope: redis:0
    key: n
    equals: 12345678901234567890.10
  - {kind: count, scope: "dynamodb:orders", exact: 5}
`;
    expect(parseAssertions(yaml, "a.yaml")).toEqual([
      { kind: "record", scope: "redis:db_0", key: "n", equals: "12345678901234567890.10", line: 3, number: 1 },
      { kind: "count", scope: "dynamodb:orders", of: "restored", exact: 5, line: 7, number: 2 },
    ]);
    const json = '{"assertions":[{"kind":"command","run":["./check"]},{"kind":"command","run":["b"],"timeout":"2m"}]}';
    expect(parseAssertions(json, "a.json")).toEqual([
      { kind: "command", run: ["./check"], timeout: 60_000, line: 1, number: 1 },
      { kind: "command", run: ["b"], timeout: 120_000, line: 1, number: 2 },
    ]);
  });

  it("is told every mistake at once, each with its line and place", () => {
    const yaml = `
assertions:
  - kind: cont
  - kind: count
    scope: orders
    exact: many
    foo: 1
  - kind: record
    key: a
    equals: 1
    matches: "("
  - kind: command
    run: []
    timeout: soon
`;
    expect(mistakes(() => parseAssertions(yaml, "a.yaml"))).toEqual([
      "a.yaml: line 3: assertions[0].kind: kind is count, record or command",
      "a.yaml: line 5: assertions[1].scope: a scope is expected: dynamodb:orders, s3:photos, redis:0, sqs:jobs",
      "a.yaml: line 6: assertions[1].exact: a whole number is expected",
      'a.yaml: line 7: assertions[1]: unknown key: "foo"',
      "a.yaml: line 8: assertions[2].scope: it is missing",
      "a.yaml: line 11: assertions[2].matches: it is no regular expression",
      "a.yaml: line 13: assertions[3].run: a program has to be named",
      "a.yaml: line 14: assertions[3].timeout: a time is expected, such as 30s",
    ]);
  });

  it.each([
    ["a: [", /line 1/],
    ["assertions: []", /at least one assertion/],
    ["", /line 1: invalid input/],
    ['assertions: [{kind: count, scope: "redis:0", exact: 1, exact: 2}]', /keys must be unique/],
    ['assertions: [{kind: count, scope: "redis:0"}]', /exact, or min and max/],
    ['assertions: [{kind: count, scope: "redis:0", exact: 1, max: 2}]', /exact, or min and max/],
    ['assertions: [{kind: count, scope: "redis:0", min: 3, max: 2}]', /min is above max/],
    ['assertions: [{kind: record, scope: "redis:0", key: k, equals: a, matches: b}]', /cannot stand together/],
    ['assertions: [{kind: record, scope: "redis:0", key: k, field: a, index: 0, equals: b}]', /only one part/],
    ['assertions: [{kind: record, scope: "redis:0", key: k, field: a}]', /equals or matches/],
    ['assertions: [{kind: record, scope: "redis:0", key: k, absent: true, equals: x}]', /absent, nothing else/],
  ])("refuses %s", (text, why) => {
    expect(mistakes(() => parseAssertions(text, "a.yaml"))).toEqual([expect.stringMatching(why)]);
  });

  it("is told of scopes that the drill does not restore, with what it does", () => {
    const assertions = parseAssertions(
      'assertions: [{kind: count, scope: "redis:3", exact: 1},\n {kind: record, scope: "sqs:jobs", key: k}]',
      "a.yaml",
    );
    const scopes = [{ adapter: "redis", name: "db_0" } as const, { adapter: "sqs", name: "jobs" } as const];
    expect(mistakes(() => assertKnownScopes(assertions, scopes, "a.yaml"))).toEqual([
      "a.yaml: line 1: the drill restores no redis:db_3; it restores redis:db_0, sqs:jobs",
      "a.yaml: line 2: a message has no key that a queue can be asked for; use a count or a command",
    ]);
  });
});
