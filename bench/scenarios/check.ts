/** `verify --checksums`: nothing but the dump against its digests, beside the programs that do that too. */
import { needCommand } from "../../testcontainers/cache.js";
import { reasonOf } from "../../testcontainers/ready.js";
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import { type DumpReady, whenDumpReady } from "../ground.js";
import { measurementOf } from "../measurement.js";
import { OURS, ourCommand, runIn } from "../ours.js";
import { SHA256SUM, sha256sum } from "../peers/peer.js";
import type { Goal, Measurement, Scenario, Standing } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";

export interface CheckScenario {
  readonly name: string;
  readonly title: string;
  readonly size: number;
  readonly shape: Pick<Shape, "generate">;
  /** Time as a multiple of `sha256sum -c`. */
  readonly atMost: number;
}

export function checkScenario(init: CheckScenario): Scenario {
  const { name, title, size, shape } = init;
  return {
    ...{ name, title, size },
    generate: async (dump, wanted) => await shape.generate(dump, wanted),
    measure: async (settings) => await whenDumpReady(init, settings, (ready) => measure(init, ready)),
  };
}

async function measure(init: CheckScenario, ready: DumpReady): Promise<Measurement> {
  const { settings, scratch, dump } = ready;
  const run = runIn(scratch, settings);
  const ours: Contestant = {
    name: OURS,
    command: () => ourCommand(["verify", dump.path, "--checksums", "--progress", "none"], run),
  };
  const end = await contest(settings.peers ? [ours, sha256sum(dump.path), await rhash(dump.path)] : [ours], settings);
  const goals = settings.peers ? [goalOfTime(end.standings, init.atMost)] : [];
  return { ...measurementOf(init, ready, end), goals };
}

async function rhash(dump: string): Promise<Contestant> {
  const command = () => ({ command: "rhash", args: ["--sha256", "--skip-ok", "-c", "CHECKSUMS"], cwd: dump });
  return await needCommand("rhash", "rhash").then(
    () => ({ name: "rhash", command }),
    (error: unknown) => ({ name: "rhash", command, skipped: reasonOf(error) }),
  );
}

function goalOfTime([ours, theirs]: readonly Standing[], atMost: number): Goal {
  return { what: `time ÷ ${SHA256SUM}`, atMost, unit: "×", value: timeRatio(ours, [theirs]) };
}
