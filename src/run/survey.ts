/**
 * Reads every record of a scope and counts, writing nothing: for plans and for the check of a dump alone. Each record is
 * read as a restore would read it, so what is malformed shows here first.
 */
import type { DumpRecord, FaultyRecord } from "../model/record.js";
import type { ProgressSink } from "./progress.js";
import { type RecordSource, runRecords } from "./run-records.js";

export interface ScopeSurvey {
  readonly records: number;
  /** Payload bytes of the records that can be read. */
  readonly bytes: number;
  /** Records that cannot be read, whole or in part, and those that the transform failed for. */
  readonly malformed: number;
  /** Records whose expiry is past by the TTL policy. */
  readonly expired: number;
  /** Collections without elements, which Redis cannot hold. */
  readonly empty: number;
  /** Records that the transform drops. They are not among `records`. */
  readonly leftOut: number;
  readonly warnings: readonly string[];
}

export interface SurveyOptions {
  readonly source: RecordSource;
  /** Whether the TTL policy leaves out a key with this expiry. */
  readonly isExpired: (expireAtMs: bigint | undefined) => boolean;
  readonly onMalformed?: (record: FaultyRecord) => void | Promise<void>;
  readonly progress: ProgressSink;
  readonly signal?: AbortSignal;
}

export async function surveyScope(options: SurveyOptions): Promise<ScopeSurvey> {
  const { source, progress, signal } = options;
  const { scope, reader } = source;
  const counts = { records: 0, bytes: 0, malformed: 0, expired: 0, empty: 0, leftOut: 0 };
  for await (const record of runRecords(source)) {
    signal?.throwIfAborted();
    if (record.kind === "left-out") {
      counts.leftOut++;
      continue;
    }
    counts.records++;
    if (counts.records % 256 === 0) progress.report({ type: "surveyed", scope, records: counts.records });
    const fault = faultOf(record);
    if (fault !== undefined) {
      counts.malformed++;
      await options.onMalformed?.(fault);
    }
    if (record.kind === "faulty") continue;
    counts.bytes += record.bytes;
    if (fault !== undefined) continue;
    if (isEmpty(record)) counts.empty++;
    else if ("key" in record && record.kind !== "object" && options.isExpired(record.expireAtMs)) counts.expired++;
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

function isEmpty(record: DumpRecord): boolean {
  return record.kind === "collection" && record.count === 0;
}
