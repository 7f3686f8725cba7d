/**
 * `npm run bench -- memory`: runs measurements one after another, prints a table and keeps it as JSON in `results/`.
 *
 *     npm run bench -- memory                       a group at its full sizes
 *     npm run bench -- memory/redis-list            one of them
 *     npm run bench -- memory --scale 0.01          a quick look
 *     npm run bench -- memory --out results.json    kept elsewhere
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { measure } from "./measure.js";
import type { Measurement, Scenario } from "./scenario.js";
import { SCENARIOS, scenariosNamed } from "./scenarios.js";
import { rowOf, TABLE_HEAD } from "./table.js";

const RESULTS = join(import.meta.dirname, "results");

/** Returns the exit status: 0 when every measurement kept to its limit and its target holds what it should. */
export async function bench(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { scale: { type: "string", default: "1" }, out: { type: "string" } },
  });
  const scale = Number(values.scale);
  const [name = ""] = positionals;
  const chosen = scenariosNamed(name);
  if (chosen.length === 0 || positionals.length !== 1 || !(scale > 0)) {
    console.log(`usage: npm run bench -- <name> [--scale 0.01] [--out FILE]\nnames: ${names().join(", ")}`);
    return 2;
  }
  const measured = await measureAll(chosen, scale);
  const out = values.out ?? join(RESULTS, `${name.replaceAll("/", "-")}${scale === 1 ? "" : `-at-${scale}`}.json`);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify({ ...machine(), scale, measured }, null, 2)}\n`);
  return measured.every(({ faults }) => faults.length === 0) ? 0 : 1;
}

async function measureAll(scenarios: readonly Scenario[], scale: number): Promise<Measurement[]> {
  const measured: Measurement[] = [];
  console.log(TABLE_HEAD);
  for (const scenario of scenarios) {
    const measurement = await measure(scenario, scale);
    measured.push(measurement);
    console.log(rowOf(measurement));
    for (const fault of measurement.faults) console.log(`  ${fault}`);
  }
  return measured;
}

function names(): string[] {
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
  };
}
