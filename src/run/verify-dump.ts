/** Checks a dump alone: manifest, digests, metadata, and, unless told otherwise, every record. Asks no target. */
import type { FaultyRecord } from "../model/record.js";
import { type Adapter, type Scope, scopeLabel } from "../model/scope.js";
import type { Dump } from "../readers/dump.js";
import { present } from "../support/present.js";
import { check, closeAll, openWithWorkDirectory, type RunOptions } from "./prepare.js";
import { recordSource } from "./run-records.js";
import { Selection } from "./selection.js";
import { surveyScope } from "./survey.js";

export interface VerifyDumpOptions
  extends Pick<
    RunOptions,
    "dump" | "workRoot" | "workPrefix" | "allowOrphanBuckets" | "selection" | "progress" | "control" | "signal"
  > {
  /** Stop after manifest, digests and metadata. */
  readonly checksumsOnly: boolean;
}

export interface VerifiedScope {
  readonly adapter: Adapter;
  readonly scope: string;
  readonly files: number;
  readonly bytes: number;
  /** Absent when only checksums were asked for. */
  readonly records?: number;
  readonly malformed?: number;
  readonly warnings: readonly string[];
}

export interface MalformedRecord {
  readonly scope: string;
  readonly path: string;
  readonly line?: number;
  readonly key: string;
  readonly reason: string;
  readonly detail: string;
}

export interface DumpVerification {
  readonly dump: string;
  readonly takenAt: string;
  readonly phase: string;
  readonly files: number;
  readonly bytes: number;
  readonly scopes: readonly VerifiedScope[];
  readonly malformedCount: number;
  /** The first malformed records. */
  readonly malformed: readonly MalformedRecord[];
  readonly warnings: readonly string[];
}

const MALFORMED_KEPT = 1000;

/** @throws RestoreError of the classes usage and dump; malformed records are in the answer */
export async function verifyDump(options: VerifyDumpOptions): Promise<DumpVerification> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const { dump, workDirectory } = await openWithWorkDirectory(options, closers);
    const selection = new Selection(options.selection);
    selection.validate(await dump.outline());
    const checked = await check(dump, options);
    const malformed: MalformedRecord[] = [];
    const scopes: VerifiedScope[] = [];
    for (const scope of await dump.scopes(selection)) {
      scopes.push(
        await verifyScope({ options: { ...options, workRoot: workDirectory }, dump, scope, selection, malformed }),
      );
    }
    return {
      dump: options.dump,
      takenAt: dump.manifest.wallTime.iso,
      phase: dump.manifest.phase,
      ...checked,
      scopes,
      malformedCount: scopes.reduce((sum, scope) => sum + (scope.malformed ?? 0), 0),
      malformed,
      warnings: [...dump.manifest.warnings, ...dump.warnings],
    };
  } finally {
    await closeAll(closers);
    options.progress.report({ type: "finished" });
  }
}

interface ScopeVerification {
  readonly options: VerifyDumpOptions;
  readonly dump: Dump;
  readonly scope: Scope;
  readonly selection: Selection;
  /** Filled. */
  readonly malformed: MalformedRecord[];
}

async function verifyScope(job: ScopeVerification): Promise<VerifiedScope> {
  const { options, dump, scope, selection, malformed } = job;
  const { progress, control, signal } = options;
  const base = { adapter: scope.adapter, scope: scope.name, ...dump.sizeOf(scope) };
  if (options.checksumsOnly) return { ...base, warnings: scope.warnings };
  const survey = await surveyScope({
    source: recordSource(
      { dump, selection, options: { workRoot: options.workRoot, ...present({ control }) }, ...present({ signal }) },
      scope,
    ),
    onMalformed: (record) => {
      if (malformed.length < MALFORMED_KEPT) malformed.push(malformedRecord(scope, record));
    },
    progress,
    ...(signal === undefined ? {} : { signal }),
  });
  const warnings = [...scope.warnings, ...survey.warnings];
  return { ...base, records: survey.records, malformed: survey.malformed, warnings };
}

function malformedRecord(scope: Scope, record: FaultyRecord): MalformedRecord {
  const { place, displayKey, reason, detail } = record;
  return { scope: scopeLabel(scope), ...place, key: displayKey, reason, detail };
}
