/**
 * Works on one job with one process after another, until it has ended, waits again, is paused without a process, or the
 * daemon ends.
 */
import { setMaxListeners } from "node:events";
import { mkdir, open, stat } from "node:fs/promises";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { processOf } from "../../run/job/jobs.js";
import type { Clock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import type { Failure, Reported } from "../channel.js";
import { Fault } from "../fault.js";
import { newConfirmation } from "./confirmation.js";
import { dumpFolder, pickPlace, type Roots } from "./dump-place.js";
import { engineState, hasBegun } from "./engine-job.js";
import { filesOf, type JobFiles } from "./folder.js";
import { JobProcess, type ProcessEnd, type Program } from "./job-process.js";
import { type Judgement, judge } from "./judge.js";
import type { LiveJob, Patch, Steered } from "./live-job.js";
import { OutputFile } from "./output-file.js";
import { planDigest } from "./plan-digest.js";
import { processBirth } from "./process-birth.js";
import type { JobRecord } from "./record.js";
import { readPlanMade } from "./results.js";
import {
  HELPING,
  type Next,
  nextStep,
  type Purpose,
  type Settled,
  type Step,
  type StepInit,
  settledBy,
  toldOf,
} from "./steps.js";
import { optionOf } from "./words.js";

export interface RunnerInit {
  readonly program: Program;
  readonly stateDirectory: string;
  /** Of all jobs. */
  readonly folder: string;
  /** The configuration file, absolute. */
  readonly config: string;
  readonly roots: Roots;
  readonly assertions: Readonly<Record<string, string>>;
  readonly isAlive: (pid: number) => boolean;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

/** A process that is told to end lets writes end for 10 seconds, and closes its connections then. */
const STOP_MS = 45_000;
/** For what comes before and behind a job's own work. */
const HELP_MS = 300_000;
/** For a process of an earlier daemon, whose channel has closed. */
const DYING_MS = 30_000;
const LOOK_MS = 200;
const MOST_CRASHES = 3;
const CRASH_BACKOFF_MS = 2_000;
const HELD_BACKOFF_MS = 500;
const LONGEST_HELD_MS = 300_000;
const AFTER_TROUBLE_MS = 30_000;

export class Runner {
  readonly #init: RunnerInit;
  /** How often in a row a job found what it needs taken. */
  readonly #held = new Map<string, number>();
  readonly #processes = new Set<JobProcess>();
  readonly #ending = new AbortController();
  #isKilling = false;

  constructor(init: RunnerInit) {
    this.#init = init;
    // Each job that waits for something listens to it.
    setMaxListeners(0, this.#ending.signal);
  }

  /** Tells every process to stop, and begins none. Jobs stay as they are, for the next daemon. */
  stop(): void {
    this.#ending.abort();
    for (const process of this.#processes) process.order({ type: "stop" });
  }

  kill(): void {
    this.#isKilling = true;
    for (const process of this.#processes) process.kill();
  }

  /**
   * Resolves when nothing works on the job any more; its record says what came of it, and `holdUp` how long it is to wait.
   * What the disk or the system refuses meanwhile puts it off. Never rejects.
   */
  async run(job: LiveJob): Promise<void> {
    try {
      await this.#work(job);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#init.warn(`job ${job.id} could not be worked on: ${messageOf(error)}`);
      const why = `the daemon could not work on it: ${messageOf(error)}`;
      await this.#putOff(job, AFTER_TROUBLE_MS, why).catch(() => undefined);
    }
  }

  async #work(job: LiveJob): Promise<void> {
    const { signal } = this.#ending;
    const tried = new Set<string>();
    job.holdUp = undefined;
    // An order may have come while its turn was decided.
    await job.idle();
    const { state, order } = job.record;
    if (job.hasEnded || (state !== "queued" && order !== "cancel")) return;
    await this.#untilFree(job);
    for (let hasWorked = false; ; ) {
      const { limits } = job.record;
      const next = await this.#next(job, tried);
      if ("settled" in next) return await this.#settle(job, next.settled);
      if (signal.aborted) return;
      const isWork = next.step.purpose === "work";
      if (isWork && hasWorked) return await this.#settle(job, { state: "failed", error: SILENT });
      const judgement = await this.#process(job, { ...next.step, limits });
      if (judgement.kind === "go-on") hasWorked ||= isWork;
      else if (judgement.kind === "anew" && !tried.has("anew")) tried.add("anew");
      else return await this.#stopped(job, judgement);
    }
  }

  async #next(job: LiveJob, tried: Set<string>): Promise<Next> {
    const { dump, fault } = await this.#placedDump(job).then(
      (path) => ({ dump: path, fault: undefined }),
      (error: unknown) => ({ dump: "", fault: failureOf(error) }),
    );
    const next = await nextStep({ ...this.#stepInit(job.record, dump), tried }).catch(
      (error: unknown): Next => ({ settled: { state: "failed", error: failureOf(error) } }),
    );
    // What has come to its end needs no dump, nor does what is to be let go of.
    if (fault === undefined || "settled" in next || job.record.order === "cancel") return next;
    return { settled: { state: "failed", error: fault } };
  }

  #stepInit(record: JobRecord, dump: string): Omit<StepInit, "tried"> {
    const { stateDirectory, config, assertions, folder } = this.#init;
    const files = filesOf(folder, record);
    const { plan } = record;
    const path = plan === undefined ? undefined : filesOf(folder, { id: plan, kind: "plan" }).plan;
    return { record, files, dump, stateDirectory, config, assertions, ...present({ plan: path }) };
  }

  /** Checked again, however often it was: links and folders may be others by now. */
  async #placedDump(job: LiveJob): Promise<string> {
    const { roots } = this.#init;
    const { pick, dump, order } = job.record;
    if (pick !== undefined && order !== "cancel") {
      const placed = await pickPlace(roots, dump.root, pick);
      await job.changeSurely(() => ({ dump: placed, pick: undefined }), this.#ending.signal);
    }
    return await dumpFolder(roots, job.record.dump);
  }

  async #process(job: LiveJob, { purpose, words, limits, stdout: path }: Limited<Step>): Promise<Judgement> {
    const { clock, program } = this.#init;
    if (optionOf(job.record, "streamMergeStrategy") === "auto-id") await mkdir(job.files.remap, { recursive: true });
    const output = await OutputFile.open(job.files.output, clock);
    const stdout = path === undefined ? undefined : await open(path, "w", 0o600);
    try {
      const process = new JobProcess({
        ...{ program, clock, id: job.id, words },
        ...present({ stdout: stdout?.fd }),
        onReported: (reported) => this.#take(job, reported),
        onOutput: (chunk) => output.take(chunk),
      });
      const end = await this.#endOf(job, { process, purpose, limits });
      const isEnding = this.#ending.signal.aborted;
      return judge(end, { purpose, order: job.record.order, isEnding, lastLine: output.lastLine });
    } finally {
      await stdout?.close();
      await output.close();
    }
  }

  async #endOf(job: LiveJob, begun: Omit<Begun, "over">): Promise<ProcessEnd> {
    const { process } = begun;
    const over = new AbortController();
    this.#processes.add(process);
    const told = this.#begin(job, { ...begun, over: over.signal }).catch((error: unknown) => {
      if (!over.signal.aborted) this.#init.warn(`job ${job.id}: ${messageOf(error)}`);
    });
    try {
      return await process.ended;
    } finally {
      over.abort();
      this.#processes.delete(process);
      job.detach();
      await told;
    }
  }

  /** From then on the record says that it runs, and orders reach it: also those that came before. */
  async #begin(job: LiveJob, begun: Begun): Promise<void> {
    const { process, purpose, over, limits } = begun;
    const { clock } = this.#init;
    const identity = await process.identity();
    const isHelping = HELPING.has(purpose);
    await job.changeSurely((record) => {
      if (isHelping) return { process: identity };
      const { attempts, startedAt = clock.now() } = record;
      return { process: identity, state: "running", attempts: attempts + 1, startedAt };
    }, over);
    if (this.#isKilling) process.kill();
    else if (this.#ending.signal.aborted) process.order({ type: "stop" });
    if (isHelping) return await this.#killLate(job, begun, HELP_MS);
    const steered: Steered = {
      order: (order) => {
        process.order(order);
        if (order.type === "stop") void this.#killLate(job, begun, STOP_MS);
      },
    };
    job.process = steered;
    const { order } = job.record;
    // Its words had those from before.
    if (job.record.limits !== limits) void job.limit(job.record.limits);
    if (order === "pause") steered.order({ type: "pause" });
    if (order === "cancel") steered.order({ type: "stop" });
  }

  /** Never rejects. */
  async #killLate({ id }: LiveJob, { process, over }: Begun, afterMs: number): Promise<void> {
    const { clock, warn } = this.#init;
    await clock.sleep(afterMs, over).catch(() => undefined);
    if (over.aborted) return;
    warn(`a process of job ${id} did not end within ${afterMs / 1000} s, and is killed`);
    process.kill();
  }

  #take(job: LiveJob, reported: Reported): void {
    switch (reported.type) {
      case "progress":
        job.take(reported.progress);
        break;
      case "warning":
        job.warn(reported.scope === undefined ? reported.text : `${reported.scope}: ${reported.text}`);
        break;
      case "paused":
        this.#note(job, ({ order }) => ({ state: "paused", order: order === "pause" ? undefined : order }));
        break;
      case "resumed":
        this.#note(job, ({ order, state }) =>
          state === "running" && order !== "resume"
            ? undefined
            : { state: "running", order: order === "resume" ? undefined : order },
        );
        break;
      case "limits":
        job.answer({});
        break;
      case "limits-refused":
        job.answer({ refused: reported.failure.message });
        break;
      case "failed":
        // It is told with the process's end.
        break;
    }
  }

  #note(job: LiveJob, change: (record: JobRecord) => Patch | undefined): void {
    job.changeSurely(change, this.#ending.signal).catch(() => undefined);
  }

  /** It ended, and the job's own result does not say how. */
  async #stopped(job: LiveJob, judgement: Judgement): Promise<void> {
    const { record } = job;
    if (judgement.kind !== "held") this.#held.delete(job.id);
    switch (judgement.kind) {
      case "failed":
        return await this.#settle(job, { state: "failed", error: judgement.error });
      case "anew":
        return await this.#settle(job, { state: "failed", error: SILENT });
      case "held": {
        const times = this.#held.get(job.id) ?? 0;
        this.#held.set(job.id, times + 1);
        return await this.#putOff(job, Math.min(LONGEST_HELD_MS, HELD_BACKOFF_MS * 2 ** times), judgement.why);
      }
      case "crashed": {
        // What stands in a restore's report is worth nothing before the engine says that it is finished.
        const told = record.kind === "apply" ? undefined : await toldOf({ record, files: job.files });
        if (told !== undefined) return await this.#settle(job, settledBy(told));
        if (record.crashes >= MOST_CRASHES) {
          return await this.#settle(job, { state: "failed", error: givenUp(record, judgement.why) });
        }
        const ms = CRASH_BACKOFF_MS * 4 ** record.crashes;
        return await this.#putOff(job, ms, judgement.why, { crashes: record.crashes + 1 });
      }
    }
  }

  /** Back into the queue, unless it was to be paused. */
  async #putOff(job: LiveJob, ms: number, why: string, more: Patch = {}): Promise<void> {
    const text = `${why}; it is tried again after ${ms / 1000} s`;
    job.holdUp = { why: text, until: this.#init.clock.monotonic() + ms };
    job.waitsFor = text;
    await job.changeSurely(({ order, state }) => {
      const isPaused = order === "pause" || (state === "paused" && order === undefined);
      return { ...more, state: isPaused ? "paused" : "queued", order: order === "cancel" ? order : undefined };
    }, this.#ending.signal);
  }

  async #settle(job: LiveJob, settled: Settled): Promise<void> {
    const { files, record } = job;
    const { state, warnings = [] } = settled;
    for (const warning of warnings) job.warn(warning);
    const told = settled.result === undefined ? await toldOf({ record, files }) : undefined;
    const result = settled.result ?? (state === "failed" ? told?.result : undefined);
    const isHeld = state === "failed" && (await this.#isOnItsWay(record));
    const error = state === "failed" ? (settled.error ?? unexplained(result?.exitStatus)) : undefined;
    const has = await whatThereIs(record, files);
    const { clock, stateDirectory } = this.#init;
    const keptPlan = state === "finished" && record.kind === "plan" ? await keptPlanOf(files, clock.now()) : undefined;
    this.#held.delete(job.id);
    await job.changeSurely(
      ({ order }) => ({
        ...{ has, result, keptPlan, process: undefined },
        // What was to be let go of while this was found out waits for nobody.
        order: isHeld && order === "cancel" ? order : undefined,
        ...(isHeld ? { state: "held" } : { state, endedAt: clock.now() }),
        error: error === undefined ? undefined : explained(error, { isHeld, stateDirectory }),
      }),
      this.#ending.signal,
    );
  }

  /** Whether it is a restore that can be gone on with where it was. One that wrote nothing is better asked for again. */
  async #isOnItsWay({ kind, id }: JobRecord): Promise<boolean> {
    const place = { stateDirectory: this.#init.stateDirectory, id };
    return kind === "apply" && (await engineState(place)) === "unfinished" && (await hasBegun(place));
  }

  /** Until processes that an earlier daemon began are gone: their channel has closed, and they end by themselves. */
  async #untilFree({ id, record }: LiveJob): Promise<void> {
    const { clock, stateDirectory, isAlive } = this.#init;
    const { process } = record;
    if (process === undefined) return;
    const since = clock.monotonic();
    const isThere = async () =>
      (await isSame(process, isAlive)) || (await processOf({ stateDirectory, isAlive }, id)) !== undefined;
    while ((await isThere()) && clock.monotonic() - since < DYING_MS) {
      await clock.sleep(LOOK_MS, this.#ending.signal);
    }
  }
}

