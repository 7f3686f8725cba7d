/** What every way of comparing a scope needs. */
import { interrupted } from "../../errors/interruption.js";
import type { Place } from "../../model/position.js";
import type { DumpRecord, WritableRecord } from "../../model/record.js";
import type { Scope } from "../../model/scope.js";
import type { Comparing, Verifier } from "../../replayers/verifier.js";
import type { ConnectedRun } from "../prepare.js";
import { recordSource, runRecords } from "../run-records.js";
import type { Checkpoints } from "./checkpoint.js";
import type { Standing } from "./counts.js";
import { isSampled, type Sample } from "./sample.js";
import type { ScopeTally } from "./scope-tally.js";

export interface HowToVerify {
  readonly comparing: Comparing;
  /** How often what differs is looked at, 1 or more. */
  readonly looks: number;
  /** Milliseconds between two looks. */
  readonly pauseMs: number;
  /** Share of the records that are compared. Absent: all. */
  readonly share?: number;
  /** Chooses the sample; absent: another one each time. */
  readonly seed?: string;
  /** Records that are known not to have been restored, with the reason told elsewhere. */
  readonly except?: { has(place: Place): boolean };
}

export interface ScopeCheck {
  readonly run: ConnectedRun;
  readonly how: HowToVerify;
  readonly scope: Scope;
  /** Of the scope within the run. */
  readonly number: number;
  readonly verifier: Verifier;
  readonly sample?: Sample;
  readonly checkpoints: Checkpoints;
  readonly tally: ScopeTally;
}

/**
 * The scope's records, until the run is interrupted. Those that a transform drops are no part of it.
 * @throws RestoreError INTERRUPTED, and as the reader does
 */
export async function* recordsOf({ run, scope, tally }: ScopeCheck): AsyncGenerator<DumpRecord> {
  const source = recordSource(run, scope);
  for await (const record of runRecords(source)) {
    if (run.signal.aborted) throw interrupted();
    if (record.kind !== "left-out") yield record;
  }
  tally.warnings = source.reader.warnings;
}

/** How a record stands without the target being asked; undefined: ask it. */
export function standingUnasked(
  { how, verifier, sample }: ScopeCheck,
  record: DumpRecord,
): Extract<Standing, "malformed" | "not-compared"> | undefined {
  if (record.kind === "faulty") return "malformed";
  if (how.except?.has(record.place) === true) return "not-compared";
  // What is compared all at once has no sample.
  return verifier.compareAll === undefined && !isSampled(sample, record.place) ? "not-compared" : undefined;
}

/** Records that are compared. */
export async function* comparable(check: ScopeCheck): AsyncGenerator<WritableRecord> {
  for await (const record of recordsOf(check)) {
    if (record.kind !== "faulty" && standingUnasked(check, record) === undefined) yield record;
  }
}

/** Time for what was on its way to arrive. @throws RestoreError INTERRUPTED */
export async function pause({ run, how }: Pick<ScopeCheck, "how" | "run">): Promise<void> {
  try {
    await run.options.clock.sleep(how.pauseMs, run.signal);
  } catch (error) {
    throw run.signal.aborted ? interrupted(error) : error;
  }
}
