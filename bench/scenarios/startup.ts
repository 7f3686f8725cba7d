/** What a command takes before it does anything, and a restore of next to nothing over all four adapters. */
import type { BigDump } from "../big-dump.js";
import { type Contestant, contest } from "../contest.js";
import { timeRatio } from "../figures.js";
import { type DumpReady, Target, withDump, withScratch } from "../ground.js";
import { measurementOf, memoryOf } from "../measurement.js";
import { OURS, ourCommand, ourRestore, runIn } from "../ours.js";
import { nodeScript } from "../peers/peer.js";
import type { Generated, Measurement, Scenario, Settings } from "../scenario.js";
import { dynamoDbFiles } from "../shapes/dynamodb.js";
import { redisStrings } from "../shapes/redis.js";
import { emptyBuckets, s3SmallObjects } from "../shapes/s3.js";
import type { Shape } from "../shapes/shape.js";
import { sqsStandard } from "../shapes/sqs.js";

/** A moment each, and noisy: so often for each round of the others. */
const RUNS_A_ROUND = 5;
const EMPTY = "an empty program with yargs";
const MOST_TIMES_AN_EMPTY_PROGRAM = 1.5;
const MOST_SECONDS_FOR_TEN = 1;

const TEN = 10;
/** So many records in all. */
const PARTS: readonly { readonly shape: Shape; readonly size: number }[] = [
  { shape: redisStrings({ expireEvery: 2, chars: 20 }), size: 3 },
  { shape: dynamoDbFiles, size: 2 },
  { shape: { ...s3SmallObjects, empty: emptyBuckets }, size: 3 },
  { shape: sqsStandard, size: 2 },
];

export const helpScenario: Scenario = {
  name: "speed/startup-help",
  title: "--help, runs",
  size: RUNS_A_ROUND,
  measure: async (settings) => await withScratch((scratch) => measureHelp(settings, scratch)),
};

async function measureHelp(settings: Settings, scratch: string): Promise<Measurement> {
  const ours: Contestant = { name: OURS, command: () => ourCommand(["--help"], runIn(scratch, settings)) };
  const empty: Contestant = { name: EMPTY, command: () => nodeScript("empty-yargs.mjs", ["--help"]) };
  const rounds = settings.profiles === undefined ? settings.rounds * RUNS_A_ROUND : 1;
  const end = await contest(settings.peers ? [ours, empty] : [ours], { rounds, tell: () => undefined });
  const value = timeRatio(end.standings[0], [end.standings[1]]);
  return {
    ...{ scenario: helpScenario.name, title: helpScenario.title, size: rounds, dumpBytes: 0, records: 0, server: "" },
    goals: settings.peers ? [{ what: `time ÷ ${EMPTY}`, atMost: MOST_TIMES_AN_EMPTY_PROGRAM, value }] : [],
    ...memoryOf(end),
  };
}

export const tenRecordsScenario: Scenario = {
  name: "speed/startup-restore",
  title: "records over four adapters",
  size: TEN,
  generate: generateParts,
  measure: async (settings) =>
    await withScratch(
      async (scratch) =>
        await withDump({ generate: generateParts }, TEN, (dump) => measureTen({ settings, scratch, dump })),
    ),
};

async function generateParts(dump: BigDump): Promise<Generated> {
  let records = 0;
  for (const { shape, size } of PARTS) records += (await shape.generate(dump, size)).records;
  return { records };
}

async function measureTen(ready: DumpReady): Promise<Measurement> {
  const { settings } = ready;
  const targets: Target[] = [];
  try {
    for (const { shape } of PARTS) targets.push(await Target.start(shape));
    const ours = restoreOfTen(ready, targets);
    const profiled = settings.profiles !== undefined;
    const end = await contest([ours], settings, profiled ? undefined : ours);
    const description = targets.map((target) => target.description).join(", ");
    const value = end.standings[0]?.median?.seconds;
    return {
      ...measurementOf(tenRecordsScenario, { ...ready, target: { description } }, end),
      goals: [{ what: "time", atMost: MOST_SECONDS_FOR_TEN, unit: "s", value }],
    };
  } finally {
    for (const target of targets) await target.stop();
  }
}

function restoreOfTen({ settings, scratch, dump }: DumpReady, targets: readonly Target[]): Contestant {
  const parts = PARTS.flatMap(({ shape, size }, index) => {
    const target = targets[index];
    return target === undefined ? [] : [{ shape, size, target }];
  });
  return ourRestore({
    run: runIn(scratch, settings),
    dump,
    servers: () => parts.map(({ shape, target }) => ({ adapter: shape.adapter, server: target.server })),
    async empty() {
      for (const { target } of parts) await target.empty();
    },
    async check() {
      const found: string[] = [];
      for (const { shape, size, target } of parts) {
        found.push(...(await shape.check(target.server, { size, generated: dump.generated })));
      }
      return found;
    },
  });
}
