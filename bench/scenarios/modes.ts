/** What a mode costs: the same restore with and without one, into an empty target and over one that holds all of it. */
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import type { Ready } from "../ground.js";
import { measurementOf } from "../measurement.js";
import { OURS } from "../ours.js";
import type { Goal, Measurement, Scenario } from "../scenario.js";
import { ourRestoreOf, type ShapeScenario, scenarioOf, warmsUp } from "./of-shape.js";

const MODES = ["merge", "skip-existing"] as const;

export function modesScenario(init: ShapeScenario): Scenario {
  return scenarioOf(init, (ready) => measure(init, ready));
}

async function measure(init: ShapeScenario, ready: Ready): Promise<Measurement> {
  const { settings } = ready;
  const plain = ourRestoreOf(init.shape, ready);
  const others = [
    ...MODES.map((mode) => overAll(init, ready, mode)),
    ...MODES.map((mode) => intoNone(init, ready, mode)),
  ];
  const warmUp = warmsUp(init.shape, ready) ? plain : undefined;
  // The first one leaves all of it for the next two.
  const end = await contest(settings.profiles === undefined ? [plain, ...others] : [plain], settings, warmUp);
  const [without, ...inModes] = end.standings;
  const goals = inModes.map((each): Goal => ({ what: `${each.name} ÷ ${OURS}`, value: timeRatio(each, [without]) }));
  return { ...measurementOf(init, ready, end), goals };
}

function overAll({ shape }: ShapeScenario, ready: Ready, mode: (typeof MODES)[number]): Contestant {
  return ourRestoreOf(shape, ready, {
    name: `--mode ${mode}, all of it there`,
    options: ["--mode", mode],
    // A merge leaves a stream alone that holds just its entries.
    outcomes: mode === "merge" ? ["restored", "skipped-existing"] : ["skipped-existing"],
    keepsTarget: true,
  });
}

function intoNone({ shape }: ShapeScenario, ready: Ready, mode: (typeof MODES)[number]): Contestant {
  return ourRestoreOf(shape, ready, { name: `--mode ${mode}`, options: ["--mode", mode] });
}
