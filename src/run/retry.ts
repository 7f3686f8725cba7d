/**
 * Which records a retry restores: those that a restore's report lists with some outcomes, or that a comparison found
 * missing or different, by their places in the dump. Read before anything is asked of dump or target.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { OutcomeKind } from "../model/outcome.js";
import type { Place } from "../model/position.js";
import { type Adapter, scopeLabel } from "../model/scope.js";
import { MODE_NAMES } from "../modes/mode.js";
import { present } from "../support/present.js";
import { SpillingSet } from "../support/spilling-set.js";
import { listedPath } from "./job/job-file.js";
import { listedRecordSchema } from "./journal/entries.js";
import { readListed } from "./journal/listed-file.js";
import type { ListedRecord } from "./listed-record.js";
import { type Found, foundSchema, isMendedByWriting, readFound } from "./verify/found.js";

/** Of a report, what a retry needs; reports of other versions may say more. */
const retriableSchema = z.object({
  reportVersion: z.literal(1),
  job: z.string().regex(/^[0-9a-f]{16}$/),
  dump: z.object({ path: z.string(), digest: z.string() }),
  mode: z.enum(MODE_NAMES),
  listed: z.array(listedRecordSchema),
  listedCount: z.int().nonnegative(),
  rejectsFile: z.string().exactOptional(),
});

type RetriableReport = z.infer<typeof retriableSchema>;

/** Of a comparison's report, what a repair needs. */
const repairableSchema = z.object({
  verificationVersion: z.literal(1),
  dump: z.object({ path: z.string(), digest: z.string() }),
  mode: z.enum(MODE_NAMES),
  differences: z.array(foundSchema),
  differenceCount: z.int().nonnegative(),
  differencesFile: z.string().exactOptional(),
});

type RepairableReport = z.infer<typeof repairableSchema>;

export type ListingReport = RetriableReport | RepairableReport;

/** The records of a retry. */
export interface Retry {
  /** The report's path, for people. */
  readonly report: string;
  /** Digest of the dump that it is about. */
  readonly dump: string;
  /** Names these records: another one for others. */
  readonly digest: string;
  /** Whether they were found missing or different, and not only left over. */
  readonly isRepair: boolean;
  /** Of the records; a scope that is missing whole counts as one. */
  readonly count: number;
  /** Where they stand. */
  readonly scopes: readonly { readonly adapter: Adapter; readonly name: string }[];
  wants(place: Place): boolean;
  /** Removes what is temporary. Repeatable. */
  close(): void;
}

