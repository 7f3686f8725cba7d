/** `--rate-limit`: never above it, not far below it, and cheap. Counted at the server, beside the same restore without it. */
import { join } from "node:path";

import { type Contestant, contest } from "../contest.js";
import { median } from "../figures.js";
import { type ReadyDump, scaled, type Target, withDump, withScratch, withTarget } from "../ground.js";
import { OURS, ourRestore } from "../ours.js";
import type { RateSeen } from "../rate.js";
import type { RateWatch } from "../rate-watchers.js";
import type { Goal, Measurement, Scenario, Settings, Standing } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";
import { memoryOf } from "./restore.js";

const MOST_OF_THE_LIMIT = 1.05;
const MOST_OFF_PERCENT = 3;
const MOST_CPU_PERCENT = 3;

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
    measure: async (settings) =>
      await withScratch(
        async (scratch) =>
          await withDump(
            shape,
            scaled(size, settings.scale),
            async (dump) => await withTarget(shape, (target) => measure(init, { settings, scratch, dump, target })),
          ),
      ),
  };
}

interface Ready {
  readonly settings: Settings;
  readonly scratch: string;
  readonly dump: ReadyDump;
  readonly target: Target;
}

async function measure(init: LimiterScenario, ready: Ready): Promise<Measurement> {
  const { settings, dump, target } = ready;
  const rates: RateSeen[] = [];
  const end = await contest([limited(init, ready, rates), unlimited(init, ready)], settings);
  return {
    ...{ scenario: init.name, title: init.title, size: dump.size, dumpBytes: dump.bytes },
    records: dump.generated.records,
    server: target.description,
    goals: [...goalsOfRate(rates), goalOfCpu(end.standings)],
    ...memoryOf(end),
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
  const { bin, profiles } = settings;
  return ourRestore({
    name: varied.name,
    run: { bin, state: join(scratch, "state"), ...(profiles === undefined ? {} : { profiles }) },
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

/** All that the limited runs take more, for the smaller batches too, is held against the limiter. */
function goalOfCpu([limitedRuns, plain]: readonly Standing[]): Goal {
  const more = differences(limitedRuns, plain);
  const value = more.length > 0 ? { value: Math.max(0, median(more)) } : {};
  return { what: "more CPU than without, of the time", atMost: MOST_CPU_PERCENT, unit: "%", ...value };
}

function differences(one: Standing | undefined, other: Standing | undefined): number[] {
  const plain = other?.median?.cpuSeconds;
  if (plain === undefined) return [];
  return (one?.runs ?? []).map(({ cpuSeconds, seconds }) => (100 * (cpuSeconds - plain)) / seconds);
}