/** `limits`: those that stand in its words. */
type Limited<T> = T & { readonly limits: JobRecord["limits"] };

interface Begun extends Limited<{ readonly process: JobProcess; readonly purpose: Purpose }> {
  /** Aborted once it has ended. */
  readonly over: AbortSignal;
}

async function isSame(
  { pid, birth }: NonNullable<JobRecord["process"]>,
  isAlive: (pid: number) => boolean,
): Promise<boolean> {
  const now = await processBirth(pid);
  return birth === undefined ? isAlive(pid) : now === birth;
}

async function whatThereIs({ kind }: JobRecord, files: JobFiles): Promise<JobRecord["has"]> {
  const sizes = await Promise.all(
    [files.plan, files.report, ...files.listed].map(
      async (path) => (await stat(path).catch(() => undefined))?.size ?? 0,
    ),
  );
  const [plan = 0, report = 0, ...listed] = sizes;
  return { plan: kind === "plan" && plan > 0, report: report > 0, rejects: listed.some((size) => size > 0) };
}

/** With what it takes to carry it out. */
async function keptPlanOf({ plan }: JobFiles, now: number): Promise<JobRecord["keptPlan"]> {
  const told = await readPlanMade(plan);
  const confirmation = told?.result.deletes === true ? newConfirmation(now) : undefined;
  return { sha256: await planDigest(plan), ...present({ confirmation }) };
}

