/** What every measurement says of itself, whether there was something to measure or not. */
import type { ContestEnd } from "./contest.js";
import type { ReadyDump } from "./ground.js";
import { LIMIT_BYTES } from "./limit.js";
import { OURS } from "./ours.js";
import type { Measurement, Scenario } from "./scenario.js";

type Named = Pick<Scenario, "name" | "size" | "title">;

/** Of one that could not be made. */
export function unmeasured(
  { name: scenario, title, size }: Named,
  why: Partial<Pick<Measurement, "faults" | "skipped">>,
): Measurement {
  return {
    ...{ scenario, title, size, dumpBytes: 0, records: 0, server: "", standings: [], goals: [] },
    ...{ peakBytes: 0, limitBytes: 0, faults: [], ...why },
  };
}

/** Of a dump, and a server where there is one. */
export function measurementOf(
  { name: scenario, title }: Pick<Named, "name" | "title">,
  { dump, target }: { readonly dump: ReadyDump; readonly target?: { readonly description: string } },
  end: ContestEnd,
): Omit<Measurement, "goals"> {
  return {
    ...{ scenario, title, size: dump.size, dumpBytes: dump.bytes, records: dump.generated.records },
    server: target?.description ?? "",
    ...memoryOf(end),
  };
}

/** What the tool's runs held at most, and a fault where that was too much: a limit of memory is one on every machine. */
export function memoryOf({ standings, faults }: ContestEnd) {
  const [ours] = standings;
  const peakBytes = Math.max(0, ...(ours?.runs ?? []).map((run) => run.peakBytes));
  const over = peakBytes <= LIMIT_BYTES ? [] : [`${ours?.name ?? OURS}: it held more than its limit`];
  return { standings, peakBytes, limitBytes: LIMIT_BYTES, faults: [...faults, ...over] };
}
