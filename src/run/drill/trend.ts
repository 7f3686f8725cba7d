/** How long a drill's restore took beside the last ones of the same dumps. Pure. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { scopeLabel } from "../../model/scope.js";
import type { HistoryLine } from "./history.js";
import type { NamedScope } from "./names.js";

export interface Trend {
  /** Drills that it is compared with, newest last. */
  readonly drills: readonly Pick<
    HistoryLine,
    "drill" | "recordsPerSecond" | "records" | "restoreMs" | "startedAt" | "verdict"
  >[];
  readonly medianMs?: number;
  /** Where it was slower than the median by more than is allowed. */
  readonly remark?: string;
}

export interface TrendInit {
  readonly series: string;
  readonly history: readonly HistoryLine[];
  /** How many of the last ones count. */
  readonly last: number;
  /** Per cent by which it may be slower. */
  readonly percent: number;
  readonly restoreMs?: number;
  readonly records: number;
}

/** Fewer say nothing of what is usual. */
const FEWEST = 3;

/**
 * The same for drills that can be compared: dumps that stand in one folder, the same scopes, the same kind of target.
 * `root`: the folder that a dump was picked from, if it was.
 */
export function seriesOf(
  dump: { readonly path: string; readonly root?: string },
  scopes: readonly NamedScope[],
  target: string,
): string {
  const parts = [dump.root ?? dirname(dump.path), ...scopes.map(scopeLabel).sort(), target];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** Only drills whose restore came to its end are compared. */
export function trendOf({ series, history, last, percent, restoreMs, records }: TrendInit): Trend {
  const drills = history
    .filter((line) => line.series === series && line.restoreMs !== undefined)
    .slice(-last)
    .map(({ drill, startedAt, verdict, restoreMs: ms, records: held, recordsPerSecond }) => ({
      drill,
      startedAt,
      verdict,
      records: held,
      ...(ms === undefined ? {} : { restoreMs: ms }),
      ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }),
    }));
  const medianMs = median(drills.flatMap(({ restoreMs: ms }) => (ms === undefined ? [] : [ms])));
  if (medianMs === undefined) return { drills };
  const more = restoreMs === undefined ? 0 : Math.round((restoreMs / Math.max(medianMs, 1) - 1) * 100);
  if (more <= percent || drills.length < FEWEST) return { drills, medianMs };
  const usual = median(drills.map((drill) => drill.records));
  const grown = usual === undefined || usual === records ? "" : ` (${records} records now, ${usual} then)`;
  return {
    drills,
    medianMs,
    remark: `the restore took ${more} % longer than the median of the last ${drills.length} drills${grown}`,
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return undefined;
  const [below = 0, above = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (below + above) / 2;
}
