/** `--rate-limit`: never above it, not far below it, and cheap. Counted at the server, beside the same restore without it. */
import { join } from "node:path";

import { type Contestant, contest } from "../contest.js";
import type { Ready, Target } from "../ground.js";
import { measurementOf } from "../measurement.js";
import { timeWithin } from "../profile.js";
import type { RateSeen } from "../rate.js";
import type { RateWatch } from "../rate-watchers.js";
import type { Goal, Measurement, Scenario } from "../scenario.js";
import { ourRestoreOf, type ShapeScenario, scenarioOf } from "./of-shape.js";

const MOST_OF_THE_LIMIT = 1.05;
const MOST_OFF_PERCENT = 3;
const MOST_CPU_PERCENT = 3;
/** A run that is over sooner says nothing of a rate: the dump was scaled down. */
const LEAST_SECONDS = 3;
/** What the limiter is made of. */
const LIMITER_FILES = /\/run\/limits\.[jt]s$|\/bottleneck\//u;

export interface LimiterScenario extends ShapeScenario {
  /** A second, in the unit that `watch` counts. */
  readonly limit: number;
  /** `ops/s` or `B/s`. */
  readonly unit: string;
  watch(target: Target): Promise<RateWatch>;
}

export function limiterScenario(init: LimiterScenario): Scenario {
  return scenarioOf(init, (ready) => measure(init, ready));
}

async function measure(init: LimiterScenario, ready: Ready): Promise<Measurement> {
  const { settings } = ready;
  const rates: RateSeen[] = [];
  const runs = await contest([limited(init, ready, rates), unlimited(init, ready)], settings);
  const own = settings.profiles === undefined ? await ownCpu(init, ready) : { goals: [], faults: [] };
  const lastedLongEnough = rates.filter(({ seconds }) => seconds >= LEAST_SECONDS);
  const end = { ...runs, faults: [...runs.faults, ...own.faults] };
  return { ...measurementOf(init, ready, end), goals: [...goalsOfRate(lastedLongEnough), ...own.goals] };
}

/** With its rates noted after each run. */
function limited(init: LimiterScenario, ready: Ready, rates: RateSeen[]): Contestant {
  const { shape, limit, unit } = init;
  let watch: RateWatch | undefined;
  const plain = ourRestoreOf(shape, ready, {
    options: ["--rate-limit", `${shape.adapter}=${limit}${unit}`],
    server: () => watch?.server ?? ready.target.server,
  });
  return {
    ...plain,
    async before() {
      await plain.before?.();
      watch = await init.watch(ready.target);
    },
    ended: async () => await watch?.stop(),
    async after(end) {
      const seen = watch?.count.against(limit);
      if (seen === undefined) return ["the server saw nothing come in"];
      rates.push(seen);
      return (await plain.after?.(end)) ?? [];
    },
  };
}

function unlimited({ shape }: LimiterScenario, ready: Ready): Contestant {
  return ourRestoreOf(shape, ready, { name: "without a limit" });
}

/** The worst of all runs: a limit holds in each of them. */
function goalsOfRate(rates: readonly RateSeen[]): Goal[] {
  const worst = (values: readonly number[]) => (values.length === 0 ? undefined : Math.max(...values));
  const highest = worst(rates.map((rate) => rate.highest));
  const off = worst(rates.map(({ mean }) => Math.abs(mean - 1) * 100));
  return [
    { what: "highest second ÷ limit", atMost: MOST_OF_THE_LIMIT, value: highest },
    { what: "mean off the limit", atMost: MOST_OFF_PERCENT, unit: "%", value: off },
  ];
}

/** Of the limiter's code and of what it calls, in one more run under V8's profiler. */
async function ownCpu(init: LimiterScenario, ready: Ready): Promise<{ goals: Goal[]; faults: readonly string[] }> {
  const profiles = join(ready.scratch, "profiles");
  const profiled = limited(init, { ...ready, settings: { ...ready.settings, profiles } }, []);
  const { standings, faults } = await contest([profiled], { rounds: 1, tell: () => undefined });
  const seconds = standings[0]?.median?.seconds;
  const milliseconds = seconds === undefined ? undefined : await timeWithin(profiles, LIMITER_FILES);
  const value = seconds === undefined || milliseconds === undefined ? undefined : milliseconds / seconds / 10;
  return { goals: [{ what: "the limiter's own CPU", atMost: MOST_CPU_PERCENT, unit: "%", value }], faults };
}
