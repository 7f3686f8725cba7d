import { describe, expect, it } from "vitest";
import { commandNamed } from "../../../../src/cli/commands.js";
import { parse } from "../../../../src/cli/parse.js";
import { filesOf } from "../../../../src/daemon/jobs/folder.js";
import type { JobRecord } from "../../../../src/daemon/jobs/record.js";
import {
  applyWords,
  cancelWords,
  cleanWords,
  comparisonWords,
  drillWords,
  planWords,
  resumeWords,
  verifyWords,
  type WordsInit,
} from "../../../../src/daemon/jobs/words.js";
import {
  applyOptionsSchema,
  drillOptionsSchema,
  planOptionsSchema,
  verifyOptionsSchema,
} from "../../../../src/daemon/schema/options.js";
import { jobRecord } from "../../../support/job-records.js";

const WRITING = {
  rename: ["redis:0=3"],
  mode: "merge",
  ttlPolicy: "rebase",
  listMergeStrategy: "append",
  streamMergeStrategy: "auto-id",
  replaceStrategy: "flush",
  fifoDedup: "record",
  preserveVisibility: true,
  purgeWait: "61s",
  onAmbiguous: "skip",
  multipartThreshold: "8MiB",
  keepEtag: true,
  allowLowMemory: true,
  requireConsistent: true,
  unordered: true,
  maxRetryTime: "9m",
} as const;
const SELECTION = {
  adapters: ["redis", "s3"] as ("redis" | "s3")[],
  scopes: ["redis=0,1"],
  include: ["--yes", "a=b c"],
  exclude: ["-x"],
  allowOrphanBuckets: true,
};
const COMPARING = {
  ...{ sample: "1%", sampleSeed: "s", tolerance: "1s", looks: 3, lookAgainAfter: "1s", download: true },
  messages: true,
};

function init(more: Partial<JobRecord>): WordsInit {
  const record = jobRecord({ target: "here", ...more });
  return {
    ...{ record, files: filesOf("/jobs", record), dump: "/backups/one", stateDirectory: "/state" },
    ...{ config: "/etc/config.yaml", assertions: { nightly: "/etc/nightly.yaml" } },
  };
}

/** What the command line makes of the words. */
async function parsed(words: readonly string[]) {
  const found = await parse(words, [commandNamed(words[0] as "apply")]);
  return "args" in found ? (found.args as unknown as Readonly<Record<string, unknown>>) : {};
}