/** @throws RestoreError USAGE when the file is no report that can be read */
export async function readRetriable(path: string): Promise<ListingReport> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RestoreError("USAGE", `the report ${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    return z.union([retriableSchema, repairableSchema]).parse(JSON.parse(text));
  } catch (cause) {
    throw new RestoreError("USAGE", `${path} is no report that can be retried`, {
      hint: "Name the JSON file that --report wrote, or the id of a job.",
      cause,
    });
  }
}

export interface RetryInit {
  /** The report's path. */
  readonly path: string;
  readonly outcomes: readonly OutcomeKind[];
  /** Where the job may stand that wrote it. */
  readonly stateDirectory: string;
  /** Takes a file, where the records are very many. */
  readonly workDirectory: string;
}

/** @throws RestoreError USAGE when the list is missing, or no record ended so */
export async function readRetry(init: RetryInit): Promise<Retry> {
  const { path, outcomes } = init;
  const report = await readRetriable(path);
  const isRepair = "differences" in report;
  const { places, ...found } = isRepair ? await gatherDifferences(init, report) : await gather(init, report);
  if (found.count === 0) {
    places.close();
    throw isRepair ? nothingToMend(path) : nothing(path, outcomes);
  }
  return {
    report: path,
    dump: report.dump.digest,
    isRepair,
    ...found,
    wants: (place) => places.has(placeKey(place)) || wholeScopeOf(place, places),
    close: () => places.close(),
  };
}

interface Gathered extends Pick<Retry, "count" | "digest" | "scopes"> {
  /** Of records, and of scopes that are wanted whole, which end with a slash. */
  readonly places: SpillingSet;
}

/** A scope's directory has two levels: `redis/db_0/`. */
function wholeScopeOf({ path }: Place, places: SpillingSet): boolean {
  const [, scope] = /^([^/]+\/[^/]+\/)/.exec(path) ?? [];
  return scope !== undefined && places.has(scope);
}

/** From the first list that holds as many records as the report counted. */
async function gather(init: RetryInit, report: RetriableReport): Promise<Gathered> {
  const { path, stateDirectory } = init;
  const { rejectsFile, listed, listedCount } = report;
  const files = [
    listedPath(stateDirectory, report.job),
    ...(rejectsFile === undefined ? [] : [join(dirname(path), basename(rejectsFile)), resolve(rejectsFile)]),
  ];
  const isWhole = listed.length === listedCount;
  for (const list of isWhole ? [each(listed as readonly ListedRecord[])] : files.map((file) => readListed(file))) {
    const found = await gatherFrom(list, listedCount, init);
    if (found !== undefined) return found;
  }
  throw new RestoreError("USAGE", `the list of what ${path} could not restore is not there`, {
    hint: `It has ${listedCount} lines and stood in ${rejectsFile ?? "the job's folder"}; put it beside the report.`,
  });
}

/** Undefined when the list cannot be read, or has another number of records. */
async function gatherFrom(
  list: AsyncIterable<ListedRecord>,
  expected: number,
  { outcomes, workDirectory }: RetryInit,
): Promise<Gathered | undefined> {
  const places = new SpillingSet(workDirectory);
  const scopes = new Map<string, { readonly adapter: Adapter; readonly name: string }>();
  const hash = createHash("sha256");
  let [read, count] = [0, 0];
  try {
    for await (const { adapter, scope: name, outcome, ...place } of list) {
      read++;
      if (!outcomes.includes(outcome) || !places.add(placeKey(place))) continue;
      scopes.set(scopeLabel({ adapter, name }), { adapter, name });
      hash.update(`${placeKey(place)}\n`);
      count++;
    }
    if (read === expected) return { places, count, digest: hash.digest("hex"), scopes: [...scopes.values()] };
  } catch (error) {
    // That of the places' own file.
    if (error instanceof RestoreError) {
      places.close();
      throw error;
    }
  }
  places.close();
  return undefined;
}

async function gatherDifferences({ path, workDirectory }: RetryInit, report: RepairableReport): Promise<Gathered> {
  const places = new SpillingSet(workDirectory);
  const scopes = new Map<string, { readonly adapter: Adapter; readonly name: string }>();
  const hash = createHash("sha256");
  let count = 0;
  for await (const found of await allDifferences(path, report)) {
    const { adapter, scope: name, kind, path: file, line } = found;
    // Settings, and what the dump lacks, have no place.
    if (file === undefined || !isMendedByWriting(found)) continue;
    const key = kind === "scope-missing" ? `${file}/` : placeKey(present({ path: file, line }));
    if (!places.add(key)) continue;
    scopes.set(scopeLabel({ adapter, name }), { adapter, name });
    hash.update(`${key}\n`);
    count++;
  }
  return { places, count, digest: hash.digest("hex"), scopes: [...scopes.values()] };
}

async function allDifferences(path: string, report: RepairableReport): Promise<AsyncIterable<Found>> {
  const { differences, differenceCount, differencesFile } = report;
  if (differences.length === differenceCount) return each(differences);
  const file = differencesFile === undefined ? undefined : join(dirname(path), basename(differencesFile));
  for (const one of [file, differencesFile]) {
    if (one !== undefined && (await stat(one).catch(() => undefined))?.isFile() === true) return readFound(one);
  }
  throw new RestoreError("USAGE", `the list of what ${path} found is not there`, {
    hint: `It has ${differenceCount} lines and stood in ${differencesFile ?? "a file beside the report"}.`,
  });
}

/** Also for a run that retries nothing. @throws RestoreError USAGE for a report about another dump */
export function assertSameDump(retry: Pick<Retry, "dump" | "report"> | undefined, digest: string): void {
  if (retry === undefined || retry.dump === digest) return;
  throw new RestoreError("USAGE", `the report ${retry.report} belongs to another dump`, {
    hint: "Nothing was written. Name the dump that it was made of with --dump; one that was edited since is another one.",
  });
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function placeKey({ path, line }: Place): string {
  return line === undefined ? path : `${path}\0${line}`;
}

function nothingToMend(path: string): RestoreError {
  return new RestoreError("USAGE", `${path} names no record of the dump that is missing or differs`, {
    hint: "There is nothing to restore again. Settings and records that the dump lacks are mended by `verify --repair`.",
  });
}

function nothing(path: string, outcomes: readonly OutcomeKind[]): RestoreError {
  return new RestoreError("USAGE", `${path} lists no record that ended ${outcomes.join(" or ")}`, {
    hint: "There is nothing to restore again. --only ambiguous sends messages again that may be there already.",
  });
}
