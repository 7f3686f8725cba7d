/**
 * Every fault at every request of a small restore, in every mode that does not empty: each run ends as one that nothing
 * disturbed. And targets that stay away: the run stops and its job is taken up. One adapter alone: `vitest run --project long test/long/fault-matrix.test.ts -t dynamodb`.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ADAPTERS } from "../../src/model/scope.js";
import { type FaultBench, type Mode, startFaultBench } from "../support/faults/bench.js";
import {
  expectAsUndisturbed,
  expectResumable,
  type Left,
  once,
  outagesOf,
  placesAmong,
  troublesOf,
  undisturbed,
} from "../support/faults/matrix.js";

const MODES: readonly Mode[] = ["none", "merge", "skip-existing"];

describe.each(ADAPTERS)("%s", (adapter) => {
  let bench: FaultBench;

  beforeAll(async () => {
    bench = await startFaultBench(adapter);
  });
  afterAll(() => bench?.stop());

  describe.each(MODES)("mode %s", (mode) => {
    let wanted: Left;

    beforeAll(async () => {
      wanted = await undisturbed(bench, mode);
    });

    it.each(Object.entries(troublesOf(adapter)))("%s", async (_name, trouble) => {
      for (const place of placesAmong(wanted.requests)) {
        await bench.trial(mode, async (trial) => {
          trial.disturb(once(trouble, ({ index }) => index === place));
          const ended = await trial.apply();
          await expectAsUndisturbed(trial, ended, wanted).catch((error: unknown) => {
            throw new Error(`request ${place}, ${wanted.requests[place] ?? ""}`, { cause: error });
          });
        });
      }
      expect(wanted.requests.length).toBeGreaterThan(0);
    });

    describe.each([0, 1])("from write %i on", (from) => {
      it.each(outagesOf(adapter))("%s", async (_name, trouble) => {
        await expectResumable(bench, { mode, trouble, from }, wanted);
      });
    });
  });
});
