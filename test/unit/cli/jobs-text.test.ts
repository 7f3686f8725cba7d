import { describe, expect, it } from "vitest";
import { cancelledText, jobsText, jobText } from "../../../src/cli/jobs-text.js";
import type { JobOverview } from "../../../src/run/job/jobs.js";
import { emptyTotals } from "../../../src/run/tally.js";

const JOB: JobOverview = {
  id: "0123456789abcdef",
  state: "stopped",
  startedAt: "2026-05-01T10:00:00.123Z",
  dump: "/dumps/one",
  mode: "merge",
  totals: { ...emptyTotals(), restored: 1200, rejected: 1 },
  scopes: [
    {
      adapter: "redis",
      scope: "db_0",
      target: "db_3",
      phase: "writing",
      outcomes: { ...emptyTotals(), restored: 1200, rejected: 1 },
      underWay: 500,
    },
    { adapter: "s3", scope: "evil\u001b[2J", target: "evil\u001b[2J", outcomes: emptyTotals(), underWay: 0 },
  ],
};

describe("a list of jobs", () => {
  it("says what each is, and how the only stopped one is taken up", () => {
    const text = jobsText([JOB, { ...JOB, id: "ff", state: "running", pid: 12 }], "/state", " --state-dir /state");
    expect(text).toContain(
      "0123456789abcdef  stopped               2026-05-01T10:00:00Z  merge  1,200 restored, 1 rejected",
    );
    expect(text).toContain("ff                running (process 12)");
    expect(text).toContain("elastickv-restore resume 0123456789abcdef --state-dir /state");
  });
  it("that is empty says where it looked", () => {
    expect(jobsText([], "/state", "")).toBe("There are no jobs in /state.\n");
  });
});

describe("one job", () => {
  it("shows scopes with phases and what was under way, and what can be done", () => {
    const text = jobText(JOB, "");
    expect(text).toMatch(/redis:db_0 → db_3 {2}writing +1,200 +1 +500/u);
    expect(text).toMatch(/waiting/u);
    expect(text).toContain("Let go of it: elastickv-restore cancel 0123456789abcdef\n");
    expect(text).not.toContain("\u001b");
  });
  it.each([
    ["running", "Stop it: elastickv-restore cancel 0123456789abcdef"],
    ["damaged", "Let go of it: elastickv-restore cancel 0123456789abcdef --forget"],
  ] as const)("that is %s says: %s", (state, text) => {
    expect(jobText({ ...JOB, state }, "")).toContain(text);
  });
  it.each(["finished", "cancelled"] as const)("that is %s offers nothing", (state) => {
    expect(jobText({ ...JOB, state }, "")).not.toContain("elastickv-restore ");
  });
});

it("letting go says what is gone and what may be left", () => {
  expect(cancelledText("ab", { discarded: 2, left: [] })).toContain("2 records had been under way");
  expect(cancelledText("ab", { discarded: 0, left: ["Redis: keys"] })).toContain("There may be left:\n  Redis: keys\n");
});
