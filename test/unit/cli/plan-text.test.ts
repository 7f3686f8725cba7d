import { describe, expect, it } from "vitest";
import { deletionText, outlineText, planText } from "../../../src/cli/plan-text.js";
import { outcomes, plannedScope, planWith } from "../../support/plans.js";

/** Anything that moves a cursor, colours or reorders a line. */
const STEERING = /[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}/u;
const HOSTILE = "evil\u001b[2J\r\u202e\u009b1m";

it("a plan shows each endpoint, where it came from, what it is and its ways round", () => {
  const target = { adapter: "redis", endpoint: "redis://h:6379", origin: "REDIS_URL", server: "Redis 7" } as const;
  const text = planText(planWith({ targets: [{ ...target, fallbacks: ["RENAMENX is missing: EVAL does it"] }] }));
  expect(text).toMatch(/redis +redis:\/\/h:6379 +\(REDIS_URL\) +Redis 7/);
  expect(text).toContain("RENAMENX is missing: EVAL does it");
});

const SCOPES = [
  plannedScope({
    target: "copy",
    presence: "holds-records",
    holds: { value: 1200, exact: false },
    decision: "keep",
    recordsRead: 2000,
    outcomes: outcomes({ restored: 1900, "skipped-expired": 98, rejected: 2 }),
    reasons: { "restored/already-equal": 400, "skipped-expired/expired": 98, "rejected/wrong-type": 2 },
    toWrite: { records: 1500, bytes: 3 * 1024 ** 2 },
    alreadyEqual: 400,
    requests: 80,
    conflicts: {
      count: 9,
      reasons: { "rejected/wrong-type": 9 },
      samples: Array.from({ length: 9 }, (_, i) => ({
        ...{ key: `k${i}`, path: "dynamodb/orders/items/a.jsonl", line: i + 1 },
        ...{ outcome: "rejected" as const, reason: "wrong-type" },
      })),
    },
  }),
  plannedScope({
    ...{ adapter: "sqs", scope: "jobs", target: "jobs", presence: "holds-records", decision: "skip" },
    ...{ holds: { value: 3, exact: true }, recordsRead: 7, outcomes: outcomes({ "skipped-existing": 7 }) },
    reasons: { "skipped-existing/scope-holds-records": 7 },
  }),
];

describe("the table of a plan", () => {
  const text = planText(planWith({ scopes: SCOPES }));
  const line = (start: string) => text.split("\n").find((each) => each.startsWith(start)) ?? "";

  it("shows per scope what is there, what would be done, and what becomes of its records", () => {
    expect(line("scope").split(/ {2,}/)).toEqual([
      ...["scope", "on the target", "holds", "action", "records", "write", "equal"],
      ...["skipped-existing", "skipped-expired", "rejected", "bytes", "requests"],
    ]);
    expect(line("dynamodb:orders").split(/ {2,}/)).toEqual([
      ...["dynamodb:orders → copy", "holds records", "~1,200", "write into", "2,000", "1,500", "400"],
      ...["98", "2", "3.0 MiB", "80"],
    ]);
    expect(line("sqs:jobs").split(/ {2,}/)).toEqual(["sqs:jobs", "holds records", "3", "skip whole", "7", "7"]);
  });

  it("ends with the sums, which it says once more in a sentence", () => {
    expect(line("all ").split(/ {2,}/)).toEqual(["all", "2,007", "1,500", "400", "7", "98", "2", "3.0 MiB", "80"]);
    expect(text).toContain(
      "1,500 records to write (3.0 MiB), in at least 80 requests, 400 compared and already there.",
    );
    expect(text).toContain("Nothing was written.");
  });

  it("says why records would not be written, and shows the first that meet something", () => {
    expect(text).toContain("  skipped-existing: 7 scope-holds-records");
    expect(text).toContain("  rejected: 2 wrong-type");
    expect(text).toContain("  dynamodb:orders → copy: 9 records");
    expect(text).toContain("    rejected  wrong-type  k0  dynamodb/orders/items/a.jsonl:1");
    expect(text).toContain("    and 4 more");
    expect(text).not.toContain("k5 ");
  });

  it("is not hidden by a key of any length", () => {
    const sample = { key: "k".repeat(500), path: "p", outcome: "rejected", reason: "wrong-type" } as const;
    const conflicts = { count: 1, reasons: {}, samples: [sample] };
    const shown = planText(planWith({ scopes: [plannedScope({ conflicts })] }));
    expect(shown).toContain(`    rejected  wrong-type  ${"k".repeat(60)}…  p\n`);
  });

  it("needs no sums of a single scope", () => {
    expect(planText(planWith({ scopes: SCOPES.slice(0, 1) }))).not.toMatch(/^all /m);
  });
});

