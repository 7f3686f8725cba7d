/** Proves a case of the crash tests at some of its points: what was killed there and taken up ends as if it had not been. */
import { afterAll, beforeAll, expect } from "vitest";

import { temporaryDump } from "../dump-builder.js";
import { startFourServers } from "../four-servers.js";
import { TargetState } from "../target-state.js";
import type { CrashCase } from "./cases.js";
import { DUMP_FILES } from "./dump.js";
import { type Bench, runTrial, WAYS } from "./trial.js";
import { differences } from "./verdict.js";
import { Victims } from "./victims.js";

export interface CrashBench extends Bench {
  stop(): Promise<void>;
}

async function startCrashBench(): Promise<CrashBench> {
  const servers = await startFourServers();
  const target = new TargetState(servers);
  const dump = await temporaryDump({ files: DUMP_FILES });
  const victims = await Victims.start();
  const stop = async () => {
    await victims.stop();
    target.close();
    await Promise.all([servers.stop(), dump.remove()]);
  };
  return { servers, target, dump: dump.path, victims, stop };
}

/** Trials at once. */
const SLOTS = [1, 2, 3];

/**
 * `pick` chooses, from the points of a restore that nobody disturbed, where each trial's processes are killed in turn.
 * Points differ a little from run to run: a trial that ends before its point is one that was not disturbed.
 */
export async function provesCrashes(
  bench: Bench,
  crash: CrashCase,
  pick: (points: readonly string[]) => (readonly number[])[],
): Promise<void> {
  const undisturbed = await runTrial(bench, { crash, kills: [], way: "resume", slot: 0 });
  expect(differences(crash, undisturbed, undisturbed)).toEqual([]);
  const waiting = pick(undisturbed.points).map((kills, i) => ({ kills, way: WAYS[i % WAYS.length] ?? "resume" }));
  const wrong: string[] = [];
  let crashes = 0;
  const worker = async (slot: number) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { kills, way } = next;
      const end = await runTrial(bench, { crash, kills, way, slot });
      crashes += end.crashes;
      const at = kills.map((n) => `${n} (${undisturbed.points[n - 1] ?? "beyond the end"})`).join(", then ");
      wrong.push(...differences(crash, end, undisturbed).map((what) => `killed at ${at}, ${way}: ${what}`));
    }
  };
  await Promise.all(SLOTS.map(worker));
  expect(wrong).toEqual([]);
  expect(crashes).toBeGreaterThan(0);
}

/** Starts the bench before the file's tests and stops it after them. What it returns throws until it is up. */
export function crashBench(): () => CrashBench {
  let bench: CrashBench | undefined;
  beforeAll(async () => {
    bench = await startCrashBench();
  }, 600_000);
  afterAll(async () => {
    await bench?.stop();
  });
  return () => {
    if (bench === undefined) throw new Error("the bench is not up");
    return bench;
  };
}
