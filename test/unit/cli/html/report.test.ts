import { describe, expect, it } from "vitest";
import { htmlReport } from "../../../../src/cli/html/report.js";
import { RestoreError } from "../../../../src/errors/restore-error.js";
import type { OutcomeKind } from "../../../../src/model/outcome.js";
import { runInMemory } from "../../../support/prepared-run.js";
import { itemRecord, tableScope } from "../../../support/records.js";

const EVIL = `<script>alert("1")</script>'&\u202e`;

function pageOf(kinds: readonly OutcomeKind[], name = "orders") {
  const records = kinds.map((_kind, i) => ({ ...itemRecord(`k${i}`, { line: i + 1 }), displayKey: `${name}${i}` }));
  return runInMemory({
    scopes: [{ scope: tableScope(name), records }],
    scripts: {
      dynamodb: {
        write: ({ keys }) => {
          const answer = keys.map((key) => ({
            kind: kinds[Number(/\d+$/u.exec(key)?.[0])] ?? "restored",
            reason: "why",
            detail: name,
          }));
          return answer;
        },
      },
    },
  })
    .report()
    .then(htmlReport);
}

it("shows whatever a dump or a target said as text", async () => {
  const page = await pageOf(["rejected", "ambiguous", "failed"], EVIL);
  expect(page).not.toMatch(/<script|alert\("|\u202e/u);
  expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;");
});

it("loads nothing and runs nothing", async () => {
  const page = await pageOf(["restored"]);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).not.toMatch(/<(?:script|link|img|iframe|object|embed|base|form|a)\b|url\(|@import|\bsrc=|\son\w+=/iu);
});

describe("its verdict is one sentence", () => {
  it.each([
    [["restored", "restored"], "good", "All of the 2 records were restored."],
    [["restored", "skipped-expired"], "good", "Of 2 records, 1 were restored and 1 skipped by policy."],
    [["restored", "rejected"], "bad", "The restore finished, but of 2 records 1 were not restored; 1 were restored."],
    [["ambiguous"], "bad", "The restore finished, but of 1 record 1 are in doubt; 0 were restored."],
  ] as const)("of %j", async (kinds, tone, sentence) => {
    expect(await pageOf(kinds)).toContain(`<div class="verdict ${tone}">${sentence}</div>`);
  });

  it("of a run that was stopped, with how to go on", async () => {
    const error = new RestoreError("OUTAGE", "out of reach", { hint: "Bring it back.", retry: "fatal" });
    const memory = runInMemory({
      scopes: [{ scope: tableScope(), records: [itemRecord("k")] }],
      scripts: { dynamodb: { write: () => Promise.reject(error) } },
    });
    const page = htmlReport(await memory.report());
    expect(page).toContain("The restore was stopped: 0 records restored so far.<p>out of reach. Bring it back.</p>");
    expect(page).toContain("elastickv-restore resume 0123456789abcdef");
  });
});

it("says what was not restored and why, what is in doubt, and what no endpoint can restore", async () => {
  const page = await pageOf(["restored", "rejected", "ambiguous"]);
  expect(page).toMatch(/What was not restored.*rejected.*why.*orders1.*In doubt.*orders2/su);
  expect(page).toContain("<h2>What no public endpoint can restore</h2><ul><li>DynamoDB: table streams");
  expect(page).not.toContain("<h2>Warnings</h2>");
});
