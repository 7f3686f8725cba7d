/** A restore from beginning to end. Reads as a table of contents; each step lives in a module of its own. */
import { RestoreError } from "../errors/restore-error.js";
import { assertAcceptable } from "./inspection.js";
import { CountingJournal } from "./journal/counting-journal.js";
import { Ledger } from "./ledger.js";
import { assertMemory } from "./memory.js";
import { outlinePlan, type Plan, type PlannedScope } from "./plan.js";
import { type PreparedRun, prepare, type RunOptions } from "./prepare.js";
import { Rejects } from "./rejects.js";
import { replay } from "./replay.js";
import { makeReport, type Report } from "./report.js";

export interface ApplyOptions extends RunOptions {
  /** JSONL file for every record that is not plainly restored; absent: the report's first ones are all there is. */
  readonly rejectsPath?: string;
  /** Shown before the first write. */
  readonly onPlan?: (plan: Plan) => void;
  /** Asked before anything is deleted: true to go on. Only a mode that deletes asks, and only where there is anything. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
}

/**
 * Restores a dump. Everything that can be known before the first write is found before it.
 * @returns the report, also of a run that was stopped after its first write
 * @throws RestoreError of the classes usage, dump and target, with nothing written
 */
export async function apply(options: ApplyOptions): Promise<Report> {
  const startedAt = options.clock.monotonic();
  let run: PreparedRun | undefined;
  try {
    run = await prepare(options).catch((error: unknown) => {
      throw unwritten(error, options);
    });
    const plan = outlinePlan(run);
    options.onPlan?.(plan);
    assertAcceptable(run);
    assertMemory(run);
    await assertConfirmed(options, plan);
    return await write({ options, run, plan, startedAt });
  } finally {
    await run?.close();
    options.progress.report({ type: "finished" });
  }
}

/** An interruption of whatever kind, before anything was written: what somebody who pressed Ctrl-C wants to know. */
function unwritten(error: unknown, { signal }: ApplyOptions): unknown {
  const isInterruption = error instanceof RestoreError ? error.code === "INTERRUPTED" : signal?.aborted === true;
  if (!isInterruption) return error;
  return new RestoreError("INTERRUPTED", "interrupted before anything was written", { cause: error });
}

/**
 * Whether emptying the scope may delete anything. A target that cannot count looks empty where it holds none of the
 * dump's own keys, and may hold any others.
 */
export function mayDelete({ decision, presence, holds }: PlannedScope): boolean {
  return decision === "empty" && (presence !== "empty" || holds === undefined);
}

async function assertConfirmed(options: ApplyOptions, plan: Plan): Promise<void> {
  if (!options.mode.destructive || !plan.scopes.some(mayDelete) || (await options.confirm(plan))) return;
  throw new RestoreError("NOT_CONFIRMED", "replace deletes what the target holds, and nobody confirmed it", {
    hint: "Nothing was written. Look at `elastickv-restore plan`, then say --yes.",
  });
}

async function write(job: {
  readonly options: ApplyOptions;
  readonly run: PreparedRun;
  readonly plan: Plan;
  readonly startedAt: number;
}): Promise<Report> {
  const { options, run, plan, startedAt } = job;
  const rejects = new Rejects(options.rejectsPath);
  const ledger = new Ledger(rejects, options.progress);
  const journal = new CountingJournal();
  const replayed = await replay({ run, journal, ledger });
  // A list that cannot be kept is told in the report, not in its place.
  const unkept = await rejects.close().then(
    () => undefined,
    (error: unknown) => error,
  );
  const end = replayed.error === undefined && unkept !== undefined ? { ...replayed, error: unkept } : replayed;
  await journal.close();
  return makeReport({ run, plan, end, ledger, rejects, durationMs: options.clock.monotonic() - startedAt });
}
