import { expect, it } from "vitest";
import { htmlComparison } from "../../../../src/cli/html/comparison.js";
import { noStandings } from "../../../../src/run/verify/counts.js";
import type { Verification, VerifiedScope } from "../../../../src/run/verify/report.js";

const SCOPE: VerifiedScope = {
  adapter: "redis",
  scope: "db_0",
  target: "db_0",
  exists: true,
  records: 3,
  standings: { ...noStandings(), equal: 3 },
  extra: 0,
  differences: 0,
  settled: 0,
  unproven: [],
  warnings: [],
  bytes: 10,
  durationMs: 20,
};

function verification(parts: Partial<Verification> = {}): Verification {
  return {
    verificationVersion: 1,
    exitStatus: 0,
    startedAt: "2026-11-25T20:00:00.000Z",
    endedAt: "2026-11-25T20:00:01.000Z",
    durationMs: 1000,
    dump: {
      path: "/dump",
      digest: "d",
      takenAt: "2026-11-24T00:00:00Z",
      phase: "phase1-live-pinned",
      files: 3,
      bytes: 9,
    },
    mode: "none",
    ttlPolicy: "skip-expired",
    toleranceMs: 500,
    looks: 2,
    targets: [],
    records: 3,
    standings: { ...noStandings(), equal: 3 },
    extra: 0,
    scopes: [SCOPE],
    differences: [],
    differenceCount: 0,
    warnings: [],
    ...parts,
  };
}

it("says that nothing differs", () => {
  expect(htmlComparison(verification())).toContain('<div class="verdict good">The targets hold what the dump holds: 3');
});

it("calls nothing good where records of the dump cannot be read", () => {
  const page = htmlComparison(verification({ standings: { ...noStandings(), equal: 1, malformed: 2 } }));
  expect(page).toContain('<div class="verdict bad">No difference was found, but 2 records of the dump cannot be read');
});

it("does not say that all is there where a target does not tell", () => {
  const page = htmlComparison(verification({ standings: { ...noStandings(), equal: 1, unproven: 2 } }));
  expect(page).toContain("No difference was found: 1 record compared and found equal. Of 2 the targets do not tell.");
});

it("shows what differs and where, as text and never as markup", () => {
  const found = {
    adapter: "redis",
    scope: "db_0",
    target: "db_0",
    kind: "value",
    key: "<b>k</b>",
    at: 'field "<i>"',
  } as const;
  const page = htmlComparison(
    verification({
      standings: { ...noStandings(), equal: 2, differing: 1 },
      differences: [{ ...found, path: "redis/db_0/hashes/k.json", detail: "another value" }],
      differenceCount: 5,
      differencesFile: "/tmp/proof.differences.jsonl",
    }),
  );
  expect(page).toContain('<div class="verdict bad">');
  expect(page).toContain("&lt;b&gt;k&lt;/b&gt;, field &quot;&lt;i&gt;&quot;");
  expect(page).toContain("redis/db_0/hashes/k.json");
  expect(page).toContain("and 4 more; all stand in /tmp/proof.differences.jsonl");
  expect(page).not.toMatch(/<script|https?:\/\/|<b>k/);
});
