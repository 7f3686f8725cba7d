/** The same restore at a tenth of its size and whole: time grows with the dump, memory does not. */
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import { type Ready, type ReadyDump, scaled, whenReady, withDump } from "../ground.js";
import { MEBIBYTE } from "../limit.js";
import { ourRestore, runIn } from "../ours.js";
import type { Goal, Measurement, Scenario, Standing } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";
import { memoryOf } from "./restore.js";

/** Ten times the records, and a little for what is not counted in records. */
const MOST_TIMES_AS_LONG = 10.5;
/** Tables of names that fill up before they go to disk, and garbage of the moment. */
const MOST_MORE_MIB = 32;

export interface GrowthScenario {
  readonly name: string;
  readonly title: string;
  /** The larger one. */
  readonly size: number;
  readonly shape: Shape;
  readonly mostRounds?: number;
}

export function growthScenario(init: GrowthScenario): Scenario {
  const { name, title, size, shape } = init;
  return {
    ...{ name, title, size },
    generate: async (dump, wanted) => await shape.generate(dump, wanted),
    measure: async (settings) =>
      await whenReady(
        init,
        settings,
        async (ready) =>
          await withDump(shape, scaled(size / 10, settings.scale), (few) => measure(init, { ...ready, few })),
      ),
  };
}

/** Beside the whole one, a tenth. */
interface Both extends Ready {
  readonly few: ReadyDump;
}

async function measure(init: GrowthScenario, ready: Both): Promise<Measurement> {
  const { settings, few, dump: many, target } = ready;
  const rounds = Math.min(settings.rounds, init.mostRounds ?? settings.rounds);
  const contestants = [many, few].map((dump) => contestantOf(init, dump, ready));
  const end = await contest(contestants, { ...settings, rounds });
  return {
    ...{ scenario: init.name, title: init.title, size: many.size, dumpBytes: many.bytes },
    records: many.generated.records,
    server: target.description,
    goals: goalsOf(end.standings),
    ...memoryOf(end),
  };
}

function contestantOf({ shape }: GrowthScenario, dump: ReadyDump, { settings, scratch, target }: Ready): Contestant {
  return ourRestore({
    name: `${dump.size.toLocaleString("en")} of them`,
    run: runIn(scratch, settings),
    dump,
    servers: () => [{ adapter: shape.adapter, server: target.server }],
    empty: async () => await target.empty(),
    check: async () => await shape.check(target.server, dump),
  });
}

function goalsOf([many, few]: readonly Standing[]): Goal[] {
  const time = timeRatio(many, [few]);
  const more = ((many?.median?.peakBytes ?? Number.NaN) - (few?.median?.peakBytes ?? Number.NaN)) / MEBIBYTE;
  return [
    { what: "time ÷ that of a tenth", atMost: MOST_TIMES_AS_LONG, ...(time === undefined ? {} : { value: time }) },
    {
      ...{ what: "memory above that of a tenth", atMost: MOST_MORE_MIB, unit: "MiB" },
      ...(Number.isFinite(more) ? { value: more } : {}),
    },
  ];
}
