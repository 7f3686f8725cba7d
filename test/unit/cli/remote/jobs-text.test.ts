import { describe, expect, it } from "vitest";
import { jobsText, jobText } from "../../../../src/cli/remote/jobs-text.js";
import type { JobView } from "../../../../src/daemon/schema/job.js";
import { emptyTotals } from "../../../../src/run/tally.js";

const JOB: JobView = {
  id: "0123456789abcdef",
  kind: "apply",
  state: "running",
  dump: { root: "backups", path: "2026\u001b[2J" },
  target: "staging",
  options: { mode: "merge", include: ["a*", "b*"] },
  limits: { rateLimit: "5ops/s" },
  by: "ops",
  createdAt: "2026-11-25T19:33:00.123Z",
  startedAt: "2026-11-25T19:33:01.123Z",
  attempts: 2,
  warnings: ["a \u202ewarning"],
  lastEvent: 4,
  has: { plan: false, report: false, rejects: false },
  progress: {
    scopes: [
      {
        ...{ scope: "redis/db_0", records: 1500, bytes: 2048, expectedBytes: 4096, differing: 0, perSecond: 100.4 },
        ...{ outcomes: { ...emptyTotals(), restored: 1499, rejected: 1 }, isComparison: false, isFinished: false },
        secondsLeft: 90,
      },
    ],
  },
};

describe("a job", () => {
  it("is shown with its scopes, and what can be done with it", () => {
    const text = jobText(JOB, " --server local");
    for (const part of [
      "Job      0123456789abcdef, apply, running",
      "Options  mode merge, include a* b*",
      "Limits   5ops/s",
      "2 processes so far",
      "redis/db_0  restored    1,500     1,499         1  2.0 KiB        100  1 min 30 s",
      "Let go of it: elastickv-restore cancel 0123456789abcdef --server local",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("steers no terminal", () => {
    const text = `${jobText(JOB, "")}${jobsText([JOB], "unix:/d", false)}`;
    for (const steering of ["\u001b", "\u202e"]) expect(text).not.toContain(steering);
    expect(text).toContain("\\u{1b}[2J");
  });

  it("that was paused can go on, and one that failed says why", () => {
    expect(jobText({ ...JOB, state: "paused" }, "")).toContain("Go on with it: elastickv-restore resume");
    const failed: JobView = {
      ...JOB,
      state: "failed",
      error: { code: "OUTAGE", message: "it is gone", hint: "Wait." },
    };
    expect(jobText(failed, "")).toMatch(/Error +it is gone\n +Wait\./);
  });
});

describe("a list of jobs", () => {
  it("says that there are more, or none", () => {
    expect(jobsText([JOB], "unix:/d", true)).toContain("There are more");
    expect(jobsText([JOB], "unix:/d", false)).not.toContain("There are more");
    expect(jobsText([], "unix:/d", false)).toBe("There are no such jobs at unix:/d.\n");
  });
});
