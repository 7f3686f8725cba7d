/**
 * What a job's next process is, or how the job has ended: asked of the disk before each process, so that it does not matter
 * whether this daemon or an earlier one began the ones before, nor where those were cut off.
 *
 * A restore is taken up by the engine's own job; a comparison goes on from its checkpoint, after what it mends was taken
 * up; a drill is cleaned up and run again; a plan is made again. A job that is let go of first rids its targets of what
 * its processes left half-written.
 */
import { readFile, rm } from "node:fs/promises";
import { EXIT } from "../../errors/codes.js";
import { replaceFile } from "../../support/durable-files.js";
import { present } from "../../support/present.js";
import type { Failure } from "../channel.js";
import type { JobResult } from "../schema/job.js";
import {
  type EnginePlace,
  engineState,
  hasBegun,
  isRid,
  jobsIn,
  leftBehind,
  takeReport,
  unfinishedJobs,
} from "./engine-job.js";
import { readComparison, readDrill, readDumpCheck, readPlanMade, readRestore, type Told } from "./results.js";
import {
  applyWords,
  cancelWords,
  cleanWords,
  comparisonWords,
  drillWords,
  optionOf,
  planWords,
  resumeWords,
  verifyWords,
  type WordsInit,
} from "./words.js";

/** `work`: the job itself; `mend`: what a comparison that repairs had begun; the others: before or behind it. */
export type Purpose = "cancel" | "clean" | "compare" | "forget" | "mend" | "work";

/** Before and behind a job's own work: they take no orders, and what they do may be left out. */
export const HELPING: ReadonlySet<Purpose> = new Set(["cancel", "clean", "forget"]);

export interface Step {
  readonly purpose: Purpose;
  readonly words: readonly string[];
  /** The file that takes standard output. */
  readonly stdout?: string;
}

export interface Settled {
  readonly state: "cancelled" | "failed" | "finished";
  readonly result?: JobResult;
  readonly error?: Failure;
  readonly warnings?: readonly string[];
}

export type Next = { readonly step: Step } | { readonly settled: Settled };

export interface StepInit extends WordsInit {
  /** The file of the plan that is carried out. */
  readonly plan?: string;
  /** What was tried since the job was begun by this daemon; filled here. */
  readonly tried: Set<string>;
}

/** @throws the system's error */
export async function nextStep(init: StepInit): Promise<Next> {
  const { kind, order } = init.record;
  const isCancelled = order === "cancel";
  if (kind === "apply") return await nextOfRestore(init, isCancelled);
  const told = await toldOf(init);
  if (told !== undefined) return { settled: settledBy(told) };
  if (isCancelled) return await lettingGo(init);
  if (kind === "plan") return work(planWords(init));
  return kind === "verify" ? await nextOfComparison(init) : await nextOfDrill(init);
}

/** What the job's report says, once it is there; of a restore that was stopped as well. */
export async function toldOf({ record, files }: Pick<WordsInit, "files" | "record">): Promise<Told | undefined> {
  const { kind, id, target } = record;
  if (kind === "plan") return await readPlanMade(files.plan);
  if (kind === "drill") return await readDrill(files.report);
  if (kind === "apply") return await readRestore(files.report, id);
  return target === undefined ? await readDumpCheck(files.report) : await readComparison(files.report);
}

export function settledBy({ result, error }: Told): Settled {
  const isFinished = FINISHED.has(result.exitStatus);
  return { state: isFinished ? "finished" : "failed", result, ...present({ error }) };
}

/** With these a job came to its end. */
export const FINISHED: ReadonlySet<number | undefined> = new Set([EXIT.ok, EXIT.incomplete, EXIT.differences]);

function work(words: readonly string[]): Next {
  return { step: { purpose: "work", words } };
}

async function nextOfRestore(init: StepInit, isCancelled: boolean): Promise<Next> {
  const { record, files, stateDirectory, plan } = init;
  const place = { stateDirectory, id: record.id };
  const state = await engineState(place);
  if (state === "finished") return await nextOfRestored(init, place, !isCancelled);
  if (isCancelled) return await lettingGo(init);
  // By somebody at the command line.
  if (state === "cancelled") return { settled: { state: "cancelled", warnings: await leftBehind(place) } };
  // A stopped one's report is no report of the job.
  await rm(files.report, { force: true });
  if (state === "unfinished" && (plan === undefined || (await hasBegun(place)))) {
    return work(resumeWords(record.id, { stateDirectory, limits: record.limits, report: files.report }));
  }
  const kept = plan === undefined ? undefined : { path: plan, isConfirmed: record.isConfirmed === true };
  return work(applyWords(init, kept));
}

