/**
 * Reads every record of a scope and counts, writing nothing: for the check of a dump alone. Each record is read as a
 * restore would read it, so what is malformed shows here first.
 */
import type { DumpRecord, FaultyRecord } from "../model/record.js";
import type { ProgressSink } from "./progress.js";
import { type RecordSource, runRecords } from "./run-records.js";

export interface ScopeSurvey {
  readonly records: number;
  /** Records that cannot be read, whole or in part. */
  readonly malformed: number;
  readonly warnings: readonly string[];
}

export interface SurveyOptions {
  readonly source: RecordSource;
  readonly onMalformed?: (record: FaultyRecord) => void | Promise<void>;
  readonly progress: ProgressSink;
  readonly signal?: AbortSignal;
}

const TOLD_EVERY = 256;

export async function surveyScope(options: SurveyOptions): Promise<ScopeSurvey> {
  const { source, progress, signal } = options;
  const { scope, reader } = source;
  const counts = { records: 0, malformed: 0 };
  for await (const record of runRecords(source)) {
    signal?.throwIfAborted();
    if (record.kind === "left-out") continue;
    counts.records++;
    if (counts.records % TOLD_EVERY === 0) progress.report({ type: "surveyed", scope, records: counts.records });
    const fault = faultOf(record);
    if (fault === undefined) continue;
    counts.malformed++;
    await options.onMalformed?.(fault);
  }
  return { ...counts, warnings: reader.warnings };
}

/** What a restore would reject: a record that cannot be read, or a stream of which some entries cannot. */
function faultOf(record: DumpRecord): FaultyRecord | undefined {
  if (record.kind === "faulty") return record;
  const [first] = record.kind === "stream" ? record.faultyEntries : [];
  if (record.kind !== "stream" || first === undefined) return undefined;
  const { place, after, displayKey, bytes, key, faultyEntries } = record;
  const detail = `${faultyEntries.length} of its entries cannot be read, the first in line ${first.place.line}`;
  return { kind: "faulty", outcome: "rejected", reason: first.reason, detail, place, after, displayKey, bytes, key };
}
