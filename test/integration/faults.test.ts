/**
 * Targets in trouble while a restore writes to them: faults of one request, and outages after which the job is taken up.
 * A sample; all of them, at every request, are in `test/long/fault-matrix.test.ts`.
 */
import { afterAll, beforeAll, describe, it } from "vitest";

import type { Adapter } from "../../src/model/scope.js";
import { type FaultBench, type Mode, startFaultBench, type Trouble } from "../support/faults/bench.js";
import {
  expectAsUndisturbed,
  expectResumable,
  isWriteThatMeets,
  type Left,
  once,
  undisturbed,
} from "../support/faults/matrix.js";

interface Sample {
  readonly adapter: Adapter;
  readonly mode: Mode;
  readonly troubles: readonly Trouble[];
  /** How the target is away, or full. */
  readonly away: Trouble;
  /** It says so, and no wait would help. */
  readonly full?: Trouble;
}

const SAMPLES: readonly Sample[] = [
  {
    adapter: "redis",
    mode: "merge",
    troubles: ["lose-reply", "hang-after", { answered: "READONLY" }],
    away: { answered: "LOADING" },
    full: { answered: "OOM" },
  },
  {
    adapter: "dynamodb",
    mode: "merge",
    troubles: [{ answered: "unprocessed" }, { byteEveryMs: 1 }],
    away: { answered: "ThrottlingException" },
  },
  {
    adapter: "s3",
    mode: "merge",
    troubles: ["cut-within", { answered: "503" }],
    away: "cut-before",
    full: { answered: "XMinioStorageFull" },
  },
  {
    adapter: "sqs",
    mode: "none",
    troubles: ["lose-reply", { answered: "failed entries" }],
    away: "hang-before",
  },
];

describe.each(SAMPLES)("$adapter", ({ adapter, mode, troubles, away, full }) => {
  let bench: FaultBench;
  let wanted: Left;

  beforeAll(async () => {
    bench = await startFaultBench(adapter);
    wanted = await undisturbed(bench, mode);
  });
  afterAll(() => bench?.stop());

  it.each(troubles)("that meets %j once is restored as if nothing had been", async (trouble) => {
    await bench.trial(mode, async (trial) => {
      trial.disturb(once(trouble, isWriteThatMeets(adapter, trouble)));
      await expectAsUndisturbed(trial, await trial.apply(), wanted);
    });
  });

  const outages: [how: string, trouble: Trouble][] = [["away", away]];
  if (full !== undefined) outages.push(["full", full]);

  it.each(outages)(
    "that is %s stops the run, fails no record, and is restored when the job is taken up",
    async (_how, trouble) => {
      await expectResumable(bench, { mode, trouble, from: 1 }, wanted);
    },
  );
});
