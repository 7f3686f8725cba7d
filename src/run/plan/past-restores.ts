/**
 * What restores into an endpoint achieved, from the reports of jobs that ended on this machine. A rate is of one scope: a
 * run works on some at once.
 */
import { stat } from "node:fs/promises";
import * as z from "zod";
import { OUTCOMES } from "../../model/outcome.js";
import { ADAPTERS, type Adapter } from "../../model/scope.js";
import { endReportPath, readEnd } from "../job/job-end.js";
import { jobIds } from "../job/job-file.js";

export interface PastRate {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  /** The jobs that it was measured in, newest first. */
  readonly jobs: readonly string[];
}

export interface PastQuestion {
  readonly stateDirectory: string;
  readonly targets: readonly { readonly adapter: Adapter; readonly endpoint: string }[];
}

const count = z.number().nonnegative();

/** Of a report, what tells a rate; reports of other versions may say more. */
const pastReport = z.object({
  job: z.string(),
  targets: z.array(z.object({ adapter: z.enum(ADAPTERS), endpoint: z.string() })),
  scopes: z.array(
    z.object({
      adapter: z.enum(ADAPTERS),
      decision: z.string(),
      outcomes: z.partialRecord(z.enum(OUTCOMES), count),
      bytesRestored: count,
      durationMs: count,
    }),
  ),
});

type PastReport = z.infer<typeof pastReport>;

/** Newest ones; what was long ago was measured under other circumstances. */
const JOBS_MEASURED = 3;
const REPORTS_READ = 50;
/** A scope with less than that tells how long one takes to be made, not how fast it is filled. */
const LEAST = { records: 1000, bytes: 8 * 1024 * 1024, ms: 1000 };

/** Adapters into whose endpoint nothing was restored are left out. Reports that cannot be read are passed over. */
export async function pastRates({ stateDirectory, targets }: PastQuestion): Promise<ReadonlyMap<Adapter, PastRate>> {
  const measured = new Map<Adapter, (Work & { readonly job: string })[]>(targets.map(({ adapter }) => [adapter, []]));
  for (const id of await newestEnded(stateDirectory)) {
    const report = await readReport(stateDirectory, id);
    if (report === undefined) continue;
    for (const target of targets) {
      const works = measured.get(target.adapter);
      const work = workInto(report, target);
      if (work !== undefined && works !== undefined && works.length < JOBS_MEASURED) works.push(work);
    }
    if ([...measured.values()].every((works) => works.length >= JOBS_MEASURED)) break;
  }
  return new Map([...measured].flatMap(([adapter, works]) => (works.length === 0 ? [] : [[adapter, rateOf(works)]])));
}

async function newestEnded(stateDirectory: string): Promise<string[]> {
  const ended: { id: string; endedAtMs: number }[] = [];
  for (const id of await jobIds(stateDirectory).catch(() => [])) {
    const found = await stat(endReportPath(stateDirectory, id)).catch(() => undefined);
    if (found !== undefined) ended.push({ id, endedAtMs: found.mtimeMs });
  }
  ended.sort((a, b) => b.endedAtMs - a.endedAtMs);
  return ended.slice(0, REPORTS_READ).map(({ id }) => id);
}

async function readReport(stateDirectory: string, id: string): Promise<PastReport | undefined> {
  try {
    return pastReport.parse(JSON.parse((await readEnd(stateDirectory, id)) ?? ""));
  } catch {
    return undefined;
  }
}

interface Work {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
}

/** What the job did to the target; undefined where it did too little to tell a rate. */
function workInto({ job, targets, scopes }: PastReport, { adapter, endpoint }: PastReport["targets"][number]) {
  if (!targets.some((target) => target.adapter === adapter && target.endpoint === endpoint)) return undefined;
  const works = scopes
    .filter((scope) => scope.adapter === adapter && scope.decision !== "skip")
    .map(workOf)
    .filter(({ records, bytes, ms }) => ms >= LEAST.ms && (records >= LEAST.records || bytes >= LEAST.bytes));
  return works.length === 0 ? undefined : { job, ...together(works) };
}

function workOf({ outcomes, bytesRestored, durationMs }: PastReport["scopes"][number]): Work {
  const { restored = 0, "skipped-existing": existing = 0 } = outcomes;
  return { records: restored + existing, bytes: bytesRestored, ms: durationMs };
}

function together(works: readonly Work[]): Work {
  const sum = (of: (work: Work) => number) => works.reduce((total, work) => total + of(work), 0);
  return { records: sum(({ records }) => records), bytes: sum(({ bytes }) => bytes), ms: sum(({ ms }) => ms) };
}

function rateOf(jobs: readonly (Work & { readonly job: string })[]): PastRate {
  const { records, bytes, ms } = together(jobs);
  return {
    recordsPerSecond: Math.round((records / ms) * 10_000) / 10,
    bytesPerSecond: Math.round((bytes / ms) * 1000),
    jobs: jobs.map(({ job }) => job),
  };
}
