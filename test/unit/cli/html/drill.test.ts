import { describe, expect, it } from "vitest";
import { drillMarkdown } from "../../../../src/cli/drill-markdown.js";
import { drillText } from "../../../../src/cli/drill-text.js";
import { htmlDrill } from "../../../../src/cli/html/drill.js";
import { passedDrill } from "../../../support/drill-facts.js";

const EVIL = `<script>alert(1)</script>"'|\u001b[31m`;

const evil = () => {
  const { restore, verification, ...rest } = passedDrill();
  if (restore === undefined || verification === undefined) throw new Error("a passed drill has both");
  const record = { adapter: "redis", scope: EVIL, key: EVIL, path: EVIL } as const;
  return {
    ...rest,
    verdict: "failed" as const,
    failures: [EVIL],
    dump: { ...rest.dump, path: EVIL },
    assertions: [{ name: EVIL, kind: "command", line: 1, outcome: "failed", detail: EVIL, output: EVIL }] as const,
    restore: {
      ...restore,
      totals: { ...restore.totals, rejected: 1 },
      listed: [{ ...record, outcome: "rejected" }] as const,
    },
    verification: {
      ...verification,
      differences: [{ ...record, target: EVIL, kind: "missing", at: EVIL, detail: EVIL }] as const,
      differenceCount: 1,
    },
    cleanUp: { removed: [EVIL], left: [EVIL] },
    warnings: [EVIL],
  };
};

describe("a drill's page", () => {
  it("shows everything that a dump or a server said as text", () => {
    const page = htmlDrill(evil());
    expect(page).not.toContain("<script");
    expect(page).not.toContain("\u001b");
    expect(page).toContain("&lt;script&gt;");
  });

  it("loads nothing and runs nothing", () => {
    const page = htmlDrill(passedDrill());
    expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import/);
  });

  it("draws this drill beside the last ones, with what is allowed", () => {
    const past = { startedAt: "2026-11-01T00:00:00.000Z", verdict: "passed", records: 3, restoreMs: 10 } as const;
    const trend = {
      series: "s",
      medianMs: 10,
      drills: [
        { ...past, drill: "a" },
        { ...past, drill: "b" },
      ],
    };
    const objectives = { recoveryTime: { ms: 5, maxMs: 8, met: true }, recoveryPoint: {} };
    const page = htmlDrill(passedDrill({ trend, objectives }));
    expect(page.match(/class="fill /g)).toHaveLength(3);
    expect(page).toContain('class="limit" style="left:80%"');
    expect(htmlDrill(passedDrill())).not.toContain('class="fill ');
  });

  it("says that a stand-in proves less, as do text and Markdown", () => {
    const servers = [
      { adapter: "dynamodb", endpoint: "http://h", server: "dynalite", how: "in-process", instead: "no Java" },
    ] as const;
    const report = passedDrill({ target: { kind: "sandbox", servers } });
    for (const said of [htmlDrill(report), drillText(report), drillMarkdown(report)])
      expect(said).toMatch(/proves less than/);
  });

  it("claims no more than was seen", () => {
    const { verification } = passedDrill();
    if (verification === undefined) throw new Error("a passed drill has one");
    const standings = { ...verification.standings, equal: 1, unproven: 2 };
    const report = passedDrill({ verification: { ...verification, standings } });
    expect(drillText(report)).toContain(
      "3 records restored in 0.0 s, 1 of them found as the dump has them and none otherwise",
    );
    expect(drillText(passedDrill())).toContain("3 records restored in 0.0 s and found as the dump has them");
  });
});

describe("a drill as Markdown and on a terminal", () => {
  it("lets nothing be markup or steer a terminal", () => {
    const markdown = drillMarkdown(evil());
    expect(markdown).not.toContain("\u001b");
    expect(markdown).not.toMatch(/(?<!\\)<script/);
    expect(markdown.split("\n").filter((line) => /(?<!\\)\|\s*\\?"'(?<!\\)\|/.test(line))).toEqual([]);
    expect(drillText(evil())).not.toContain("\u001b");
  });
});
