/**
 * The records of a scope as a run takes them: those whose keys are selected, each through the transform where there is
 * one. Every reading of a scope comes through here, so that all of them see the same records.
 */
import { RestoreError } from "../errors/restore-error.js";
import type { Position } from "../model/position.js";
import type { DumpRecord, UnjudgedCollection, WritableRecord } from "../model/record.js";
import { type Scope, scopeLabel } from "../model/scope.js";
import type { Dump } from "../readers/dump.js";
import type { ScopeReader } from "../readers/scope-reader.js";
import { Breath, eachOf } from "../support/breathing.js";
import { SpillingSet } from "../support/spilling-set.js";
import type { RunControl } from "./control.js";
import type { Retry } from "./retry.js";
import type { Selection } from "./selection.js";
import { duplicate, type RunRecord, type Transform, transformRecord } from "./transform/transform.js";

export interface RecordSource {
  readonly reader: ScopeReader;
  readonly scope: Scope;
  /** Asked with the key that a record has in the dump. */
  readonly wantsKey: (displayKey: string) => boolean;
  /** Only records that stand at one of its places. */
  readonly retry?: Pick<Retry, "wants">;
  readonly transform?: Transform;
  /** Takes keys that do not fit into memory. */
  readonly workDirectory: string;
  /** Paused, no more is read. */
  readonly control?: RunControl;
  readonly signal?: AbortSignal;
}

export interface RecordsInit {
  readonly dump: Pick<Dump, "reader">;
  readonly selection: Pick<Selection, "wantsKey">;
  readonly options: {
    readonly transform?: Transform;
    readonly retry?: Pick<Retry, "wants">;
    readonly workRoot: string;
    readonly control?: RunControl;
  };
  readonly signal?: AbortSignal;
}

export function recordSource({ dump, selection, options, signal }: RecordsInit, scope: Scope): RecordSource {
  const { transform, retry, workRoot, control } = options;
  return {
    reader: dump.reader(scope),
    scope,
    wantsKey: (key) => selection.wantsKey(key),
    workDirectory: workRoot,
    ...(transform === undefined ? {} : { transform }),
    ...(retry === undefined ? {} : { retry }),
    ...(control === undefined ? {} : { control }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** As `runBatches`, one by one. Paused, no more is handed out. */
export async function* runRecords(source: RecordSource, from?: Position): AsyncGenerator<RunRecord> {
  for await (const record of eachOf(runBatches(source, from))) {
    if (source.control?.isPaused === true) await source.control.pass(source.signal);
    yield record;
  }
}

/**
 * The scope's records, behind `from` where it is given, some at a time. May be called again for a second reading, which
 * calls the transform again. Paused, no more is read.
 * @throws RestoreError INTERRUPTED, and as the reader does
 */
export function runBatches(source: RecordSource, from?: Position): AsyncGenerator<readonly RunRecord[]> {
  const { reader, transform } = source;
  return transform === undefined ? wanted(source, reader.batches(from)) : transformed({ ...source, transform }, from);
}

export type RecordToWrite = RunRecord | UnjudgedCollection;

/** As `runBatches`, for who writes them: some are judged only then. */
export function batchesToWrite(source: RecordSource, from?: Position): AsyncGenerator<readonly RecordToWrite[]> {
  const { reader, transform } = source;
  return transform === undefined && reader.batchesToWrite !== undefined
    ? wanted(source, reader.batchesToWrite(from))
    : runBatches(source, from);
}

async function* wanted<T extends DumpRecord | UnjudgedCollection>(
  source: RecordSource,
  batches: AsyncIterable<readonly T[]>,
): AsyncGenerator<readonly T[]> {
  const breath = new Breath();
  for await (const batch of batches) {
    if (breath.isDue(batch.length)) await breath.take();
    if (source.control?.isPaused === true) await source.control.pass(source.signal);
    yield batch.filter((record) => wants(source, record));
  }
}

/**
 * What a target is asked about, or sent, as opposed to counted.
 *
 * Keys that are not selected are asked about too, for what stands under them tells that a scope is in use; messages that
 * are not selected are not, for they would keep deduplication ids from those that are.
 */
export async function* ownRecords(source: RecordSource): AsyncGenerator<WritableRecord> {
  const isAsked = source.scope.adapter !== "sqs";
  const { transform, ...rest } = source;
  if (transform === undefined) {
    for await (const record of runRecords(isAsked ? { ...rest, wantsKey: () => true } : rest)) {
      if (isWritable(record)) yield record;
    }
    return;
  }
  for await (const record of runRecords(source)) if (isWritable(record)) yield record;
  if (!isAsked) return;
  const others = { ...rest, wantsKey: (key: string) => !source.wantsKey(key) };
  for await (const record of runRecords(others)) if (isWritable(record)) yield record;
}

function isWritable(record: RunRecord): record is WritableRecord {
  return record.kind !== "faulty" && record.kind !== "left-out";
}

function wants(
  { wantsKey, retry }: RecordSource,
  { displayKey, place }: Pick<DumpRecord, "displayKey" | "place">,
): boolean {
  return wantsKey(displayKey) && retry?.wants(place) !== false;
}

async function* transformed(
  source: RecordSource & { readonly transform: Transform },
  from: Position | undefined,
): AsyncGenerator<readonly RunRecord[]> {
  const { reader, scope, workDirectory } = source;
  const seen = new SpillingSet(workDirectory);
  // Keys of records before `from` count, and are known only once the transform has made them. Messages have none.
  const skipsAhead = from !== undefined && scope.adapter !== "sqs";
  let isBehind = !skipsAhead;
  try {
    for await (const record of eachOf(reader.batches(skipsAhead ? undefined : from))) {
      if (source.control?.isPaused === true) await source.control.pass(source.signal);
      const yields = isBehind;
      if (!isBehind && from !== undefined) isBehind = isSamePosition(record.after, from);
      if (!wants(source, record)) continue;
      const made = record.kind === "faulty" ? record : await once(record, source, seen);
      if (yields) yield [made];
    }
  } finally {
    seen.close();
  }
  if (isBehind) return;
  throw new RestoreError("INTERNAL", `no record of ${scopeLabel(scope)} ends where the reading should begin`);
}

async function once(
  record: WritableRecord,
  source: RecordSource & { readonly transform: Transform },
  seen: SpillingSet,
): Promise<RunRecord> {
  const made = await transformRecord(record, source);
  if ("kind" in made) return made;
  return made.identity === undefined || seen.add(made.identity) ? made.record : duplicate(record);
}

function isSamePosition(one: Position, other: Position): boolean {
  return one.path === other.path && one.offset === other.offset;
}
