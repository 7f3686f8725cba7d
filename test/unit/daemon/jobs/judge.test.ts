import { expect, it } from "vitest";
import type { ProcessEnd } from "../../../../src/daemon/jobs/job-process.js";
import { type Circumstances, judge } from "../../../../src/daemon/jobs/judge.js";

const failure = (code: string) => ({ failure: { code, message: "why" } }) as Pick<ProcessEnd, "failure">;

it.each([
  ["came to its end", { status: 0 }, {}, "go-on"],
  ["left records", { status: 3 }, {}, "go-on"],
  ["found differences", { status: 6 }, {}, "go-on"],
  ["came to its end while the daemon ends", { status: 0 }, { isEnding: true }, "go-on"],
  ["was interrupted by a daemon that ends", { status: 143, ...failure("INTERRUPTED") }, { isEnding: true }, "left"],
  ["was killed by a daemon that ends", { signal: "SIGKILL" }, { isEnding: true }, "left"],
  ["failed while the daemon ends", { status: 4, ...failure("FILE_MISSING") }, { isEnding: true }, "failed"],
  ["was interrupted by somebody else", { status: 143, ...failure("INTERRUPTED") }, {}, "crashed"],
  ["was killed", { signal: "SIGKILL" }, {}, "crashed"],
  ["said nothing", { status: 1 }, {}, "crashed"],
  ["could not be begun", { problem: "E2BIG" }, {}, "crashed"],
  ["failed", { status: 5, ...failure("TARGET_UNREACHABLE") }, {}, "failed"],
  ["found its scopes held", { status: 1, ...failure("JOB_HELD") }, {}, "held"],
  ["found nothing to take up", { status: 2, ...failure("JOB_UNKNOWN") }, {}, "anew"],
  ["was to be let go of", { status: 143, ...failure("INTERRUPTED") }, { order: "cancel" }, "go-on"],
  ["was to be let go of, and failed", { status: 1, ...failure("OUTAGE") }, { order: "cancel" }, "go-on"],
  ["only cleaned up, and failed", { status: 1, ...failure("OUTAGE") }, { purpose: "clean" }, "go-on"],
  ["mended what is gone", { status: 2, ...failure("JOB_UNKNOWN") }, { purpose: "mend" }, "go-on"],
] as [string, ProcessEnd, Partial<Circumstances>, string][])("a process that %s", (_name, end, more, kind) => {
  expect(judge(end, { purpose: "work", order: undefined, isEnding: false, ...more }).kind).toBe(kind);
});

it("a crash is told with what was said last", () => {
  const at: Circumstances = { purpose: "work", order: undefined, isEnding: false, lastLine: "out of memory" };
  expect(judge({ signal: "SIGABRT" }, at)).toEqual({
    kind: "crashed",
    why: "its process was ended by SIGABRT; it said last: out of memory",
  });
});
