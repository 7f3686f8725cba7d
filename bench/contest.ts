/** Runs of several tools for the same work, in turns, so that what the machine does meanwhile meets all of them alike. */
import { medianOf } from "./figures.js";
import type { Figures, Settings, Standing } from "./scenario.js";
import { type Command, type WatchedEnd, watch } from "./watched-process.js";

/** Of what a run that failed had to say. */
const TOLD_CHARS = 1_000;

export interface Contestant {
  readonly name: string;
  /** Why it does not run, seen in the results. */
  readonly skipped?: string;
  /** Makes the ground for a run, which is not measured: empties the target, say. */
  before?(): Promise<void>;
  command(): Command;
  /** Lets go of what only the run itself stood on, however it ended. */
  ended?(): Promise<void>;
  /** What is not as it should be after a run that ended well, in a sentence each. */
  after?(end: WatchedEnd): Promise<readonly string[]>;
}

export interface ContestEnd {
  /** In the order of the contestants. */
  readonly standings: readonly Standing[];
  readonly faults: readonly string[];
}

/**
 * One after another, so often. A contestant whose run went wrong runs no more. `warmUp` runs once before those that count:
 * a server that is slow at first is nobody's fault.
 */
export async function contest(
  contestants: readonly Contestant[],
  { rounds, tell }: Pick<Settings, "rounds" | "tell">,
  warmUp?: Contestant,
): Promise<ContestEnd> {
  const runs = new Map<Contestant, Figures[]>(contestants.map((each) => [each, []]));
  const faults: string[] = [];
  if (warmUp !== undefined) await runOnce(warmUp);
  for (let round = 1; round <= rounds; round++) {
    for (const each of contestants.filter((one) => one.skipped === undefined && runs.has(one))) {
      const { figures, wrong } = await runOnce(each);
      tell(`  round ${round}, ${each.name}: ${figures.seconds.toFixed(2)} s`);
      runs.get(each)?.push(figures);
      if (wrong.length > 0) runs.delete(each);
      faults.push(...wrong.map((fault) => `${each.name}: ${fault}`));
    }
  }
  return { standings: contestants.map((each) => standingOf(each, runs.get(each) ?? [])), faults };
}

async function runOnce(contestant: Contestant): Promise<{ figures: Figures; wrong: readonly string[] }> {
  await contestant.before?.();
  const end = await watch(contestant.command()).finally(async () => await contestant.ended?.());
  const { seconds, cpuSeconds, peakBytes, status, stderr } = end;
  const wrong =
    status === 0
      ? ((await contestant.after?.(end)) ?? [])
      : [`it ended with ${status}: ${stderr.trim().slice(0, TOLD_CHARS)}`];
  return { figures: { seconds, cpuSeconds, peakBytes }, wrong };
}

function standingOf({ name, skipped }: Contestant, runs: readonly Figures[]): Standing {
  const median = medianOf(runs);
  return {
    name,
    runs,
    ...(median === undefined ? {} : { median }),
    ...(skipped === undefined ? {} : { skipped }),
  };
}
