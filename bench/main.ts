/**
 * `npm run bench`: measurements one after another, as a table, and as JSON in `results/`.
 *
 *     npm run bench                                  speed beside peers, all of it
 *     npm run bench -- redis-strings                 one scenario
 *     npm run bench -- memory                        a group
 *     npm run bench -- redis-strings --profile       where the tool's time goes
 *     npm run bench -- --help                        the rest
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { reasonOf } from "../testcontainers/ready.js";
import { BigDump } from "./big-dump.js";
import { scaled } from "./ground.js";
import { unmeasured } from "./measurement.js";
import { describeProfiles } from "./profile.js";
import type { Measurement, Scenario, Settings } from "./scenario.js";
import { SCENARIOS, scenariosNamed } from "./scenarios.js";
import { describeGoal, rowsOf, TABLE_HEAD } from "./table.js";
import { BIN } from "./watched-process.js";

const RESULTS = join(import.meta.dirname, "results");
const USUAL_GROUP = "speed";

const USAGE = `usage: npm run bench -- [name ...] [options]

  --scale 0.01     so much of the full size
  --rounds 3       how often each contestant runs
  --ours           without the peers
  --bin FILE       another build's bin/elastickv-restore.js
  --profile        run ours once under V8's profiler, and say where its time went
  --dump DIR       write the scenario's dump there, and do nothing else
  --out FILE       results elsewhere than in bench/results/`;

const OPTIONS = {
  scale: { type: "string", default: "1" },
  rounds: { type: "string", default: "3" },
  ours: { type: "boolean", default: false },
  bin: { type: "string", default: BIN },
  profile: { type: "boolean", default: false },
  dump: { type: "string" },
  out: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Returns the exit status: 0 when every run ended whole, within the limit of memory, and its target held what it should. */
export async function bench(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(argv);
  const names = positionals.length === 0 ? [USUAL_GROUP] : positionals;
  const chosen = SCENARIOS.filter((scenario) => names.some((name) => scenariosNamed(name).includes(scenario)));
  const [scale, rounds] = [Number(values.scale), Number(values.rounds)];
  const isKnown = names.every((name) => scenariosNamed(name).length > 0);
  if (values.help || !isKnown || !(scale > 0) || !(Number.isSafeInteger(rounds) && rounds > 0)) {
    console.log(`${USAGE}\n\nnames: ${known().join(", ")}`);
    return values.help ? 0 : 2;
  }
  if (values.dump !== undefined) return await writeDump(chosen, { path: values.dump, scale });
  const profiles = values.profile ? await mkdtemp(join(tmpdir(), "elastickv-restore-profile-")) : undefined;
  const settings: Settings = {
    ...{ scale, rounds: values.profile ? 1 : rounds, bin: resolve(values.bin) },
    peers: !values.ours && !values.profile,
    ...(profiles === undefined ? {} : { profiles }),
    tell: (line) => process.stderr.write(`${line}\n`),
  };
  const measured = await measureAll(chosen, settings);
  if (profiles !== undefined) console.log((await describeProfiles(profiles)).join("\n"));
  else await keep(measured, values.out ?? join(RESULTS, fileName(names, scale)), settings);
  return measured.every(({ faults }) => faults.length === 0) ? 0 : 1;
}

/** What cannot be understood asks for help. */
function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    console.log(reasonOf(error));
    return parseArgs({ args: ["--scale", "0"], allowPositionals: true, options: OPTIONS });
  }
}

async function measureAll(scenarios: readonly Scenario[], settings: Settings): Promise<Measurement[]> {
  const measured: Measurement[] = [];
  console.log(TABLE_HEAD);
  for (const scenario of scenarios) {
    settings.tell(scenario.name);
    // The others are measured all the same.
    const measurement = await scenario
      .measure(settings)
      .catch((error: unknown) => unmeasured(scenario, { faults: [reasonOf(error)] }));
    measured.push(measurement);
    for (const row of rowsOf(measurement)) console.log(row);
    for (const goal of measurement.goals) settings.tell(`  ${describeGoal(goal)}`);
    for (const fault of measurement.faults) settings.tell(`  FAULT: ${fault}`);
  }
  return measured;
}

async function writeDump(scenarios: readonly Scenario[], { path, scale }: { path: string; scale: number }) {
  for (const scenario of scenarios) {
    if (scenario.generate === undefined) {
      console.log(`${scenario.name}: there is no dump in it`);
      continue;
    }
    const dump = await BigDump.create(scenarios.length === 1 ? path : join(path, scenario.name.replaceAll("/", "-")));
    await scenario.generate(dump, scaled(scenario.size, scale));
    await dump.seal();
    console.log(`${scenario.name}: ${dump.path}`);
  }
  return 0;
}

async function keep(measured: readonly Measurement[], out: string, { scale, rounds }: Settings): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify({ ...machine(), scale, rounds, measured }, null, 2)}\n`);
  const table = [TABLE_HEAD, ...measured.flatMap(rowsOf)].join("\n");
  await writeFile(`${out.replace(/\.json$/u, "")}.md`, `${table}\n`);
}

function fileName(names: readonly string[], scale: number): string {
  return `${names.join("+").replaceAll("/", "-")}${scale === 1 ? "" : `-at-${scale}`}.json`;
}

function known(): string[] {
  const groups = new Set(SCENARIOS.map(({ name }) => name.split("/")[0] ?? name));
  return [...groups, ...SCENARIOS.map(({ name }) => name)];
}

/** Results mean little without it. */
function machine(): object {
  const processors = cpus();
  return {
    measuredAt: new Date().toISOString(),
    node: process.version,
    processors: `${processors.length} × ${processors[0]?.model ?? "unknown"}`,
    memoryBytes: totalmem(),
    loadAverages: loadavg(),
  };
}
