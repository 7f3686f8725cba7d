/**
 * Which records a retry restores: those that a report lists with some outcomes, by their places in the dump. Read before
 * anything is asked of dump or target.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { OutcomeKind } from "../model/outcome.js";
import type { Place } from "../model/position.js";
import { type Adapter, scopeLabel } from "../model/scope.js";
import { MODE_NAMES } from "../modes/mode.js";
import { SpillingSet } from "../support/spilling-set.js";
import { jobDirectory } from "./job/job-file.js";
import { listedRecordSchema } from "./journal/entries.js";
import { readListed } from "./journal/listed-file.js";
import type { ListedRecord } from "./listed-record.js";

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

export type RetriableReport = z.infer<typeof retriableSchema>;

/** The records of a retry. */
export interface Retry {
  /** The report's path, for people. */
  readonly report: string;
  /** Digest of the dump that it is about. */
  readonly dump: string;
  /** Names these records: another one for others. */
  readonly digest: string;
  readonly count: number;
  /** Where they stand. */
  readonly scopes: readonly { readonly adapter: Adapter; readonly name: string }[];
  wants(place: Place): boolean;
  /** Removes what is temporary. Repeatable. */
  close(): void;
}

/** @throws RestoreError USAGE when the file is no report that can be read */
export async function readRetriable(path: string): Promise<RetriableReport> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RestoreError("USAGE", `the report ${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    return retriableSchema.parse(JSON.parse(text));
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
  const places = new SpillingSet(init.workDirectory);
  const scopes = new Map<string, { readonly adapter: Adapter; readonly name: string }>();
  const hash = createHash("sha256");
  let count = 0;
  for await (const { adapter, scope: name, outcome, ...place } of await wholeList(init, report)) {
    if (!outcomes.includes(outcome) || !places.add(placeKey(place))) continue;
    scopes.set(scopeLabel({ adapter, name }), { adapter, name });
    hash.update(`${placeKey(place)}\n`);
    count++;
  }
  if (count === 0) throw nothing(path, outcomes);
  return {
    report: path,
    dump: report.dump.digest,
    digest: hash.digest("hex"),
    count,
    scopes: [...scopes.values()],
    wants: (place) => places.has(placeKey(place)),
    close: () => places.close(),
  };
}

/** Also for a run that retries nothing. @throws RestoreError USAGE for a report about another dump */
export function assertSameDump(retry: Pick<Retry, "dump" | "report"> | undefined, digest: string): void {
  if (retry === undefined || retry.dump === digest) return;
  throw new RestoreError("USAGE", `the report ${retry.report} belongs to another dump`, {
    hint: "Nothing was written. Name the dump that it was made of with --dump; one that was edited since is another one.",
  });
}

/** The first list that holds as many records as the report counted. */
async function wholeList(init: RetryInit, report: RetriableReport): Promise<AsyncIterable<ListedRecord>> {
  const { path, stateDirectory } = init;
  const { rejectsFile, listed, listedCount } = report;
  const files = [
    join(jobDirectory(stateDirectory, report.job), "listed.jsonl"),
    ...(rejectsFile === undefined ? [] : [join(dirname(path), basename(rejectsFile)), resolve(rejectsFile)]),
  ];
  if (listed.length === listedCount) return each(listed as readonly ListedRecord[]);
  for (const file of files) if ((await countIn(file)) === listedCount) return readListed(file);
  throw new RestoreError("USAGE", `the list of what ${path} could not restore is not there`, {
    hint: `It has ${listedCount} lines and stood in ${rejectsFile ?? "the job's folder"}; put it beside the report.`,
  });
}

async function countIn(file: string): Promise<number | undefined> {
  let count = 0;
  try {
    for await (const _ of readListed(file)) count++;
    return count;
  } catch {
    return undefined;
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function placeKey({ path, line }: Place): string {
  return line === undefined ? path : `${path}\0${line}`;
}

function nothing(path: string, outcomes: readonly OutcomeKind[]): RestoreError {
  return new RestoreError("USAGE", `${path} lists no record that ended ${outcomes.join(" or ")}`, {
    hint: "There is nothing to restore again. --only ambiguous sends messages again that may be there already.",
  });
}
