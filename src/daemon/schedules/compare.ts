/** How the runs of a schedule compare with one another. Pure. */
import { present } from "../../support/present.js";
import type { Lately, Run, RunOutcome } from "../schema/schedule.js";

/** As the drill's own comparison: fewer say nothing of what is usual. */
const FEWEST = 3;

const DECISIVE: ReadonlySet<RunOutcome> = new Set(["passed", "objective-missed", "failed", "refused"]);

/** Whether it says anything of how things are: skipped and cancelled runs do not. */
export function isDecisive({ outcome }: Run): boolean {
  return outcome !== undefined && DECISIVE.has(outcome);
}

/** `runs`: the latest first. */
export function latelyOf(runs: readonly Run[], most: number): Lately {
  const decisive = runs.filter(isDecisive);
  const last = decisive.slice(0, most);
  const times = timesOf(last);
  const count = (...outcomes: RunOutcome[]) =>
    last.filter(({ outcome }) => outcome !== undefined && outcomes.includes(outcome)).length;
  return {
    runs: last.length,
    passed: count("passed"),
    missedObjectives: count("objective-missed"),
    failed: count("failed", "refused"),
    ...present({
      medianMs: median(times),
      fastestMs: times[0],
      slowestMs: times.at(-1),
      failingSince: failingSince(decisive),
    }),
  };
}

/** When the first was due of the runs in a row that did not pass; undefined when the latest passed. `runs`: the latest first. */
export function failingSince(runs: readonly Run[]): string | undefined {
  const decisive = runs.filter(isDecisive);
  const passed = decisive.findIndex(({ outcome }) => outcome === "passed");
  return decisive.slice(0, passed < 0 ? decisive.length : passed).at(-1)?.due;
}

/** Undefined where too few were before it, or it took no time that counts. `before`: the latest first. */
export function comparisonOf(recoveryMs: number | undefined, before: readonly Run[], most: number): Run["comparison"] {
  const times = timesOf(before.filter((run) => isDecisive(run) && run.recoveryMs !== undefined).slice(0, most));
  const medianMs = median(times);
  if (recoveryMs === undefined || medianMs === undefined || times.length < FEWEST) return undefined;
  return { runs: times.length, medianMs, percent: Math.round((recoveryMs / Math.max(medianMs, 1) - 1) * 100) };
}

/** The fastest first. */
function timesOf(runs: readonly Run[]): number[] {
  return runs.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs])).sort((a, b) => a - b);
}

function median(sorted: readonly number[]): number | undefined {
  const middle = (sorted.length - 1) / 2;
  const [below, above] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return below === undefined || above === undefined ? undefined : Math.round((below + above) / 2);
}
