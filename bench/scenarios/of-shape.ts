/** What restores of one shape into one server have in common, whatever is measured of them. */
import type { OutcomeKind } from "../../src/model/outcome.js";
import type { Contestant } from "../contest.js";
import { type Ready, whenReady } from "../ground.js";
import { ourRestore, runIn } from "../ours.js";
import type { Measurement, Scenario } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";

export interface ShapeScenario {
  readonly name: string;
  readonly title: string;
  readonly size: number;
  readonly shape: Shape;
  /** No more than so many, where one says what there is to say. */
  readonly mostRounds?: number;
}

/** Measured once the dump and the server are there. */
export function scenarioOf(init: ShapeScenario, measure: (ready: Ready) => Promise<Measurement>): Scenario {
  const { name, title, size, shape, mostRounds = Number.POSITIVE_INFINITY } = init;
  return {
    ...{ name, title, size },
    generate: async (dump, wanted) => await shape.generate(dump, wanted),
    measure: async (settings) =>
      await whenReady(init, { ...settings, rounds: Math.min(settings.rounds, mostRounds) }, measure),
  };
}

/** Whether one run goes before those that count. A profile is of one run. */
export function warmsUp({ warmsUp: isSlowAtFirst }: Shape, { settings }: Pick<Ready, "settings">): boolean {
  return isSlowAtFirst === true && settings.profiles === undefined;
}

interface Varied {
  readonly name?: string;
  /** What the tool is told beside the dump and the server. */
  readonly options?: readonly string[];
  /** How records may end, none otherwise; default: restored. */
  readonly outcomes?: readonly OutcomeKind[];
  /** What an earlier run left on the target is still there. */
  readonly keepsTarget?: boolean;
  /** Where it is sent, instead of to the server itself. */
  server?(): Ready["target"]["server"];
}

/** The tool's restore of the dump that is ready. */
export function ourRestoreOf(
  shape: Shape,
  { settings, scratch, dump, target }: Ready,
  { server = () => target.server, keepsTarget = false, ...varied }: Varied = {},
): Contestant {
  return ourRestore({
    ...varied,
    run: runIn(scratch, settings),
    dump,
    servers: () => [{ adapter: shape.adapter, server: server() }],
    empty: async () => {
      if (!keepsTarget) await target.empty();
    },
    check: async () => await shape.check(target.server, dump),
  });
}