describe("the words of", () => {
  it("a plan are all that may be asked of one, as the command line knows it", async () => {
    const options = { ...SELECTION, ...WRITING };
    expect(Object.keys(options).sort()).toEqual(Object.keys(planOptionsSchema.shape).sort());
    const limits = { rateLimit: "5ops/s,s3=1MiB/s", concurrency: "redis=2" };
    const args = await parsed(planWords(init({ kind: "plan", options, limits })));
    const { adapters, scopes, ...rest } = options;
    expect(args).toMatchObject({
      ...rest,
      ...{ adapter: adapters, scope: scopes, dump: "/backups/one", out: "/jobs/00112233aabbccdd/plan.json" },
      ...{ stateDir: "/state", config: "/etc/config.yaml", target: "here", progress: "none" },
      ...{ remapDir: "/jobs/00112233aabbccdd/remap", rateLimit: [limits.rateLimit], concurrency: [limits.concurrency] },
    });
    expect(args["yes"]).toBeUndefined();
  });

  it("a restore are all that may be asked of one, and never say yes", async () => {
    const options = { ...SELECTION, ...WRITING, verify: true };
    expect(Object.keys(options).sort()).toEqual(Object.keys(applyOptionsSchema.shape).sort());
    const args = await parsed(applyWords(init({ options })));
    expect(args).toMatchObject({ ...WRITING, verify: true, report: ["/jobs/00112233aabbccdd/report.json"] });
    expect(args["yes"]).toBeUndefined();
  });

  it("a restore of a plan say yes where what it deletes was confirmed, and only there", async () => {
    const options = { mode: "replace" } as const;
    const words = (isConfirmed: boolean) =>
      applyWords(init({ options, limits: { concurrency: "2" } }), { path: "/plan.json", isConfirmed });
    const args = await parsed(words(true));
    expect(args).toMatchObject({ plan: "/plan.json", yes: true, concurrency: ["2"], stateDir: "/state" });
    expect([args["mode"], args["target"], args["dump"]]).toEqual([undefined, undefined, undefined]);
    expect((await parsed(words(false)))["yes"]).toBeUndefined();
  });

  it("a comparison are all that may be asked of one, and take it up where it was begun before", async () => {
    const options = { ...SELECTION, ...WRITING, ...COMPARING, repair: true, checksums: false };
    expect(Object.keys(options).sort()).toEqual(Object.keys(verifyOptionsSchema.shape).sort());
    const args = await parsed(verifyWords(init({ kind: "verify", options }), true));
    const { looks, ...rest } = { ...WRITING, ...COMPARING, repair: true };
    expect(args).toMatchObject({
      ...rest,
      looks: String(looks),
      resume: true,
      stateDir: "/jobs/00112233aabbccdd/state",
    });
    expect(args["yes"]).toBeUndefined();
    expect((await parsed(verifyWords(init({ kind: "verify" }), false)))["resume"]).toBeUndefined();
  });

  it("a repair that deletes say yes", async () => {
    const options = { repair: true, mode: "replace" } as const;
    expect(await parsed(verifyWords(init({ kind: "verify", options }), false))).toMatchObject({ yes: true });
  });

  it("a check of a dump alone name no target, and ask for its report on standard output", async () => {
    const { record, ...rest } = init({ kind: "verify", options: { checksums: true } });
    const { target: _target, ...alone } = record;
    const args = await parsed(verifyWords({ ...rest, record: alone }, false));
    expect(args).toMatchObject({ checksums: true, json: true });
    expect([args["target"], args["config"], args["report"]]).toEqual([undefined, undefined, undefined]);
  });

  it("a comparison after a restore have its options but for those of comparing", async () => {
    const options = { mode: "merge", ttlPolicy: "rebase", verify: true } as const;
    const args = await parsed(comparisonWords(init({ options }), "2026-04-29T15:42:11.094Z"));
    expect(args).toMatchObject({ mode: "merge", ttlPolicy: "rebase", rebaseFrom: "2026-04-29T15:42:11.094Z" });
    expect(args["report"]).toEqual(["/jobs/00112233aabbccdd/comparison.json"]);
  });

  it("a drill are all that may be asked of one, with the file of its assertions", async () => {
    const options = {
      ...{ ...SELECTION, ttlPolicy: "persist", fifoDedup: "record", assertions: "nightly", databases: [9, 10] },
      ...{ maxRto: "30m", maxRpo: "24h", trendLast: 5, trendPercent: 0 },
    } as const;
    expect(Object.keys(options).sort()).toEqual(Object.keys(drillOptionsSchema.shape).sort());
    const args = await parsed(drillWords(init({ kind: "drill", options } as Partial<JobRecord>)));
    expect(args).toMatchObject({
      ...{ assertions: "/etc/nightly.yaml", drillDatabase: ["9", "10"], maxRto: "30m", trendLast: "5" },
      ...{ trendPercent: "0", out: "/jobs/00112233aabbccdd/evidence", include: SELECTION.include },
    });
  });

  it("taking up, cleaning up and letting go are what the command line knows", async () => {
    const limits = { rateLimit: "1ops/s" };
    const resumed = await parsed(resumeWords("ab", { stateDirectory: "/s", limits, report: "/r.json" }));
    expect(resumed).toMatchObject({ job: "ab", stateDir: "/s", rateLimit: ["1ops/s"], report: ["/r.json"] });
    expect(await parsed(cleanWords("/s"))).toMatchObject({ clean: true, stateDir: "/s" });
    expect(await parsed(cancelWords("ab", "/s", false))).toMatchObject({ job: "ab", maxRetryTime: "1m" });
    expect(await parsed(cancelWords("ab", "/s", true))).toMatchObject({ job: "ab", forget: true });
  });
});
