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

describe("letting go", () => {
  const NOTHING = { underWay: 0, left: [], targetsReached: true };

  it("says no more where there is no more to say", () => {
    expect(cancelledText("ab", NOTHING, "")).toBe("Job ab is cancelled. What it restored stays.\n");
  });
  it("says what was under way, and what is left on targets that were asked", () => {
    const text = cancelledText("ab", { ...NOTHING, underWay: 2, left: ["sqs:jobs: x"] }, "");
    expect(text).toContain("2 records had been under way: each may be there");
    expect(text).toMatch(/There may be left:\n {2}sqs:jobs: x\n$/u);
    expect(text).not.toContain("were not asked");
  });
  it("says how targets that were not asked are rid of it later", () => {
    const forgotten = { ...NOTHING, left: ["Redis: keys"], targetsReached: false };
    const text = cancelledText("ab", forgotten, " --state-dir /s");
    expect(text).toContain("The targets were not asked. Later: elastickv-restore cancel ab --state-dir /s\n");
    expect(text).toContain("There may be left:\n  Redis: keys\n");
  });
  it("is shown with the job until its targets are rid of what is left", () => {
    const job = { ...JOB, state: "cancelled" as const, left: ["Redis: keys"] };
    const text = jobText({ ...job, targetsReached: false }, "");
    expect(text).toContain("There may be left:\n  Redis: keys\n");
    expect(text).toContain("Remove what is left: elastickv-restore cancel 0123456789abcdef\n");
    expect(jobText({ ...job, targetsReached: true }, "")).not.toContain("elastickv-restore cancel");
  });
});
