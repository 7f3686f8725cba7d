/** `--rate-limit`: never above it, not far below it, and cheap. Counted at the server, beside the same restore without it. */
import { join } from "node:path";

import { type Contestant, contest } from "../contest.js";
import { type Ready, type Target, whenReady } from "../ground.js";
import { OURS, ourRestore, runIn } from "../ours.js";
import { timeWithin } from "../profile.js";
import type { RateSeen } from "../rate.js";
import type { RateWatch } from "../rate-watchers.js";
import type { Goal, Measurement, Scenario } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";
import { memoryOf } from "./restore.js";

const MOST_OF_THE_LIMIT = 1.05;
const MOST_OFF_PERCENT = 3;
const MOST_CPU_PERCENT = 3;
/** A run that is over sooner says nothing of a rate: the dump was scaled down. */
const LEAST_SECONDS = 3;
/** What the limiter is made of, as it is loaded. */
const LIMITER_FILES = /\/run\/limits\.js$|\/bottleneck\//u;

export interface LimiterScenario {
  readonly name: string;
  readonly title: string;
  readonly size: number;
  readonly shape: Shape;
  /** A second, in the unit that `watch` counts. */
  readonly limit: number;
  /** `ops/s` or `B/s`. */
  readonly unit: string;
  watch(target: Target): Promise<RateWatch>;
}

export function limiterScenario(init: LimiterScenario): Scenario {
  const { name, title, size, shape } = init;
  return {
    ...{ name, title, size },
    generate: async (dump, wanted) => await shape.generate(dump, wanted),
    measure: async (settings) => await whenReady(init, settings, (ready) => measure(init, ready)),
  };
}

async function measure(init: LimiterScenario, ready: Ready): Promise<Measurement> {
  const { settings, dump, target } = ready;
  const rates: RateSeen[] = [];
  const runs = await contest([limited(init, ready, rates), unlimited(init, ready)], settings);
  const own = settings.profiles === undefined ? await ownCpu(init, ready) : { goal: [], faults: [] };
  const lastedLongEnough = rates.filter(({ seconds }) => seconds >= LEAST_SECONDS);
  return {
    ...{ scenario: init.name, title: init.title, size: dump.size, dumpBytes: dump.bytes },
    records: dump.generated.records,
    server: target.description,
    goals: [...goalsOfRate(lastedLongEnough), own.goal].flat(),
    ...memoryOf({ ...runs, faults: [...runs.faults, ...own.faults] }),
  };
}

/** With its rates noted after each run. */
function limited(init: LimiterScenario, ready: Ready, rates: RateSeen[]): Contestant {
  const { shape, limit, unit } = init;
  let watch: RateWatch | undefined;
  const plain = restoreOf(init, ready, {
    name: OURS,
    options: ["--rate-limit", `${shape.adapter}=${limit}${unit}`],
    server: () => watch?.server ?? ready.target.server,
  });
  return {
    ...plain,
    async before() {
      await plain.before?.();
      watch = await init.watch(ready.target);
    },
    async after(end) {
      await watch?.stop();
      const seen = watch?.count.against(limit);
      if (seen === undefined) return ["the server saw nothing come in"];
      rates.push(seen);
      return (await plain.after?.(end)) ?? [];
    },
  };
}

function unlimited(init: LimiterScenario, ready: Ready): Contestant {
  return restoreOf(init, ready, { name: "without a limit", options: [], server: () => ready.target.server });
}

interface Varied {
  readonly name: string;
  readonly options: readonly string[];
  server(): Target["server"];
}

function restoreOf({ shape }: LimiterScenario, { settings, scratch, dump, target }: Ready, varied: Varied): Contestant {
  return ourRestore({
    name: varied.name,
    run: runIn(scratch, settings),
    options: varied.options,
    dump,
    servers: () => [{ adapter: shape.adapter, server: varied.server() }],
    empty: async () => await target.empty(),
    check: async () => await shape.check(target.server, dump),
  });
}

/** The worst of all runs: a limit holds in each of them. */
function goalsOfRate(rates: readonly RateSeen[]): Goal[] {
  const measured = rates.length > 0;
  const highest = Math.max(...rates.map((rate) => rate.highest));
  const off = Math.max(...rates.map(({ mean }) => Math.abs(mean - 1) * 100));
  return [
    { what: "highest second ÷ limit", atMost: MOST_OF_THE_LIMIT, ...(measured ? { value: highest } : {}) },
    { what: "mean off the limit", atMost: MOST_OFF_PERCENT, unit: "%", ...(measured ? { value: off } : {}) },
  ];
}

/** Of the limiter's code and of what it calls, in one more run under V8's profiler. */
async function ownCpu(init: LimiterScenario, ready: Ready): Promise<{ goal: Goal; faults: readonly string[] }> {
  const profiles = join(ready.scratch, "profiles");
  const profiled = limited(init, { ...ready, settings: { ...ready.settings, profiles } }, []);
  const { standings, faults } = await contest([profiled], { rounds: 1, tell: () => undefined });
  const seconds = standings[0]?.median?.seconds;
  const milliseconds = seconds === undefined ? undefined : await timeWithin(profiles, LIMITER_FILES);
  const value = seconds === undefined || milliseconds === undefined ? {} : { value: milliseconds / seconds / 10 };
  return { goal: { what: "the limiter's own CPU", atMost: MOST_CPU_PERCENT, unit: "%", ...value }, faults };
}