it("a plan names the transform, and what it would leave out", () => {
  const scopes = [plannedScope({ recordsRead: 7, leftOut: 2 }), plannedScope({ scope: "b", leftOut: 3 })];
  const text = planText(planWith({ scopes, transform: "./mask.mjs" }));
  expect(text).toMatch(/^Change +every record goes through \.\/mask\.mjs$/m);
  expect(text).toContain("0 records to write (0 B), 5 left out by the transform.");
  expect(planText(planWith())).not.toContain("Change");
});

it("a plan says that apply would refuse, and why", () => {
  const refusal = {
    code: "TARGET_NOT_EMPTY",
    message: "dynamodb:orders already holds records",
    exitStatus: 5,
  } as const;
  expect(planText(planWith({ refusal }))).toContain("apply would refuse this: dynamodb:orders already holds records");
});

describe("what a replace deletes", () => {
  const losses = ["its stream", "time to live on expires_at"];
  const counted = plannedScope({
    decision: "empty",
    presence: "holds-records",
    holds: { value: 12, exact: true },
    losses,
  });
  const uncounted = plannedScope({
    adapter: "redis",
    scope: "db_0",
    target: "db_0",
    decision: "empty",
    presence: "holds-records",
  });

  it.each([
    ["the plan", planText(planWith({ scopes: [counted, uncounted] }))],
    ["what is shown before a restore", outlineText(planWith({ scopes: [counted, uncounted] }))],
    ["the confirmation", deletionText([counted, uncounted])],
  ])("stands in %s, counted where it can be, with what is lost beside it", (_where, text) => {
    expect(text).toMatch(
      /dynamodb:orders +12 records; and, not brought back: its stream, time to live on expires_at$/m,
    );
    expect(text).toMatch(/^ {2}redis:db_0 +all it holds, which cannot be counted$/m);
  });

  it("is not said to be nothing where the target's count is behind", () => {
    const behind = plannedScope({ decision: "empty", presence: "holds-records", holds: { value: 0, exact: false } });
    expect(deletionText([behind])).toContain("dynamodb:orders  all it holds, which cannot be counted");
  });

  it("is not spoken of where nothing is emptied, or nothing is there", () => {
    expect(planText(planWith())).not.toContain("To be deleted");
    const empty = plannedScope({ decision: "empty", presence: "empty", holds: { value: 0, exact: true } });
    expect(planText(planWith({ scopes: [empty] }))).not.toContain("To be deleted");
    expect(planText(planWith({ scopes: [{ ...empty, losses }] }))).toContain("0 records; and, not brought back");
  });
});

describe("the expected time", () => {
  const target = { adapter: "redis", endpoint: "redis://h:1", origin: "o", server: "s", fallbacks: [] } as const;
  const past = { recordsPerSecond: 1234.5, bytesPerSecond: 2048, jobs: ["aa", "bb"] };

  it("names what it comes from", () => {
    const adapters = [
      { adapter: "dynamodb", seconds: 12, by: "rate-limit" },
      { adapter: "redis", seconds: 100, by: "past-restores", past },
    ] as const;
    const text = planText(planWith({ expected: { seconds: 100, adapters } }));
    expect(text).toContain("Expected time: about 1 min 40 s");
    expect(text).toMatch(/^ {2}dynamodb +12 s, by the rate limit$/m);
    expect(text).toMatch(/^ {2}redis +1 min 40 s, at 1,235 records\/s and 2\.0 KiB\/s a scope, as in jobs aa, bb$/m);
  });

  it("is not known where nothing tells it, and the text says why", () => {
    const text = planText(planWith({ targets: [target], expected: { adapters: [{ adapter: "redis" }] } }));
    expect(text).toContain("Expected time: not known");
    expect(text).toContain("redis: no rate limit, and no restore into redis://h:1 is remembered here");
  });

  it("is not spoken of where there is nothing to do", () => {
    expect(planText(planWith())).not.toContain("Expected time");
  });
});

it("a plan steers no terminal, whatever scopes, warnings and losses are called", () => {
  const text = planText(
    planWith({
      scopes: [
        plannedScope({
          scope: HOSTILE,
          target: `${HOSTILE}\n`,
          decision: "empty",
          losses: [HOSTILE],
          warnings: [HOSTILE],
        }),
      ],
    }),
  );
  expect(text).not.toMatch(STEERING);
  expect(text).toContain("evil\\u{1b}[2J\\u{d}\\u{202e}\\u{9b}1m");
  expect(text).toContain("\\u{a}");
});
