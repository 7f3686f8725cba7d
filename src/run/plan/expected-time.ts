/**
 * How long a run is expected to take: the longer of what its rate limits allow and of what earlier restores into the same
 * endpoint achieved. Where neither is known nothing is said.
 */
import { ADAPTERS, type Adapter } from "../../model/scope.js";
import type { RateLimit, RateLimits } from "../rates.js";
import { SCOPES_AT_ONCE } from "../replay.js";
import type { PastRate } from "./past-restores.js";
import type { ExpectedTime } from "./plan-schema.js";

/** What a scope asks of its target. */
export interface ScopeDemand {
  readonly adapter: Adapter;
  /** Records that reach the target. */
  readonly records: number;
  readonly bytes: number;
}

export interface TimeQuestion {
  readonly demands: readonly ScopeDemand[];
  readonly limits: RateLimits;
  readonly past: ReadonlyMap<Adapter, PastRate>;
}

type AdapterTime = ExpectedTime["adapters"][number];

/** Adapters work side by side; a limit for all is spent by all of them together. */
export function expectedTime({ demands, limits, past }: TimeQuestion): ExpectedTime {
  const shared = limitedSeconds(demands, limits.all);
  const adapters = ADAPTERS.flatMap((adapter) => {
    const own = demands.filter((demand) => demand.adapter === adapter && demand.records > 0);
    if (own.length === 0) return [];
    const limited = longest([limitedSeconds(own, limits[adapter]), shared]);
    return [timeOf(adapter, limited, pastTime(own, past.get(adapter)))];
  });
  const isKnown = adapters.every(({ seconds }) => seconds !== undefined);
  return isKnown ? { seconds: longest(adapters.map(({ seconds }) => seconds)) ?? 0, adapters } : { adapters };
}

function timeOf(
  adapter: Adapter,
  limited: number | undefined,
  measured: { readonly seconds: number; readonly past: PastRate } | undefined,
): AdapterTime {
  const seconds = longest([limited, measured?.seconds]);
  const by = seconds === undefined ? undefined : seconds === measured?.seconds ? "past-restores" : "rate-limit";
  return {
    adapter,
    ...(seconds === undefined ? {} : { seconds }),
    ...(by === undefined ? {} : { by }),
    ...(measured === undefined ? {} : { past: measured.past }),
  };
}

function longest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : tenths(Math.max(...known));
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function limitedSeconds(demands: readonly ScopeDemand[], limit: RateLimit | undefined): number | undefined {
  if (limit === undefined) return undefined;
  const sum = (of: (demand: ScopeDemand) => number) => demands.reduce((total, demand) => total + of(demand), 0);
  const { opsPerSecond = Infinity, bytesPerSecond = Infinity } = limit;
  return Math.max(sum(({ records }) => records) / opsPerSecond, sum(({ bytes }) => bytes) / bytesPerSecond);
}

/** As the run does it: scopes in their order, some at once. */
function pastTime(demands: readonly ScopeDemand[], past: PastRate | undefined) {
  if (past === undefined) return undefined;
  const { recordsPerSecond, bytesPerSecond } = past;
  if (recordsPerSecond === 0) return undefined;
  const ends = new Array<number>(SCOPES_AT_ONCE).fill(0);
  for (const { records, bytes } of demands) {
    const byBytes = bytesPerSecond === 0 ? 0 : bytes / bytesPerSecond;
    const first = ends.indexOf(Math.min(...ends));
    ends[first] = (ends[first] ?? 0) + Math.max(records / recordsPerSecond, byBytes);
  }
  return { seconds: tenths(Math.max(...ends)), past };
}
