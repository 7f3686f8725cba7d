/** The arithmetic of runs: medians, and what a run comes to beside others. */
import type { Figures, Standing } from "./scenario.js";

/** Of each figure on its own, so that one run's accident in one of them does not choose the others. */
export function medianOf(runs: readonly Figures[]): Figures | undefined {
  if (runs.length === 0) return undefined;
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: median(runs.map(({ peakBytes }) => peakBytes)),
  };
}

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [lower = Number.NaN, upper = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (lower + upper) / 2;
}

/** The one with the shortest median. None has one: undefined. */
export function fastestOf(standings: readonly Standing[]): Standing | undefined {
  const seconds = ({ median: middle }: Standing) => middle?.seconds ?? Number.POSITIVE_INFINITY;
  const [first] = standings
    .filter(({ median: middle }) => middle !== undefined)
    .sort((a, b) => seconds(a) - seconds(b));
  return first;
}

/** One's median time as a multiple of the others' together. Undefined where one of them has none. */
export function timeRatio(of: Standing | undefined, to: readonly (Standing | undefined)[]): number | undefined {
  const whole = to.reduce((total, each) => total + (each?.median?.seconds ?? Number.NaN), 0);
  const ratio = (of?.median?.seconds ?? Number.NaN) / whole;
  return Number.isFinite(ratio) ? ratio : undefined;
}