async function nextOfRestored(init: StepInit, place: EnginePlace, mayCompare: boolean): Promise<Next> {
  const { record, files, tried } = init;
  const isWhole = (await readRestore(files.report, record.id))?.isFinished === true;
  if (!isWhole) await takeReport(place, files);
  if (tried.has("compare")) await addComparison(files.report, files.comparison);
  const told = await readRestore(files.report, record.id);
  if (told === undefined) return { settled: { state: "failed", error: unreadable() } };
  if (!mayCompare || optionOf(record, "verify") !== true || told.isCompared) return { settled: settledBy(told) };
  tried.add("compare");
  await rm(files.comparison, { force: true });
  return { step: { purpose: "compare", words: comparisonWords(init, told.startedAt) } };
}

/** As `apply --verify` does it: records that are left count more than differences. */
async function addComparison(report: string, comparison: string): Promise<void> {
  const [restored, verification] = await Promise.all(
    [report, comparison].map(async (path) => JSON.parse(await readFile(path, "utf8")) as { exitStatus: number }),
  );
  const exitStatus = restored?.exitStatus || verification?.exitStatus;
  await replaceFile(report, `${JSON.stringify({ ...restored, verification, exitStatus }, undefined, 2)}\n`);
}

async function nextOfComparison(init: StepInit): Promise<Next> {
  const { record, files, tried } = init;
  if (optionOf(record, "repair") === true && record.attempts > 0) {
    const begun = (await unfinishedJobs(files.state)).find(({ id }) => !tried.has(`mend ${id}`));
    if (begun !== undefined) {
      tried.add(`mend ${begun.id}`);
      const words = resumeWords(begun.id, { stateDirectory: files.state, limits: record.limits });
      return { step: { purpose: "mend", words } };
    }
  }
  const isAlone = record.target === undefined;
  const words = verifyWords(init, !isAlone && record.attempts > 0 && !tried.has("anew"));
  return { step: { purpose: "work", words, ...(isAlone ? { stdout: files.report } : {}) } };
}

async function nextOfDrill(init: StepInit): Promise<Next> {
  const clean = cleaning(init);
  if (clean !== undefined) return clean;
  // Of a drill that was interrupted: evidence is never written over.
  await rm(init.files.evidence, { recursive: true, force: true });
  return work(drillWords(init));
}

/** Where a drill was begun before, its process may have been killed. */
function cleaning({ record, stateDirectory, tried }: StepInit): Next | undefined {
  if (record.kind !== "drill" || record.attempts === 0 || tried.has("clean")) return undefined;
  tried.add("clean");
  return { step: { purpose: "clean", words: cleanWords(stateDirectory) } };
}

async function lettingGo(init: StepInit): Promise<Next> {
  const { record, files, stateDirectory, tried } = init;
  const clean = cleaning(init);
  if (clean !== undefined) return clean;
  // What a comparison that repairs has begun stands in a state directory of its own.
  const places = record.kind === "apply" ? [{ stateDirectory, id: record.id }] : await jobsIn(files.state);
  const warnings: string[] = [];
  for (const place of places) {
    const step = await stepToLetGo(place, tried);
    if (step !== undefined) return { step };
    const state = await engineState(place);
    if (state === "unfinished")
      warnings.push(`the restore ${place.id} could not be let go of: it may be taken up again`);
    warnings.push(...(await leftBehind(place)));
  }
  return { settled: { state: "cancelled", warnings } };
}

/** Where the targets cannot be reached, it is let go of all the same, and what may be left is told. */
async function stepToLetGo(place: EnginePlace, tried: Set<string>): Promise<Step | undefined> {
  const { id, stateDirectory } = place;
  const state = await engineState(place);
  if (state === "absent" || state === "finished" || (state === "cancelled" && (await isRid(place)))) return undefined;
  for (const purpose of ["cancel", "forget"] as const) {
    if (tried.has(`${purpose} ${id}`) || (purpose === "forget" && state === "cancelled")) continue;
    tried.add(`${purpose} ${id}`);
    return { purpose, words: cancelWords(id, stateDirectory, purpose === "forget") };
  }
  return undefined;
}

function unreadable(): Failure {
  return { code: "INTERNAL", message: "the restore is finished, and its report cannot be read" };
}
