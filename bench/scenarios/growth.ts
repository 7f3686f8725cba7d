/** The same restore at a tenth of its size and whole: time grows with the dump, memory does not. */
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import { type Ready, type ReadyDump, scaled, withDump } from "../ground.js";
import { MEBIBYTE } from "../limit.js";
import { measurementOf } from "../measurement.js";
import type { Goal, Measurement, Scenario, Standing } from "../scenario.js";
import { ourRestoreOf, type ShapeScenario, scenarioOf } from "./of-shape.js";

/** Ten times the records, and a little for what is not counted in records. */
const MOST_TIMES_AS_LONG = 10.5;
/** Tables of names that fill up before they go to disk, and garbage of the moment. */
const MOST_MORE_MIB = 32;

/** `init.size` is the larger one. */
export function growthScenario(init: ShapeScenario): Scenario {
  const { size, shape } = init;
  return scenarioOf(init, async (ready) => {
    const tenth = scaled(size / 10, ready.settings.scale);
    return await withDump(shape, tenth, (few) => measure(init, { ...ready, few }));
  });
}

/** Beside the whole one, a tenth. */
interface Both extends Ready {
  readonly few: ReadyDump;
}

async function measure(init: ShapeScenario, ready: Both): Promise<Measurement> {
  const { settings, few, dump: many } = ready;
  const contestants = [many, few].map((dump) => contestantOf(init, { ...ready, dump }));
  const end = await contest(contestants, settings);
  return { ...measurementOf(init, ready, end), goals: goalsOf(end.standings) };
}

function contestantOf({ shape }: ShapeScenario, ready: Ready): Contestant {
  return ourRestoreOf(shape, ready, { name: `${ready.dump.size.toLocaleString("en")} of them` });
}

function goalsOf([many, few]: readonly Standing[]): Goal[] {
  const more = ((many?.median?.peakBytes ?? Number.NaN) - (few?.median?.peakBytes ?? Number.NaN)) / MEBIBYTE;
  return [
    { what: "time ÷ that of a tenth", atMost: MOST_TIMES_AS_LONG, value: timeRatio(many, [few]) },
    {
      ...{ what: "memory above that of a tenth", atMost: MOST_MORE_MIB, unit: "MiB" },
      value: Number.isFinite(more) ? more : undefined,
    },
  ];
}
