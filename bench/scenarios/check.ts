/** `verify --checksums`: nothing but the dump against its digests, beside the programs that do that too. */
import { needCommand } from "../../testcontainers/cache.js";
import { reasonOf } from "../../testcontainers/ready.js";
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import { type ReadyDump, scaled, withDump, withScratch } from "../ground.js";
import { OURS, ourCommand, runIn } from "../ours.js";
import { SHA256SUM, sha256sum } from "../peers/peer.js";
import type { Goal, Measurement, Scenario, Settings, Standing } from "../scenario.js";
import type { Shape } from "../shapes/shape.js";
import { memoryOf } from "./restore.js";

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
    measure: async (settings) =>
      await withScratch(
        async (scratch) =>
          await withDump(shape, scaled(size, settings.scale), (dump) => measure(init, { settings, scratch, dump })),
      ),
  };
}

interface Ready {
  readonly settings: Settings;
  readonly scratch: string;
  readonly dump: ReadyDump;
}

async function measure(init: CheckScenario, { settings, scratch, dump }: Ready): Promise<Measurement> {
  const run = runIn(scratch, settings);
  const ours: Contestant = {
    name: OURS,
    command: () => ourCommand(["verify", dump.path, "--checksums", "--progress", "none"], run),
  };
  const end = await contest(settings.peers ? [ours, sha256sum(dump.path), await rhash(dump.path)] : [ours], settings);
  return {
    ...{ scenario: init.name, title: init.title, size: dump.size, dumpBytes: dump.bytes },
    ...{ records: dump.generated.records, server: "" },
    goals: settings.peers ? [goalOfTime(end.standings, init.atMost)] : [],
    ...memoryOf(end),
  };
}

async function rhash(dump: string): Promise<Contestant> {
  const command = () => ({ command: "rhash", args: ["--sha256", "--skip-ok", "-c", "CHECKSUMS"], cwd: dump });
  return await needCommand("rhash", "rhash").then(
    () => ({ name: "rhash", command }),
    (error: unknown) => ({ name: "rhash", command, skipped: reasonOf(error) }),
  );
}

function goalOfTime([ours, theirs]: readonly Standing[], atMost: number): Goal {
  const value = timeRatio(ours, [theirs]);
  return { what: `time ÷ ${SHA256SUM}`, atMost, unit: "×", ...(value === undefined ? {} : { value }) };
}