/** With how to go on after it. */
function explained(
  error: Failure,
  { isHeld, stateDirectory }: { readonly isHeld: boolean; readonly stateDirectory: string },
): Failure {
  if (isHeld) {
    const way = "What was restored stays. Resume the job to go on where it was, or cancel it to let go of it.";
    return { ...error, hint: [error.hint, way].join(" ").trim() };
  }
  if (error.code !== "JOB_UNFINISHED") return error;
  const hint = `On the daemon's machine, \`elastickv-restore resume <job> --state-dir ${stateDirectory}\` takes it up where it was, and \`cancel\` in its place lets go of it; then ask for this one again.`;
  return { ...error, hint };
}

const SILENT: Failure = {
  code: "INTERNAL",
  message: "its process ended without a result",
  hint: "This is a bug in elastickv-restore: please report it.",
};

function givenUp({ kind }: JobRecord, why: string): Failure {
  const message = `given up after ${MOST_CRASHES + 1} processes: ${why}`;
  return {
    code: "INTERNAL",
    message,
    ...(kind === "apply" ? {} : { hint: "When the cause is mended, ask for it again." }),
  };
}

function unexplained(exitStatus: number | undefined): Failure {
  const status = exitStatus === undefined ? "" : ` with status ${exitStatus}`;
  return { code: "INTERNAL", message: `it ended${status}: its report says more` };
}

function failureOf(error: unknown): Failure {
  if (error instanceof RestoreError) {
    const { code, message, hint, where } = error;
    return { code, message, ...present({ hint }), where: present({ ...where }) };
  }
  if (error instanceof Fault)
    return { code: "DUMP_NOT_FOUND", message: error.message, ...present({ hint: error.hint }) };
  return { code: "INTERNAL", message: messageOf(error) };
}
