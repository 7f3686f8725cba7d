/**
 * Dumps at random, restored and compared: a target that holds what the dump holds raises no alarm, however its server
 * writes numbers, sets, headers and times. With messages counted, and with messages received; into empty servers, and in
 * every mode over what was there. How many: see `test/support/fuzz.ts`; usually a thousand, and a hundred over others; and as
 * many that were disturbed, and are repaired.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Report, reportSchema } from "../../src/run/report.js";
import type { Found } from "../../src/run/verify/found.js";
import { told } from "../support/damages/damage.js";
import { verification } from "../support/damages/verifications.js";
import { temporaryDump } from "../support/dump-builder.js";
import { emptyServers } from "../support/empty-servers.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import { fuzz, fuzzTimeout } from "../support/fuzz.js";
import { dice, disturb } from "../support/overlaps.js";
import { printed, VARIANTS } from "../support/plan-proof.js";
import { type RandomDump, randomDump } from "../support/random-dump/dump.js";
import { expectedFrom } from "../support/readback/expected.js";
import type { State } from "../support/readback/state.js";
import { runCliWithReport } from "../support/run-cli.js";

/** The usual number of runs is 300. */
const SHARE = 1_000 / 300;
const SHARE_OVER_OTHERS = 100 / 300;

let servers: FourServers;
/** Objects of the dump before. */
let held: State = new Map();

beforeAll(async () => {
  servers = await startFourServers();
}, 600_000);
afterAll(async () => {
  await servers?.stop();
});

describe("dumps that were just restored", () => {
  it(
    "have no difference, whether their messages are counted or received",
    async () => {
      let compared = 0;
      const property = fc.asyncProperty(randomDump(Date.now()), async (source) => {
        const dump = await temporaryDump(source.description);
        try {
          await raisesNoAlarm(dump.path, source);
          compared++;
        } catch (error) {
          throw new Error(`of the dump in ${dump.path}, after ${compared} others`, { cause: error });
        }
        await dump.remove();
      });
      // To make a dump smaller would take minutes: it is kept instead.
      await fc.assert(property, { ...fuzz(SHARE), endOnFailure: true });
    },
    fuzzTimeout(3_600_000),
  );
});

describe("dumps that were restored over what was there", () => {
  it(
    "have no difference in what was restored, whatever the mode",
    async () => {
      const variants = fc.constantFrom(...VARIANTS);
      const property = fc.asyncProperty(
        randomDump(Date.now()),
        variants,
        fc.integer(),
        async (source, variant, seed) => {
          const dump = await temporaryDump(source.description);
          await emptyServers(servers, held);
          held = expectedFrom(dump.path).s3;
          const argv = [dump.path, ...servers.options];
          await printed<Report>("apply", ...argv);
          await disturb(servers, dice(seed));
          const report = await printed<Report>("apply", ...argv, ...variant, "--yes", "--verify");
          const { verification: compared } = reportSchema.parse(report);
          const what = `${variant.join(" ")} over what ${seed} made of ${dump.path}`;
          // Modes that keep a scope keep its settings as well, and that is told.
          const isKept = ({ kind }: Found) => kind === "setting" && !variant.includes("replace");
          const differences = compared?.differences.filter((each) => !isKept(each));
          expect(differences === undefined ? "not compared" : told({ differences }), what).toEqual([]);
          await dump.remove();
        },
      );
      await fc.assert(property, { ...fuzz(SHARE_OVER_OTHERS), endOnFailure: true });
    },
    fuzzTimeout(1_800_000),
  );
});

describe("targets that are no longer what was restored", () => {
  it(
    "are that again after a repair in mode replace",
    async () => {
      const property = fc.asyncProperty(randomDump(Date.now()), fc.integer(), async (source, seed) => {
        const dump = await temporaryDump(source.description);
        await emptyServers(servers, held);
        held = expectedFrom(dump.path).s3;
        const argv = [dump.path, ...servers.options];
        await printed<Report>("apply", ...argv);
        await disturb(servers, dice(seed));
        const { stderr, ...repaired } = await verification([...argv, "--repair", "--mode", "replace", "--yes"]);
        // Messages have no keys to be written over by: that is `verify-messages.test.ts`.
        const left = told(repaired).filter((each) => !each.startsWith("sqs:"));
        expect(left, `what ${seed} made of ${dump.path}: ${stderr}`).toEqual([]);
        await dump.remove();
      });
      await fc.assert(property, { ...fuzz(SHARE_OVER_OTHERS), endOnFailure: true });
    },
    fuzzTimeout(1_800_000),
  );
});

async function raisesNoAlarm(path: string, { absent }: RandomDump): Promise<void> {
  await emptyServers(servers, held);
  held = expectedFrom(path).s3;
  const argv = ["apply", path, ...servers.options, "--progress", "none"];
  const { status, stderr, report } = await runCliWithReport(argv, CLI_ENVIRONMENT);
  expect(status, `${stderr}\n${JSON.stringify(report?.listed, undefined, 1)}`).toBe(0);
  const expired = absent.filter(({ outcome }) => outcome === "skipped-expired").length;
  // A second look would hide an alarm that only the first one raises.
  for (const more of [
    ["--looks", "1"],
    ["--looks", "1", "--messages", "--download"],
  ]) {
    const verified = await verification([path, ...servers.options, ...more]);
    expect(told(verified), more.join(" ")).toEqual([]);
    expect(verified.exitStatus, verified.stdout).toBe(0);
    const { records, standings, scopes } = verified;
    expect(records).toBe(report?.recordsRead);
    expect(standings).toMatchObject({ missing: 0, differing: 0, malformed: 0, expired });
    for (const { adapter, records: all, standings: each, unproven } of scopes) {
      if (adapter !== "sqs") expect(each.unproven, JSON.stringify(unproven)).toBe(0);
      else if (more.includes("--messages")) expect(each.equal + each.unproven).toBe(all);
    }
  }
}
